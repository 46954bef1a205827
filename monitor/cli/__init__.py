"""The ``leakmon`` command: parse, build, call, print."""

from __future__ import annotations

import sys

from monitor.cli import streams
from monitor.cli.arguments import parser
from monitor.errors import LeakmonError, UsageError

USAGE_EXIT = 2
PARTIAL_EXIT = 3
INTERRUPTED_EXIT = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit status (see ``leakmon scan --help``)."""
    streams.attach()
    words = sys.argv[1:] if arguments is None else arguments
    call = parser(words[0] if words else "").parse_args(words)
    try:
        status = int(call.run(call))
        sys.stdout.flush()
    except UsageError as error:
        return _complain(str(error), USAGE_EXIT)
    except LeakmonError as error:
        return _complain(str(error), PARTIAL_EXIT)
    except KeyboardInterrupt:
        return _complain("interrupted; nothing was left behind", INTERRUPTED_EXIT)
    except BrokenPipeError:
        streams.detach()  # the reader (head, less) has seen enough
        return 0
    except OSError as error:
        if error.errno not in streams.FULL or error.filename is not None:
            raise
        streams.detach()
        return _complain(f"standard output: cannot be written ({error.strerror})", USAGE_EXIT)
    return status


def _complain(message: str, status: int) -> int:
    print(f"leakmon: {message}", file=sys.stderr)
    return status
