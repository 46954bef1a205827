"""The past of PyPI: the files of known projects, and of those which the listing has of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import NotFoundError, TargetError, TransientError
from monitor.model import Checkpoint, Gap, Notice, Page
from monitor.registries import simple_index
from monitor.registries.npm import time_of
from monitor.watchers import actions, reading

from . import listing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from monitor.http.client import Client
    from monitor.watchers.interest import Interest

FEED = "pypi/backfill"
_MAX_ROOT = 256 * reading.MiB
_MAX_PAGE = 64 * reading.MiB


async def pages_of(
    client: Client, site: str, since: datetime | None, interest: Interest, *, after: str = ""
) -> AsyncIterator[Page]:
    """One page a project, in the order of names, so that ``after`` goes on where it broke off.

    A project that cannot be read becomes a notice that it changed: it is looked at again alone.
    A listing that fails is a gap; the names that are known are read all the same.
    """
    names = set(interest.names)
    try:
        root = await reading.ask(
            client, f"{site}simple/", accept=listing.ACCEPT, max_bytes=_MAX_ROOT
        )
        listed = await reading.parsed(listing.names, root.body or b"")
        names |= {name for name in listed if interest.is_ours(name)}
    except (TransientError, TargetError, ValueError) as error:
        lost = Gap(feed=FEED, kind="resync", detail=f"listing: {error}")
        yield _page(client, after, [], [lost])
    for name in sorted(names):
        if name > after:
            yield _page(client, name, await _notices(client, site, name, since))


async def _notices(client: Client, site: str, name: str, since: datetime | None) -> list[Notice]:
    url = f"{site}simple/{name}/"
    try:
        answer = await reading.ask(client, url, accept=simple_index.ACCEPT, max_bytes=_MAX_PAGE)
        page = simple_index.read(answer.body or b"", answer.media_type, url, name)
    except NotFoundError:
        return []
    except (TransientError, TargetError, ValueError):
        return [Notice(ecosystem="pypi", name=name, action=actions.CHANGED, position="backfill")]
    return [
        Notice(
            ecosystem="pypi",
            name=name,
            version=str(file.version) if file.version is not None else None,
            filename=file.filename,
            action=actions.PUBLISHED,
            position=f"backfill/{file.filename}",
            occurred_at=at,
        )
        for file in page.files
        for at in [time_of(file.uploaded_at)]
        if since is None or at is None or at >= since
    ]


def _page(
    client: Client, position: str, notices: list[Notice], gaps: list[Gap] | None = None
) -> Page:
    return Page(
        notices=notices,
        checkpoint=Checkpoint(feed=FEED, position=position, moved_at=client.clock.now()),
        gaps=gaps or [],
        rows=len(notices),
    )
