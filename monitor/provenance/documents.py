"""The answers of npm and PyPI as lists of attestations that are to be proven."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from monitor.model.provenance import UNVERIFIABLE

from .refusals import RefusedError

MAX_ATTESTATIONS = 8
"""npm has one build statement for a version, PyPI one or two for a file."""

NPM_BUILDS = frozenset(
    {"https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"}
)  # npm's other attestation tells that npm took the package, signed with npm's own key
PEP_740 = "pep-740"


class Attested(Struct, frozen=True, kw_only=True):
    """One attestation. ``form`` is ``bundle`` (sigstore's) or ``pep-740``; ``content`` is as given.

    ``predicates`` are the kinds of statement that count for its registry. ``repository`` is whom
    the registry names beside it: to be held against the proof.
    """

    form: str
    content: dict[str, Any]
    predicates: frozenset[str]
    repository: str = ""


class _NpmEntry(Struct):
    predicate: Any = msgspec.field(default=None, name="predicateType")
    bundle: Any = None


class _Npm(Struct):
    attestations: list[_NpmEntry]


class _PypiBundle(Struct):
    attestations: list[dict[str, Any]]
    publisher: dict[str, Any] = {}


class _Pypi(Struct):
    attestation_bundles: list[_PypiBundle]


def read(ecosystem: str, body: bytes) -> list[Attested]:
    """The attestations of builds. Raises RefusedError where this is not the registry's document."""
    try:
        found = _npm(body) if ecosystem == "npm" else _pypi(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(
            "bad-answer", f"the answer holds no attestations ({error})", state=UNVERIFIABLE
        ) from error
    if len(found) > MAX_ATTESTATIONS:
        raise RefusedError(
            "too-many", f"{len(found):,} attestations for one artifact", state=UNVERIFIABLE
        )
    return found


def _npm(body: bytes) -> list[Attested]:
    found = []
    for entry in msgspec.json.decode(body, type=_Npm).attestations:
        if not isinstance(entry.predicate, str) or entry.predicate not in NPM_BUILDS:
            continue
        if not isinstance(entry.bundle, dict):
            raise RefusedError("malformed", "an attestation without a bundle")
        found.append(Attested(form="bundle", content=entry.bundle, predicates=NPM_BUILDS))
    return found


def _pypi(body: bytes) -> list[Attested]:
    from pypi_attestations import AttestationType

    known = frozenset(each.value for each in AttestationType)
    found = []
    for bundle in msgspec.json.decode(body, type=_Pypi).attestation_bundles:
        repository = bundle.publisher.get("repository")
        named = repository if isinstance(repository, str) else ""
        found += [
            Attested(form=PEP_740, content=each, predicates=known, repository=named)
            for each in bundle.attestations
        ]
    return found
