"""Who built: the claims that Fulcio put into a certificate, from a forge's own token.

Source: Fulcio's "OID information"; the extensions 1.3.6.1.4.1.57264.1.8 to .22 are DER strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor import addresses
from monitor.model.provenance import Builder

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

ARC = "1.3.6.1.4.1.57264.1."
ISSUER, REPOSITORY, COMMIT, REF = "8", "12", "13", "14"
REPOSITORY_ID, OWNER_ID, CONFIG = "15", "17", "18"
_MOST = 500
_UTF8_STRING = 0x0C
_SHORT = 0x80
_ISSUERS = {
    "https://token.actions.githubusercontent.com": "github",
    "https://gitlab.com": "gitlab",
}
"""The issuers of the public forges. An enterprise on GitHub may have one below the first."""


def builder(certificate: Certificate) -> Builder:
    """The build that this certificate was given to. The certificate has to be proven already."""
    claims = _claims(certificate)
    issuer, repository = claims.get(ISSUER, ""), claims.get(REPOSITORY, "")
    kind = _ISSUERS.get(issuer.rstrip("/"), "")
    if not kind and issuer.startswith("https://token.actions.githubusercontent.com/"):
        kind = "github"
    path = _path(repository, kind)
    if not path:
        return Builder(kind="other", issuer=issuer)
    return Builder(
        kind=kind,
        issuer=issuer,
        repository=path,
        repository_id=claims.get(REPOSITORY_ID, ""),
        owner_id=claims.get(OWNER_ID, ""),
        workflow=claims.get(CONFIG, "").removeprefix(repository).partition("@")[0].lstrip("/"),
        ref=claims.get(REF, ""),
        commit=claims.get(COMMIT, ""),
    )


def _path(repository: str, kind: str) -> str:
    """``owner/name`` of a repository's address, if it is one at the forge whose token it was."""
    try:
        parts = urlsplit(repository)
    except ValueError:
        return ""
    if not kind or parts.scheme != "https" or addresses.forges().get(parts.netloc) != kind:
        return ""
    path = parts.path.strip("/")
    return path if "/" in path else ""


def _claims(certificate: Certificate) -> dict[str, str]:
    """The claims by the last number of their identifiers; what is no string is left out."""
    from cryptography.x509 import UnrecognizedExtension

    found = {}
    for extension in certificate.extensions:
        name = extension.oid.dotted_string
        if name.startswith(ARC) and isinstance(extension.value, UnrecognizedExtension):
            text = text_of(extension.value.value)
            if text is not None:
                found[name.removeprefix(ARC)] = text
    return found


def text_of(der: bytes) -> str | None:
    """The text of a DER UTF8String; None for anything else, or what would upset a terminal."""
    if len(der) < 2 or der[0] != _UTF8_STRING:  # noqa: PLR2004 - a tag and a length
        return None
    start, size = 2, der[1]
    if size >= _SHORT:
        start = 2 + (size & 0x7F)
        size = int.from_bytes(der[2:start], "big")
    if start > 6 or len(der) != start + size or size > _MOST:  # noqa: PLR2004 - four length bytes
        return None
    try:
        text = der[start:].decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None
