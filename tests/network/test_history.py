"""Histories by partial clones, against git's own http-backend and hostile repositories."""

from __future__ import annotations

import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web

from monitor.errors import LimitError, NotFoundError, TargetError, TransientError
from monitor.http.settings import HttpSettings
from monitor.model import CommitMark, Place, Skipped
from monitor.registries import git_mirror, network
from monitor.registries.git_parts import Parts
from monitor.registries.settings import GitSettings, NetworkSettings
from tests.network import servers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monitor.registries.client_config import Machine
    from monitor.registries.git_mirror import Mirror
    from tests.network.conftest import Serve, TickingClock

LOOPBACK = NetworkSettings(http=HttpSettings(allow_private=["127.0.0.1"]))


class Work:
    """A checkout and its bare repository, which is served."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "work"
        self.bare = root / "served" / "acme" / "repo.git"
        self.folder.mkdir()
        self.bare.mkdir(parents=True)
        servers.git(self.folder, "init", "-q")
        servers.git(self.bare, "init", "-q", "--bare")
        servers.git(self.bare, "config", "uploadpack.allowFilter", "true")
        servers.git(self.folder, "remote", "add", "origin", str(self.bare))

    def commit(self, files: dict[str, str | bytes], message: str = "work") -> str:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        servers.git(self.folder, "add", "-A")
        servers.git(self.folder, "commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        return servers.git(self.folder, *arguments, stdin=stdin)

    def push(self, *arguments: str) -> None:
        self.git("push", "-q", *(arguments or ("origin", "HEAD:main")))


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


@pytest.fixture
async def address(work: Work, tmp_path: Path, serve: Serve) -> str:
    assert work.bare.name == "repo.git"
    return f"{await serve(servers.git_backend(tmp_path / 'served'))}acme/repo.git"


def mirrors_in(folder: Path) -> list[Path]:
    return list(folder.glob("*.git"))


async def looked(
    mirror: Mirror, marks: Sequence[CommitMark], folder: Path, *, head: str = ""
) -> tuple[dict[str, bytes], dict[str, Place], list[Skipped]]:
    """The files by ``<commit>/<path>``, their places, and what is left out."""
    files: dict[str, bytes] = {}
    places: dict[str, Place] = {}
    parts = Parts(mirror, marks, str(folder), head=head)
    skipped = []
    async for part in parts:
        skipped += part.skipped
        places |= part.places
        with tarfile.open(part.path, errors="surrogateescape") as tar:
            for member in tar:
                stream = tar.extractfile(member)
                assert stream is not None
                files[member.name] = stream.read()
        os.unlink(part.path)  # noqa: PTH108 - as it was given
    return files, places, skipped + parts.skipped


def marks_of(*commits: str) -> list[CommitMark]:
    return [CommitMark(commit=each, ref="refs/heads/main") for each in commits]


def names(files: dict[str, bytes]) -> dict[str, bytes]:
    """By ``<commit's number>/<path>`` without the digits."""
    return {name.partition("/")[2]: content for name, content in files.items()}


async def test_each_new_file_once_at_the_commit_that_brought_it(
    work: Work, address: str, machine: Machine, tmp_path: Path
) -> None:
    first = work.commit({"a": "one\n", "same": "x\n"})
    second = work.commit({"a": "two\n", "copy": "x\n"})
    third = work.commit({"a": "one\n"})
    work.push()
    async with (
        network.connect(LOOPBACK, machine) as net,
        net.mirrors.opened(address) as mirror,
    ):
        await mirror.fetch([third])
        found = [each.id for each in await mirror.commits([third])]
        assert found == [first, second, third]
        marks = marks_of(*found)
        files, places, skipped = await looked(mirror, marks, tmp_path, head=third)
        assert net.mirrors.bytes_fetched > 0
    assert files == {
        f"{first[:12]}/a": b"one\n",
        f"{first[:12]}/same": b"x\n",
        f"{second[:12]}/a": b"two\n",
    }
    assert skipped == []
    assert [each.is_in_head for each in places.values()] == [True, True, False]
    assert {each.authored_at.isoformat() for each in places.values() if each.authored_at} == {
        "2026-01-02T03:04:05+00:00"
    }


async def test_only_commits_and_trees_are_fetched_until_a_file_is_read(
    work: Work, address: str, machine: Machine, tmp_path: Path
) -> None:
    old = work.commit({"big": os.urandom(300_000)})
    new = work.commit({"small": "new\n"})
    work.push()
    async with (
        network.connect(LOOPBACK, machine) as net,
        net.mirrors.opened(address) as mirror,
    ):
        await mirror.fetch([new])
        assert mirror.bytes_here() < 50_000
        assert [each.id for each in await mirror.commits([new], [old])] == [new]
        files, _, _ = await looked(mirror, marks_of(new), tmp_path)
        assert names(files) == {"small": b"new\n"}
        assert mirror.bytes_here() < 50_000


