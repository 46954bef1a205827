"""What a channel holds back is told once, together, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import Incident, IncidentChange, IncidentEvent
from tests.contract import samples
from tests.contract.samples import SCAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.store import Store
    from tests.contract.databases import ManualClock

Told = list[list[str]]


def held(_incident: Incident, _event: IncidentEvent, _told: Sequence[str]) -> dict[str, bool]:
    return {"email": True, "slack": False}


async def settled(store: Store, version: str) -> None:
    artifact = await samples.fetched(store, samples.release(version))
    await store.settle(artifact, samples.report(), samples.decide, SCAN, channels=held)


async def test_what_is_held_waits_for_its_digest_and_goes_out_once(
    store: Store, clock: ManualClock
) -> None:
    await settled(store, "1.0.0")
    await settled(store, "2.0.0")
    assert await store.outbox_due("email", clock()) == []
    assert len(await store.outbox_due("slack", clock(), 10)) == 2
    assert await store.digests_close(clock()) == 0  # nothing is older than the moment
    until = clock.move(minutes=5)
    assert await store.digests_close(until) == 1
    assert await store.digests_close(until) == 0
    digest = await store.digest_due("email", clock())
    assert digest is not None
    assert [each.event.kind for each in digest.entries] == ["opened", "version-added"]
    await store.outbox_sending(digest.id, clock())
    uncertain = await store.digest_due("email", clock())
    assert uncertain is not None
    assert (uncertain.is_uncertain, uncertain.attempts) == (True, 1)
    await store.outbox_sent(digest.id, "m1", clock())
    assert await store.digest_due("email", clock()) is None
    assert await store.digests_close(clock.move(days=1)) == 0


async def test_after_a_digest_an_incident_begins_its_own_thread(
    store: Store, clock: ManualClock
) -> None:
    await settled(store, "1.0.0")
    await store.digests_close(clock.move(minutes=5))
    digest = await store.digest_due("email", clock())
    assert digest is not None
    await store.outbox_sent(digest.id, "m1", clock())
    heard: Told = []

    def now(_incident: Incident, _event: IncidentEvent, told: Sequence[str]) -> dict[str, bool]:
        heard.append(list(told))
        return {"email": False}

    def change(incident: Incident) -> IncidentChange:
        return IncidentChange(incident=incident, events=[samples.event(incident, "escalated")])

    (known,) = await store.incidents()
    await store.change_incident(known.id, change, actor="kim", action="x", channels=now)
    assert heard == [["slack"]]  # a digest is no message of the incident's own
    (due,) = await store.outbox_due("email", clock())
    assert (due.event.kind, due.thread) == ("escalated", None)


async def test_a_digest_that_failed_is_kept_and_can_be_revived(
    store: Store, clock: ManualClock
) -> None:
    await settled(store, "1.0.0")
    await store.digests_close(clock.move(minutes=5))
    digest = await store.digest_due("email", clock())
    assert digest is not None
    await store.outbox_failed(digest.id, "busy", clock.move(minutes=1), is_uncertain=False)
    assert await store.digest_due("email", clock()) is not None
    await store.outbox_abandon(digest.id, "rejected")
    assert await store.digest_due("email", clock()) is None
    assert await store.outbox_revive("email") == 1
    again = await store.digest_due("email", clock())
    assert again is not None
    assert again.id == digest.id
    assert len(again.entries) == 1
