"""Local subjects on their way: given out one by one, and not kept."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from monitor.detectors.context import NOTHING_KNOWN
from monitor.model import Inspection
from monitor.pipeline import subjects
from monitor.pipeline.local import inspect
from monitor.sandbox import Sandbox, Settings

if TYPE_CHECKING:
    from pathlib import Path


def inspections() -> int:
    """How many are in memory."""
    return sum(type(each) is Inspection for each in gc.get_objects())


def test_what_was_given_out_is_not_kept(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.js" for number in range(5)]
    for file in files:
        file.write_text("let a = 1;\n", encoding="utf-8")
    ready = [subjects.local(str(file), NOTHING_KNOWN) for file in files]
    before, alive = inspections(), []
    with Sandbox(Settings(rule_folders=(), cache_folder="")) as sandbox:
        for subject, outcomes in inspect(sandbox, ready, 2):
            assert outcomes[0].inspection is not None, subject
            alive.append(inspections() - before)
    assert alive == [1] * len(files)
