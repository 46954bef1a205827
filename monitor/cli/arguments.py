"""The command line's grammar. Each command's module is imported only when it runs."""

from __future__ import annotations

import argparse
import importlib
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.cli import indexing, responding, scanning, storage
from monitor.cli.loading import uncollected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


WORKER_HELP = """\
The configuration is that of the watch; the channels' secrets are not needed. The evidence must be
reachable from here: s3://, or file: in a folder that all machines share; and evidence.key is the
same on all. SIGTERM ends what is in hand first, for at most 20 s. It needs pip install
'leakmon[cluster]', and a database that leakmon db upgrade or leakmon watch has brought up to date.
"""


class _Parser(argparse.ArgumentParser):
    """A grammar that tells of an unknown option with the usage of the command that got it."""

    is_complete = False

    def _get_formatter(self) -> argparse.HelpFormatter:
        """While arguments are added only their shape is tried: that needs no terminal's width.

        To ask for the width imports shutil and every compressor with it.
        """
        if self.is_complete:
            return super()._get_formatter()
        return self.formatter_class(self.prog, width=80)  # type: ignore[call-arg] # all of ours take it

    def parse_known_args(  # type: ignore[override] # the two overloads differ in nothing here
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        self.is_complete = True
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


def parser(first: str = "") -> argparse.ArgumentParser:
    """The grammar; ``run`` of the result is the command to call with it.

    ``first`` is the first word of the command line: for a scan the other commands are left out,
    which would take longer to describe than a small package to inspect.
    """
    top: argparse.ArgumentParser = _Parser(
        prog="leakmon",
        description="Finds secrets, source and private code in published packages.",
        epilog="Run 'leakmon COMMAND --help' for a command's options.",
    )
    top.add_argument("--version", action="version", version=f"leakmon {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _scan(commands)
    if first == "scan":
        return top
    _rules(commands)
    _watch(commands)
    responding.add(commands, _command)
    storage.add(commands, _command)
    indexing.add(commands, _command)
    _small(commands)
    return top


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    target: str,
    help_text: str,
    epilog: str | None = None,
) -> argparse.ArgumentParser:
    made = commands.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.set_defaults(run=_later(target))
    return made


def _later(target: str) -> Callable[[argparse.Namespace], int]:
    def run(call: argparse.Namespace) -> int:
        module, function = target.split(":")
        with uncollected():
            command: Callable[[argparse.Namespace], int] = getattr(
                importlib.import_module(f"monitor.cli.{module}"), function
            )
        return command(call)

    return run


def _scan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    scan = _command(
        commands,
        "scan",
        "scan:run",
        "inspect packages, repositories, archives and folders",
        scanning.SCAN_HELP,
    )
    scan.add_argument("targets", nargs="+", metavar="TARGET", help="what to inspect (see below)")
    scanning.output_options(scan.add_argument_group("output"))
    scanning.decision_options(scan.add_argument_group("decision"))
    scanning.work_options(scan.add_argument_group("work"))


def _watch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    watch = _command(
        commands,
        "watch",
        "watch:run",
        "follow registries and repositories, inspect what is ours, tell people",
    )
    watch.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
    watch.add_argument(
        "--backfill", default="", metavar="DAYS",
        help="also look at what was published in the last DAYS days, or at all of it (all)",
    )  # fmt: skip
    watch.add_argument("--once", action="store_true", help="do what is due now, then end")
    _worker(commands)
    status = _command(commands, "status", "status:run", "show feeds, queue, alerts and incidents")
    status.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
    status.add_argument("--watch", action="store_true", help="redraw until Ctrl-C")
    status.add_argument("--json", action="store_true", help="as JSON")
    jobs = commands.add_parser("jobs", help="list and revive work that was set aside")
    actions = jobs.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _command(actions, "list", "set_aside:listing", "list what was set aside, and why")
    listing.add_argument(
        "--limit", type=scanning.positive, default=100, metavar="N", help="default: 100"
    )
    listing.add_argument("--json", action="store_true", help="as JSON")
    revive = _command(actions, "revive", "set_aside:revive", "try again what was set aside")
    revive.add_argument("keys", nargs="*", metavar="KEY", help="as leakmon jobs list gives them")
    revive.add_argument("--all", action="store_true", help="all of it")
    for action in (listing, revive):
        action.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")


def _worker(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    worker = _command(
        commands, "worker", "worker:run",
        "do the work of a leakmon watch from other machines (PostgreSQL only)", WORKER_HELP,
    )  # fmt: skip
    worker.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
    worker.add_argument(
        "--jobs", "-j", type=scanning.positive, metavar="N",
        help="inspect this many artifacts at once (default: service.workers, else the processors)",
    )  # fmt: skip
    worker.add_argument(
        "--listen", metavar="HOST:PORT",
        help="where to answer for its health (default: service.listen); '' for nowhere",
    )  # fmt: skip


def _rules(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    rules = commands.add_parser("rules", help="list, show, check and import detection rules")
    actions = rules.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _command(actions, "list", "rules:list_rules", "list the rules, one a line")
    listing.add_argument("words", nargs="*", metavar="WORD", help="only rules that hold each word")
    show = _command(actions, "show", "rules:show", "explain one rule")
    show.add_argument("rule", metavar="ID")
    check = _command(actions, "check", "rules:check", "prove rules by their own examples")
    importing = _command(
        actions, "import", "rules:import_rules",
        "convert Gitleaks TOML or Kingfisher YAML into our format, on standard output",
    )  # fmt: skip
    importing.add_argument("file", metavar="FILE", help="a .toml (Gitleaks) or .yml (Kingfisher)")
    importing.add_argument("--output", metavar="FILE", help="write the rules here instead")
    for action in (listing, show, check):
        action.add_argument("--rules", action="append", default=[], metavar="DIR")
    for action in (listing, show):
        action.add_argument("--json", action="store_true", help="as JSON")


def _small(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    schema = _command(commands, "schema", "schema:run", "print the JSON Schema of a report")
    schema.add_argument("name", choices=("scan",), metavar="NAME", help="scan")
    config = commands.add_parser("config", help="show what the configuration says")
    actions = config.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, text in (
        ("check", "check a configuration file and say what is wrong with it"),
        ("show", "print the configuration in force, secrets as references"),
    ):
        action = _command(actions, name, f"configuration:{name}", text)
        action.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
    perimeter = commands.add_parser("perimeter", help="whose packages are watched, and why")
    actions = perimeter.add_subparsers(title="actions", metavar="ACTION", required=True)
    explain = _command(
        actions, "explain", "perimeter:explain",
        "say by which key of the configuration a package is ours, or why it is not",
    )  # fmt: skip
    explain.add_argument(
        "name", metavar="NAME", help="npm:@acme/cli, pypi:acme, github:acme/cli, or just a name"
    )
    explain.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
    explain.add_argument("--offline", action="store_true", help="ask no registry")
    explain.add_argument("--json", action="store_true", help="as JSON")
    doctor = _command(
        commands, "doctor", "doctor:run",
        "check the environment, the engines and the cache, and scan a canary that must alert",
    )  # fmt: skip
    doctor.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
    doctor.add_argument("--json", action="store_true", help="as JSON")
