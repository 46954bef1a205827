"""What is told of a package once it is known that strangers published it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from monitor.incidents import CONFUSION
from monitor.service.imposture import without_blame
from tests.contract import samples

RULES = [
    ("internal-package-published", "internal-package", False),
    ("owner-internal-package-acme", "marker", False),
    ("owner-internal-host-acme", "marker", True),
    ("github-personal-access-token", "secret", True),
]


@pytest.mark.parametrize(("rule", "kind", "stays"), RULES)
def test_nobody_of_ours_is_blamed_for_a_strangers_package(
    rule: str,
    kind: str,
    stays: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert RULES
    finding = replace(samples.finding(), rule=rule, kind=kind)
    report = samples.report()
    report.findings = [finding]
    sure = replace(
        samples.incident(), cause=CONFUSION, detail={"impostor": {"is_known_stranger": True}}
    )
    unsure = replace(sure, detail={"impostor": {"is_known_stranger": False}})
    assert bool(without_blame(report, [sure]).findings) is stays
    for known in ([unsure], [replace(sure, cause="source-maps")], []):
        assert without_blame(report, known).findings == [finding]
