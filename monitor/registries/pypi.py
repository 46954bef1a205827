"""PyPI and every Simple index: from a project and a version specifier to the release's files.

Several indexes are one pool, as pip has it; where two offer a file of the same name, the first
index's counts.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packageurl import PackageURL
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from monitor.errors import LeakmonError, NotFoundError, TargetError
from monitor.http.settings import is_web, shown
from monitor.model import Artifact, Release

from . import simple_index
from .npm import time_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.http.client import Client

    from .client_config import Index
    from .targets import PackageTarget

_log = logging.getLogger(__name__)


class Pypi:
    """The Simple indexes, the first asked first."""

    def __init__(self, client: Client, indexes: Sequence[Index]) -> None:
        self._client = client
        self._indexes = indexes

    async def resolve(self, target: PackageTarget) -> Release:
        """The release that the target names, with all its files or the one that it narrows to."""
        if not self._indexes:
            raise NotFoundError(
                f"{target.text}: pip is told no-index: set [registries.pypi] url in leakmon.toml",
                reason="no-index",
            )
        files = await self._files(target)
        versions = sorted({file.version for file in files if file.version is not None})
        if target.filename:
            chosen = _narrowed(target, files)
            version = chosen[0].version
        else:
            version = _choose(target, files)
            chosen = [file for file in files if file.version == version]
        return _release(target, str(version or "0"), chosen, [str(one) for one in versions])

    async def _files(self, target: PackageTarget) -> list[simple_index.File]:
        """The files of all indexes, by name; an index that fails counts only if none has them."""
        files: dict[str, simple_index.File] = {}
        failures: list[LeakmonError] = []
        for index in self._indexes:
            try:
                page = await self._page(index, target)
            except LeakmonError as error:
                failures.append(error)
                continue
            if page.status == "quarantined":
                raise NotFoundError(
                    f"{target.text}: its index has quarantined {target.name}", reason="quarantined"
                )
            for file in page.files:
                files.setdefault(file.filename, file)
        serious = [error for error in failures if not isinstance(error, NotFoundError)]
        if serious and not (files and target.spec):
            # Without a pinned version the newest may be in the index that failed.
            raise serious[0]
        for failure in serious:
            _log.warning("%s: an index is left out: %s", target.text, failure)
        if not files:
            asked = ", ".join(shown(index.url) for index in self._indexes)
            raise NotFoundError(f"{target.text}: no files of {target.name} in {asked}")
        return list(files.values())

    async def _page(self, index: Index, target: PackageTarget) -> simple_index.Page:
        project = canonicalize_name(target.name)
        url = f"{index.url}{project}/"
        try:
            if index.url.startswith("file:"):
                body, media_type, url = *_local_page(url), url
            else:
                document = await self._client.document(url, accept=simple_index.ACCEPT)
                body, media_type, url = document.body, document.media_type, document.url
            page = simple_index.read(body, media_type, url, project)
        except ValueError as error:
            raise TargetError(f"{target.text}: {url}: {error}", reason="bad-answer") from error
        if not index.url.startswith("file:") and any(not is_web(file.url) for file in page.files):
            raise TargetError(
                f"{target.text}: {shown(url)} names a file that is not at an http(s) address",
                reason="bad-address",
            )
        return page


def _local_page(url: str) -> tuple[bytes, str]:
    """The page of an index that is a folder of this machine, as pip reads it."""
    page = Path(url2pathname(urlsplit(url).path)) / "index.html"
    try:
        return page.read_bytes(), "text/html"
    except OSError as error:
        raise NotFoundError(f"{page} does not exist ({error.strerror})") from error


def _narrowed(target: PackageTarget, files: Sequence[simple_index.File]) -> list[simple_index.File]:
    for file in files:
        if file.filename == target.filename and (
            not target.spec
            or (
                file.version is not None
                and SpecifierSet(target.spec).contains(file.version, prereleases=True)
            )
        ):
            return [file]
    raise NotFoundError(
        f"{target.text}: {target.name} {target.spec} has no file {target.filename}".replace(
            "  ", " "
        )
    )


def _choose(target: PackageTarget, files: Sequence[simple_index.File]) -> Version:
    """The pinned version (yanked or not), else the newest that is not yanked.

    Pre-releases count as packaging's rule has it: when they are named or there is nothing else.
    """
    specifier = SpecifierSet(target.spec)
    known = {file.version for file in files if file.version is not None}
    exact = _pinned(target.spec)
    if exact in known:
        return exact
    standing = {file.version for file in files if file.version is not None and not file.is_yanked}
    fitting = list(specifier.filter(standing))
    if fitting:
        return max(fitting)
    latest = max((one for one in standing if not one.is_prerelease), default=None)
    there = f"latest is {latest}" if latest else f"{len(known)} versions, all yanked or early"
    if not target.spec or any(True for _ in specifier.filter(known, prereleases=True)):
        raise NotFoundError(
            f"{target.text}: every fitting version of {target.name} is yanked: pin one (==) to "
            "inspect it",
            reason="yanked",
        )
    raise NotFoundError(f"{target.text}: no version of {target.name} is {target.spec}; {there}")


def _pinned(spec: str) -> Version | None:
    """The version of ``==1.0``, else None."""
    try:
        return Version(spec.removeprefix("==")) if spec.startswith("==") else None
    except InvalidVersion:
        return None


def _release(
    target: PackageTarget, version: str, files: Sequence[simple_index.File], versions: list[str]
) -> Release:
    name = canonicalize_name(target.name)
    artifacts = [
        Artifact(
            ecosystem="pypi",
            name=name,
            version=version,
            filename=file.filename,
            purl=PackageURL("pypi", None, name, version, {"file_name": file.filename}).to_string(),
            url=file.url,
            size=file.size,
            digests=file.digests,
            published_at=time_of(file.uploaded_at),
            is_attested=file.is_attested,
        )
        for file in files
    ]
    times = [artifact.published_at for artifact in artifacts if artifact.published_at]
    return Release(
        ecosystem="pypi",
        name=name,
        version=version,
        artifacts=artifacts,
        published_at=min(times, default=None),
        versions=versions,
    )
