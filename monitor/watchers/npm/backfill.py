"""The past of npm: the versions of known packages by their records, more names by search and list.

Bounded: a search ends after ``MAX_FOUND`` names a key, each package is looked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from msgspec import Struct

from monitor.errors import NotFoundError, TargetError, TransientError
from monitor.http.answers import decoded
from monitor.model import Checkpoint, Gap, Notice, Page
from monitor.watchers import actions, reading

from . import census

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from monitor.watchers.interest import Interest

    from .packuments import Packuments

FEED = "npm/backfill"
MAX_FOUND = 5_000
_PAGE = 250  # the registry's own limit


class _Found(Struct):
    objects: list[Any]


async def pages_of(
    packuments: Packuments,
    since: datetime | None,
    interest: Interest,
    *,
    after: str = "",
    database: str = "",
) -> AsyncIterator[Page]:
    """One page a package, in the order of names, so that ``after`` goes on where it broke off.

    A package that cannot be read becomes a notice that it changed: it is looked at again alone.
    A search or listing that fails is a gap; the names that are known are read all the same.
    ``database`` is the change feed's, which lists all names.
    """
    names, gaps = await _found(packuments, interest, database)
    if gaps:
        yield _page(packuments, after, [], gaps)
    for name in sorted(names | interest.names):
        if name > after:
            yield _page(packuments, name, await _notices(packuments, name, since))


async def _found(
    packuments: Packuments, interest: Interest, database: str
) -> tuple[set[str], list[Gap]]:
    """The names that searches and the listing give, and what could not be asked."""
    names: set[str] = set()
    gaps: list[Gap] = []
    for key, word in _searches(interest):
        try:
            found = await search(packuments, f"{key}:{word.removeprefix('@')}")
        except (TransientError, TargetError) as error:
            gaps.append(Gap(feed=FEED, kind="resync", detail=f"search {key}:{word}: {error}"))
            continue
        # A search may be fuzzy about scopes; about maintainers only the record can tell.
        names |= {name for name in found if key != "scope" or name.startswith(f"{word}/")}
    searched = {f"{word}/*" for key, word in _searches(interest) if key == "scope"}
    for glob in sorted(interest.globs):
        try:
            names |= await census.names(packuments.client, database, glob)
        except TransientError as error:
            gaps.append(Gap(feed=FEED, kind="resync", detail=f"listing {glob}: {error}"))
        except TargetError as error:
            if glob not in searched or gaps:
                gaps.append(_unlisted(glob, error))
    return names, gaps


def _unlisted(glob: str, error: TargetError) -> Gap:
    told = f"packages named {glob} are found only when they change: no listing ({error})"
    return Gap(feed=FEED, kind="no-listing", detail=told, until=glob)


def _searches(interest: Interest) -> list[tuple[str, str]]:
    scopes = [("scope", scope) for scope in sorted(interest.scopes)]
    return scopes + [("maintainer", name) for name in sorted(interest.maintainers)]


async def search(packuments: Packuments, text: str) -> set[str]:
    """The names that the registry's search gives for ``scope:acme``, ``maintainer:bot`` ..."""
    names: set[str] = set()
    scope, _, word = text.partition(":")
    registry = packuments.registry_of(f"@{word}/any" if scope == "scope" else "any")
    for start in range(0, MAX_FOUND, _PAGE):
        query = urlencode({"text": text, "size": _PAGE, "from": start})
        url = f"{registry}-/v1/search?{query}"
        answer = await reading.ask(packuments.client, url, max_bytes=64 * reading.MiB)
        try:
            found = decoded(answer.body or b"", _Found).objects
        except ValueError as error:
            raise TargetError(f"{url}: {error}", reason="bad-answer") from error
        before = len(names)
        names.update(filter(None, map(_name, found)))
        # A registry that ignores "from" would give the same names again and again.
        if len(found) < _PAGE or len(names) == before:
            break
    return names


async def _notices(packuments: Packuments, name: str, since: datetime | None) -> list[Notice]:
    try:
        packument = await packuments.fetch(name)
    except NotFoundError:
        return []
    except (TransientError, TargetError):
        return [Notice(ecosystem="npm", name=name, action=actions.CHANGED, position="backfill")]
    return [
        Notice(
            ecosystem="npm",
            name=name,
            version=version,
            action=actions.PUBLISHED,
            position=f"backfill/{version}",
            occurred_at=at,
        )
        for version in packument.versions
        for at in [packument.times.get(version)]
        if since is None or at is None or at >= since
    ]


def _page(
    packuments: Packuments, position: str, notices: list[Notice], gaps: list[Gap] | None = None
) -> Page:
    now = packuments.client.clock.now()
    return Page(
        notices=notices,
        checkpoint=Checkpoint(feed=FEED, position=position, moved_at=now),
        gaps=gaps or [],
        rows=len(notices),
    )


def _name(found: object) -> str:
    package = found.get("package") if isinstance(found, dict) else None
    name = package.get("name") if isinstance(package, dict) else None
    return name if isinstance(name, str) else ""
