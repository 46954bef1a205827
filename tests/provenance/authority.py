"""A sigstore of one's own: certificate authority, certificate log, transparency log, all offline.

What it signs goes through sigstore's real verification under ``trusted_root``: a chain with an
embedded signed certificate timestamp (RFC 6962), an entry in a Merkle tree with its proof, a signed
checkpoint and a signed entry timestamp.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"
SLSA = "https://slsa.dev/provenance/v1"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ARC = "1.3.6.1.4.1.57264.1."
_TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_SHA256_ECDSA = b"\x04\x03"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def claims(
    repository: str = "acme/cli", owner_id: str = "123", issuer: str = GITHUB, **changes: str
) -> dict[str, str]:
    """What Fulcio writes of a build of GitHub's or GitLab's, by the last number of the OID."""
    site = "https://gitlab.com" if issuer == GITLAB else "https://github.com"
    path = "//.gitlab-ci.yml" if issuer == GITLAB else "/.github/workflows/release.yml"
    told = {
        "8": issuer,
        "12": f"{site}/{repository}",
        "13": "4f1c2d" * 6 + "abcd",
        "14": "refs/tags/v1.0.0",
        "15": "987",
        "16": f"{site}/{repository.rpartition('/')[0]}",
        "17": owner_id,
        "18": f"{site}/{repository}{path}@refs/tags/v1.0.0",
    }
    return told | changes


class Log:
    """A log's key and its id."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.id = hashlib.sha256(self.spki).digest()

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))

    def described(self) -> Json:
        return {
            "baseUrl": "https://log.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(self.spki),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": "2021-01-01T00:00:00Z"},
            },
            "logId": {"keyId": b64(self.id)},
        }


class Authority:
    """Signs as Fulcio and Rekor do; ``name`` is the certificate authority's."""

    def __init__(self, name: str = "fulcio.example") -> None:
        self.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.log, self.certificate_log = Log(), Log()
        self._key = ec.generate_private_key(ec.SECP384R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        public = self._key.public_key()
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=365))
            .not_valid_after(self.now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_usage(is_authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA384())
        )

    def trusted_root(self) -> Json:
        """The trusted root of this authority, in sigstore's JSON."""
        chain = {"certificates": [{"rawBytes": b64(_der(self.certificate))}]}
        authority = {
            "subject": {"organization": "example", "commonName": "fulcio"},
            "uri": "https://fulcio.example",
            "certChain": chain,
            "validFor": {"start": "2021-01-01T00:00:00Z"},
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.log.described()],
            "certificateAuthorities": [authority],
            "ctlogs": [self.certificate_log.described()],
            "timestampAuthorities": [],
        }

    def leaf(self, key: ec.EllipticCurvePrivateKey, told: Mapping[str, str]) -> x509.Certificate:
        """A certificate of ten minutes for one build, its timestamp of the log embedded."""
        own = self._key.public_key()
        identity = told.get("18", "https://build.example")
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now)
            .not_valid_after(self.now + timedelta(minutes=10))
            .add_extension(_usage(is_authority=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)]),
                critical=True,
            )
        )
        for number, text in told.items():
            raw = text.encode()
            size = bytes([len(raw)]) if len(raw) < 0x80 else bytes([0x81, len(raw)])
            value = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{ARC}{number}"),
                                               b"\x0c" + size + raw)  # fmt: skip
            builder = builder.add_extension(value, critical=False)
        before = builder.sign(self._key, hashes.SHA256())
        stamped = x509.UnrecognizedExtension(_TIMESTAMPS, self._timestamp(before))
        return builder.add_extension(stamped, critical=False).sign(self._key, hashes.SHA256())

    def _timestamp(self, precertificate: x509.Certificate) -> bytes:
        """RFC 6962, section 3.2 and 3.3: the log's promise, as the extension's value."""
        at = int(self.now.timestamp() * 1000)
        issuer = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        body = precertificate.tbs_certificate_bytes
        entry = hashlib.sha256(issuer).digest() + len(body).to_bytes(3, "big") + body
        signature = self.certificate_log.sign(
            struct.pack("!BBQH", 0, 0, at, 1) + entry + b"\x00\x00"
        )
        one = b"\x00" + self.certificate_log.id + struct.pack("!QH", at, 0) + _SHA256_ECDSA
        one += struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!H", len(one)) + one
        whole = struct.pack("!H", len(listed)) + listed
        size = bytes([len(whole)]) if len(whole) < 0x80 else bytes([0x81, len(whole)])
        return b"\x04" + size + whole

    def bundle(
        self,
        subject: str,
        digest: Mapping[str, str],
        *,
        predicate: str = SLSA,
        told: Mapping[str, str] | None = None,
        minutes: float = 1,
        statement: object = None,
        kind: str = "dsse",
    ) -> Json:
        """A signed statement on one artifact as sigstore's bundle, version 0.3.

        ``minutes`` is when the log took it, after the certificate was made; ``kind`` is the log
        entry's, ``dsse`` or ``intoto``.
        """
        whole = statement if statement is not None else {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": subject, "digest": dict(digest)}],
            "predicateType": predicate,
            "predicate": {"buildDefinition": {"externalParameters": {}}},
        }  # fmt: skip
        payload = json.dumps(whole).encode()
        media_type = "application/vnd.in-toto+json"
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.leaf(key, claims() if told is None else told)
        pae = f"DSSEv1 {len(media_type)} {media_type} {len(payload)} ".encode() + payload
        signature = key.sign(pae, ec.ECDSA(hashes.SHA256()))
        body = _dsse_body if kind == "dsse" else _intoto_body
        entry = self.entry(body(payload, signature, certificate), minutes)
        return {
            "mediaType": BUNDLE,
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(_der(certificate))},
                "tlogEntries": [entry],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
            "dsseEnvelope": {
                "payload": b64(payload),
                "payloadType": media_type,
                "signatures": [{"sig": b64(signature)}],
            },
        }

    def entry(self, content: Json, minutes: float) -> Json:
        """The log's entry with this body: second of two leaves, with all that proves it."""
        body = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
        sibling = hashlib.sha256(b"\x00the first entry").digest()
        leaf = hashlib.sha256(b"\x00" + body).digest()
        root = hashlib.sha256(b"\x01" + sibling + leaf).digest()
        note = f"log.example - 1\n2\n{b64(root)}\n"
        mark = b64(self.log.id[:4] + self.log.sign(note.encode()))
        at = int((self.now + timedelta(minutes=minutes)).timestamp())
        promised = {"body": b64(body), "integratedTime": at, "logID": self.log.id.hex()}
        canonical = json.dumps(promised | {"logIndex": 1}, separators=(",", ":"), sort_keys=True)
        return {
            "logIndex": "1",
            "logId": {"keyId": b64(self.log.id)},
            "kindVersion": {"kind": content["kind"], "version": content["apiVersion"]},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": b64(self.log.sign(canonical.encode()))},
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": b64(root),
                "treeSize": "2",
                "hashes": [b64(sibling)],
                "checkpoint": {"envelope": f"{note}\n\N{EM DASH} log.example {mark}\n"},
            },
            "canonicalizedBody": b64(body),
        }


