"""The ``leakmon`` command: parse, build, call, print."""

from __future__ import annotations

import sys

from monitor.cli.arguments import parser
from monitor.errors import LeakmonError, UsageError

USAGE_EXIT = 2
PARTIAL_EXIT = 3
INTERRUPTED_EXIT = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit status (see ``leakmon scan --help``)."""
    call = parser().parse_args(arguments)
    try:
        return int(call.run(call))
    except UsageError as error:
        return _complain(str(error), USAGE_EXIT)
    except LeakmonError as error:
        return _complain(str(error), PARTIAL_EXIT)
    except KeyboardInterrupt:
        return _complain("interrupted; nothing was left behind", INTERRUPTED_EXIT)
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Closing here keeps the interpreter from
        # complaining about the same pipe at exit.
        sys.stderr.close()
        return 0


def _complain(message: str, status: int) -> int:
    print(f"leakmon: {message}", file=sys.stderr)
    return status
