"""Git addresses, against git's own http-backend and hostile repositories."""

from __future__ import annotations

import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web

from monitor.errors import DeniedError, LimitError, NotFoundError, TargetError
from monitor.http.settings import HttpSettings
from monitor.model import Skipped
from monitor.registries import network, targets
from monitor.registries.settings import GithubSettings, NetworkSettings
from tests.network import servers

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.registries.client_config import Machine
    from tests.network.conftest import Serve, TickingClock

LOOPBACK = NetworkSettings(http=HttpSettings(allow_private=["127.0.0.1"]))
TOKEN = "ghp_" + "NobodysTokenForTests"
LOGIN = f"x-access-token:{TOKEN}"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """acme/repo.git: two commits, branch and tag of the same name, an annotated tag."""
    work = tmp_path / "work"
    work.mkdir()
    servers.git(work, "init", "-q")
    (work / "a.txt").write_text("one\n", encoding="utf-8")
    servers.git(work, "add", "-A")
    servers.git(work, "commit", "-q", "-m", "first")
    servers.git(work, "tag", "-a", "v1", "-m", "annotated")
    servers.git(work, "tag", "twin")
    (work / "a.txt").write_text("two\n", encoding="utf-8")
    servers.git(work, "commit", "-q", "-a", "-m", "second")
    servers.git(work, "branch", "feature/x")
    servers.git(work, "branch", "twin")
    return bare(tmp_path, work)


def bare(tmp_path: Path, work: Path) -> Path:
    root = tmp_path / "served" / "acme"
    root.mkdir(parents=True)
    servers.git(tmp_path, "clone", "-q", "--bare", str(work), str(root / "repo.git"))
    return root / "repo.git"


def exists(path: Path) -> bool:
    return path.exists()


def listed(path: Path) -> list[Path]:
    return list(path.iterdir())


def contents(path: str) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        assert all(member.isreg() for member in members)
        found = {}
        for member in members:
            file = tar.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
        return found


async def fetched(
    text: str, machine: Machine, folder: Path, settings: NetworkSettings = LOOPBACK
) -> tuple[dict[str, bytes], list[Skipped]]:
    async with network.connect(settings, machine) as net:
        [release] = await network.resolve(targets.parse(text), net)
        [artifact] = release.artifacts
        file = await network.fetch(artifact, net, str(folder))
    return contents(file.path), file.skipped


async def test_every_kind_of_ref(
    repository: Path, machine: Machine, tmp_path: Path, serve: Serve
) -> None:
    url = f"{await serve(servers.git_backend(tmp_path / 'served'))}acme/repo.git"
    first = servers.git(repository, "rev-parse", "v1^{commit}")
    cases = {
        "": b"two\n",
        "@main": b"two\n",
        "@v1": b"one\n",
        "@twin": b"one\n",
        "@refs/heads/twin": b"two\n",
        "@feature/x": b"two\n",
        f"@{first}": b"one\n",
        f"#{first}": b"one\n",
    }
    for ref, text in cases.items():
        found, skipped = await fetched(url + ref, machine, tmp_path)
        assert (found, skipped) == ({"a.txt": text}, []), ref


async def test_the_same_commit_gives_the_same_bytes(
    repository: Path, machine: Machine, tmp_path: Path
) -> None:
    async with network.connect(LOOPBACK, machine) as net:
        [release] = await network.resolve(targets.parse(repository.as_uri()), net)
        [artifact] = release.artifacts
        digests = {(await network.fetch(artifact, net, str(tmp_path))).sha256 for _ in range(2)}
    assert len(digests) == 1
    assert artifact.filename == f"repo-{release.version[:12]}.tar"
    assert artifact.purl.startswith(f"pkg:generic/repo@{release.version}?vcs_url=git%2Bfile:")


