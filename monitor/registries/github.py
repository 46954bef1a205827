"""GitHub: a repository at a ref is a git address; a release's assets come from the REST API.

Source: GitHub's REST documentation, "Releases" and "Release assets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packageurl import PackageURL

from monitor.errors import NotFoundError, TargetError
from monitor.http.answers import decoded_object
from monitor.http.settings import is_web
from monitor.model import Artifact, Release

from .npm import time_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.http.client import Client

    from .targets import GithubTarget

_ACCEPT = "application/vnd.github+json"


class Github:
    """One GitHub; ``api`` and ``site`` end with ``/``."""

    def __init__(self, client: Client, api: str, site: str) -> None:
        self._client = client
        self._api = api
        self._site = site

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
        version = str(found.get("tag_name") or target.ref)
        assets = _objects(found.get("assets"))
        if target.filename:
            assets = [one for one in assets if one.get("name") == target.filename]
        artifacts = [_artifact(target, version, asset) for asset in assets]
        if not artifacts:
            raise NotFoundError(
                f"{target.text}: release {version} has no asset {target.filename}".rstrip()
            )
        author = found.get("author")
        return Release(
            ecosystem="github",
            name=target.repository,
            version=version,
            artifacts=artifacts,
            repository=self.address(target),
            publisher=str(author.get("login", "")) if isinstance(author, dict) else "",
            published_at=time_of(found.get("published_at")),
        )


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
