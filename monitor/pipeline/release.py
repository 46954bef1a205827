"""Holds the files of one release against each other, once all of them were inspected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import LeakmonError
from monitor.registries.targets import LocalTarget, PackageTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.detectors.packaging.release import Distribution
    from monitor.model import Inspection
    from monitor.pipeline.subjects import Ended, Subject
    from monitor.registries.targets import Target


def is_wanted(targets: Iterable[Target]) -> bool:
    """Whether these targets may bring several files of one Python release."""
    return any(
        (isinstance(each, PackageTarget) and each.ecosystem == "pypi" and not each.filename)
        or (isinstance(each, LocalTarget) and not each.path.endswith((".tgz", ".zip")))
        for each in targets
    )


def is_part(ended: Ended) -> bool:
    """Whether a subject holds a file of a Python release: what else there is need not be kept."""
    _, outcomes = ended
    return not isinstance(outcomes, LeakmonError) and any(
        each.inspection is not None and _is_python(each.inspection) for each in outcomes
    )


def _is_python(part: Inspection) -> bool:
    return any(each.ecosystem == "pypi" for each in part.manifests)


def compare(ended: Sequence[Ended]) -> None:
    """Add to the findings of each wheel's subject what the sdist of its release lacks.

    An sdist that was not read in full proves nothing.
    """
    wheels: list[tuple[Subject, Distribution]] = []
    sdists: dict[tuple[str, str], Distribution] = {}
    for subject, outcomes in ended:
        if isinstance(outcomes, LeakmonError):
            continue
        for part in (each.inspection for each in outcomes):
            if part is None or not _is_python(part):
                continue
            from monitor.detectors.packaging import release

            for each in release.distributions(part):
                if each.is_wheel:
                    wheels.append((subject, each))
                elif not any(gap.path.startswith(each.root) for gap in part.skipped):
                    sdists[each.release] = each
    for subject, wheel in wheels if sdists else ():
        if wheel.release in sdists:
            subject.findings += release.findings(wheel, sdists[wheel.release])
