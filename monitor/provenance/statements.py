"""What a proven statement is about: it has to be this artifact, by its name and by its bytes.

Source: in-toto's "Statement" layers v0.1 and v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from .refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.model import Artifact

DIGESTS = {"npm": "sha512", "pypi": "sha256"}
"""The digest that each registry's statements name."""

_TYPES = frozenset({"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"})


class _Subject(Struct):
    name: str
    digest: dict[str, Any]


class _Statement(Struct):
    subject: list[_Subject]
    type: str = msgspec.field(name="_type")
    predicate_type: str = msgspec.field(name="predicateType")


def check(payload: bytes, artifact: Artifact, digest: str, predicates: Collection[str]) -> None:
    """Whether the statement is one of ``predicates`` and speaks of this artifact alone.

    ``digest`` is the hex digest of the artifact's bytes by its registry's algorithm. Raises
    RefusedError with ``statement``, ``predicate``, ``subject-name`` or ``subject-digest``.
    """
    try:
        statement = msgspec.json.decode(payload, type=_Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError("statement", f"what is signed is no statement ({error})") from error
    if statement.type not in _TYPES or len(statement.subject) != 1:
        raise RefusedError("statement", "what is signed is no statement on one artifact")
    if statement.predicate_type not in predicates:
        raise RefusedError(
            "predicate", f"signed is something else: {statement.predicate_type[:100]}"
        )
    (subject,) = statement.subject
    if not _is_named(subject.name, artifact):
        raise RefusedError(
            "subject-name", f"signed for {subject.name[:150]}, not for {artifact.filename}"
        )
    found = subject.digest.get(DIGESTS[artifact.ecosystem])
    if not isinstance(found, str) or found.lower() != digest.lower():
        raise RefusedError("subject-digest", "the signed digest is not that of the bytes")


def _is_named(name: str, artifact: Artifact) -> bool:
    if artifact.ecosystem == "npm":
        return unquote(name) == unquote(artifact.purl)
    return name == artifact.filename or _same_file(name, artifact.filename)


def _same_file(name: str, filename: str) -> bool:
    """Whether two spellings mean one distribution: the builder's and PyPI's may differ."""
    try:
        if name.endswith(".whl") and filename.endswith(".whl"):
            return parse_wheel_filename(name) == parse_wheel_filename(filename)
        return parse_sdist_filename(name) == parse_sdist_filename(filename)
    except ValueError:
        return False
