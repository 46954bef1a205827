"""Semgrep over the code of all subjects of a call: staged, run in batches, told to each subject."""

from __future__ import annotations

import os
import shutil
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from monitor.errors import RuleError
from monitor.harvest import Wish
from monitor.model import Finding, Skipped
from monitor.semgrep import command, findings, languages
from monitor.semgrep.rules import document
from monitor.semgrep.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.harvest import Harvest
    from monitor.semgrep.command import Answer, Failed, Fault, Limits
    from monitor.semgrep.rules import StructuralRule
    from monitor.semgrep.stage import Staged

_RULE_FAULT = "Rule parse error"
_REASONS = {
    "Timeout": "semgrep-over-time",
    "FixpointTimeout": "semgrep-over-time",
    "Out of memory": "semgrep-memory",
    "Stack overflow": "semgrep-memory",
    "PartialParsing": "semgrep-partly-parsed",
    "Syntax error": "semgrep-syntax",
    "Lexical error": "semgrep-syntax",
    "Other syntax error": "semgrep-syntax",
    "AST builder error": "semgrep-syntax",
    "Too many matches": "semgrep-over-findings",
}

Told = tuple[list[Finding], list[Skipped]]


class Engine:
    """One call's run of Semgrep. ``folder`` is private to it and removed by whoever made it.

    RuleError, naming the rule, for one that Semgrep cannot use; UsageError where it is missing.
    """

    def __init__(
        self,
        rules: Sequence[StructuralRule],
        folder: str,
        limits: Limits | None = None,
        *,
        jobs: int = 1,
        has_secrets: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        command.program()
        self._rules = rules
        self._folder = folder
        self._limits = limits or command.Limits()
        self._jobs = jobs
        self._has_secrets = has_secrets
        self._clock = clock
        endings = languages.endings({name for rule in rules for name in rule.languages})
        self.wish = Wish(endings=endings)
        self._stage = Stage(folder, self._limits, endings.values())
        self._config = os.path.join(folder, "rules.json")
        self._told: dict[int, Told] = defaultdict(lambda: ([], []))

    def take(self, subject: int, harvest: Harvest) -> None:
        """Stage the code of one job of a subject, which is known by a number from here on."""
        gaps = self._told[subject][1]
        gaps += harvest.skipped
        gaps += self._stage.take(subject, harvest)

    def run(self) -> dict[int, Told]:
        """Run Semgrep; findings and gaps of each subject that gave code."""
        with open(self._config, "x", encoding="utf-8") as file:
            file.write(document(self._rules))
        deadline = self._clock() + self._limits.total_seconds
        pending = list(self._stage.batches())[::-1]
        while pending:
            batch = pending.pop()
            if self._clock() > deadline:
                self._skip(batch, "semgrep-over-time")
                continue
            answer = self._run(batch)
            if isinstance(answer, command.Answer):
                self._tell(batch, answer)
            elif len(batch) > 1:
                half = len(batch) // 2
                pending += [batch[half:], batch[:half]]
            else:
                self._skip(batch, answer.reason)
        return dict(self._told)

    def _run(self, batch: list[Staged]) -> Answer | Failed:
        folder = self._stage.folder_of(batch)
        room = os.path.join(self._folder, "room")
        os.mkdir(room, 0o700)
        try:
            return command.run(self._config, folder, room, self._limits, jobs=self._jobs)
        finally:
            shutil.rmtree(folder)
            shutil.rmtree(room)

    def _tell(self, batch: list[Staged], answer: Answer) -> None:
        files = {staged.name: staged for staged in batch}
        failed: dict[str, str] = {}
        for fault in answer.errors:
            self._weigh(fault, failed)
        scanned = {os.path.basename(path) for path in answer.paths.scanned}
        for name in files.keys() - scanned - failed.keys():
            failed[name] = "semgrep-skipped"
        for name in sorted(failed.keys() & files.keys()):
            self._skip([files[name]], failed[name])
        by_file: dict[str, list[command.Result]] = defaultdict(list)
        for result in answer.results:
            by_file[result.name].append(result)
        for name, results in by_file.items():
            content = self._stage.content(name)
            matches = findings.matches(content, results, self._rules)
            for subject, held in files[name].held.items():
                self._told[subject][0].extend(
                    findings.told(matches, held, has_secrets=self._has_secrets)
                )

    def _weigh(self, fault: Fault, failed: dict[str, str]) -> None:
        """A fault of a rule is the operator's to mend; one of a file is told of that file."""
        if fault.kind == _RULE_FAULT or (fault.rule_id and not fault.path):
            number = int(fault.rule_id.rpartition(".")[2].removeprefix("r"))
            rule = self._rules[number]
            why = " ".join(fault.message.partition(":\n")[2].split()) or fault.kind
            raise RuleError(f"{rule.file}: {rule.id}: Semgrep cannot use it: {why[:200]}")
        if fault.path:
            reason = _REASONS.get(fault.kind, "semgrep-failed")
            name = os.path.basename(fault.path)
            if failed.get(name, "semgrep-partly-parsed") == "semgrep-partly-parsed":
                failed[name] = reason

    def _skip(self, batch: Sequence[Staged], reason: str) -> None:
        for staged in batch:
            for subject, held in staged.held.items():
                self._told[subject][1].extend(Skipped(path, reason) for path in held.paths)
