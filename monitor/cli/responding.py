"""The grammar of ``leakmon incidents`` and ``leakmon alerts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import IncidentState, Severity

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Command = Callable[..., argparse.ArgumentParser]

_STATES = tuple(state.value for state in IncidentState)
_SEVERITIES = tuple(severity.value for severity in Severity if severity is not Severity.NONE)
_WHO = (
    ("ack", "acknowledge", "say that you are on it", False),
    ("resolve", "resolve", "say that it is dealt with; it is reopened if it comes back", False),
    ("reopen", "reopen", "open it again", False),
    ("note", "note", "add a note, told in the thread", True),
    ("false-positive", "false_positive", "say that it is none, and why", True),
)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    """Add both commands; ``command`` makes one action of a group."""
    group = commands.add_parser("incidents", help="list, show and decide on incidents")
    actions = group.add_subparsers(title="actions", metavar="ACTION", required=True)
    made = [*_reading(actions, command), *_deciding(actions, command)]
    alerts = commands.add_parser("alerts", help="try the channels, and look at a message")
    actions = alerts.add_subparsers(title="actions", metavar="ACTION", required=True)
    preview = command(
        actions, "preview", "alerts:preview", "print a message as text, without sending it"
    )
    preview.add_argument("incident", nargs="?", metavar="ID", help="of this one (default: made up)")
    preview.add_argument("--kind", choices=("source", "secret"), default="source")
    preview.add_argument("--json", action="store_true", help="the blocks as JSON")
    test = command(
        actions, "test", "alerts:test", "check every channel and send a harmless message to each"
    )
    test.add_argument("--dry-run", action="store_true", help="check only, send nothing")
    for action in (*made, preview, test):
        action.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")


def _reading(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], command: Command
) -> list[argparse.ArgumentParser]:
    listing = command(
        actions, "list", "incidents:listing", "list incidents, latest first (default: unsettled)"
    )
    listing.add_argument("--json", action="store_true", help="as JSON")
    export = command(actions, "export", "incidents:export", "write incidents for other programs")
    export.add_argument("--format", choices=("json", "csv"), default="json", metavar="FORMAT")
    export.add_argument("--output", metavar="FILE", help="write here instead of standard output")
    for each in (listing, export):
        each.add_argument(
            "--state", action="append", default=[], choices=(*_STATES, "all"), dest="states",
            metavar="STATE", help=f"{', '.join(_STATES)} or all; repeatable",
        )  # fmt: skip
        each.add_argument("--min-severity", choices=_SEVERITIES, default="info", metavar="SEVERITY")
        each.add_argument("--organisation", default="", metavar="NAME")
        each.add_argument("--package", default="", metavar="ECOSYSTEM:NAME")
        each.add_argument("--limit", type=int, default=200, metavar="N", help="default: 200")
    show = command(actions, "show", "incidents:show", "tell everything of one incident")
    show.add_argument("incident", metavar="ID", help="or a beginning of it that is unique")
    show.add_argument("--json", action="store_true", help="as JSON")
    return [listing, export, show]


def _deciding(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], command: Command
) -> list[argparse.ArgumentParser]:
    made = []
    for name, function, told, needs_reason in _WHO:
        action = command(actions, name, f"incidents:{function}", told)
        action.add_argument("incidents", nargs="+", metavar="ID")
        action.add_argument("--reason", default="", required=needs_reason, metavar="TEXT")
        made.append(action)
    snooze = command(actions, "snooze", "incidents:snooze", "be quiet about it for a while")
    snooze.add_argument("incidents", nargs="+", metavar="ID")
    snooze.add_argument("--reason", default="", metavar="TEXT")
    snooze.add_argument(
        "--for", required=True, dest="span", metavar="SPAN", help="30m, 12h, 7d or 2w"
    )
    ignore = command(
        actions, "ignore", "incidents:ignore",
        "judge it a false positive and never report the same in this package again",
    )  # fmt: skip
    ignore.add_argument("incidents", nargs="+", metavar="ID")
    ignore.add_argument("--reason", required=True, metavar="TEXT")
    ignore.add_argument("--expires", metavar="YYYY-MM-DD", help="its last day (default: for good)")
    rescan = command(
        actions, "rescan", "rescan:run",
        "hold kept evidence against today's rules, marks and private code",
    )  # fmt: skip
    rescan.add_argument(
        "--all", action="store_true",
        help="also what was scanned with the same rules (after a change of a private-code index)",
    )  # fmt: skip
    rescan.add_argument("--package", default="", metavar="ECOSYSTEM:NAME", help="of this one only")
    rescan.add_argument(
        "--since", default="", metavar="SPAN", help="first seen within 12h, 30d ..."
    )
    return [*made, snooze, ignore, rescan]
