"""``leakmon evidence``: the kept bytes, each look at them on record."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import TYPE_CHECKING

from monitor import config
from monitor.cli import person
from monitor.cli.incidents import opened
from monitor.config.storage import open_evidence
from monitor.errors import IntegrityError, NotFoundError, UsageError
from monitor.report.text import count

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from monitor.evidence import Entry, Evidence

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
    """Seal everything with the current key, also the instance key in the database."""
    return asyncio.run(_rotate(call))


async def _get(call: argparse.Namespace) -> int:
    if not call.reason.strip():
        raise UsageError("--reason: say why, for the audit log")
    evidence = _evidence(call)
    entry = await asyncio.to_thread(_found, evidence, call.digest)
    async with opened(call) as store:
        await store.audit(person.name(), "evidence-get", entry.key, reason=call.reason)
    size = await evidence.get(entry.key, call.output)
    print(f"wrote {call.output} ({size:,} bytes; handle it as what it is: untrusted)")
    return 0


async def _verify(call: argparse.Namespace) -> int:
    evidence = _evidence(call)
    entries = await asyncio.to_thread(_chosen, evidence, call.digests)
    async with opened(call) as store:
        what = f"{len(entries)} objects"
        await store.audit(person.name(), "evidence-verify", what, reason="check")
        wrapping = await store.instance_key_id()
    bad = 0
    for entry in entries:
        try:
            await asyncio.to_thread(evidence.verify, entry.key)
        except (IntegrityError, UsageError) as error:
            bad += 1
            print(f"{entry.sha256}  {error}", file=sys.stderr)
    for line in _keys(evidence, entries, wrapping):
        print(line)
    print(f"{len(entries) - bad} in order, {bad} not")
    return 1 if bad else 0


async def _rotate(call: argparse.Namespace) -> int:
    evidence = _evidence(call)
    async with opened(call) as store:
        entries = await asyncio.to_thread(lambda: list(evidence.entries()))
        what = f"{len(entries)} objects"
        await store.audit(person.name(), "evidence-rotate", what, reason=evidence.keyring.key_id)
        await store.unlock(evidence.keyring)
        done = bad = 0
        for entry in entries:
            try:
                done += await asyncio.to_thread(evidence.reseal, entry.key)
            except (IntegrityError, NotFoundError, UsageError) as error:
                bad += 1
                print(f"{entry.sha256}  {error}", file=sys.stderr)
        left = await asyncio.to_thread(lambda: list(evidence.entries()))
        wrapping = await store.instance_key_id()
    print(f"{done} of {len(entries)} sealed anew with key {evidence.keyring.key_id}")
    for line in _keys(evidence, left, wrapping):
        print(line)
    print("a leakmon watch that runs seals with the ring it began with: restart it, rotate again")
    return 1 if bad else 0


def _keys(evidence: Evidence, entries: Sequence[Entry], wrapping: str | None) -> Iterator[str]:
    """Each key that is in use or in the ring, and what for: what may be removed from the ring."""
    uses = Counter(entry.key_id for entry in entries if entry.key_id)
    ring = evidence.keyring.key_ids
    for name in dict.fromkeys([*ring, *uses, *filter(None, [wrapping])]):
        parts = [count(uses[name], "object")] if uses[name] else []
        parts += ["the instance key of the database"] if name == wrapping else []
        told = f"needed for {' and '.join(parts)}" if parts else "no longer needed"
        if name == evidence.keyring.key_id:
            told = f"{' and '.join(parts) or 'nothing yet'}; seals what is new"
        elif name not in ring:
            told += ", and NOT in the ring: add it behind the first"
        yield f"key {name}: {told}"


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
    found = open_evidence(config.load(call.config), config.environment())
    if found.made_key:
        print(f"leakmon: made the evidence key {found.made_key}: keep a copy", file=sys.stderr)
    return found.evidence
