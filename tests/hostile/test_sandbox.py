"""The whole corpus through the whole inspection: archives, matcher, decoders, maps, detectors.

In children as the product makes them, of a fresh interpreter: what they hold is their own.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from monitor.archive import Limits
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Job, Sandbox, Settings, run_all
from tests.hostile.corpus import cases
from tests.hostile.texts import texts

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.sandbox import Outcome

MAX_RESIDENT = 512 << 20
MAX_SECONDS = 45.0
TOLD = frozenset({"memory", "over-time", "over-cpu-time"})
"""How a child may end instead of answering: by a limit of its own, and said so."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every case by its name, each in a child of its own, two at once."""
    folder: Path = tmp_path_factory.mktemp("corpus")
    limits = Limits(max_seconds=MAX_SECONDS, max_bytes=1 << 30, total_grace_bytes=1 << 29)
    settings = Settings(
        rule_folders=(bundled_rules_folder(),),
        cache_folder=str(folder / "cache"),
        limits=limits,
        wall_seconds=4 * int(MAX_SECONDS),
    )
    jobs = []
    for number, case in enumerate((*cases(), *texts())):
        path = folder / f"{number}.tgz"
        path.write_bytes(case.build())
        jobs.append(Job(((str(path), case.name),)))
    with Sandbox(settings, is_fresh=True) as sandbox:
        return {each.job.files[0][1]: each for each in run_all(sandbox, jobs, 2)}


def test_every_case_is_answered(outcomes: dict[str, Outcome]) -> None:
    assert len(outcomes) >= 150
    assert {name for name in outcomes if name.startswith("text-")} >= {"text-many.js.map"}
    ends = Counter(each.error.reason if each.error else "answered" for each in outcomes.values())
    assert set(ends) <= {"answered", *TOLD}, ends
    assert ends["answered"] >= len(outcomes) - 3, ends


def test_none_takes_half_a_gigabyte(outcomes: dict[str, Outcome]) -> None:
    peaks = sorted(((each.max_rss_bytes, name) for name, each in outcomes.items()), reverse=True)
    assert peaks[0][0] < MAX_RESIDENT, peaks[:5]
    assert peaks[-1][0] > 1 << 20, "what is measured is measured"


def test_no_reader_failed_and_what_was_left_out_is_said(outcomes: dict[str, Outcome]) -> None:
    inspections = {name: each.inspection for name, each in outcomes.items() if each.inspection}
    reasons = {(name, gap.reason) for name, found in inspections.items() for gap in found.skipped}
    assert [name for name, reason in reasons if reason == "reader-error"] == []
    assert {reason for _, reason in reasons} >= {"over-ratio", "truncated", "over-members"}
