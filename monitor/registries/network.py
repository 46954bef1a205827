"""The door to the registries: a target in, releases out; an artifact in, a file out.

Here the settings, the clients' configuration and the ecosystems' own map meet, in this order.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from msgspec import Struct, field

from monitor.errors import NotFoundError, TargetError
from monitor.http.client import Client
from monitor.http.digests import Digests
from monitor.http.download import Download, Progress
from monitor.http.failures import room, too_large
from monitor.http.guard import Guard
from monitor.model import Artifact, Release, Skipped

from . import places
from .attestations import Attestations
from .client_config import Machine
from .client_config import npm as npm_config
from .client_config import pip as pip_config
from .git import PREFIX, GitSource, login_credential
from .git_command import Git
from .git_mirrors import Mirrors
from .github import Github
from .gitlab import Gitlab
from .npm import Npm
from .pypi import Pypi
from .targets import GithubTarget, GitTarget, PackageTarget, Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.http.pace import Clock

    from .settings import NetworkSettings

_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


class Fetched(Struct, frozen=True):
    """An artifact's file: its path, bytes and SHA-256 (hex), and what could not be had of it."""

    path: str
    bytes: int
    sha256: str
    skipped: list[Skipped] = field(default_factory=list)


class Network:
    """Everything that is needed to resolve and fetch; made by ``connect``."""

    def __init__(
        self,
        client: Client,
        *,
        npm: Npm,
        pypi: Pypi,
        github: Github,
        gitlab: Gitlab,
        git: GitSource,
        mirrors: Mirrors,
        attestations: Attestations,
    ) -> None:
        self.client = client
        self.npm = npm
        self.pypi = pypi
        self.github = github
        self.gitlab = gitlab
        self.git = git
        self.mirrors = mirrors
        self.attestations = attestations

    def trust(self, target: Target) -> None:
        """Use the login that the operator wrote into a target's address, for that place alone."""
        if isinstance(target, GitTarget) and target.login:
            source = "the target's own address"
            credential = login_credential(target.address, target.login, source)
            self.client.credentials.append(credential)


@asynccontextmanager
async def connect(
    settings: NetworkSettings, machine: Machine, *, clock: Clock | None = None
) -> AsyncIterator[Network]:
    """The network as settings and this machine's clients describe it, until the block ends."""
    pip, npm = pip_config.read(machine), npm_config.read(machine)
    api, site = places.github(settings)
    guard = Guard(settings.http.allow_private)
    places.allow_configured(guard, settings, pip, npm)
    ca_files = [
        *(machine.environ[name] for name in _CA_VARIABLES if machine.environ.get(name)),
        *pip.ca_files,
        *npm.ca_files,
    ]
    client = Client(
        settings.http,
        credentials=[*places.credentials(settings), *pip.credentials, *npm.credentials],
        guard=guard,
        proxies=places.proxies(machine),
        ca_files=ca_files,
        clock=clock,
        hint=lambda url: places.hint(settings, npm, pip, url),
    )
    with tempfile.TemporaryDirectory(prefix="leakmon-home-") as home:
        git = Git(
            home=home,
            environ=machine.environ,
            max_file_bytes=settings.http.max_artifact_bytes,
            seconds=settings.http.total_seconds,
            ca_files=ca_files,
        )
        source = GitSource(client, git)
        folder = settings.git.cache or settings.cache_folder or os.path.join(home, "repositories")
        indexes = places.pypi_indexes(settings, pip)
        registry_of = partial(places.npm_registry, settings, npm)

        async with client:
            yield Network(
                client,
                npm=Npm(client, registry_of),
                pypi=Pypi(client, indexes),
                attestations=Attestations(
                    client, settings.provenance, registry_of=registry_of, indexes=indexes
                ),
                github=Github(client, api, site),
                gitlab=Gitlab(client, *places.gitlab(settings)),
                git=source,
                mirrors=Mirrors(source, folder, settings.git.cache_bytes),
            )


async def resolve(target: Target, network: Network) -> list[Release]:
    """The releases that a target names; what is on this machine already has none to resolve."""
    match target:
        case PackageTarget(ecosystem="npm"):
            return [await network.npm.resolve(target)]
        case PackageTarget():
            return [await network.pypi.resolve(target)]
        case GithubTarget(is_release=True):
            return [await network.github.release(target)]
        case GithubTarget():
            address = network.github.address(target)
            return [
                await network.git.resolve(target.text, address, target.ref, name=target.repository)
            ]
        case GitTarget():
            network.trust(target)
            return [await network.git.resolve(target.text, target.address, target.ref)]
        case _:
            raise TargetError(f"{target.text} is on this machine: there is nothing to resolve")


async def fetch(
    artifact: Artifact, network: Network, folder: str, progress: Progress | None = None
) -> Fetched:
    """The artifact's bytes as a file in ``folder``, its digests checked; on failure no file.

    A full disk is a TransientError (``disk-full``).
    """
    with room():
        return await _fetch(artifact, network, folder, progress)


async def _fetch(
    artifact: Artifact, network: Network, folder: str, progress: Progress | None
) -> Fetched:
    if artifact.url.startswith(PREFIX):
        return await _fetch_git(artifact, network, folder, progress)
    if artifact.url.startswith("file:"):
        return await asyncio.to_thread(_copy, artifact, folder, network)
    headers = {"Accept": "application/octet-stream"} if artifact.ecosystem == "github" else {}
    download = Download(
        network.client,
        artifact.url,
        folder,
        digests=artifact.digests,
        size=artifact.size,
        headers=headers,
        progress=progress,
    )
    done = await download.run()
    return Fetched(done.path, done.bytes, done.sha256)


async def _fetch_git(
    artifact: Artifact, network: Network, folder: str, progress: Progress | None
) -> Fetched:
    handle, path = tempfile.mkstemp(suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "wb") as out:
            sha256, size, skipped = await network.git.fetch(
                artifact, out, progress or (lambda _done, _total: None)
            )
    except BaseException:
        os.unlink(path)
        raise
    return Fetched(path, size, sha256, skipped)


def _copy(artifact: Artifact, folder: str, network: Network) -> Fetched:
    """A file of an index that is a folder of this machine."""
    source = Path(url2pathname(urlsplit(artifact.url).path))
    limit = network.client.settings.max_artifact_bytes
    digests = Digests(artifact.digests)
    if not source.is_file():
        raise NotFoundError(f"{source} does not exist")
    if source.stat().st_size > limit:
        raise too_large(artifact.url, limit)
    handle, path = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as out, source.open("rb") as file:
            while chunk := file.read(1 << 20):
                out.write(chunk)
                digests.update(chunk)
            size = out.tell()
        digests.check(artifact.url)
    except BaseException:
        os.unlink(path)
        raise
    return Fetched(path, size, digests.sha256)
