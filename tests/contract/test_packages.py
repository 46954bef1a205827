"""How packages stand, signs of life, and what is forgotten in time, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from monitor.jobs.embedded import EmbeddedQueue
from monitor.model import Incident, IncidentChange, Ownership
from monitor.store import Pulse, Retention
from tests.contract import samples
from tests.contract.samples import OWNER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.store import Store
    from tests.contract.databases import ManualClock

STRANGER = Ownership(organisation="", reason="")


async def test_tags_move_and_each_move_is_an_event_once(store: Store) -> None:
    assert not await store.move_tags("npm", "@acme/cli", {"latest": ("", "1.0.0")}, "1")
    await store.announce(samples.release(), OWNER)
    first = {"latest": ("", "1.0.0"), "next": ("", "2.0.0")}
    for _ in range(2):
        assert await store.move_tags("npm", "@acme/cli", first, "1")
    await store.move_tags(
        "npm", "@acme/cli", {"latest": ("1.0.0", "2.0.0"), "next": ("2.0.0", "")}, "2"
    )
    assert await store.tags("npm", "@acme/cli") == {"latest": "2.0.0"}
    told = [each.detail["after"] for each in await store.package_events("npm", "@acme/cli")]
    assert told == ["1.0.0", "2.0.0", "2.0.0", ""]


async def test_a_package_without_releases_can_be_on_record(store: Store) -> None:
    assert not await store.happened("npm", "@acme/new", "staged", "1", {})
    await store.adopt("npm", "@acme/new", OWNER)
    assert await store.happened("npm", "@acme/new", "staged", "1", {"versions": []})
    assert not await store.happened("npm", "@acme/new", "staged", "1", {})
    assert await store.owners() == {("npm", "@acme/new"): OWNER}
    assert await store.releases("npm", "@acme/new") == {}


async def test_what_is_announced_again_was_removed_no_longer(store: Store) -> None:
    await store.announce(samples.release(), OWNER)
    await store.withdraw("npm", "@acme/cli", "1.0.0", None, "removed")
    assert await store.releases("npm", "@acme/cli") == {"1.0.0": "removed"}
    await store.announce(samples.release(digest="cd" * 32), OWNER)
    assert await store.releases("npm", "@acme/cli") == {"1.0.0": ""}
    await store.withdraw("npm", "@acme/cli", "1.0.0", None, "yanked")
    await store.announce(samples.release(), OWNER)
    assert await store.releases("npm", "@acme/cli") == {"1.0.0": "yanked"}


async def test_a_file_that_was_given_up_is_wanted_again(store: Store) -> None:
    queue = EmbeddedQueue(store)
    (entry,) = await store.announce(samples.release(), OWNER)
    assert not await store.wanted_again(entry.artifact_id), "it is on its way"
    job = await queue.take("w", ["artifact"], 60)
    assert job is not None
    await store.failed(entry.artifact_id, "not-found")
    await queue.dead(job, "not-found")
    assert [each.state for each in await store.files("npm", "@acme/cli")] == ["failed"]
    assert await store.wanted_again(entry.artifact_id)
    again = await queue.take("w", ["artifact"], 60)
    assert again is not None
    assert again.payload == {"artifact": entry.artifact_id}
    assert (await store.artifact(entry.artifact_id)).state == "announced"


async def test_a_sign_of_life_takes_the_place_of_the_one_before(
    store: Store, clock: ManualClock
) -> None:
    for reason in ("", "http-503"):
        await store.beat(Pulse(name="npm/changes", at=clock.move(seconds=5), reason=reason))
    assert await store.pulses() == {
        "npm/changes": Pulse(name="npm/changes", at=clock(), reason="http-503")
    }


async def test_an_incident_needs_no_artifact(store: Store) -> None:
    def decide(known: Sequence[Incident]) -> list[IncidentChange]:
        if known:
            return []
        made = samples.incident(ecosystem="leakmon", package="canary")
        return [IncidentChange(incident=made, events=[samples.event(made)])]

    for expected in (1, 0):
        made = await store.observe("leakmon", "canary", OWNER, decide, channels=["slack"])
        assert len(made) == expected
    (due,) = await store.outbox_due("slack", store.clock())
    assert due.incident.package == "canary"


async def test_an_abandoned_alert_is_listed_and_revived(store: Store) -> None:
    made = samples.incident(ecosystem="leakmon", package="canary")
    change = IncidentChange(incident=made, events=[samples.event(made)])
    await store.observe("leakmon", "canary", OWNER, lambda _known: [change], channels=["slack"])
    (due,) = await store.outbox_due("slack", store.clock())
    await store.outbox_abandon(due.id, "too-long")
    (aside,) = await store.outbox_set_aside()
    assert (aside.id, aside.reason, aside.incident_id) == (due.id, "too-long", made.id)
    assert await store.outbox_revive_one(due.id)
    assert not await store.outbox_revive_one(due.id)
    assert [each.id for each in await store.outbox_due("slack", store.clock())] == [due.id]


async def test_strangers_are_forgotten_soon_and_what_was_set_aside_in_the_end(
    store: Store, clock: ManualClock
) -> None:
    queue = EmbeddedQueue(store)
    page = samples.page()
    ours, other = samples.notice(), samples.notice("somebody-elses")
    await store.record_page(page, [(ours, OWNER)], later=[(other, STRANGER, clock())])
    stranger = await queue.take("w", ["stranger"], 60)
    resolve = await queue.take("w", ["resolve"], 60)
    assert stranger is not None
    assert resolve is not None
    await store.resolve_notice(stranger.key, "not-ours")
    await queue.done(stranger)
    await queue.dead(resolve, "http-500")
    keep = Retention()
    clock.move(hours=25)
    assert await store.purge(keep) == 2, "the stranger's job and notice"
    clock.time += keep.set_aside - timedelta(days=2)
    assert await store.purge(keep) == 0
    clock.move(days=3)
    assert await store.purge(keep) == 1
    assert await queue.ensure(await store.unfinished()) == 0, "it does not come back by its notice"
    assert (await store.notice(resolve.key)).outcome == "set-aside"


async def test_jobs_of_strangers_are_due_when_they_are_told(
    store: Store, clock: ManualClock
) -> None:
    queue = EmbeddedQueue(store)
    later = clock() + timedelta(minutes=2)
    notice = samples.notice("noisy")
    await store.record_page(samples.page(), [], later=[(notice, STRANGER, later)])
    assert await queue.take("w", ["stranger"], 60) is None
    assert await queue.next_due_at() == later
    clock.move(minutes=2)
    assert await queue.take("w", ["stranger"], 60) is not None


async def test_names_of_ours_are_known_with_since_when_they_are_there(
    store: Store, clock: ManualClock
) -> None:
    await store.announce(samples.release(), OWNER)
    await store.announce(samples.release("2.0.0"), OWNER)
    await store.adopt("npm", "@acme/new", OWNER)
    await store.adopt("npm", "acme-cil", STRANGER)
    found = {each.name: each for each in await store.tracked_names()}
    assert set(found) == {"@acme/cli", "@acme/new"}, "a stranger's is nobody's"
    assert found["@acme/cli"].since == samples.AT
    assert found["@acme/new"].since == clock()
    assert {each.organisation for each in found.values()} == {"acme"}


async def test_an_incident_knows_the_latest_bytes_that_show_it(store: Store) -> None:
    artifact = await samples.fetched(store, samples.release())
    await store.settle(artifact, samples.report(), samples.decide, samples.SCAN)
    (incident,) = await store.incidents()
    found = await store.incident_evidence(incident.id)
    assert found is not None
    assert (found.artifact_id, found.evidence_key) == (artifact, "sha256/ab")
    assert found.ownership == OWNER
    assert await store.incident_evidence("lm-nothing") is None


async def test_what_happened_lately_is_counted_over_all_packages(
    store: Store, clock: ManualClock
) -> None:
    for name in ("one", "two"):
        await store.adopt("npm", name, STRANGER)
        assert await store.happened("npm", name, "look", "1.0.0", {})
    began = clock.move(hours=1)
    await store.happened("npm", "one", "look", "1.0.1", {})
    await store.happened("npm", "one", "other", "1.0.1", {})
    assert await store.count_events("look", began) == 1
    assert await store.count_events("look", samples.AT) == 3


async def test_people_are_those_of_packages_that_nobody_else_can_publish(store: Store) -> None:
    claimed = Ownership(organisation="acme", reason="repository github:acme")
    await store.announce(samples.release(), OWNER)
    stolen = samples.release(name="acme-cil", digest="cd" * 32)
    await store.announce(msgspec.structs.replace(stolen, publisher="mallory"), claimed)
    assert await store.people("npm", "acme") == {"acme-bot"}
    assert await store.people("pypi", "acme") == set()
    assert await store.people("npm", "others") == set()
