"""Who has an incident, on both databases: with what its releases said of their publishers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor import incidents
from monitor.model import IncidentChange, IncidentState
from tests.contract import samples

if TYPE_CHECKING:
    from monitor.model import Incident
    from monitor.store import Store


async def test_each_package_with_an_incident_is_told_with_its_releases(store: Store) -> None:
    assert await store.suspects() == []
    for version in ("1.0.0", "2.0.0"):
        number = await samples.fetched(store, samples.release(version, digest=version[:1] * 64))
        await store.settle(number, samples.report(), samples.decide, samples.SCAN)
    clean = await samples.fetched(store, samples.release(name="@acme/clean", digest="cd" * 32))
    await store.settle(clean, samples.report([]), samples.decide, samples.SCAN)
    found = await store.suspects()
    assert {(one.ecosystem, one.name, one.is_open) for one in found} == {("npm", "@acme/cli", True)}
    releases = [one.release for one in found if one.release is not None]
    assert [each.version for each in releases] == ["1.0.0", "2.0.0"]
    assert {each.publisher for each in releases} == {"acme-bot"}


async def test_what_a_person_decided_is_told(store: Store) -> None:
    number = await samples.fetched(store, samples.release())
    await store.settle(number, samples.report(), samples.decide, samples.SCAN)
    (incident,) = await store.incidents()

    def change(standing: Incident) -> IncidentChange:
        return incidents.acted(standing, "false-positive", at=samples.AT, actor="kim", reason="no")

    await store.change_incident(incident.id, change, actor="kim", action="false-positive")
    (suspect,) = await store.suspects()
    assert (suspect.state, suspect.is_open) == (IncidentState.FALSE_POSITIVE, False)


async def test_an_incident_without_an_artifact_counts(store: Store) -> None:
    of = samples.incident(package="@acme/told")
    made = IncidentChange(incident=of)
    await store.observe("npm", "@acme/told", samples.OWNER, lambda _known: [made])
    (suspect,) = await store.suspects()
    assert (suspect.name, suspect.release) == ("@acme/told", None)
