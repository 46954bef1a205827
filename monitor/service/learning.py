"""The daemon's part in learning what everybody has: what it inspects, and every incident since."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from monitor.errors import LeakmonError
from monitor.service.logs import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import TargetReport
    from monitor.pipeline.subjects import Subject
    from monitor.sandbox import Outcome
    from monitor.service.parts import Parts

SECONDS = 60.0
"""Between two times: what is public is written anew at most so often."""

_log = logger()


def note(subject: Subject, outcomes: Sequence[Outcome], report: TargetReport, parts: Parts) -> None:
    """An artifact was settled: learn from it soon, if it is a stranger's and no leak."""
    if parts.learning is None or subject.release is None or subject.artifact is None:
        return
    prints = [each.prints for each in outcomes]
    parts.learning.note(subject.release, subject.artifact, prints, report.findings)


async def settle(parts: Parts) -> None:
    """Hold what was learnt, and what waits, against the incidents as they stand."""
    learning = parts.learning
    if learning is None:
        return
    told = await asyncio.to_thread(learning.settle, await parts.store.suspects())
    if told.learnt or told.withdrawn or told.refused:
        _log.info(
            "what everybody has", step="learn", learnt=told.learnt,
            withdrawn=told.withdrawn, refused=told.refused,
        )  # fmt: skip


async def loop(parts: Parts, stopping: asyncio.Event) -> None:
    """``settle`` again and again until it is time to stop; errors of ours are told."""
    while not stopping.is_set():
        try:
            await settle(parts)
        except LeakmonError as error:
            parts.intake.saw(error)
            parts.meters.errors.labels("learn", error.reason).inc()
            _log.warning(str(error), step="learn", reason=error.reason)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), SECONDS)
