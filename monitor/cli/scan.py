"""``leakmon scan``: targets in, reports out, an exit status that a build can rely on."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from msgspec import structs

from monitor import __version__, config
from monitor.cli import private_code
from monitor.cli.outputs import Output, planned
from monitor.cli.structure import opened
from monitor.config.marks import rule_files
from monitor.detectors import Context
from monitor.errors import LeakmonError, UsageError
from monitor.model import ScanReport, Severity, Status
from monitor.pipeline import release, subjects
from monitor.pipeline.conclude import Concluded, Policy, conclude_subject, failure
from monitor.registries.targets import LocalTarget, Target, expand, parse
from monitor.report import RenderOptions
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox, Settings
from monitor.suppress import IGNORE_FILE, Suppressions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from monitor.pipeline.private_code import PrivateCode
    from monitor.pipeline.progress import Progress
    from monitor.pipeline.structure import Structure
    from monitor.pipeline.subjects import Ended, Subject
    from monitor.sandbox import Outcome

    Engine = Callable[[Sequence[Ended]], None]
    """Looks at all subjects together and adds to their ``findings`` and ``skipped``."""

FOUND, PARTIAL, CLEAN = 1, 3, 0


def run(call: argparse.Namespace) -> int:
    """Inspect the targets and write every report; gives the exit status of the contract."""
    started, now = time.perf_counter(), datetime.now(UTC)
    outputs = planned(call.formats, call.outputs)
    settings = config.load(call.config)
    policy = Policy(
        today=now.date(),
        organisations=tuple(settings.organisations),
        suppressions=_suppressions(call),
        has_inline_ignores=not call.no_inline_ignores,
    )
    targets = [parse(text) for text in dict.fromkeys(expand(call.targets, _listed))]
    if not targets:
        raise UsageError("the list of targets is empty")
    context = Context(
        now=int(now.timestamp()),
        has_secrets=call.show_secrets,
        has_dependencies=call.advisories,
        has_shape=bool(call.previous or call.earlier),
    )
    _check_folders(call.rules)
    if call.history and (call.semgrep or call.advisories):
        raise UsageError("--history looks for secrets alone: not with --semgrep or --advisories")
    engines = _engines(call, settings)
    private = private_code.opened(call, settings)
    with (
        opened(call) as structure,
        Sandbox(_sandbox_settings(call, settings, structure, private)) as sandbox,
    ):
        at_once = call.jobs or os.cpu_count() or 1
        errand = _Errand(sandbox, policy, context, at_once, engines=engines)
        errand.has_history = call.history
        errand.private_code = private
        if structure is not None:
            errand.engines.append(structure.look)
            errand.keep = structure.keep
        is_wanted = not (call.quiet or call.no_progress)
        with _progress(is_wanted=is_wanted) as progress:
            errand.context = _with_history(call, targets, settings, errand, progress)
            concluded = errand.run(targets, settings, progress)
        digest = sandbox.hello.rules_digest
    report = ScanReport(
        targets=[each.report for each in concluded],
        rules_digest=digest,
        version=__version__,
        seconds=time.perf_counter() - started,
    )
    _write(outputs, report, concluded, call, now)
    return _status(report, Severity(call.fail_on))


def _engines(call: argparse.Namespace, settings: config.Settings) -> list[Engine]:
    if not call.advisories:
        return []
    from monitor.cli.advisories import engine

    return [engine(settings)]


def _with_history(
    call: argparse.Namespace,
    targets: list[Target],
    settings: config.Settings,
    errand: _Errand,
    progress: Progress,
) -> Context:
    """The context, with what the versions before looked like where that is asked for."""
    if not call.previous and not call.earlier:
        return errand.context
    from monitor.cli import earlier

    found = earlier.profiles(
        call, targets, settings,
        sandbox=errand.sandbox, context=errand.context, progress=progress,
    )  # fmt: skip
    return structs.replace(errand.context, history=found)


class _Errand:
    """One call's targets on their way through the pipeline, in the order they were given."""

    def __init__(
        self,
        sandbox: Sandbox,
        policy: Policy,
        context: Context,
        at_once: int,
        engines: list[Engine],
    ) -> None:
        self.sandbox = sandbox
        self.policy = policy
        self.context = context
        self.at_once = at_once
        self.engines = engines
        self.has_releases = False
        self.private_code: PrivateCode | None = None
        self.keep: Callable[[Subject, Outcome], Outcome] | None = None
        self.has_history = False
        self.held: list[Ended] = []
        self.done: list[Concluded] = []

    def run(
        self, targets: list[Target], settings: config.Settings, progress: Progress
    ) -> list[Concluded]:
        """Every target's conclusions, in the order in which the targets were given."""
        self.has_releases = release.is_wanted(targets)
        local = [target for target in targets if isinstance(target, LocalTarget)]
        if len(local) == len(targets) and not self.has_history:
            self._local(local, progress)
        else:
            self._remote(targets, settings, progress)
        if self.has_releases:
            release.compare(self.held)
        for look in self.engines:
            look(self.held)
        done = self.done + [self._concluded(each) for each in self.held]
        place = {target.text: number for number, target in reversed(list(enumerate(targets)))}
        done.sort(key=lambda each: (place[each.report.target], each.report.filename or ""))
        return done

    def _settle(self, ended: Ended) -> None:
        """Conclude at once, unless something that looks at several subjects together is to come."""
        if self.engines or (self.has_releases and release.is_part(ended)):
            self.held.append(ended)
        else:
            self.done.append(self._concluded(ended))

    def _concluded(self, ended: Ended) -> Concluded:
        subject, outcomes = ended
        if isinstance(outcomes, LeakmonError):
            return failure(subject, outcomes)
        return conclude_subject(subject, outcomes, self.context, self.policy, self.private_code)

    def _local(self, targets: list[LocalTarget], progress: Progress) -> None:
        from monitor.pipeline.local import inspect

        ready: list[Subject] = []
        for target in targets:
            try:
                ready.append(subjects.local(target.path, self.context))
            except LeakmonError as error:
                self._settle((subjects.Subject(target=target.text, jobs=[]), error))
        progress.expect(len(ready))
        for subject, outcomes in inspect(self.sandbox, ready, self.at_once, self.keep):
            progress.inspected(subject.target)
            self._settle((subject, outcomes))

    def _remote(self, targets: list[Target], settings: config.Settings, progress: Progress) -> None:
        import asyncio

        from monitor.cli.network import inspected

        asyncio.run(
            inspected(
                self.sandbox,
                targets,
                settings,
                context=self.context,
                at_once=self.at_once,
                progress=progress,
                keep=self.keep,
                settle=self._settle,
                has_history=self.has_history,
            )
        )


