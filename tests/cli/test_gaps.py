"""What could not be inspected is said in every way there is: status, list, verdict, exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.running import Leakmon, report, tgz
from tests.scenarios.builders import dumped, package_json, source_map

if TYPE_CHECKING:
    from pathlib import Path

OPEN = package_json(license="MIT", repository="github:acme/cli")
REACT = [f"../node_modules/react/index{number}.js" for number in range(30)]
MAP = dumped({"version": 3, "sources": REACT, "mappings": "AAAA", "names": []})
MANY = dumped(source_map([], has_content=False, sources=["node_modules/a.js"] * 200_001))

UNREAD: dict[str, tuple[dict[str, bytes], str, str]] = {
    "a map that was cut": ({"package.json": OPEN, "a.map": MAP[:-40]}, "a.map", "truncated"),
    "a map with too many sources": ({"package.json": OPEN, "a.map": MANY}, "a.map", "over-members"),
    "a manifest that is none": ({"package.json": OPEN[:-9]}, "package.json", "unparsable"),
}


@pytest.mark.parametrize("case", UNREAD)
def test_what_could_not_be_read_makes_the_answer_partial(
    leakmon: Leakmon, place: Path, case: str
) -> None:
    members, name, reason = UNREAD[case]
    tgz(place / "a.tgz", {f"package/{path}": content for path, content in members.items()})
    finished = leakmon("scan", "a.tgz", "--fail-on", "high", "--format", "json")
    (target,) = report(finished)["targets"]
    assert target["status"] == "partial"
    assert target["skipped"] == [{"path": f"a.tgz!/package/{name}", "reason": reason}]
    assert target["verdict"]["severity"] == "medium"
    assert finished.returncode == 3
    assert leakmon("scan", "a.tgz").returncode == 1