async def test_no_such_ref_or_repository(
    repository: Path, machine: Machine, tmp_path: Path, serve: Serve
) -> None:
    assert repository.name == "repo.git"
    site = await serve(servers.git_backend(tmp_path / "served"))
    cases = [
        (f"{site}acme/repo.git@nope", r"no branch or tag 'nope'$"),
        (f"{site}acme/repo.git@abcdef1", r"no branch or tag 'abcdef1' \(a commit is named by all"),
        (f"{site}acme/none.git", "does not exist"),
        (f"file://{tmp_path}/none.git", "no such repository"),
    ]
    assert cases
    async with network.connect(LOOPBACK, machine) as net:
        for text, message in cases:
            with pytest.raises(NotFoundError, match=message):
                await network.resolve(targets.parse(text), net)


async def test_no_private_address_unless_it_is_named(
    repository: Path, machine: Machine, tmp_path: Path, serve: Serve
) -> None:
    assert repository.name == "repo.git"
    site = await serve(servers.git_backend(tmp_path / "served"))
    async with network.connect(NetworkSettings(), machine) as net:
        for host in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
            text = f"{site}acme/repo.git".replace("127.0.0.1", host)
            with pytest.raises(TargetError) as caught:
                await network.resolve(targets.parse(text), net)
            assert caught.value.reason in {"private-address", "bad-address"}, host


async def test_a_login_in_the_address_is_used_and_never_told(
    repository: Path, machine: Machine, tmp_path: Path, serve: Serve
) -> None:
    assert repository.name == "repo.git"
    site = await serve(servers.git_backend(tmp_path / "served", login=LOGIN))
    target = targets.parse(f"{site}acme/repo.git".replace("http://", f"http://{LOGIN}@"))
    assert TOKEN not in repr(target) + target.text
    async with network.connect(LOOPBACK, machine) as net:
        [release] = await network.resolve(target, net)
        assert TOKEN not in repr(release)
        file = await network.fetch(release.artifacts[0], net, str(tmp_path))
    assert contents(file.path) == {"a.txt": b"two\n"}
    async with network.connect(LOOPBACK, machine) as net:
        with pytest.raises(DeniedError, match=r"answered 401.*\.netrc"):
            await network.resolve(targets.parse(f"{site}acme/repo.git"), net)