def _listed() -> TextIO:
    """Standard input; a name in it need not be UTF-8."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    return sys.stdin


def _check_folders(folders: list[str]) -> None:
    for folder in folders:
        if not os.path.isdir(folder):
            raise UsageError(f"--rules {folder}: there is no such folder")


def _sandbox_settings(
    call: argparse.Namespace,
    settings: config.Settings,
    structure: Structure | None,
    private: PrivateCode | None,
) -> Settings:
    cache = config.cache_folder(config.environment())
    return Settings(
        rule_folders=(bundled_rules_folder(), *rule_files(settings, cache), *call.rules),
        cache_folder=cache,
        code=structure.wish if structure is not None else None,
        has_prints=private is not None,
        max_script_bytes=private.max_script_bytes if private is not None else 0,
        words=private.words if private is not None else (),
    )


def _suppressions(call: argparse.Namespace) -> Suppressions:
    named = list(call.ignores)
    if not named and os.path.exists(IGNORE_FILE):
        named = [IGNORE_FILE]
    if not named and not call.baseline:
        return Suppressions()
    from monitor.suppress import files

    return Suppressions(
        baselines=tuple(files.read_baseline(name) for name in call.baseline),
        ignores=tuple(ignore for name in named for ignore in files.read_ignores(name)),
    )


@contextlib.contextmanager
def _progress(*, is_wanted: bool) -> Iterator[Progress]:
    if is_wanted and sys.stderr.isatty():
        from monitor.cli.bars import Bars

        with Bars() as bars:
            yield bars
    else:
        from monitor.pipeline.progress import Silent

        yield Silent()


def _write(
    outputs: list[Output],
    report: ScanReport,
    concluded: list[Concluded],
    call: argparse.Namespace,
    now: datetime,
) -> None:
    options = RenderOptions(
        show_secrets=call.show_secrets,
        min_severity=Severity(call.min_severity),
        hidden=tuple(tuple(each.hidden) for each in concluded),
        notes=tuple(dict.fromkeys(note for each in concluded for note in each.notes)),
        generated_at=now,
    )
    # Files first: whoever reads standard output may close it early.
    for output in sorted(outputs, key=lambda each: each.path is None):
        output.write(report, options, config.environment())
    if not call.quiet:
        for output in outputs:
            if output.path is not None:
                print(f"leakmon: {output.format} report written to {output.path}", file=sys.stderr)


def _status(report: ScanReport, fail_on: Severity) -> int:
    found = [finding.severity for target in report.targets for finding in target.findings]
    if any(severity >= fail_on for severity in found):
        return FOUND
    if any(target.status is not Status.COMPLETE for target in report.targets):
        return PARTIAL
    return CLEAN
