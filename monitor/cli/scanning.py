"""The grammar of ``leakmon scan``: its help, and its options by what they are for."""

from __future__ import annotations

import argparse

from monitor.model import Severity

FORMATS = ("table", "json", "jsonl", "sarif", "html")


SEVERITIES = tuple(severity.value for severity in Severity if severity is not Severity.NONE)


SCAN_HELP = """\
targets:
  npm:left-pad  npm:@acme/cli@1.2.0  npm:x@next     a package of the npm registry
  pypi:acme  pypi:acme==2.0                         every file of a PyPI release
  pkg:npm/%40acme/cli@1.2.0                         any of these as a package URL
  github:acme/repo@ref                              a public or private repository
  https://git.example/acme.git@ref                  any git address
  github:acme/repo --history                        every commit of all its branches and tags
  ./acme-0.9.0.tgz  ./dist/                         an archive or a folder on this machine
  -                                                 a list of targets on standard input

exit status:
  0  nothing at or above --fail-on
  1  something at or above --fail-on
  2  the call or its configuration is wrong
  3  a target could not be inspected in full (each is named with its reason); 1 wins over 3

examples:
  leakmon scan npm:is-number
  npm pack && leakmon scan ./acme-cli-1.2.0.tgz --fail-on high
  leakmon scan pypi:acme==2.0 --format table --format sarif --output acme.sarif
  leakmon scan ./dist --baseline known.json
  leakmon scan github:acme/repo --history
  leakmon scan . --history --fail-on high            a checkout, before it is made public
"""


def output_options(output: argparse._ArgumentGroup) -> None:
    """What is written, and where."""
    output.add_argument(
        "--format", action="append", choices=FORMATS, dest="formats", metavar="FORMAT",
        help=f"{', '.join(FORMATS)} (default: table); repeatable, one --output each",
    )  # fmt: skip
    output.add_argument(
        "--output", action="append", dest="outputs", metavar="FILE",
        help="where the report of the same position goes; - or absent: standard output",
    )  # fmt: skip
    output.add_argument("--show-secrets", action="store_true", help="print secrets in full")
    output.add_argument(
        "--min-severity", choices=SEVERITIES, default="info", metavar="SEVERITY",
        help="leave findings below this out of the reports (default: info, all of them)",
    )  # fmt: skip
    output.add_argument("--quiet", "-q", action="store_true", help="print the reports only")
    output.add_argument("--no-progress", action="store_true", help="show no progress bars")


def decision_options(decision: argparse._ArgumentGroup) -> None:
    """What counts, and what is known already."""
    decision.add_argument(
        "--fail-on", choices=SEVERITIES, default="medium", metavar="SEVERITY",
        help=f"exit 1 from this severity on: {', '.join(SEVERITIES)} (default: medium)",
    )  # fmt: skip
    decision.add_argument(
        "--baseline", action="append", default=[], metavar="FILE",
        help="an earlier JSON report, or a list of fingerprints: what is in it does not count",
    )  # fmt: skip
    decision.add_argument(
        "--ignores", action="append", default=[], metavar="FILE",
        help="ignores with reason and expiry (default: ./leakmon-ignore.toml)",
    )  # fmt: skip
    decision.add_argument(
        "--no-inline-ignores",
        action="store_true",
        help="in a folder, do not heed 'leakmon:ignore' comments (for folders of strangers)",
    )


def work_options(work: argparse._ArgumentGroup) -> None:
    """How it is looked at."""
    work.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
    work.add_argument(
        "--rules", action="append", default=[], metavar="DIR",
        help="a folder of Semgrep rules to use beside the bundled ones; repeatable (structural "
        "ones run with --semgrep)",
    )  # fmt: skip
    work.add_argument(
        "--history", action="store_true",
        help="inspect every commit of the repositories (github:owner/name, git addresses, "
        "checkouts; with @ref what leads to it): each new file once; findings tell the commit, the "
        "path and whether HEAD still holds it",
    )  # fmt: skip
    work.add_argument(
        "--semgrep", action=argparse.BooleanOptionalAction, default=False,
        help="also run the structural rules, with Semgrep (pip install 'leakmon[semgrep]'); "
        "off by default: it takes seconds, not milliseconds",
    )  # fmt: skip
    work.add_argument(
        "--advisories", action=argparse.BooleanOptionalAction, default=False,
        help="also look up known vulnerabilities of each package and what it asks for or bundles "
        "(pip install 'leakmon[advisories]'); off by default: it tells their names and versions "
        "to the OSV API",
    )  # fmt: skip
    work.add_argument(
        "--previous", action="append", default=[], metavar="TARGET",
        help="an earlier version, to tell what is new in this one; repeatable, the newest first",
    )  # fmt: skip
    work.add_argument(
        "--earlier", type=positive, default=0, metavar="N",
        help="the same with the N versions before it in the registry (each is downloaded)",
    )  # fmt: skip
    work.add_argument(
        "--private-code", action=argparse.BooleanOptionalAction, default=True,
        help="hold it against the indexes of private code (leakmon index), where there are any",
    )  # fmt: skip
    work.add_argument(
        "--jobs", "-j", type=positive, metavar="N",
        help="inspect this many at once (default: the number of processors)",
    )  # fmt: skip


def positive(text: str) -> int:
    """A whole number above 0. Raises ArgumentTypeError."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number, 1 or more")
    return number
