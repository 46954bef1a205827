"""Proofs whose log entry is of the kind intoto 0.0.2, as npm made them for years.

sigstore's own verifier takes no such entry (sigstore-python's issue 1384). Here it checks
everything but the entry's body, which is held against the signed envelope below. The entry's time
counts: the log signed it together with the body.

Source: Rekor's "intoto" type, schema v0.0.2; its signature is base64 of base64.
"""

# ruff: noqa: SLF001 - sigstore offers no other way to a proof's parts
from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from sigstore import dsse
from sigstore._internal.timestamp import TimestampSource, TimestampVerificationResult
from sigstore.errors import VerificationError
from sigstore.verify import Verifier

if TYPE_CHECKING:
    from sigstore.models import Bundle
    from sigstore.verify.policy import VerificationPolicy

KIND = ("intoto", "0.0.2")


class _Hash(Struct):
    algorithm: str
    value: str


class _Signature(Struct):
    sig: str
    key: str = msgspec.field(name="publicKey")


class _Envelope(Struct):
    signatures: list[_Signature]
    payload_type: str = msgspec.field(name="payloadType")


class _Content(Struct):
    envelope: _Envelope
    payload_hash: _Hash = msgspec.field(name="payloadHash")


class _Spec(Struct):
    content: _Content


class _Body(Struct):
    kind: str
    spec: _Spec
    version: str = msgspec.field(name="apiVersion")


class ProofVerifier(Verifier):
    """sigstore's verifier, that knows one kind of entry more."""

    def verify_dsse(self, bundle: Bundle, policy: VerificationPolicy) -> tuple[str, bytes]:
        """The type and bytes of what is signed. Raises as sigstore's does."""
        if not _is_intoto(bundle):
            return super().verify_dsse(bundle, policy)
        self._verify_common_signing_cert(bundle, policy)
        envelope = bundle._dsse_envelope
        if envelope is None:
            raise VerificationError("a bundle without an envelope")
        key = bundle.signing_certificate.public_key()
        payload = dsse._verify(key, envelope)  # type: ignore[arg-type]  # another kind of key raises
        _check_body(bundle, envelope._inner.payload_type, payload, envelope.signature)
        return envelope._inner.payload_type, payload

    def _establish_time(self, bundle: Bundle) -> list[TimestampVerificationResult]:
        if not _is_intoto(bundle):
            return super()._establish_time(bundle)
        entry = bundle.log_entry._inner
        if not entry.integrated_time or not entry.inclusion_promise:
            raise VerificationError("not enough sources of verified time")
        at = datetime.fromtimestamp(entry.integrated_time, tz=UTC)
        return [TimestampVerificationResult(source=TimestampSource.TRANSPARENCY_SERVICE, time=at)]


def _is_intoto(bundle: Bundle) -> bool:
    told = bundle.log_entry._inner.kind_version
    return (told.kind, told.version) == KIND


def _check_body(bundle: Bundle, payload_type: str, payload: bytes, signature: bytes) -> None:
    """Whether the log took this very envelope: its payload, signature and certificate."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        body = msgspec.json.decode(bundle.log_entry._inner.canonicalized_body, type=_Body)
        content = body.spec.content
        (signed,) = content.envelope.signatures
        taken = base64.b64decode(base64.b64decode(signed.sig, validate=True), validate=True)
        certificate = load_pem_x509_certificate(base64.b64decode(signed.key, validate=True))
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise VerificationError(f"invalid log entry of kind intoto: {error}") from error
    found = (
        body.kind, body.version, content.envelope.payload_type, taken, certificate,
        content.payload_hash.algorithm, content.payload_hash.value,
    )  # fmt: skip
    digest = hashlib.sha256(payload).hexdigest()
    signer = bundle.signing_certificate
    if found != (*KIND, payload_type, signature, signer, "sha256", digest):
        raise VerificationError("log entry does not match the bundle")
