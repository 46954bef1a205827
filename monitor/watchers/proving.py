"""Asks for the provenance of a package that is not ours by its name, where it may be ours by that.

A request for each stranger in a feed adds up: npm and PyPI announce some hundred releases a minute.
So with ``[provenance] ask = "hint"`` only those are asked about whose registry announces an
attestation (PyPI's JSON does not say: it is asked) and whose own words on their repository leave it
possible that one of our builds made them; with ``all`` every one that announces it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor.model.provenance import UNVERIFIABLE
from monitor.registries.attestations import UNANSWERED
from monitor.watchers.perimeter import builders

if TYPE_CHECKING:
    from monitor.model import Ownership
    from monitor.registries.network import Network
    from monitor.watchers.perimeter import PackageFacts, Perimeter


async def proven(facts: PackageFacts, perimeter: Perimeter, network: Network) -> PackageFacts:
    """The facts with what the newest version's attestations prove, if that is worth asking."""
    if facts.newest is None or not perimeter.is_asking(facts):
        return facts
    found = await network.attestations.of(facts.newest, facts.newest.digests)
    return replace(facts, provenance=found)


def is_open(facts: PackageFacts) -> bool:
    """Whether another look may tell more: it is announced, and did not come."""
    found = facts.provenance
    return found is not None and found.state == UNVERIFIABLE and found.reason in UNANSWERED


def stays(known: Ownership | None, owner: Ownership | None, facts: PackageFacts) -> bool:
    """Whether what once was ours by a proven build stays so.

    A version that comes without provenance is the one to look at: only the proof that another
    builds it now takes it away, or another organisation of ours by a proof of its own.
    """
    if known is None or not known.reason.startswith(builders.REASON):
        return False
    if facts.provenance is not None and facts.provenance.is_verified:
        return False
    return owner is None or owner.organisation == known.organisation
