"""Subjects that are on this machine already, inspected without an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.sandbox import run_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from monitor.pipeline.subjects import Subject
    from monitor.sandbox import Outcome, Sandbox


def inspect(
    sandbox: Sandbox,
    subjects: Sequence[Subject],
    at_once: int,
    keep: Callable[[Subject, Outcome], Outcome] | None = None,
) -> Iterator[tuple[Subject, list[Outcome]]]:
    """Run every subject's jobs, some at once; yields each subject as its last job ends.

    ``keep`` sees every outcome as it comes, and gives what is to be remembered of it.
    """
    owner = {id(job): subject for subject in subjects for job in subject.jobs}
    outcomes: dict[int, dict[int, Outcome]] = {id(subject): {} for subject in subjects}
    jobs = (job for subject in subjects for job in subject.jobs)
    for outcome in run_all(sandbox, jobs, at_once):
        subject = owner[id(outcome.job)]
        done = outcomes[id(subject)]
        done[id(outcome.job)] = keep(subject, outcome) if keep else outcome
        if len(done) == len(subject.jobs):
            del outcomes[id(subject)]  # whoever takes them keeps them as long as it needs them
            yield subject, [done[id(job)] for job in subject.jobs]
            del done, outcome
