from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hostile.child import MAX_SECONDS
from tests.hostile.corpus import cases

if TYPE_CHECKING:
    from tests.hostile.case import Case

CASES = cases()
MAX_RESIDENT = 512 << 20
MAX_ADDRESS_SPACE = 2 << 30
ROOT = Path(__file__).parents[2]


def limit_memory() -> None:
    if sys.platform != "darwin":  # which knows the limit but does not keep it
        resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))


def test_the_corpus_is_not_thin_and_its_names_are_unique() -> None:
    assert len(CASES) >= 100
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_survived_and_told(case: Case, tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    artifact.write_bytes(case.build())
    run = subprocess.run(
        [sys.executable, "-m", "tests.hostile.child", str(artifact), case.see.decode()],
        cwd=ROOT,
        capture_output=True,
        timeout=4 * MAX_SECONDS,
        check=False,
        preexec_fn=limit_memory,
    )
    assert run.returncode == 0, run.stderr.decode()
    said = json.loads(run.stdout)
    assert said["is_seen"]
    assert said["is_printable"]
    assert said["members"] >= 1
    assert "reader-error" not in said["reasons"]
    assert not case.reason or case.reason in said["reasons"], said
    assert not case.hazard or case.hazard in said["hazards"], said
    assert said["peak_bytes"] < MAX_RESIDENT
    assert said["seconds"] < MAX_SECONDS + 1
    assert list(tmp_path.iterdir()) == [artifact]