def recording_git(tmp_path: Path, machine: Machine) -> tuple[Machine, Path]:
    """A machine whose git notes its command lines before it does what it is told."""
    log, folder = tmp_path / "calls.log", tmp_path / "bin"
    folder.mkdir()
    script = folder / "git"
    real = shutil.which("git")
    script.write_text(f'#!/bin/sh\necho "$@" >>{log}\nexec {real} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return msgspec.structs.replace(machine, environ={"PATH": path}), log


async def test_a_git_that_hangs_is_ended_with_all_it_started(
    repository: Path, machine: Machine, tmp_path: Path
) -> None:
    noted, folder = tmp_path / "pid", tmp_path / "bin"
    program(folder / "git", f"echo $$ >{noted}; exec sleep 1000")
    environ = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    told = msgspec.structs.replace(machine, environ=environ)
    settings = NetworkSettings(http=HttpSettings(total_seconds=0.5))
    async with network.connect(settings, told) as net:
        with pytest.raises(LimitError, match=r"git ls-remote took longer than") as caught:
            await network.resolve(targets.parse(repository.as_uri()), net)
    assert caught.value.reason == "timeout"
    with pytest.raises(ProcessLookupError):
        os.kill(int(read(noted)), 0)


async def test_a_connection_that_breaks_is_tried_again(
    repository: Path, machine: Machine, tmp_path: Path, clock: TickingClock
) -> None:
    mark, folder = tmp_path / "mark", tmp_path / "bin"
    broken = "echo 'fatal: early EOF' >&2; exit 128"
    twice = f"echo >>{mark}-$1; [ $(wc -l <{mark}-$1) -gt 2 ] || {{ {broken}; }}"
    first = f'case "$1" in fetch|ls-remote) {twice};; esac'
    program(folder / "git", f'{first}\nexec {shutil.which("git")} "$@"')
    environ = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    told = msgspec.structs.replace(machine, environ=environ)
    async with network.connect(LOOPBACK, told, clock=clock) as net:
        [release] = await network.resolve(targets.parse(repository.as_uri()), net)
        file = await network.fetch(release.artifacts[0], net, str(tmp_path))
    assert contents(file.path) == {"a.txt": b"two\n"}
    # Twice for ls-remote; a fetch that fails by its commit is first tried by its ref.
    assert len(clock.sleeps) == 3


def program(path: Path, script: str) -> None:
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


async def test_github_token_reaches_git_but_no_command_line(
    repository: Path, machine: Machine, tmp_path: Path, serve: Serve
) -> None:
    commit = servers.git(repository, "rev-parse", "v1^{commit}")
    site = await serve(servers.git_backend(tmp_path / "served", login=LOGIN))
    settings = NetworkSettings(github=GithubSettings(url=site, token=TOKEN))
    told, log = recording_git(tmp_path, machine)
    async with network.connect(settings, told) as net:
        [release] = await network.resolve(targets.parse("github:acme/repo@v1"), net)
        file = await network.fetch(release.artifacts[0], net, str(tmp_path))
    assert contents(file.path) == {"a.txt": b"one\n"}
    assert release.artifacts[0].purl == f"pkg:github/acme/repo@{commit}"
    assert (release.ecosystem, release.name) == ("github", "acme/repo")
    calls = read(log)
    assert "fetch" in calls
    assert TOKEN not in calls


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def test_redirects_are_followed_without_the_credentials(
    repository: Path, machine: Machine, tmp_path: Path, serve: Serve
) -> None:
    assert repository.name == "repo.git"
    real = await serve(servers.git_backend(tmp_path / "served"))
    seen: list[str | None] = []

    async def moved(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(status=301, headers={"Location": f"{real}acme{request.path_qs}"})

    app = web.Application()
    app.router.add_get("/{path:.*}", moved)
    old = await serve(app)
    found, _ = await fetched(
        f"{old}repo.git".replace("http://", f"http://{LOGIN}@"), machine, tmp_path
    )
    assert found == {"a.txt": b"two\n"}
    assert len(seen) == 1
    assert seen[0] is not None


async def test_what_is_no_repository_is_said_so(machine: Machine, serve: Serve) -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    site = await serve(app)
    async with network.connect(LOOPBACK, machine) as net:
        with pytest.raises(TargetError, match="is not a git repository"):
            await network.resolve(targets.parse(f"{site}x.git"), net)


def hostile(tmp_path: Path) -> Path:
    """A repository that tries to hide files, to run programs and to write outside."""
    work = tmp_path / "work"
    work.mkdir()
    servers.git(work, "init", "-q")
    (work / ".gitattributes").write_text(
        "secret.txt export-ignore\n"
        "*.txt filter=evil\n"
        "subst.md export-subst ident\n"
        "crlf.md text eol=crlf working-tree-encoding=UTF-16\n"
        "evil.lfs filter=lfs\n",
        encoding="utf-8",
    )
    (work / "secret.txt").write_text("hidden\n", encoding="utf-8")
    (work / "subst.md").write_text("$Format:%H$ $Id$\n", encoding="utf-8")
    (work / "evil.lfs").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", encoding="utf-8"
    )
    (work / "link").symlink_to("/etc/passwd")
    servers.git(work, "add", "-A")
    blob = servers.git(work, "hash-object", "-w", "--stdin", stdin=b"plain\n")
    inner = servers.git(
        work, "hash-object", "-t", "tree", "-w", "--literally", "--stdin",
        stdin=b"100644 escape\0" + bytes.fromhex(blob),
    )  # fmt: skip
    names = [b"new\nline", b"\xff\xfe latin", b"-rf", b"long/" + b"n" * 300, b"crlf.md"]
    listing = b"".join(b"100644 " + blob.encode() + b"\t" + name + b"\0" for name in names)
    servers.git(work, "update-index", "-z", "--add", "--index-info", stdin=listing)
    gitlink = f"160000,{'1' * 40},vendored"
    servers.git(work, "update-index", "--add", "--cacheinfo", gitlink)
    tree = bytes.fromhex(servers.git(work, "write-tree"))
    top = b"40000 ..\0" + bytes.fromhex(inner) + b"40000 all\0" + tree
    root = servers.git(work, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=top)
    commit = servers.git(work, "commit-tree", root, "-m", "hostile")
    servers.git(work, "update-ref", "refs/heads/main", commit)
    return bare(tmp_path, work)


async def test_a_hostile_repository_hides_nothing_and_runs_nothing(
    machine: Machine, tmp_path: Path
) -> None:
    trap = tmp_path / "trapped"
    repository = hostile(tmp_path)
    hook = repository / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trap}\n", encoding="utf-8")
    hook.chmod(0o755)
    for key in ("filter.evil.smudge", "core.fsmonitor", "uploadpack.packObjectsHook"):
        servers.git(repository, "config", key, f"touch {trap}; cat")
    found, skipped = await fetched(repository.as_uri(), machine, tmp_path)
    assert found["all/secret.txt"] == b"hidden\n"
    assert found["all/subst.md"] == b"$Format:%H$ $Id$\n"
    assert found["all/crlf.md"] == b"plain\n"
    assert found["all/link"] == b"/etc/passwd"
    assert found["../escape"] == b"plain\n"
    assert found["all/new\nline"] == b"plain\n"
    assert found["all/\udcff\udcfe latin"] == b"plain\n"
    assert found["all/-rf"] == b"plain\n"
    assert found["all/long/" + "n" * 300] == b"plain\n"
    assert skipped == [
        Skipped("all/vendored", "submodule"),
        Skipped("all/evil.lfs", "lfs-pointer"),
    ]
    assert not exists(trap)


