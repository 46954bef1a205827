"""``leakmon evidence``: the kept bytes, each look at them on record."""

from __future__ import annotations

import asyncio
import os
import pwd
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from monitor import config
from monitor.config.storage import database_url, open_evidence
from monitor.errors import IntegrityError, NotFoundError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Sequence

    from monitor.evidence import Entry, Evidence
    from monitor.store import Store

_MIN_DIGITS = 8


def get(call: argparse.Namespace) -> int:
    """Write one object's plain bytes into a new file. The audit log's entry comes first."""
    return asyncio.run(_get(call))


def listing(call: argparse.Namespace) -> int:
    """Print digest, size, time, and the name of the key that sealed it."""
    for entry in sorted(_evidence(call).entries(), key=lambda one: (one.stored_at, one.key)):
        at = entry.stored_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        print(f"{entry.sha256}  {entry.size:>12}  {at}  {entry.key_id or 'not sealed'}")
    return 0


def verify(call: argparse.Namespace) -> int:
    """Decrypt and check; 1 if anything is wrong."""
    return asyncio.run(_verify(call))


def rotate(call: argparse.Namespace) -> int:
    """Seal everything with the current key."""
    evidence = _evidence(call)
    entries = list(evidence.entries())
    done = sum(evidence.reseal(entry.key) for entry in entries)
    print(f"{done} of {len(entries)} sealed anew with key {evidence.keyring.key_id}")
    return 0


async def _get(call: argparse.Namespace) -> int:
    if not call.reason.strip():
        raise UsageError("--reason: say why, for the audit log")
    evidence = _evidence(call)
    entry = await asyncio.to_thread(_found, evidence, call.digest)
    async with _store(call) as store:
        await store.audit(_person(), "evidence-get", entry.key, reason=call.reason)
    size = await evidence.get(entry.key, call.output)
    print(f"wrote {call.output} ({size:,} bytes; handle it as what it is: untrusted)")
    return 0


async def _verify(call: argparse.Namespace) -> int:
    evidence = _evidence(call)
    entries = await asyncio.to_thread(_chosen, evidence, call.digests)
    async with _store(call) as store:
        what = f"{len(entries)} objects"
        await store.audit(_person(), "evidence-verify", what, reason="check")
    bad = 0
    for entry in entries:
        try:
            await asyncio.to_thread(evidence.verify, entry.key)
        except (IntegrityError, UsageError) as error:
            bad += 1
            print(f"{entry.sha256}  {error}", file=sys.stderr)
    print(f"{len(entries) - bad} in order, {bad} not")
    return 1 if bad else 0


def _chosen(evidence: Evidence, digests: Sequence[str]) -> list[Entry]:
    if not digests:
        return list(evidence.entries())
    return [_found(evidence, digest) for digest in digests]


def _found(evidence: Evidence, digest: str) -> Entry:
    digits = digest.lower().removeprefix("sha256:")
    if len(digits) < _MIN_DIGITS:
        raise UsageError(f"{digest}: too short: give {_MIN_DIGITS} digits of the sha256 or more")
    found = [entry for entry in evidence.entries() if entry.sha256.startswith(digits)]
    if not found:
        raise NotFoundError(f"{digest}: not among the evidence", reason="evidence-missing")
    if len(found) > 1:
        raise UsageError(f"{digest}: begins {len(found)} digests: give more of it")
    return found[0]


def _evidence(call: argparse.Namespace) -> Evidence:
    opened = open_evidence(config.load(call.config), config.environment())
    if opened.made_key:
        print(f"leakmon: made the evidence key {opened.made_key}: keep a copy", file=sys.stderr)
    return opened.evidence


@asynccontextmanager
async def _store(call: argparse.Namespace) -> AsyncIterator[Store]:
    from monitor.store import Store

    store = Store.open(database_url(config.load(call.config), config.environment()))
    try:
        yield store
    finally:
        await store.close()


def _person() -> str:
    """Who asks, as the system knows them: the environment could say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
