"""GitHub: a repository at a ref is a git address; a release's assets come from the REST API.

Source: GitHub's REST documentation, "Releases" and "Release assets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packageurl import PackageURL

from monitor.archive.names import printable
from monitor.errors import NotFoundError, TargetError
from monitor.http.answers import decoded_object
from monitor.http.settings import is_web, netloc_of
from monitor.model import Artifact, Release

from .npm import time_of
from .rest import Rest, objects
from .targets import GithubTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.http.client import Client

_MAX_PAGES = 10
_THROWING = {"force_push", "branch_deletion"}
_ACCEPT = "application/vnd.github+json"


class Github:
    """One GitHub; ``api`` and ``site`` end with ``/``."""

    def __init__(self, client: Client, api: str, site: str) -> None:
        self._client = client
        self._api = api
        self._site = site
        self.rest = Rest(client, api, _ACCEPT)

    def address(self, target: GithubTarget) -> str:
        """The repository's git address."""
        return f"{self._site}{target.repository}.git"

    async def release(self, target: GithubTarget) -> Release:
        """The release of a tag (the latest without one) with its assets, or the one asset."""
        which = f"tags/{quote(target.ref, safe='')}" if target.ref else "latest"
        url = f"{self._api}repos/{target.repository}/releases/{which}"
        try:
            document = await self._client.document(url, accept=_ACCEPT)
        except NotFoundError as error:
            raise NotFoundError(
                f"{target.text}: {target.repository} has no release {target.ref or 'at all'}, or "
                "is private: set [registries.github] token"
            ) from error
        try:
            found = decoded_object(document.body)
        except ValueError as error:
            raise TargetError(f"{target.text}: {url}: {error}", reason="bad-answer") from error
        release = self._release(target, found)
        if not release.artifacts:
            missing = f"release {printable(release.version)} has no asset {target.filename}"
            raise NotFoundError(f"{target.text}: {missing}".rstrip())
        return release

    async def releases(self, repository: str, *, is_whole: bool) -> list[Release]:
        """The newest releases with their assets; ``is_whole``: all, as far as pages are read.

        An asset that is not at the API's own host is left out: nothing else is asked. Raises
        NotFoundError, TransientError, TargetError.
        """
        target = GithubTarget(text=f"github:{repository}", repository=repository, is_release=True)
        url = f"repos/{quote(repository)}/releases?per_page=100"
        rows = await self.rest.first_rows(url, _MAX_PAGES if is_whole else 1)
        return [self._release(target, row) for row in rows if row.get("draft") is not True]

    async def thrown_away(self, repository: str) -> list[tuple[str, str]]:
        """Commits that pushes have thrown away, newest first, each with its ref.

        Source: GitHub's REST documentation, "List repository activities" (``force_push``,
        ``branch_deletion``; ``before``). Raises NotFoundError, DeniedError, TransientError.
        """
        url = f"repos/{quote(repository)}/activity?per_page=100"
        leaf = await self.rest.page(url)
        found = []
        for row in objects(leaf.value, url):
            before, ref = row.get("before"), row.get("ref")
            if row.get("activity_type") in _THROWING and isinstance(before, str):
                found.append((before, ref if isinstance(ref, str) else ""))
        return found

    async def gist_address(self, gist: str) -> str:
        """Where a gist's repository is. Raises NotFoundError, TargetError (``bad-address``)."""
        leaf = await self.rest.page(f"gists/{quote(gist, safe='')}")
        address = leaf.value.get("git_pull_url") if isinstance(leaf.value, dict) else None
        if not isinstance(address, str) or not is_web(address):
            raise TargetError(f"gist {gist} names no address", reason="bad-answer")
        if not _is_of_site(netloc_of(address), netloc_of(self._site), netloc_of(self._api)):
            raise TargetError(f"gist {gist} is at another host", reason="bad-address")
        return address

    def _release(self, target: GithubTarget, found: Mapping[str, Any]) -> Release:
        version = str(found.get("tag_name") or target.ref)
        assets = _objects(found.get("assets"))
        if target.filename:
            assets = [one for one in assets if one.get("name") == target.filename]
        own = netloc_of(self._api)
        artifacts = [_artifact(target, version, asset) for asset in assets]
        author = found.get("author")
        return Release(
            ecosystem="github",
            name=target.repository,
            version=version,
            artifacts=[each for each in artifacts if netloc_of(each.url) == own],
            repository=self.address(target),
            publisher=str(author.get("login", "")) if isinstance(author, dict) else "",
            published_at=time_of(found.get("published_at")),
        )


def _is_of_site(host: str, *own: str) -> bool:
    """Whether a host is one of ours, or lies below one (``gist.`` and the site)."""
    return any(host == each or host.endswith(f".{each}") for each in own)


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _artifact(target: GithubTarget, version: str, asset: Mapping[str, Any]) -> Artifact:
    owner, _, name = target.repository.partition("/")
    filename, url, size = asset.get("name"), asset.get("url"), asset.get("size")
    if not isinstance(filename, str) or not isinstance(url, str):
        raise TargetError(f"{target.text}: an asset has no name or address", reason="bad-answer")
    if not is_web(url):
        raise TargetError(
            f"{target.text}: {filename} is not at an http(s) address", reason="bad-address"
        )
    algorithm, _, digest = str(asset.get("digest") or "").partition(":")
    return Artifact(
        ecosystem="github",
        name=target.repository,
        version=version,
        filename=filename,
        purl=PackageURL("github", owner, name, version, {"file_name": filename}).to_string(),
        # The API's address, not the browser's: it alone serves private repositories.
        url=url,
        size=size if isinstance(size, int) else None,
        digests={algorithm: digest} if algorithm and digest else {},
        published_at=time_of(asset.get("updated_at")),
    )
