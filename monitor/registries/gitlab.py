"""GitLab: a project's releases and the files that GitLab itself keeps for them.

Source: GitLab's REST documentation, "Releases API" (``assets.links``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packageurl import PackageURL

from monitor.http.settings import is_web, netloc_of
from monitor.model import Artifact, Release

from .npm import time_of
from .rest import Rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.http.client import Client

_ACCEPT = "application/json"
_MAX_PAGES = 10


class Gitlab:
    """One GitLab; ``api`` and ``site`` end with ``/``."""

    def __init__(self, client: Client, api: str, site: str) -> None:
        self._api = api
        self._site = site
        self.rest = Rest(client, api, _ACCEPT)

    async def releases(self, project: str, *, is_whole: bool) -> list[Release]:
        """The newest releases with their files; ``is_whole``: all, as far as pages are read.

        A link to anything but the API's own host is left out: nothing else is asked. Raises
        NotFoundError, TransientError, TargetError.
        """
        url = f"projects/{quote(project, safe='')}/releases?per_page=100"
        rows = await self.rest.first_rows(url, _MAX_PAGES if is_whole else 1)
        return [self._release(project, row) for row in rows]

    def _release(self, project: str, row: Mapping[str, Any]) -> Release:
        version = str(row.get("tag_name") or "")
        released_at = time_of(row.get("released_at"))
        author = row.get("author")
        return Release(
            ecosystem="gitlab",
            name=project,
            version=version,
            artifacts=list(self._artifacts(project, version, row)),
            repository=f"{self._site}{project}.git",
            publisher=str(author.get("username", "")) if isinstance(author, dict) else "",
            published_at=released_at,
        )

    def _artifacts(self, project: str, version: str, row: Mapping[str, Any]) -> Iterator[Artifact]:
        assets = row.get("assets")
        links = assets.get("links") if isinstance(assets, dict) else None
        namespace, _, name = project.rpartition("/")
        for link in links if isinstance(links, list) else []:
            told = link if isinstance(link, dict) else {}
            url, label = told.get("direct_asset_url") or told.get("url"), told.get("name")
            if not isinstance(url, str) or not isinstance(label, str) or not is_web(url):
                continue
            if netloc_of(url) != netloc_of(self._api):
                continue
            more = {"file_name": label}
            yield Artifact(
                ecosystem="gitlab",
                name=project,
                version=version,
                filename=label,
                purl=PackageURL("gitlab", namespace, name, version, more).to_string(),
                url=url,
                published_at=time_of(row.get("released_at")),
            )
