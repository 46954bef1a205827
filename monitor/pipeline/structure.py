"""Semgrep beside the matcher: the code of every subject is kept, read at once, and told to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.pipeline.subjects import Ended, Subject
    from monitor.sandbox import Outcome
    from monitor.semgrep import Engine


class Structure:
    """The structural engine over all subjects of a call.

    ``keep`` every outcome as it comes; ``look`` when all have come, before any is judged.
    ``wish`` is what the sandbox is to bring.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.wish = engine.wish
        self._numbers: dict[int, int] = {}
        self._subjects: list[Subject] = []

    def keep(self, subject: Subject, outcome: Outcome) -> Outcome:
        """Stage the code that came with an outcome, and let go of its bytes."""
        if outcome.code is None:
            return outcome
        number = self._numbers.setdefault(id(subject), len(self._subjects))
        if number == len(self._subjects):
            self._subjects.append(subject)
        self._engine.take(number, outcome.code)
        return outcome._replace(code=None)

    def look(self, _ended: Sequence[Ended]) -> None:
        """Run Semgrep and add what it says to each subject that was kept."""
        for number, (findings, gaps) in self._engine.run().items():
            self._subjects[number].findings += findings
            self._subjects[number].skipped += gaps
