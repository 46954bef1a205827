"""Provenance of a subject that came from a registry: asked for, told, and known to its judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from monitor.model.provenance import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.detectors import Context
    from monitor.model import Organisation
    from monitor.model.provenance import Provenance
    from monitor.pipeline.subjects import Subject
    from monitor.registries.network import Network


async def look(subject: Subject, path: str, sha256: str, network: Network) -> None:
    """Ask the registry about the artifact whose bytes lie in ``path``; findings where it is wrong.

    Never raises for an answer, or for one that does not come: the provenance says so.
    """
    import asyncio

    from monitor.registries.attestations import ACCEPT, OFF, digests_of

    artifact = subject.artifact
    asked = network.attestations
    if artifact is None or artifact.ecosystem not in ACCEPT or asked.settings.ask == OFF:
        return
    from monitor.provenance import telling

    digests = await asyncio.to_thread(digests_of, artifact, path, sha256)
    subject.provenance = await asked.of(artifact, digests)
    subject.findings += telling.findings(subject.provenance, artifact)


def known(subject: Subject, context: Context) -> Context:
    """The context with what is known of the subject's provenance."""
    if subject.provenance is None:
        return context
    return structs.replace(context, provenance=state(subject), builder=builder(subject))


def state(subject: Subject) -> str:
    """How the next version remembers it; empty where nobody looked."""
    if subject.provenance is None:
        return ""
    from monitor.provenance import telling

    return telling.state(subject.provenance)


def announced(subject: Subject) -> Provenance | None:
    """What is reported of it: nothing where there is none, as of most packages."""
    found = subject.provenance
    return None if found is None or found.state == ABSENT else found


def builder(subject: Subject) -> str:
    """``github:acme/cli`` where that is proven."""
    found = subject.provenance.builder if subject.provenance is not None else None
    return f"{found.kind}:{found.repository or found.issuer}" if found is not None else ""


def owner(subject: Subject, organisations: Sequence[Organisation]) -> Organisation | None:
    """The organisation whose builds made it, or as whose it is on record by an earlier proof."""
    found = subject.provenance.builder if subject.provenance is not None else None
    if found is not None:
        from monitor.watchers.perimeter import builders

        for organisation in organisations:
            if builders.fit(organisation, found):
                return organisation
    named = (each for each in organisations if each.name == subject.organisation)
    return next(named, None) if subject.organisation else None
