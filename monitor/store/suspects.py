"""Packages and releases with an incident: what nobody may take for everybody's code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from msgspec import Struct

from monitor.model import IncidentState, Release
from monitor.store.nouns import release_of
from monitor.store.rescanning import Rescanning
from monitor.store.tables import (
    ArtifactRow,
    IncidentArtifactRow,
    IncidentRow,
    PackageRow,
    ReleaseRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_SETTLED = frozenset({IncidentState.RESOLVED, IncidentState.FALSE_POSITIVE})


class Suspect(Struct, frozen=True):
    """A package with an incident, and a release it was seen in, where there is one."""

    ecosystem: str
    name: str
    state: IncidentState
    release: Release | None

    @property
    def is_open(self) -> bool:
        """Whether the incident is neither resolved nor a false alarm."""
        return self.state not in _SETTLED


class Suspects(Rescanning):
    """What incidents say of packages and of who published them."""

    async def suspects(self) -> list[Suspect]:
        """Every incident's package, once for each state and release that it was seen in."""
        query = (
            sa.select(PackageRow, IncidentRow.state, ReleaseRow)
            .select_from(IncidentRow)
            .join(PackageRow, PackageRow.id == IncidentRow.package_id)
            .outerjoin(IncidentArtifactRow, IncidentArtifactRow.incident_id == IncidentRow.id)
            .outerjoin(ArtifactRow, ArtifactRow.id == IncidentArtifactRow.artifact_id)
            .outerjoin(ReleaseRow, ReleaseRow.id == ArtifactRow.release_id)
            .order_by(PackageRow.id, ReleaseRow.id)
        )
        async with self.database.reading() as session:
            return _distinct((row[0], row[1], row[2]) for row in await session.execute(query))


def _distinct(rows: Iterable[tuple[PackageRow, str, ReleaseRow | None]]) -> list[Suspect]:
    found: dict[tuple[int, str, int], Suspect] = {}
    for package, state, release in rows:
        key = (package.id, state, release.id if release is not None else 0)
        seen_in = release_of(release, package) if release is not None else None
        found[key] = Suspect(package.ecosystem, package.name, IncidentState(state), seen_in)
    return list(found.values())
