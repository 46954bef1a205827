"""What a change of a package was: its record (packument) against what was known of it.

The change feed keeps one row per package, so several publishes may stand behind it, and its row
may be ahead of the record. Nothing here decides what is done: it says what is so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from monitor.errors import NotFoundError, TargetError
from monitor.http.answers import decoded
from monitor.registries.npm import time_of

from .rows import order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.http.client import Client

STAGED = "0.0.0-stage"
"""npm's placeholder for a package that is announced and not yet published."""
SECURITY_HOLDER = "0.0.1-security"
"""What npm leaves in the place of a package that it took down."""
_HOLD = timedelta(hours=2)  # 5 to 55 minutes, says npm
_NO_VERSIONS = {"created", "modified", "unpublished"}
_MAX_VERSION = 256  # npm's own limit


class Packument(Struct, frozen=True, kw_only=True):
    """A package's record, as far as feeds need it.

    ``versions`` are in the order of publication; ``times`` also holds versions which are gone.
    ``revision`` is the number before the dash of ``_rev``, -1 where there is none. ``modified_at``
    is the registry's word for when anything of it changed.
    """

    name: str
    revision: int = -1
    versions: list[str] = field(default_factory=list)
    times: dict[str, datetime] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    modified_at: datetime | None = None
    is_unpublished: bool = False


class Known(Struct, frozen=True, kw_only=True):
    """What was known of a package before; ``gone`` are the versions whose end was told."""

    versions: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    tags: dict[str, str] = field(default_factory=dict)


class Difference(Struct, frozen=True, kw_only=True):
    """What is other than it was known.

    ``new`` can be fetched, oldest first. ``held`` and ``missed`` have a time and are not there, and
    were never seen: the first are of the record's last two hours and may be held back while npm
    scans them, the others were unpublished before we looked. ``gone`` were known.
    ``moved_tags`` maps a dist-tag to where it pointed and where it points, either may be empty.
    ``is_behind``: the record is older than the feed's row, ``is_missing``: there is none (404);
    look again later (``rechecks.MISSES``).
    """

    new: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    moved_tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    is_behind: bool = False
    is_missing: bool = False
    is_staged: bool = False
    is_security_holder: bool = False
    is_unpublished: bool = False

    @property
    def is_to_be_rechecked(self) -> bool:
        """Whether the feed spoke of more than can be seen yet."""
        return self.is_behind or self.is_missing or self.is_staged or bool(self.held)


class _Raw(Struct):
    name: Any = None
    revision: Any = field(default=None, name="_rev")
    versions: dict[str, msgspec.Raw] = field(default_factory=dict)
    time: Any = None
    tags: Any = field(default=None, name="dist-tags")


class Packuments:
    """The registry's records; ``registry_of`` gives the address that serves a package's name."""

    def __init__(self, client: Client, registry_of: Callable[[str], str]) -> None:
        self.client = client
        self.registry_of = registry_of

    async def look(
        self, name: str, known: Known, *, revision: str = ""
    ) -> tuple[Packument, Difference]:
        """The record and how it differs. ``revision`` is what the feed announced, if it did.

        A package that is not there is an empty record. Raises TransientError, DeniedError, and
        TargetError (``bad-answer``) for what is no record.
        """
        try:
            packument = await self.fetch(name)
        except NotFoundError:
            gone = sorted(known.versions - known.gone)
            return Packument(name=name), Difference(is_missing=True, gone=gone)
        return packument, compare(packument, known, revision=revision)

    async def fetch(self, name: str) -> Packument:
        """The record of a package."""
        url = self.registry_of(name) + name.replace("/", "%2f")
        document = await self.client.document(url)
        try:
            return read(document.body, name)
        except ValueError as error:
            raise TargetError(
                f"{url} did not answer with a packument ({error})", reason="bad-answer"
            ) from error


def read(body: bytes, name: str) -> Packument:
    """The record; ValueError if it is none, or another package's."""
    raw = decoded(body, _Raw)
    if raw.name not in (None, name):
        raise ValueError("it is another package's")
    times = raw.time if isinstance(raw.time, dict) else {}
    parsed = {text: time_of(value) for text, value in times.items() if _is_version(text)}
    moments = {text: at for text, at in parsed.items() if at is not None}
    versions = [text for text in raw.versions if _is_version(text)]
    return Packument(
        name=name,
        revision=order(raw.revision) if isinstance(raw.revision, str) else -1,
        # Versions without a time come first: a sort keeps the order of equals.
        versions=sorted(
            versions, key=lambda text: moments[text].timestamp() if text in moments else 0.0
        ),
        times=moments,
        tags=_texts(raw.tags),
        modified_at=time_of(times.get("modified")),
        is_unpublished="unpublished" in times and not versions,
    )


def compare(packument: Packument, known: Known, *, revision: str = "") -> Difference:
    """What is other than it was known. Told once: the next look knows it."""
    there = set(packument.versions)
    seen = known.versions | known.gone
    real = [text for text in packument.versions if text not in {STAGED, SECURITY_HOLDER}]
    tags = {
        tag: (known.tags.get(tag, ""), packument.tags.get(tag, ""))
        for tag in sorted({*known.tags, *packument.tags})
        if known.tags.get(tag) != packument.tags.get(tag)
    }
    absent = there | seen | {STAGED}
    missing = [text for text in packument.times if text not in absent]
    held = [text for text in missing if _is_fresh(packument, text)]
    return Difference(
        # A version may come back only under its own number after a whole unpublish.
        new=[text for text in real if text not in known.versions or text in known.gone],
        held=held,
        missed=[text for text in missing if text not in held],
        gone=sorted(known.versions - known.gone - there),
        moved_tags=tags,
        is_behind=-1 < packument.revision < order(revision),
        is_staged=there == {STAGED},
        is_security_holder=SECURITY_HOLDER in there and not real,
        is_unpublished=packument.is_unpublished,
    )


def _is_fresh(packument: Packument, version: str) -> bool:
    """Whether a version is of the record's last hours: by the registry's clock, not by ours."""
    at = packument.modified_at
    if packument.is_unpublished:
        return False
    return at is None or at - packument.times[version] <= _HOLD


def _is_version(text: str) -> bool:
    return 0 < len(text) <= _MAX_VERSION and text.isprintable() and text not in _NO_VERSIONS


def _texts(mapping: object) -> dict[str, str]:
    found: Mapping[object, object] = mapping if isinstance(mapping, dict) else {}
    return {
        key: value
        for key, value in found.items()
        if isinstance(key, str) and isinstance(value, str) and _is_version(value)
    }
