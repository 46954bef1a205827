"""Any git address: which commit a ref is, and that commit's files as a tar."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from packageurl import PackageURL

from monitor.errors import LeakmonError, LimitError, NotFoundError, TargetError
from monitor.http.guard import GuardedResolver
from monitor.http.settings import Credential, best, netloc_of
from monitor.model import Artifact, Release, Skipped

from .git_command import Git, failed
from .git_reading import refs as refs_of
from .git_tree import TreeTar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from monitor.http.client import Client
    from monitor.http.download import Progress

    from .git_reading import Refs

Result = TypeVar("Result")

PREFIX = "git+"
"""Marks an artifact whose address is a git repository; its version is the commit."""

MIRRORED = "refs/leakmon/"
"""Below this a mirror keeps the refs that it was asked for."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA1_DIGITS = 40
_SERVICE = "info/refs?service=git-upload-pack"
_ADVERTISEMENT = "application/x-git-upload-pack-advertisement"


class GitSource:
    """Repositories over https, http, ssh and file."""

    def __init__(self, client: Client, git: Git) -> None:
        self._client = client
        self.git = git

    async def resolve(self, text: str, address: str, ref: str, *, name: str = "") -> Release:
        """The commit that a ref (empty: the default branch) names, as a release with one artifact.

        ``name`` is ``owner/repository`` on GitHub, else empty.
        """
        reached = await self.reach(address)
        commit, full = await self._client.retried(lambda _try: self._commit(text, reached, ref))
        short = address.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git")
        if name:
            purl = PackageURL("github", name.partition("/")[0], name.partition("/")[2], commit)
        else:
            vcs = {"vcs_url": f"git+{address}@{commit}"}
            purl = PackageURL("generic", None, short or "repository", commit, vcs)
        artifact = Artifact(
            ecosystem="github" if name else "git",
            name=name or short,
            version=commit,
            filename=f"{short}-{commit[:12]}.tar",
            purl=purl.to_string(),
            url=f"{PREFIX}{reached}#{full}",
        )
        return Release(
            ecosystem=artifact.ecosystem,
            name=artifact.name,
            version=commit,
            artifacts=[artifact],
            repository=address,
        )

    async def fetch(
        self, artifact: Artifact, out: IO[bytes], progress: Progress
    ) -> tuple[str, int, list[Skipped]]:
        """Write the commit's files to ``out`` as a tar: its SHA-256, bytes and what is left out.

        Left out are submodules and the files behind Git LFS pointers: other repositories' bytes.
        """
        address, _, ref = artifact.url.removeprefix(PREFIX).partition("#")
        environment = await self.environment(address)
        with tempfile.TemporaryDirectory(prefix="leakmon-git-") as folder:
            await self._client.retried(
                lambda _try: self._fetch_commit(address, artifact.version, ref, folder, environment)
            )
            tar = TreeTar(
                folder,
                artifact.version,
                command=self.git.limited,
                environment=environment,
                max_bytes=self._client.settings.max_artifact_bytes,
                progress=progress,
            )
            work = asyncio.create_task(asyncio.to_thread(tar.run, out))
            try:
                return await asyncio.shield(work)
            finally:
                tar.stop()
                # The thread writes below this folder: it must have ended before that goes.
                await asyncio.gather(work, return_exceptions=True)

    async def refs(self, address: str, wanted: Sequence[str]) -> Refs:
        """What ``git ls-remote`` tells of the refs that fit the patterns.

        Raises NotFoundError, DeniedError, TransientError, TargetError, LimitError.
        """
        reached = await self.reach(address)
        environment = await self.environment(reached)

        async def ask(_attempt: int) -> bytes:
            with tempfile.TemporaryDirectory(prefix="leakmon-git-") as folder:
                status, output, complaint = await self.git.run(
                    "ls-remote", "-q", "--symref", "--", reached, *wanted,
                    folder=folder, environment=environment,
                )  # fmt: skip
            if status != 0:
                raise lost(address, complaint)
            return output

        return refs_of(await self.retried(ask))

    async def retried(self, attempt: Callable[[int], Awaitable[Result]]) -> Result:
        """As the client's: again after failures that pass."""
        return await self._client.retried(attempt)

    async def pause(self, seconds: float) -> None:
        """Wait, by the client's clock."""
        await self._client.clock.sleep(seconds)

    async def mirror(self, text: str, address: str, refs: Sequence[str], folder: str) -> None:
        """Bring a bare copy in ``folder`` up to date: refs (none: the default branch) with history.

        They stand below ``MIRRORED``. What was fetched once is not fetched again.
        """
        reached = await self.reach(address)
        environment = await self.environment(reached)
        if _is_new(folder):
            await self.git.run(
                "init", "--bare", "-q", "--template=", ".", folder=folder, environment=environment
            )
        wanted = [f"+{ref}:{MIRRORED}{ref}" for ref in refs or ("HEAD",)]
        options = ("--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")

        async def fetch(_attempt: int) -> None:
            status, _, complaint = await self.git.run(
                "fetch", "-q", *options, "--", reached, *wanted,
                folder=folder, environment=environment,
            )  # fmt: skip
            if status != 0:
                raise lost(text, complaint)

        await self._client.retried(fetch)

    async def _fetch_commit(
        self, address: str, commit: str, ref: str, folder: str, environment: dict[str, str]
    ) -> None:
        """Fetch one commit without its history; by its ref where the server gives no bare commits.

        No blob filter: every blob of the commit is read, and one pack is the quickest way to them.
        """
        kind = "sha256" if len(commit) > _SHA1_DIGITS else "sha1"
        run = self.git.run
        await run(
            "init", "--bare", "-q", f"--object-format={kind}", "--template=", ".",
            folder=folder, environment=environment,
        )  # fmt: skip
        options = ("--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
        complaint = ""
        for wanted in dict.fromkeys((commit, ref or commit)):
            status, _, complaint = await run(
                "fetch", "-q", *options, "--", address, wanted,
                folder=folder, environment=environment,
            )  # fmt: skip
            has, _, _ = await run(
                "cat-file", "-e", f"{commit}^{{commit}}", folder=folder, environment=environment
            )
            if status == 0 and has == 0:
                return
        # git does not say that its pack hit the limit: what it left behind does.
        if _largest(folder) >= self.git.file_limit:
            raise LimitError(
                f"{address} is larger than [http] max_artifact_bytes", reason="too-large"
            )
        raise failed(address, complaint)

    async def _commit(self, text: str, address: str, ref: str) -> tuple[str, str]:
        """The commit and the full name of a ref."""
        if _COMMIT.fullmatch(ref):
            return ref, ref
        wanted = ["HEAD"] if not ref else [ref, f"{ref}^{{}}"]
        environment = await self.environment(address)
        with tempfile.TemporaryDirectory(prefix="leakmon-git-") as folder:
            status, output, complaint = await self.git.run(
                "ls-remote", "-q", "--", address, *wanted, folder=folder, environment=environment
            )
        if status != 0:
            raise lost(text, complaint)
        lines = (line.split("\t", 1) for line in output.decode("utf-8", "replace").splitlines())
        refs = {line[1]: line[0] for line in lines if len(line) > 1}
        # A tag before a branch of the same name, as git has it; a peeled tag before its object.
        for full in (
            (ref, f"refs/tags/{ref}", f"refs/heads/{ref}", f"refs/{ref}") if ref else ("HEAD",)
        ):
            commit = refs.get(f"{full}^{{}}") or refs.get(full)
            if commit and _COMMIT.fullmatch(commit):
                return commit, full
        hint = (
            " (a commit is named by all its digits)" if re.fullmatch("[0-9a-f]{4,39}", ref) else ""
        )
        what = f"branch or tag {ref!r}" if ref else "default branch"
        raise NotFoundError(f"{text}: the repository has no {what}{hint}")

    async def reach(self, address: str) -> str:
        """The address after redirects: git itself follows none.

        Asked through our own client, so a refusal, a missing repository and a private address each
        give the error that they give everywhere.
        """
        if not address.startswith(("http:", "https:")):
            return address
        url = f"{address.rstrip('/')}/{_SERVICE}"

        async def ask(_attempt: int) -> tuple[str, str]:
            headers = {"Git-Protocol": "version=2"}
            async with self._client.open(url, headers) as (answer, final):
                return answer.content_type, final

        media_type, final = await self._client.retried(ask)
        if media_type != _ADVERTISEMENT or not final.endswith(f"/{_SERVICE}"):
            raise TargetError(f"{address} is not a git repository", reason="not-git")
        return final.removesuffix(f"/{_SERVICE}")

    async def environment(
        self, address: str, more: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """What git is told for one address: its protocol, its credentials, its resolved host.

        ``more`` are further keys of git's own configuration.
        """
        settings = dict(more or {})
        scheme = address.partition(":")[0] if "://" in address else "ssh"
        if scheme in {"http", "https"}:
            credential = best(self._client.credentials, f"{address}/")
            if credential is not None:
                settings[f"http.{address}.extraHeader"] = f"Authorization: {credential.header}"
            if self._client.proxy_for(address) is None:
                settings["http.curloptResolve"] = await self._pinned(address)
        return self.git.environment(scheme, settings)

    async def _pinned(self, address: str) -> str:
        """``host:port:addresses`` as checked by the guard: git must not resolve the name again."""
        host, _, port = netloc_of(address).rpartition(":")
        self._client.guard.check_literal(host, int(port))
        try:
            found = await GuardedResolver(self._client.guard).resolve(host, int(port))
        except (OSError, ValueError) as error:
            raise TargetError(f"{host} is not known ({error})", reason="connection") from error
        return f"{host}:{port}:{','.join(dict.fromkeys(one['host'] for one in found))}"


def login_credential(address: str, login: str, source: str) -> Credential:
    """A login (``user:password``) for one repository."""
    parts = urlsplit(address)
    encoded = base64.b64encode(login.encode()).decode("ascii")
    return Credential(
        scheme=parts.scheme,
        netloc=parts.netloc,
        path=parts.path.rstrip("/") + "/",
        header=f"Basic {encoded}",
        source=source,
    )


def _is_new(folder: str) -> bool:
    """Whether there is no repository in a folder yet; the folder is made."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return not os.path.exists(os.path.join(folder, "HEAD"))


def _largest(folder: str) -> int:
    """The bytes of the largest file below a folder."""
    return max((file.lstat().st_size for file in Path(folder).rglob("*")), default=0)


def lost(text: str, complaint: str) -> LeakmonError:
    """The error for a repository that git could not ask."""
    lowered = complaint.lower()
    if "not appear to be a git repository" in lowered or "not found" in lowered:
        return NotFoundError(f"{text}: there is no such repository ({complaint})")
    return failed(text, complaint)
