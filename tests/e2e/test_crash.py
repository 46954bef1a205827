"""The short form of ``make crash``: the daemon is killed at random points, nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.crash import Run

if TYPE_CHECKING:
    from tests.e2e.daemon import Site


def test_killed_at_random_points_it_tells_everything_once(site: Site) -> None:
    counts = Run(site, seed=4, has_faults=False).go(publishes=14, kills=5, patience=300)
    assert counts.is_right, counts
    assert counts.kills == 5
    assert counts.incidents > 3