async def test_a_commit_that_no_ref_leads_to_is_had_by_its_id(
    work: Work, address: str, machine: Machine, tmp_path: Path
) -> None:
    base = work.commit({"a": "1\n"})
    work.push()
    lost = work.commit({"key": "lost\n"})
    work.push()
    work.git("reset", "-q", "--hard", base)
    work.push("--force", "origin", "HEAD:main")
    async with network.connect(LOOPBACK, machine) as net:
        assert await net.mirrors.has(address, lost)
        assert not await net.mirrors.has(address, "f" * 40)
        async with net.mirrors.opened(address) as mirror:
            assert await mirror.fetch([base, lost, "f" * 40]) == {"f" * 40}
            assert [each.id for each in await mirror.commits([lost], [base])] == [lost]
            files, _, _ = await looked(mirror, marks_of(lost), tmp_path)
    assert names(files) == {"key": b"lost\n"}


async def test_what_only_a_merge_holds_is_seen(
    work: Work, address: str, machine: Machine, tmp_path: Path
) -> None:
    work.commit({"a": "1\n"})
    work.git("checkout", "-q", "-b", "side")
    work.commit({"b": "side\n"})
    work.git("checkout", "-q", "-")
    work.commit({"c": "main\n"})
    work.git("merge", "-q", "--no-ff", "--no-commit", "side")
    merge = work.commit({"a": "evil merge\n"})
    work.push()
    async with (
        network.connect(LOOPBACK, machine) as net,
        net.mirrors.opened(address) as mirror,
    ):
        await mirror.fetch([merge])
        found = [each.id for each in await mirror.commits([merge])]
        files, _, _ = await looked(mirror, marks_of(*found), tmp_path)
    assert files[f"{merge[:12]}/a"] == b"evil merge\n"
    assert len(files) == 4


async def test_a_hostile_tree_writes_nothing_and_hides_nothing(
    work: Work, address: str, machine: Machine, tmp_path: Path
) -> None:
    work.commit({"a": "1\n", "evil.lfs": "version https://git-lfs.github.com/spec/v1\n"})
    blob = work.git("hash-object", "-w", "--stdin", stdin=b"plain\n")
    other = work.git("hash-object", "-w", "--stdin", stdin=b"other\n")
    link = work.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    inner = work.git(
        "hash-object", "-t", "tree", "-w", "--literally", "--stdin",
        stdin=b"100644 escape\0" + bytes.fromhex(blob),
    )  # fmt: skip
    top = work.git(
        "hash-object", "-t", "tree", "-w", "--literally", "--stdin",
        stdin=b"".join([
            b"40000 ..\0" + bytes.fromhex(inner),
            b"120000 link\0" + bytes.fromhex(link),
            b"100644 new\nline\xff\0" + bytes.fromhex(other),
            b"160000 sub\0" + bytes.fromhex("1" * 40),
        ]),
    )  # fmt: skip
    commit = work.git("commit-tree", top, "-p", "HEAD", "-m", "hostile")
    work.push("origin", f"{commit}:refs/heads/evil")
    async with (
        network.connect(LOOPBACK, machine) as net,
        net.mirrors.opened(address) as mirror,
    ):
        refs = await net.mirrors.refs(address)
        await mirror.fetch(refs.ids.values())
        found = await mirror.commits(list(refs.ids.values()))
        files, _, skipped = await looked(mirror, marks_of(*(each.id for each in found)), tmp_path)
    short = commit[:12]
    assert names(files) == {
        "a": b"1\n",
        "evil.lfs": b"version https://git-lfs.github.com/spec/v1\n",
        "../escape": b"plain\n",
        "link": b"/etc/passwd",
        "new\nline\udcff": b"other\n",
    }
    assert sorted(each.reason for each in skipped) == ["lfs-pointer", "submodule"]
    assert Skipped(f"{short}:sub", "submodule") in skipped
    assert not (tmp_path / "escape").exists()


async def test_a_file_above_the_limit_is_told_and_the_others_are_read(
    work: Work, address: str, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_mirror, "MAX_BLOB_BYTES", 100_000)
    commit = work.commit({"huge": os.urandom(300_000), "a": "1\n", "b": "2\n", "c": "3\n"})
    work.push()
    async with (
        network.connect(LOOPBACK, machine) as net,
        net.mirrors.opened(address) as mirror,
    ):
        await mirror.fetch([commit])
        files, _, skipped = await looked(mirror, marks_of(commit), tmp_path)
        assert mirror.bytes_here() < 200_000
    assert names(files) == {"a": b"1\n", "b": b"2\n", "c": b"3\n"}
    assert skipped == [Skipped(f"{commit[:12]}:huge", "too-large")]


