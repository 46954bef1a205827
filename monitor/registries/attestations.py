"""Asks a registry for an artifact's attestations, always at an address of our own making.

Metadata name addresses of attestations, and attestations are full of them: none is ever asked.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.utils import canonicalize_name

from monitor.errors import LeakmonError, NotFoundError, TransientError
from monitor.model.provenance import UNVERIFIABLE, Provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitor.http.client import Client
    from monitor.model import Artifact
    from monitor.provenance import TrustRoot

    from .client_config import Index
    from .settings import ProvenanceSettings

OFF, ALL = "off", "all"
UNANSWERED = frozenset({"not-answered", "not-found"})
"""Reasons of a provenance that may be had later: a registry is down, or behind its own words."""

ACCEPT = {"npm": "application/json", "pypi": "application/vnd.pypi.integrity.v1+json"}
_ALGORITHMS = {"npm": "sha512", "pypi": "sha256"}
_SIMPLE = "simple/"
_log = logging.getLogger(__name__)


class Attestations:
    """The door to attestations. ``registry_of`` is npm's, ``indexes`` are the Simple indexes.

    ``patience`` is for how many seconds an answer is waited for: an inspection waits with it.
    """

    patience = 30.0

    def __init__(
        self,
        client: Client,
        settings: ProvenanceSettings,
        *,
        registry_of: Callable[[str], str],
        indexes: Sequence[Index],
    ) -> None:
        self._client = client
        self.settings = settings
        self._registry_of = registry_of
        self._sites = [
            url.removesuffix(_SIMPLE)
            for url in (index.url for index in indexes)
            if url.startswith(("http:", "https:")) and url.endswith(f"/{_SIMPLE}")
        ]
        self._root: TrustRoot | None = None

    @property
    def root(self) -> TrustRoot:
        """Whom to believe; nothing of it is loaded before the first attestation."""
        if self._root is None:
            from monitor.provenance import TrustRoot

            self._root = TrustRoot(self.settings.trusted_root)
        return self._root

    async def of(self, artifact: Artifact, digests: Mapping[str, str]) -> Provenance | None:
        """What its attestations prove of an artifact whose bytes have these digests (hex).

        None where nobody wants to know, or its registry has no such thing. A registry that does
        not answer is told of in the provenance, and never raised.
        """
        if self.settings.ask == OFF or artifact.ecosystem not in ACCEPT:
            return None
        from monitor import provenance

        if artifact.is_attested is False:
            return provenance.absent()
        if not self.root.is_available:
            missing = provenance.unverifiable("not-installed", provenance.NOT_INSTALLED)
            return missing if artifact.is_attested else None
        try:
            body = await self._answer(artifact, provenance.MAX_BYTES)
        except LeakmonError as error:
            return _unanswered(artifact, error)
        if body is None:
            late = provenance.unverifiable("not-found", "announced, and its registry has none")
            return late if artifact.is_attested else provenance.absent()
        return await asyncio.to_thread(provenance.verify, body, artifact, digests, self.root)

    async def _answer(self, artifact: Artifact, max_bytes: int) -> bytes | None:
        try:
            async with asyncio.timeout(self.patience):
                return await self._first(artifact, max_bytes)
        except TimeoutError:
            raise TransientError(f"no answer within {self.patience:g} s") from None

    async def _first(self, artifact: Artifact, max_bytes: int) -> bytes | None:
        """The first answer; None if there is none. Raises what kept a registry from answering."""
        failure: LeakmonError | None = None
        for address in self.addresses(artifact):
            try:
                document = await self._client.document(
                    address, accept=ACCEPT[artifact.ecosystem], max_bytes=max_bytes
                )
            except NotFoundError:
                continue
            except LeakmonError as error:
                failure = failure or error
            else:
                return document.body
        if failure is not None:
            raise failure
        return None

    def addresses(self, artifact: Artifact) -> list[str]:
        """Where its attestations would be: below the registry that serves its name."""
        if artifact.ecosystem == "npm":
            one = f"{artifact.name}@{artifact.version}"
            registry = self._registry_of(artifact.name)
            return [f"{registry}-/npm/v1/attestations/{_quoted(one).replace('%2F', '%2f')}"]
        words = (canonicalize_name(artifact.name), artifact.version, artifact.filename)
        if any(word in {"", ".", ".."} for word in words):
            return []  # no names, but steps in a path
        file = "/".join(_quoted(word) for word in words)
        return [f"{site}integrity/{file}/provenance" for site in self._sites]


def _quoted(text: str) -> str:
    return quote(text, safe="@", errors="replace")


def digests_of(artifact: Artifact, path: str, sha256: str) -> dict[str, str]:
    """The digests that attestations name, of the bytes in a file whose SHA-256 is known.

    What the registry announced was checked when the bytes came; npm's of old have SHA-1 alone.
    """
    found = {**artifact.digests, "sha256": sha256}
    if _ALGORITHMS.get(artifact.ecosystem) == "sha512" and "sha512" not in found:
        import hashlib

        with open(path, "rb") as file:
            found["sha512"] = hashlib.file_digest(file, "sha512").hexdigest()
    return found


def _unanswered(artifact: Artifact, error: LeakmonError) -> Provenance:
    shown = f"its registry was asked and did not answer: {error}"
    _log.warning("%s: attestations: %s", artifact.purl, error)
    return Provenance(state=UNVERIFIABLE, reason="not-answered", detail=shown[:300])
