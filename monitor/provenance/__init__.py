"""Attestations of npm and PyPI, proven or refused: who built an artifact. Pure but for the root.

What is signed is believed, and only after sigstore's own verification: the certificate's chain and
its entry in a certificate log, the entry in the transparency log, the signature, and at last that
the statement speaks of this artifact's name and bytes. Everything else in these documents is a
stranger's text; no address in them is ever asked. Needs ``pip install 'leakmon[provenance]'``.

Sources: PEP 740; npm's "Generating provenance statements"; the bundle and trusted root of
sigstore's protobuf-specs; Fulcio's "OID information".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model.provenance import ABSENT, INVALID, UNVERIFIABLE, VERIFIED, Provenance

from . import documents, statements
from .refusals import RefusedError
from .trust import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.model import Artifact
    from monitor.model.provenance import Builder

    from .documents import Attested

__all__ = ["MAX_BYTES", "NOT_INSTALLED", "TrustRoot", "absent", "unverifiable", "verify"]

MAX_BYTES = 4 << 20
"""An answer with the attestations of one artifact is some 10 kB."""

NOT_INSTALLED = "not verified: the extra leakmon[provenance] is not installed"


def verify(
    body: bytes, artifact: Artifact, digests: Mapping[str, str], root: TrustRoot
) -> Provenance:
    """What the registry's answer ``body`` proves of an artifact whose bytes have these digests.

    ``digests`` maps ``sha256`` (PyPI) or ``sha512`` (npm) to hex. Never raises for what is in the
    answer: that is an ``invalid`` or ``unverifiable`` one.
    """
    if not root.is_available:
        return unverifiable("not-installed", NOT_INSTALLED)
    algorithm = statements.DIGESTS.get(artifact.ecosystem, "")
    if not digests.get(algorithm):
        return unverifiable("no-digest", f"the registry gives no {algorithm or 'known'} digest")
    if len(body) > MAX_BYTES:
        return unverifiable("too-large", "its attestations are larger than 4 MiB")
    try:
        attested = documents.read(artifact.ecosystem, body)
        if not attested:
            return absent("no-build", "its attestations do not tell where it was built")
        found = [_one(each, artifact, digests[algorithm], root) for each in attested]
    except RefusedError as error:
        return Provenance(state=error.state, reason=error.reason, detail=str(error))
    return _agreed(found)


def _one(attested: Attested, artifact: Artifact, digest: str, root: TrustRoot) -> Builder:
    """The builder of one attestation. Raises RefusedError."""
    builder, payload = root.proven(attested)
    statements.check(payload, artifact, digest, attested.predicates)
    claimed = attested.repository
    if claimed and claimed.lower() != builder.repository.lower():
        raise RefusedError(
            "publisher-mismatch",
            f"announced for {claimed[:100]}, signed by {builder.repository or builder.issuer}",
        )
    return builder


def _agreed(builders: Sequence[Builder]) -> Provenance:
    first = builders[0]
    if any((each.kind, each.repository) != (first.kind, first.repository) for each in builders):
        names = ", ".join(sorted({each.repository or each.issuer for each in builders}))
        return Provenance(
            state=INVALID, reason="builders-differ", detail=f"signed by several: {names}"[:300]
        )
    return Provenance(state=VERIFIED, builder=first)


def absent(reason: str = "", detail: str = "") -> Provenance:
    """Its registry says that there is none."""
    return Provenance(state=ABSENT, reason=reason, detail=detail)


def unverifiable(reason: str, detail: str) -> Provenance:
    """It may be there, and nobody could look: neither proof nor alarm."""
    return Provenance(state=UNVERIFIABLE, reason=reason, detail=detail)
