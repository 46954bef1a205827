"""What is looked for has changed: kept evidence is looked at again, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor.store import Scan
from tests.contract import samples

if TYPE_CHECKING:
    from monitor.model import Release
    from monitor.store import Store
    from tests.contract.databases import ManualClock

NEW = Scan(rules_digest="rules-2")


async def test_only_what_other_rules_saw_is_looked_at_again(store: Store) -> None:
    old = await samples.fetched(store, samples.release("1.0.0"))
    await store.settle(old, samples.report(), samples.decide, samples.SCAN)
    new = await samples.fetched(store, samples.release("2.0.0"))
    await store.settle(new, samples.report(), samples.decide, NEW)
    assert await store.rescan("rules-2", actor="kim") == 1
    (job,) = [each for each in await store.unfinished() if each.kind == "artifact"]
    assert job.payload == {"artifact": old}
    settled = await store.settle(old, samples.report([]), samples.decide, NEW)
    assert not settled.is_repeat
    assert await store.findings(old) == []
    assert await store.rescan("rules-2", actor="kim") == 0
    assert await store.rescan(None, actor="kim") == 2
    assert [entry.action for entry in await store.audit_log()] == ["rescan"] * 3


async def test_a_package_and_a_time_narrow_it(store: Store, clock: ManualClock) -> None:
    first = await samples.fetched(store, samples.release())
    await store.settle(first, samples.report(), samples.decide, samples.SCAN)
    clock.move(days=2)
    other = await samples.fetched(store, samples.release(name="@acme/other", digest="cd" * 32))
    await store.settle(other, samples.report([]), samples.decide, samples.SCAN)
    since = clock() - timedelta(days=1)
    assert await store.rescan(None, actor="kim", since=since) == 1
    assert await store.rescan(None, actor="kim", ecosystem="npm", package="@acme/cli") == 1
    assert await store.rescan(None, actor="kim", ecosystem="npm", package="@acme/none") == 0


async def test_what_was_not_kept_cannot_be_looked_at_again(store: Store) -> None:
    (entry,) = await store.announce(samples.release(), samples.OWNER)
    await store.settle(entry.artifact_id, samples.report(), samples.decide, samples.SCAN)
    assert await store.rescan(None, actor="kim") == 0


async def test_an_sdist_sends_the_wheels_of_its_release_back(store: Store) -> None:
    def file(name: str, version: str, digest: str) -> Release:
        made = samples.release(version, digest=digest * 32)
        return replace(made, artifacts=[replace(made.artifacts[0], filename=name)])

    wheel = await samples.fetched(store, file("acme-1.0.0-py3-none-any.whl", "1.0.0", "aa"))
    other = await samples.fetched(store, file("acme-2.0.0-py3-none-any.whl", "2.0.0", "bb"))
    for one in (wheel, other):
        await store.settle(one, samples.report([]), samples.decide, samples.SCAN)
    assert await store.sdist_of(wheel) is None
    sdist = await samples.fetched(store, file("acme-1.0.0.tar.gz", "1.0.0", "cc"))
    found = await store.sdist_of(wheel)
    assert found is not None
    assert found.artifact_id == sdist
    scan = replace(samples.SCAN, is_for_wheels=True)
    await store.settle(sdist, samples.report([]), samples.decide, scan)
    assert [(await store.artifact(one)).state for one in (wheel, other, sdist)] == [
        "fetched", "settled", "settled",
    ]  # fmt: skip
    (job,) = [each for each in await store.unfinished() if each.kind == "artifact"]
    assert job.payload == {"artifact": wheel}
