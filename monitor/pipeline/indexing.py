"""From what the operator calls a repository to what the index reads: named, fetched, opened."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitor import config
from monitor.errors import ConfigError, NotFoundError, UsageError
from monitor.private_code import esbuild
from monitor.private_code.canonical import Canonicaliser
from monitor.private_code.fingerprint import fingerprints
from monitor.private_code.hygiene import hygiene
from monitor.private_code.index.catalogue import Source
from monitor.private_code.index.folder import Folder
from monitor.private_code.index.making import Making
from monitor.private_code.index.repository import Repository, is_repository
from monitor.private_code.prints import FORMAT, Text
from monitor.private_code.suffixes import suffix
from monitor.private_code.words import with_words
from monitor.registries.git import MIRRORED
from monitor.registries.git_command import Git
from monitor.registries.network import connect
from monitor.registries.targets import GithubTarget, GitTarget, LocalTarget, parse, redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.private_code.prints import FilePrints
    from monitor.registries.client_config import Machine
    from monitor.registries.network import Network

_REF = re.compile(r"[A-Za-z0-9_][\w./+-]*", re.ASCII)
AUGMENTED = "es2015"
"""What published JavaScript is often brought down to: private code is known in that form too."""

GIT, REMOTE, FOLDER = "git", "remote", "folder"


class Sources:
    """Opens sources for one run. ``cache_folder`` holds copies of repositories elsewhere."""

    def __init__(self, settings: config.Settings, machine: Machine, cache_folder: str) -> None:
        self._settings = settings
        self._machine = machine
        self._cache = os.path.join(cache_folder, "repositories")
        self._logins: dict[str, str] = {}

    def named(
        self, text: str, *, name: str = "", refs: Sequence[str] = (), has_history: bool = False
    ) -> Source:
        """The source that a target names: nothing is fetched. Raises LeakmonError."""
        target = parse(text)
        for ref in refs:
            if not _REF.fullmatch(ref) or ".." in ref:
                raise UsageError(f"--ref {ref}: not a branch, a tag or a commit")
        wish: dict[str, Any] = {"refs": list(refs), "has_history": has_history}
        if isinstance(target, LocalTarget):
            path = os.path.realpath(os.path.expanduser(target.path))
            if not os.path.isdir(path):
                raise NotFoundError(f"{text}: there is no such folder")
            if not is_repository(path):
                if refs or has_history:
                    raise UsageError(f"{text}: no git repository: it has neither refs nor history")
                return Source(name=name or _base(path), address=path, kind=FOLDER)
            origin = self._local(path).origin()
            called = name or short_name(redact(origin)) or _base(path)
            return Source(name=called, address=path, kind=GIT, **wish)
        if isinstance(target, GithubTarget) and not target.is_release:
            wish["refs"] = [target.ref] if target.ref else wish["refs"]
            called = f"github:{target.repository}"
            return Source(name=name or called, address=called, kind=REMOTE, **wish)
        if isinstance(target, GitTarget):
            wish["refs"] = [target.ref] if target.ref else wish["refs"]
            self._logins[target.address] = target.login
            called = name or short_name(target.address)
            is_web = target.address.startswith("http")
            address = f"git+{target.address}" if is_web else target.address
            return Source(name=called, address=address, kind=REMOTE, **wish)
        raise UsageError(f"{redact(text)}: neither a folder nor a git repository")

    def open(self, source: Source) -> Repository | Folder:
        """What reads a source, up to date. Raises LeakmonError."""
        if source.kind == REMOTE:
            folder = self._copy(source)
            asyncio.run(self._fetch(source, folder))
            return self._local(folder, prefix=MIRRORED)
        if not os.path.isdir(source.address):
            raise NotFoundError(f"{source.address}: there is no such folder any more")
        return self._local(source.address) if source.kind == GIT else Folder(source.address)

    def forget(self, source: Source) -> None:
        """Remove the copy that was made of a source."""
        if source.kind == REMOTE:
            shutil.rmtree(self._copy(source), ignore_errors=True)

    def _copy(self, source: Source) -> str:
        digest = hashlib.blake2b(source.address.encode(), digest_size=16).hexdigest()
        return os.path.join(self._cache, digest)

    def _local(self, folder: str, prefix: str = "") -> Repository:
        machine = self._machine
        git = Git(home=os.devnull, environ=machine.environ, max_file_bytes=0, seconds=0)
        # The operator named this folder, whoever owns it; no program of the repository is run.
        return Repository(folder, git.environment("file", {"safe.directory": "*"}), prefix)

    async def _fetch(self, source: Source, folder: str) -> None:
        machine = self._machine
        network_settings = config.network(self._settings, machine.environ)
        async with connect(network_settings, machine) as network:
            target = parse(source.address)
            address = self._address(target, network)
            await network.git.mirror(source.name, address, source.refs, folder)

    def _address(self, target: object, network: Network) -> str:
        if isinstance(target, GithubTarget):
            return network.github.address(target)
        assert isinstance(target, GitTarget)
        login = self._logins.get(target.address)
        if login:
            from monitor.registries.git import login_credential

            credential = login_credential(target.address, login, "the target's own address")
            network.client.credentials.append(credential)
        return target.address


def making(settings: config.Settings, environ: Mapping[str, str], cache_folder: str) -> Making:
    """How prints are made on this machine: with esbuild where there is one."""
    program = esbuild.find(
        cache_folder, configured=settings.private_code.esbuild, path=environ.get("PATH", "")
    )
    identity = Canonicaliser(program).identity() if program else ""
    if settings.private_code.esbuild and not identity:
        raise ConfigError(f"private_code.esbuild: {settings.private_code.esbuild} does not run")
    return Making(
        fingerprints=partial(prints_of, program if identity else None),
        hygiene=hygiene,
        suffix=suffix,
        parameters=FORMAT,
        canonicaliser=identity,
    )


def prints_of(program: str | None, files: Sequence[tuple[str, bytes]]) -> list[FilePrints | None]:
    """The prints of private files; of JavaScript also those of its canonical and older forms."""
    nothing: list[bytes | None] = [None] * len(files)
    canonical = Canonicaliser(program).texts(files) if program else nothing
    augmented = Canonicaliser(program, is_augmented=True).texts(files) if program else nothing
    texts = [
        Text(path, content, one, older)
        for (path, content), one, older in zip(files, canonical, augmented, strict=True)
    ]
    return list(with_words(texts, fingerprints(texts, for_index=True)))


def short_name(address: str) -> str:
    """``host/owner/name`` of any git address, for people."""
    scp = re.fullmatch(r"(?:[^@/]+@)?([^:/]+):(?!//)(.+)", address)
    if scp is not None:
        host, path = scp[1], scp[2]
    else:
        parts = urlsplit(address)
        host, path = parts.hostname or "", parts.path
    name = "/".join(part for part in (host, *path.split("/")) if part)
    return name.removesuffix(".git")


def _base(path: str) -> str:
    return os.path.basename(path.rstrip("/")) or path