async def test_a_tree_of_copies_is_cut_off(machine: Machine, tmp_path: Path) -> None:
    """Ten levels of ten times the same tree: a small repository with ten billion files."""
    work, out = tmp_path / "work", tmp_path / "out"
    work.mkdir()
    out.mkdir()
    servers.git(work, "init", "-q")
    node = servers.git(work, "hash-object", "-w", "--stdin", stdin=b"x")
    kind, mode = "blob", "100644"
    for _ in range(10):
        lines = "".join(f"{mode} {kind} {node}\t{name}\n" for name in range(10))
        node = servers.git(work, "mktree", stdin=lines.encode())
        kind, mode = "tree", "040000"
    commit = servers.git(work, "commit-tree", node, "-m", "bomb")
    servers.git(work, "update-ref", "refs/heads/main", commit)
    repository = bare(tmp_path, work)
    with pytest.raises(LimitError, match="more than 500000 files"):
        await fetched(repository.as_uri(), machine, out)
    assert listed(out) == []


async def test_a_repository_above_the_limit(machine: Machine, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    servers.git(work, "init", "-q")
    (work / "big").write_bytes(b"0" * 100_000)
    servers.git(work, "add", "-A")
    servers.git(work, "commit", "-q", "-m", "big")
    limits = HttpSettings(max_artifact_bytes=50_000)
    with pytest.raises(LimitError, match="the tree holds 100000 bytes"):
        await fetched(
            bare(tmp_path, work).as_uri(), machine, tmp_path, NetworkSettings(http=limits)
        )


async def test_a_pack_above_the_limit(machine: Machine, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    servers.git(work, "init", "-q")
    (work / "big").write_bytes(os.urandom(200_000))
    servers.git(work, "add", "-A")
    servers.git(work, "commit", "-q", "-m", "big")
    limits = HttpSettings(max_artifact_bytes=50_000)
    with pytest.raises(LimitError, match="larger than"):
        await fetched(
            bare(tmp_path, work).as_uri(), machine, tmp_path, NetworkSettings(http=limits)
        )