async def test_a_mirror_above_its_limit_is_given_up(
    work: Work, address: str, machine: Machine
) -> None:
    commit = work.commit({"huge": os.urandom(300_000)})
    work.push()
    small = msgspec.structs.replace(LOOPBACK, git=GitSettings(cache_bytes=200_000))
    async with (
        network.connect(small, machine) as net,
        net.mirrors.opened(address) as mirror,
    ):
        with pytest.raises(LimitError, match="cache_bytes"):
            await mirror.fetch([commit], has_blobs=True)
        assert mirror.bytes_here() < 50_000


async def test_the_mirror_that_was_used_least_recently_makes_room(
    work: Work, tmp_path: Path, machine: Machine
) -> None:
    commit = work.commit({"some": os.urandom(150_000)})
    work.push()
    other = tmp_path / "served" / "acme" / "other.git"
    shutil.copytree(work.bare, other)
    settings = msgspec.structs.replace(
        LOOPBACK, git=GitSettings(cache_bytes=300_000), cache_folder=str(tmp_path / "cache")
    )
    kept = []
    async with network.connect(settings, machine) as net:
        for bare in (work.bare, other):
            async with net.mirrors.opened(bare.as_uri()) as mirror:
                await mirror.fetch([commit], has_blobs=True)
                kept.append(mirror.path)
    assert [path in kept[1:] for path in map(str, mirrors_in(tmp_path / "cache"))] == [True]


async def test_what_a_broken_fetch_left_behind_is_removed(
    work: Work, address: str, machine: Machine, tmp_path: Path
) -> None:
    commit = work.commit({"a": "1\n"})
    work.push()
    settings = msgspec.structs.replace(LOOPBACK, cache_folder=str(tmp_path / "cache"))
    async with network.connect(settings, machine) as net:
        async with net.mirrors.opened(address) as mirror:
            await mirror.fetch([commit])
            rest = f"{mirror.path}/objects/pack/tmp_pack_x"
            with open(rest, "wb") as file:  # noqa: PTH123, ASYNC230 - as it is given
                file.write(b"x")
        async with net.mirrors.opened(address) as mirror:
            assert not os.path.exists(rest)  # noqa: PTH110, ASYNC240 - as it is given
            assert await mirror.kinds([commit])


async def test_a_server_that_gives_something_else(
    machine: Machine, serve: Serve, clock: TickingClock
) -> None:
    """It answers as a git server does, and sends rubbish where objects should come."""

    async def evil(request: web.Request) -> web.Response:
        kind = "application/x-git-upload-pack"
        if request.path.endswith("info/refs"):
            line = f"{'a' * 40} refs/heads/x\0 multi_ack_detailed side-band-64k\n"
            body = "001e# service=git-upload-pack\n0000" + f"{len(line) + 4:04x}{line}0000"
            return web.Response(body=body.encode(), content_type=f"{kind}-advertisement")
        return web.Response(body=b"\0" * 1000, content_type=f"{kind}-result")

    app = web.Application(client_max_size=1 << 20)
    app.router.add_route("*", "/{path:.*}", evil)
    url = f"{await serve(app)}x.git"
    async with network.connect(LOOPBACK, machine, clock=clock) as net:
        refs = await net.mirrors.refs(url)
        assert refs.ids == {"refs/heads/x": "a" * 40}
        async with net.mirrors.opened(url) as mirror:
            with pytest.raises((TargetError, TransientError)):
                await mirror.fetch(refs.ids.values())
            assert await mirror.commits(list(refs.ids.values())) == []


async def test_a_repository_that_is_not_there(machine: Machine, tmp_path: Path) -> None:
    async with network.connect(LOOPBACK, machine) as net:
        with pytest.raises(NotFoundError):
            await net.mirrors.refs(f"file://{tmp_path}/none.git")


async def test_a_mirror_has_one_borrower_at_a_time(
    work: Work, machine: Machine, tmp_path: Path
) -> None:
    settings = msgspec.structs.replace(LOOPBACK, cache_folder=str(tmp_path / "cache"))
    order: list[str] = []

    class Waiting(Exception):  # noqa: N818 - it ends the wait
        pass

    async with network.connect(settings, machine) as one, network.connect(settings, machine) as two:

        async def pause(_seconds: float) -> None:
            order.append("waits")
            raise Waiting

        two.git.pause = pause  # type: ignore[assignment,method-assign]
        async with one.mirrors.opened(work.bare.as_uri()):
            with pytest.raises(Waiting):
                async with two.mirrors.opened(work.bare.as_uri()):
                    order.append("never")
        async with two.mirrors.opened(work.bare.as_uri()):
            order.append("its turn")
    assert order == ["waits", "its turn"]
