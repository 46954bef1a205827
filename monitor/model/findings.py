"""What opening an artifact gives, before any judgement."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from monitor.model.scales import Confidence, Severity

NESTED = "!/"
"""Joins a member's name to the path of the container that holds it."""


class Secret(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be told of a secret value.

    ``fingerprint`` identifies the value without giving it away; ``checksum`` is ``valid`` or
    ``invalid`` where the token carries one that can be checked offline, else None. ``value`` is
    filled only on the operator's explicit wish (``--show-secrets``).
    """

    redacted: str
    fingerprint: str
    checksum: str | None = None
    value: str | None = None


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One thing in one place that somebody should know of.

    ``line`` and ``column`` count from 1, columns in bytes; ``byte_offset`` from 0 within the member
    at ``path``. ``decoded`` names the decoders between the outer bytes and the match, outermost
    first. ``fingerprint`` is the same for the same thing in another version or on another line.
    Detectors give the severity under a proprietary owner; the judge moves it.
    """

    rule: str
    detector: str
    kind: str
    severity: Severity
    confidence: Confidence
    message: str
    path: str
    fingerprint: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    byte_offset: int = 0
    decoded: list[str] = field(default_factory=list)
    secret: Secret | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    advice: str | None = None


class Skipped(Struct, frozen=True):
    """A member (or a part of one) that was not inspected, and the reason code.

    ``detail`` is the cause in words where the code alone does not tell it: an unanswered request.
    """

    path: str
    reason: str
    detail: str = ""


class Hazard(Struct, frozen=True):
    """A property of a container that no honest packer produces (traversal, bomb, duplicate ...)."""

    path: str
    kind: str
    detail: str


class MemberRecord(Struct, frozen=True, array_like=True):
    """One inspected member, for the detectors that look at an artifact as a whole.

    ``lines`` counts line ends of scripts; it is 0 for other files.
    """

    path: str
    size: int
    container: str = ""
    mtime: int = 0
    owner: str = ""
    lines: int = 0


class SourceMapRecord(Struct, frozen=True, kw_only=True):
    """What one source map says and carries, without its contents.

    ``origin`` tells how it was met: ``file``, ``inline`` (a data URI) or ``embedded``.
    ``sources`` holds ``(name, bytes, lines, is_first_party, has_content)`` per source.
    ``remote`` are the addresses that it or its comment points to; they are never fetched.
    """

    path: str
    origin: str
    sources: list[tuple[str, int, int, bool, bool]]
    source_root: str = ""
    file: str = ""
    remote: list[str] = field(default_factory=list)
    has_ignore_list: bool = False
    problem: str | None = None


class SourceMapReference(Struct, frozen=True, kw_only=True):
    """A ``sourceMappingURL`` that is not a data URI, and where it stands."""

    path: str
    url: str
    line: int = 0
    column: int = 0
    byte_offset: int = 0


class Manifest(Struct, frozen=True, kw_only=True):
    """What a package says of itself, from ``package.json``, ``METADATA`` or ``PKG-INFO``."""

    path: str
    ecosystem: str
    name: str = ""
    version: str = ""
    licence: str = ""
    repository: str = ""
    is_private: bool = False
    publish_registry: str = ""
    classifiers: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)


class Dependency(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another package that an artifact asks for, pins or carries within it.

    ``path`` is the file that says so; ``wanted`` what it says, in the ecosystem's own words: a
    version (``1.2.0``) where ``how`` is ``bundled`` or ``locked``, else a range (``^1.2``,
    ``>=2,<3``), empty for any. ``how`` is ``declared`` (installed along), ``pinned`` (the
    project's own requirements file), ``locked`` (its lock file), ``shrinkwrap`` (npm's lock that
    holds for whoever installs) or ``bundled`` (lies in the artifact). ``condition`` tells when it
    counts (an environment marker, ``extra tests``), ``is_optional`` that nobody gets it unasked.
    """

    path: str
    ecosystem: str
    name: str
    wanted: str
    how: str
    condition: str = ""
    is_optional: bool = False


class Inspection(Struct, kw_only=True):
    """What opening one artifact gave: the child process's answer, before any judgement.

    ``sha256`` is that of the artifact's file; of the last file where a folder is inspected.
    ``stale_bytecode`` are paths of bytecode that holds what the source beside it does not.
    """

    bytes: int = 0
    sha256: str = ""
    inspected_bytes: int = 0
    members: list[MemberRecord] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    hazards: list[Hazard] = field(default_factory=list)
    manifests: list[Manifest] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)
    source_maps: list[SourceMapRecord] = field(default_factory=list)
    map_references: list[SourceMapReference] = field(default_factory=list)
    stale_bytecode: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0

    @property
    def main_manifest(self) -> Manifest | None:
        """The artifact's own manifest: the outermost that names a package.

        Python projects often carry a ``package.json`` for their front end; none of npm's carries
        core metadata.
        """
        return min(
            (each for each in self.manifests if each.name),
            key=lambda each: (each.path.count(NESTED), each.ecosystem != "pypi"),
            default=None,
        )
