from __future__ import annotations

from tests.bench import hiding
from tests.decoders.ways import WAYS


def test_at_least_forty_ways_are_known_and_a_scan_finds_every_one_in_its_place() -> None:
    rows = hiding.rows()
    assert len(rows) == len(WAYS) > 40
    assert [row.way for row in rows if not row.is_found] == []
    assert [row.way for row in rows if not row.is_placed] == []