def _dsse_body(payload: bytes, signature: bytes, certificate: x509.Certificate) -> Json:
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    spec = {
        "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
        "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
        "signatures": [{"signature": b64(signature), "verifier": b64(pem)}],
    }
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}


def _intoto_body(payload: bytes, signature: bytes, certificate: x509.Certificate) -> Json:
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    signed = {"publicKey": b64(pem), "sig": b64(b64(signature).encode())}
    content = {
        "envelope": {"payloadType": "application/vnd.in-toto+json", "signatures": [signed]},
        "hash": {"algorithm": "sha256", "value": "0" * 64},
        "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
    }
    return {"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": content}}


def npm_answer(*bundles: Json, predicate: str = SLSA) -> Json:
    """npm's attestations of one version; npm's own statement stands beside the build's."""
    published = {
        "predicateType": "https://github.com/npm/attestation/tree/main/specs/publish/v0.1",
        "bundle": {
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": "SHA256:x"}},
        },
    }
    built = [{"predicateType": predicate, "bundle": bundle} for bundle in bundles]
    return {"attestations": [published, *built]}


def pypi_answer(*bundles: Json, repository: str = "acme/cli", kind: str = "GitHub") -> Json:
    """PyPI's provenance of one file (PEP 740)."""
    attestations = [
        {
            "version": 1,
            "verification_material": {
                "certificate": each["verificationMaterial"]["certificate"]["rawBytes"],
                "transparency_entries": each["verificationMaterial"]["tlogEntries"],
            },
            "envelope": {
                "statement": each["dsseEnvelope"]["payload"],
                "signature": each["dsseEnvelope"]["signatures"][0]["sig"],
            },
        }
        for each in bundles
    ]
    publisher = {"kind": kind, "repository": repository, "workflow": "release.yml"}
    return {
        "version": 1,
        "attestation_bundles": [{"publisher": publisher, "attestations": attestations}],
    }


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
