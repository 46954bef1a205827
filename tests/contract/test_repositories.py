"""What the store keeps of repositories, the same on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import CommitMark
from tests.contract import samples
from tests.contract.samples import COMMITS

if TYPE_CHECKING:
    from monitor.store import RepositoryRecord, Store

MAIN = "refs/heads/main"


async def known(store: Store, name: str = "acme/app") -> RepositoryRecord:
    found = await store.repository("github", name)
    assert found is not None
    return found


async def test_a_look_is_kept_once_with_its_commits_and_jobs(store: Store) -> None:
    assert await store.repository("github", "acme/app") is None
    assert await samples.looked_at(store) == 1
    assert await samples.looked_at(store) == 0
    record = await known(store)
    assert (record.refs, record.left, record.head) == (
        {MAIN: COMMITS[1]}, frozenset(), COMMITS[1],
    )  # fmt: skip
    (job,) = await store.unfinished()
    marks = await store.commit_marks(job.payload["artifact"])
    assert marks == [CommitMark(commit=each, ref=MAIN) for each in COMMITS[:2]]
    assert await store.seen_commits(record.package_id, COMMITS) == set(COMMITS[:2])


async def test_a_commit_is_part_of_one_artifact_alone(store: Store) -> None:
    await samples.looked_at(store)
    pushes = [samples.push(COMMITS[1], COMMITS[2])]
    assert await samples.looked_at(store, {MAIN: COMMITS[2]}, pushes) == 1
    jobs = await store.unfinished()
    marks = [await store.commit_marks(job.payload["artifact"]) for job in jobs]
    assert [[each.commit for each in some] for some in marks] == [COMMITS[:2], [COMMITS[2]]]


async def test_old_ids_of_a_ref_are_kept(store: Store) -> None:
    await samples.looked_at(store)
    await samples.looked_at(store, {MAIN: COMMITS[3], "refs/tags/v1": COMMITS[0]}, [])
    record = await known(store)
    assert record.refs == {MAIN: COMMITS[3], "refs/tags/v1": COMMITS[0]}
    assert record.left == {COMMITS[1]}
    await samples.looked_at(store, {MAIN: COMMITS[1]}, [])
    record = await known(store)
    assert record.refs == {MAIN: COMMITS[1]}
    assert record.left == {COMMITS[3], COMMITS[0]}


async def test_commits_that_were_left_behind_are_told_once(store: Store) -> None:
    await samples.looked_at(store)
    record = await known(store)
    assert await store.left_behind(record.package_id, COMMITS) == {COMMITS[1]}
    assert await store.left_behind(record.package_id, COMMITS) == set()
    (job,) = await store.unfinished()
    marks = await store.commit_marks(job.payload["artifact"])
    assert all(each.is_away for each in marks)


async def test_files_are_clean_under_the_rules_that_found_nothing(store: Store) -> None:
    await samples.looked_at(store)
    await samples.looked_at(store, name="acme/other")
    record, other = await known(store), await known(store, "acme/other")
    many = [f"{number:040x}" for number in range(1000)]
    await store.blobs_are_clean(record.package_id, "rules-1", many)
    found = await store.clean_blobs(record.package_id, "rules-1", [*many, "f" * 40])
    assert found == set(many)
    assert await store.clean_blobs(record.package_id, "rules-2", many) == set()
    assert await store.clean_blobs(other.package_id, "rules-1", many) == set()
    await store.blobs_are_clean(record.package_id, "rules-2", many[:1])
    assert await store.clean_blobs(record.package_id, "rules-2", many) == {many[0]}


async def test_many_refs_and_commits_in_one_look(store: Store) -> None:
    many = [f"{number:040x}" for number in range(1, 1501)]
    refs = {f"refs/tags/v{number}": commit for number, commit in enumerate(many)}
    assert await samples.looked_at(store, refs, [samples.push(*many)]) == 1
    record = await known(store)
    assert record.refs == refs
    assert await store.seen_commits(record.package_id, many) == set(many)
    assert len(await store.left_behind(record.package_id, many)) == 1
