"""Whom to believe: sigstore's verification under one trusted root, loaded once and offline.

The root is the one that the ``sigstore`` package ships, or a file of the operator's (``[provenance]
trusted_root``, as ``cosign trusted-root create`` writes it). It is not refreshed over the network:
a newer package, or a newer file, brings newer keys. What is signed under keys that the root does
not know is called unverifiable, never wrong: keys are rotated.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.model.provenance import UNVERIFIABLE

from .documents import PEP_740
from .refusals import RefusedError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

    from monitor.model.provenance import Builder

    from .documents import Attested

MAX_ROOT_BYTES = 4 << 20
_PAYLOAD = "application/vnd.in-toto+json"
_FORMS = "application/vnd.dev.sigstore.bundle"
_SHIPPED = ("sigstore._store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")


class TrustRoot:
    """A trusted root and the verifier made of it, at first use; safe to share between threads."""

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: tuple[Verifier, _Keys] | None = None

    @property
    def is_available(self) -> bool:
        """Whether the extra ``leakmon[provenance]`` is installed."""
        return all(find_spec(name) is not None for name in ("sigstore", "pypi_attestations"))

    def load(self) -> str:
        """Make ready what ``proven`` needs, and say where it is from. Raises RefusedError."""
        with self._lock:
            self._known = self._known or self._loaded()
        return self._path or "that of the sigstore package"

    def proven(self, attested: Attested) -> tuple[Builder, bytes]:
        """Who signed, and the statement's bytes. Raises RefusedError for everything that is not so.

        The libraries are made for honest mistakes: what else they raise over a hostile document
        (``TypeError`` over a key of another kind, ``OverflowError`` over a time) refuses it too.
        """
        from . import certificates

        self.load()
        assert self._known is not None
        verifier, keys = self._known
        try:
            bundle = _bundle(attested)
        except Exception as error:
            raise _unreadable(error, attested) from error
        try:
            kind, payload = verifier.verify_dsse(bundle, _AnyIdentity())
            builder = certificates.builder(bundle.signing_certificate)
        except Exception as error:
            raise _refused(error, bundle, keys) from error
        if kind != _PAYLOAD:
            raise RefusedError("statement", "what is signed is no in-toto statement")
        return builder, payload

    def _loaded(self) -> tuple[Verifier, _Keys]:
        try:
            from sigstore.models import TrustedRoot
            from sigstore_models.trustroot.v1 import TrustedRoot as Inner

            from .intoto import ProofVerifier

            raw = self._read()
            verifier = ProofVerifier(trusted_root=TrustedRoot(Inner.from_json(raw)))
            return verifier, _Keys.of(raw)
        except Exception as error:
            place = self._path or "that of the sigstore package"
            raise RefusedError(
                "trusted-root", f"the trusted root ({place}) cannot be used: {error}",
                state=UNVERIFIABLE,
            ) from error  # fmt: skip

    def _read(self) -> bytes:
        if self._path:
            with open(self._path, "rb") as file:
                raw = file.read(MAX_ROOT_BYTES + 1)
        else:
            from importlib.resources import files

            package, *below = _SHIPPED
            raw = files(package).joinpath(*below).read_bytes()
        if len(raw) > MAX_ROOT_BYTES:
            raise ValueError("larger than 4 MiB")
        return raw


class _AnyIdentity:
    """Every identity will do: whose it is, is read from the certificate once that is proven."""

    def verify(self, cert: Certificate) -> None:
        """Sigstore asks here, of a certificate whose chain and log it has checked."""


class _Keys(msgspec.Struct, frozen=True):
    """What a root knows: the subjects of its authorities, the ids of its two kinds of log."""

    authorities: frozenset[bytes]
    logs: frozenset[bytes]
    certificate_logs: frozenset[bytes]

    @classmethod
    def of(cls, raw: bytes) -> _Keys:
        import base64

        from cryptography.x509 import load_der_x509_certificate

        root = msgspec.json.decode(raw)
        certificates = [
            load_der_x509_certificate(base64.b64decode(each["rawBytes"]))
            for authority in root["certificateAuthorities"]
            for each in authority["certChain"]["certificates"]
        ]

        def ids(logs: list[dict[str, Any]]) -> frozenset[bytes]:
            return frozenset(base64.b64decode(each["logId"]["keyId"]) for each in logs)

        subjects = frozenset(each.subject.public_bytes() for each in certificates)
        return cls(subjects, ids(root["tlogs"]), ids(root["ctlogs"]))


def _bundle(attested: Attested) -> Bundle:
    if attested.form == PEP_740:
        from pypi_attestations import Attestation

        return Attestation.model_validate(attested.content).to_bundle()
    from sigstore.models import Bundle

    return Bundle.from_json(msgspec.json.encode(attested.content))


def _unreadable(error: Exception, attested: Attested) -> RefusedError:
    """What is no bundle, or one of a form that sigstore reads no longer, or not yet."""
    from sigstore.models import Bundle, IncompatibleEntry

    form = str(attested.content.get("mediaType", ""))
    if form.endswith("version=0.1"):
        words = "a bundle of the first form, which proves no place in the log"
        return RefusedError("old-form", words, state=UNVERIFIABLE)
    is_newer = form.startswith(_FORMS) and form not in {each.value for each in Bundle.BundleType}
    if isinstance(error, IncompatibleEntry) or is_newer:
        words = f"a newer form than the sigstore package knows: {error}"
        return RefusedError("new-form", words, state=UNVERIFIABLE)
    return RefusedError("malformed", f"no bundle of sigstore's: {error}")


def _refused(error: Exception, bundle: Bundle, keys: _Keys) -> RefusedError:
    """The reason code for what sigstore says; it has one class and many sentences."""
    from sigstore.errors import CertValidationError, Error

    unknown = _unknown(bundle, keys)
    if unknown:
        return RefusedError(
            unknown, "signed under keys that the trusted root does not know: newer ones, or forged",
            state=UNVERIFIABLE,
        )  # fmt: skip
    text = str(error)
    if isinstance(error, CertValidationError):
        return RefusedError("certificate", text)
    if not isinstance(error, Error):
        return RefusedError("malformed", f"{type(error).__name__}: {text}")
    for words, reason in (
        ("SCT", "certificate-log"),
        ("log entry", "log-entry"),
        ("Unsupported DSSE", "log-entry"),
        ("invalid signature", "signature"),
        ("exactly one signature", "signature"),
        ("expired", "time"),
        ("verified time", "time"),
        ("usage", "certificate"),
    ):
        if words in text:
            return RefusedError(reason, text)
    return RefusedError("not-verified", text)


def _unknown(bundle: Bundle, keys: _Keys) -> str:
    """Which of the keys is none of the root's: only then may it be right all the same."""
    certificate = bundle.signing_certificate
    if certificate.issuer.public_bytes() not in keys.authorities:
        return "unknown-authority"
    if bundle.log_entry._inner.log_id.key_id not in keys.logs:  # noqa: SLF001 - no other way to it
        return "unknown-log"
    return "unknown-log" if _scts(certificate) - keys.certificate_logs else ""


def _scts(certificate: Certificate) -> frozenset[bytes]:
    from cryptography.x509 import PrecertificateSignedCertificateTimestamps as Timestamps

    try:
        found = certificate.extensions.get_extension_for_class(Timestamps).value
        return frozenset(each.log_id for each in found)
    except Exception:  # noqa: BLE001 - a stranger's certificate; then sigstore's own words hold
        return frozenset()
