"""The store's contract, the same on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from monitor.errors import NotFoundError, UsageError
from monitor.model import (
    Checkpoint,
    Gap,
    Incident,
    IncidentChange,
    IncidentState,
    Severity,
)
from monitor.store import IgnoreRecord, IncidentFilter, Retention, Scan
from tests.contract import samples
from tests.contract.samples import AT, OWNER, SCAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import TargetReport
    from monitor.store import Store
    from tests.contract.databases import ManualClock


async def test_a_page_is_kept_once_with_its_jobs_gaps_and_checkpoint(store: Store) -> None:
    page = samples.page(gaps=[Gap(feed="npm", kind="no-overlap", since="9", until="12")])
    kept = [(page.notices[0], OWNER)]
    assert await store.record_page(page, kept) == 1
    assert await store.record_page(page, kept) == 0
    assert await store.checkpoints() == {"npm": page.checkpoint}
    (gap,) = await store.gaps()
    assert gap.gap == page.gaps[0]
    (job,) = await store.unfinished()
    assert job.kind == "resolve"
    assert msgspec.convert(job.payload["notice"], type(page.notices[0])) == page.notices[0]
    record = await store.notice(job.key)
    assert (record.notice, record.ownership, record.outcome) == (page.notices[0], OWNER, "")
    counts = (await store.metrics()).feeds["npm"]
    assert (counts.rows, counts.kept, counts.position) == (200, 2, "17")


async def test_a_look_at_a_repository_is_a_job_of_its_own_kind(store: Store) -> None:
    notice = msgspec.structs.replace(samples.notice("acme/app"), ecosystem="github")
    page = samples.page()
    assert await store.record_page(page, [(notice, OWNER), (page.notices[0], OWNER)]) == 2
    kinds = {job.payload["notice"]["ecosystem"]: job.kind for job in await store.unfinished()}
    assert kinds == {"github": "look", "npm": "resolve"}


async def test_a_gap_is_open_until_it_is_closed(store: Store) -> None:
    gap = Gap(feed="pypi", kind="serial-reset", detail="9 after 12", since="12", until="9")
    number = await store.gap(gap)
    assert await store.gap(gap) == number
    assert await store.close_gap(number)
    assert not await store.close_gap(number)
    assert await store.gaps() == []
    assert len(await store.gaps(is_open=False)) == 1
    assert await store.gap(gap) != number


async def test_a_first_checkpoint_is_set_once(store: Store) -> None:
    first = Checkpoint(feed="npm", position="1", moved_at=AT)
    other = Checkpoint(feed="npm", position="2", moved_at=AT)
    assert await store.set_checkpoint(first)
    assert not await store.set_checkpoint(other)
    assert (await store.checkpoints())["npm"] == first
    assert await store.set_checkpoint(other, is_forced=True)
    assert (await store.checkpoints())["npm"] == other


async def test_an_artifact_is_known_by_name_and_digest(store: Store) -> None:
    (first,) = await store.announce(samples.release(), OWNER)
    (again,) = await store.announce(samples.release(), OWNER)
    (other,) = await store.announce(samples.release(digest="cd" * 32), OWNER)
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert first.artifact_id == again.artifact_id != other.artifact_id
    stored = await store.artifact(first.artifact_id)
    assert stored.artifact == samples.release().artifacts[0]
    assert (stored.ownership, stored.state) == (OWNER, "announced")
    assert await store.versions("npm", "@acme/cli") == {"1.0.0"}
    assert [job.payload for job in await store.unfinished()] == [
        {"artifact": first.artifact_id},
        {"artifact": other.artifact_id},
    ]


async def test_an_announcement_resolves_its_notice(store: Store) -> None:
    page = samples.page()
    await store.record_page(page, [(page.notices[0], OWNER)])
    (job,) = await store.unfinished()
    await store.announce(samples.release(), OWNER, notice=job.key)
    assert [each.kind for each in await store.unfinished()] == ["artifact"]
    assert (await store.notice(job.key)).outcome == "announced"
    assert not await store.resolve_notice(job.key, "not-found")


async def test_what_is_withdrawn_is_on_record_and_comes_back(store: Store) -> None:
    (entry,) = await store.announce(samples.release(), OWNER)
    assert await store.withdraw("npm", "@acme/cli", "1.0.0", None, "removed") == 2
    assert await store.withdraw("npm", "@acme/cli", "1.0.0", None, "removed") == 0
    assert (await store.artifact(entry.artifact_id)).withdrawal == "removed"
    (tracked,) = await store.tracked(AT)
    assert (tracked.version, tracked.withdrawal) == ("1.0.0", "removed")
    (back,) = await store.announce(samples.release(), OWNER)
    assert back.is_back
    assert (await store.artifact(entry.artifact_id)).withdrawal == ""
    file = samples.release().artifacts[0].filename
    assert await store.withdraw("npm", "@acme/cli", "1.0.0", file, "yanked") == 1
    assert await store.withdraw("npm", "@acme/cli", "1.0.0", file, "restored") == 1


async def test_settling_writes_everything_at_once(store: Store, clock: ManualClock) -> None:
    artifact = await samples.fetched(store, samples.release())
    settled = await store.settle(
        artifact, samples.report(), samples.decide, SCAN, channels=("slack", "mail")
    )
    assert not settled.is_repeat
    (known,) = await store.known_incidents("npm", "@acme/cli")
    assert settled.changes[0].incident == known
    assert [event.kind for event in await store.incident_events(known.id)] == ["opened"]
    assert sorted(settled.outgoing) == [f"{known.id}/opened/1:{c}" for c in ("mail", "slack")]
    assert [job.kind for job in await store.unfinished()] == ["deliver", "deliver"]
    (kept,) = await store.findings(artifact)
    assert kept.message == samples.finding().message
    assert await store.incident_findings(known.id) == [kept]
    assert (await store.artifact(artifact)).settled_at == clock()
    (past,) = await store.history("npm", "@acme/cli")
    assert (past.severity, past.members, past.profile) == ("critical", 7, {"maps": 1})
    assert past.status == "partial"


async def test_settling_twice_changes_nothing(store: Store) -> None:
    artifact = await samples.fetched(store, samples.release())
    for is_repeat in (False, True):
        settled = await store.settle(
            artifact, samples.report(), samples.decide, SCAN, channels=["slack"]
        )
        assert settled.is_repeat is is_repeat
    assert len(await store.findings(artifact)) == 1
    (known,) = await store.incidents()
    assert known.versions == ["1.0.0"]
    assert (await store.metrics()).outgoing == {"slack": {"waiting": 1}}


async def test_other_rules_settle_anew(store: Store) -> None:
    artifact = await samples.fetched(store, samples.release())
    await store.settle(artifact, samples.report(), samples.decide, SCAN)
    both = samples.report([samples.finding(), samples.finding(path="other")])
    later = Scan(rules_digest="rules-2")
    assert not (await store.settle(artifact, both, lambda _r, _k: [], later)).is_repeat
    assert [one.path for one in await store.findings(artifact)][1:] == ["other"]


async def test_a_failing_decision_leaves_nothing_behind(store: Store) -> None:
    artifact = await samples.fetched(store, samples.release())

    def broken(_report: TargetReport, _known: Sequence[Incident]) -> list[IncidentChange]:
        raise UsageError("no")

    with pytest.raises(UsageError):
        await store.settle(artifact, samples.report(), broken, SCAN)
    assert (await store.artifact(artifact)).state == "fetched"
    assert await store.findings(artifact) == []


async def test_versions_of_one_cause_are_one_incident(store: Store) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        artifact = await samples.fetched(store, samples.release(version))
        await store.settle(artifact, samples.report(), samples.decide, SCAN, channels=["slack"])
    (known,) = await store.incidents()
    assert known.versions == ["1.0.0", "2.0.0", "3.0.0"]
    events = await store.incident_events(known.id)
    assert [event.kind for event in events] == ["opened", "version-added", "version-added"]
    before = await store.history("npm", "@acme/cli", before=artifact)
    assert [past.version for past in before] == ["1.1.0", "1.0.0"]


async def test_incidents_are_listed_by_what_is_asked(store: Store) -> None:
    artifact = await samples.fetched(store, samples.release())
    low = samples.incident("0" * 32, severity=Severity.LOW, opened_at=AT - timedelta(days=3))
    high = samples.incident("1" * 32, state=IncidentState.SNOOZED, snoozed_until=AT)
    changes = [IncidentChange(incident=one, events=[samples.event(one)]) for one in (low, high)]
    await store.settle(artifact, samples.report(), lambda _r, _k: changes, SCAN)

    async def ids(wanted: IncidentFilter) -> list[str]:
        return [one.id for one in await store.incidents(wanted)]

    assert await ids(IncidentFilter()) == [high.id, low.id]
    assert await ids(IncidentFilter(states=(IncidentState.OPEN,))) == [low.id]
    assert await ids(IncidentFilter(min_severity=Severity.MEDIUM)) == [high.id]
    assert await ids(IncidentFilter(since=AT - timedelta(days=1))) == [high.id]
    assert await ids(IncidentFilter(organisation="acme", ecosystem="npm", limit=1)) == [high.id]
    assert await ids(IncidentFilter(package="other")) == []
    assert await store.incident(low.id) == low
    assert await store.incident("inc-1") == high
    with pytest.raises(UsageError):
        await store.incident("inc-")
    with pytest.raises(NotFoundError):
        await store.incident("inc-%")


async def test_an_operators_change_is_audited(store: Store, clock: ManualClock) -> None:
    artifact = await samples.fetched(store, samples.release())
    await store.settle(artifact, samples.report(), samples.decide, SCAN)
    (known,) = await store.incidents()

    def acknowledge(incident: Incident) -> IncidentChange:
        new = msgspec.structs.replace(incident, state=IncidentState.ACKNOWLEDGED, note="mine")
        return IncidentChange(incident=new, events=[samples.event(new, "acknowledged")])

    changed = await store.change_incident(
        known.id, acknowledge, actor="kim", action="ack", reason="on it", channels=["slack"]
    )
    assert await store.incident(known.id) == changed
    assert changed.state is IncidentState.ACKNOWLEDGED
    (entry,) = await store.audit_log()
    assert (entry.actor, entry.action, entry.subject) == ("kim", "ack", known.id)
    assert (entry.reason, entry.at) == ("on it", clock())
    (due,) = await store.outbox_due("slack", clock())
    assert due.event.kind == "acknowledged"


async def test_ignores_and_their_audit(store: Store) -> None:
    wanted = IgnoreRecord(
        rule="r", path="**/x", actor="kim", reason="test", expires=date(2026, 5, 1)
    )
    number = await store.ignore_add(wanted)
    assert await store.ignores() == [msgspec.structs.replace(wanted, id=number)]
    assert await store.ignore_remove(number, actor="kim")
    assert not await store.ignore_remove(number, actor="kim")
    assert [entry.action for entry in await store.audit_log()] == ["ignore-remove", "ignore-add"]


async def test_evidence_goes_by_age_and_incident(store: Store, clock: ManualClock) -> None:
    keep = Retention(clean=timedelta(days=30), closed=timedelta(days=100))
    artifact = await samples.fetched(store, samples.release())
    await store.settle(artifact, samples.report(), samples.decide, SCAN)
    (clean,) = await store.announce(samples.release("0.9.0"), OWNER)
    await store.fetched(clean.artifact_id, evidence_key="sha256/cd", sha256="cd" * 32, size=1)
    clock.move(days=31)
    assert await store.evidence_expired(keep) == []  # the clean one is not settled yet
    await store.settle(clean.artifact_id, samples.report([]), samples.decide, SCAN)
    assert await store.evidence_expired(keep) == ["sha256/cd"]
    clock.move(days=1000)
    assert await store.evidence_expired(keep) == ["sha256/cd"]  # the incident is open
    assert await store.evidence_removed("sha256/cd") == 1
    assert await store.evidence_keys() == {"sha256/ab"}
    (known,) = await store.incidents()

    def resolve(incident: Incident) -> IncidentChange:
        new = msgspec.structs.replace(incident, state=IncidentState.RESOLVED)
        return IncidentChange(incident=new)

    await store.change_incident(known.id, resolve, actor="kim", action="resolve")
    assert await store.evidence_expired(keep) == ["sha256/ab"]


async def test_evidence_that_is_wanted_again_while_it_goes_is_fetched_anew(
    store: Store, clock: ManualClock
) -> None:
    artifact = await samples.fetched(store, samples.release())
    await store.settle(artifact, samples.report([]), samples.decide, SCAN)
    clock.move(days=31)
    assert await store.evidence_expired(Retention()) == ["sha256/ab"]
    late = await samples.fetched(store, samples.release("1.0.1"))  # the same bytes
    assert await store.evidence_removed("sha256/ab") == 1
    assert (await store.artifact(late)).state == "announced"
    assert (await store.artifact(artifact)).state == "settled"


async def test_finished_work_is_forgotten_in_time(store: Store, clock: ManualClock) -> None:
    page = samples.page()
    await store.record_page(page, [(page.notices[0], OWNER)])
    (job,) = await store.unfinished()
    await store.resolve_notice(job.key, "not-found")
    assert await store.purge(Retention()) == 0
    clock.move(days=31)
    assert await store.purge(Retention()) == 1
    with pytest.raises(NotFoundError):
        await store.notice(job.key)


async def test_any_text_of_a_stranger_can_be_kept(store: Store) -> None:
    nasty = "a\0b\ud800c\u202e'; DROP TABLE jobs; --" + "x" * 5000
    page = samples.page()
    notice = msgspec.structs.replace(page.notices[0], name=nasty, position=nasty)
    assert await store.record_page(page, [(notice, OWNER)]) == 1
    release = samples.release(version="1\0\udfff")
    (entry,) = await store.announce(release, OWNER)
    evidence = {"text": nasty, nasty[:20]: [nasty]}
    found = msgspec.structs.replace(samples.finding(path=nasty), evidence=evidence)
    await store.settle(entry.artifact_id, samples.report([found]), samples.decide, SCAN)
    (kept,) = await store.findings(entry.artifact_id)
    assert kept.path.startswith("a\0b\ufffdc")
    assert (await store.artifact(entry.artifact_id)).artifact.version == "1\ufffd\ufffd"


async def test_times_come_back_aware_and_exact(store: Store) -> None:
    at = datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)
    east = at.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+09:00").tzinfo)
    await store.set_checkpoint(Checkpoint(feed="f", position="1", moved_at=east))
    moved_at = (await store.checkpoints())["f"].moved_at
    assert (moved_at, moved_at.tzinfo) == (at, UTC)


async def test_what_is_not_on_record_is_said(store: Store) -> None:
    with pytest.raises(NotFoundError, match="artifact 77"):
        await store.artifact(77)
    with pytest.raises(NotFoundError):
        await store.fetched(77, evidence_key="k", sha256="s", size=1)
    with pytest.raises(NotFoundError):
        await store.settle(77, samples.report(), samples.decide, SCAN)


async def test_what_the_registry_said_of_a_release_is_kept(store: Store) -> None:
    told = samples.release()
    (entry,) = await store.announce(told, OWNER)
    known = await store.release(entry.artifact_id)
    assert (known.ecosystem, known.name, known.version) == (told.ecosystem, told.name, told.version)
    assert (known.licence, known.publisher) == (told.licence, told.publisher)
    assert (known.repository, known.maintainers) == (told.repository, told.maintainers)
    assert known.artifacts == []
    with pytest.raises(NotFoundError):
        await store.release(entry.artifact_id + 1)
