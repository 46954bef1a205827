"""No secret value reaches the database, its log, or its backup."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec
import pytest

from monitor.errors import ConfigError
from monitor.evidence.keys import Keyring
from monitor.store import Seal, Store
from tests.contract import samples
from tests.contract.databases import SEAL_KEY
from tests.contract.test_crashes import on_disk

if TYPE_CHECKING:
    from tests.contract.databases import ManualClock

SECRET = samples.SECRET


async def test_a_secret_that_a_report_holds_everywhere_is_nowhere_on_disk(store: Store) -> None:
    found = samples.finding(path=f"cli.tgz!/{SECRET}/.env", value=SECRET)
    found = msgspec.structs.replace(
        found,
        message=f"The token {SECRET} lies open",
        evidence={"line": f"TOKEN={SECRET}", SECRET: [{"deep": SECRET}]},
        references=[f"https://acme.example/?token={SECRET}"],
        advice=f"Rotate {SECRET}.",
    )
    beside = msgspec.structs.replace(samples.finding(), secret=None, message=f"near {SECRET}")
    report = samples.report([found, beside])
    report.verdict = msgspec.structs.replace(report.verdict, summary=f"{SECRET} is out")
    artifact = await samples.fetched(store, samples.release())
    settled = await store.settle(artifact, report, samples.decide, samples.SCAN, channels=["slack"])
    assert SECRET not in str(settled)
    kept = await store.findings(artifact)
    assert SECRET not in str(kept)
    assert kept[0].secret is not None
    assert kept[0].secret.redacted == "hunt…tery"
    assert kept[0].message == "The token hunt…tery lies open"
    await store.close()
    where = on_disk(
        str(store.database.url.render_as_string(hide_password=False)).replace("+aiosqlite", "")
    )
    for form in (SECRET.encode(), base64.b64encode(SECRET.encode())[:-4]):
        assert form not in where
    assert not store.database.is_sqlite or b"hunt" in where


def test_fingerprints_are_keyed_and_sealing_is_idempotent() -> None:
    seal, other = Seal(SEAL_KEY), Seal(b"x" * 32)
    report = samples.report([samples.finding(value=SECRET)])
    once = seal.report(report)
    assert seal.report(once) == once
    assert once.findings[0].fingerprint not in {
        "f" * 32,
        other.report(report).findings[0].fingerprint,
    }
    assert once.findings == seal.findings(report.findings)
    plain = msgspec.structs.replace(samples.finding(), secret=None)
    assert seal.findings([plain]) == [plain]


async def test_the_instance_key_outlives_restart_and_rotation(url: str, clock: ManualClock) -> None:
    old, new = b"o" * 32, b"n" * 32

    async def print_with(keyring: Keyring) -> str:
        store = Store.open(url, clock=clock)
        try:
            await store.unlock(keyring)
            return store.seal.fingerprint("5" * 32)
        finally:
            await store.close()

    first = await print_with(Keyring([old]))
    assert await print_with(Keyring([old])) == first
    assert await print_with(Keyring([new, old])) == first
    assert await print_with(Keyring([new])) == first  # it was wrapped anew
    with pytest.raises(ConfigError, match="not in the ring"):
        await print_with(Keyring([old]))
