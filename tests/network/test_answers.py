"""What registries answer besides the good case: withdrawn, old formats, wrong bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from packaging.version import Version

from monitor.errors import DeniedError, IntegrityError, LeakmonError, NotFoundError, TargetError
from monitor.http.settings import HttpSettings
from monitor.registries import network, simple_index, targets
from monitor.registries.client_config import Machine
from monitor.registries.settings import GithubSettings, NetworkSettings, NpmSettings, PypiSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.network.conftest import Serve, TickingClock

BYTES = b"not really a tarball"
SHA512 = hashlib.sha512(BYTES).digest()


def integrity(digest: bytes) -> str:
    return "sha512-" + base64.b64encode(digest).decode()


def answering(answers: Mapping[str, web.Response | Mapping[str, Any]]) -> web.Application:
    """A site that answers each path with JSON or as told."""

    async def handler(request: web.Request) -> web.Response:
        answer = answers.get(request.path)
        if answer is None:
            return web.Response(status=404)
        if isinstance(answer, web.Response):
            body = answer.body if isinstance(answer.body, bytes) else b""
            return web.Response(status=answer.status, body=body, headers=answer.headers)
        return web.json_response(answer)

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    return app


def manifest(**dist: str) -> dict[str, Any]:
    return {"name": "acme", "dist": {"tarball": "/acme.tgz", **dist}}


PACKUMENTS: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "npm:acme@1.1.0",
        {
            "dist-tags": {"latest": "1.0.0"},
            "versions": {"1.0.0": manifest()},
            "time": {"1.1.0": "2026-01-01T00:00:00Z"},
        },
        "unpublished",
        "version 1.1.0 was unpublished; latest is 1.0.0",
    ),
    (
        "npm:acme",
        {"time": {"unpublished": {"time": "2026-01-02T00:00:00Z", "versions": ["1.0.0"]}}},
        "unpublished",
        "acme was unpublished on 2026-01-02",
    ),
    ("npm:acme", {"versions": {}}, "not-found", "acme has no versions"),
    (
        "npm:acme@1.0.0",
        {"versions": {"0.0.1-security": manifest()}, "dist-tags": {"latest": "0.0.1-security"}},
        "security-placeholder",
        "removed by its registry for security",
    ),
    (
        "npm:acme",
        {"versions": {"0.0.0-stage": manifest()}, "dist-tags": {"latest": "0.0.0-stage"}},
        "staged",
        "not published yet",
    ),
    ("npm:acme@1.0.0", {"versions": {"1.0.0": {}}}, "bad-answer", "names no tarball"),
    ("npm:acme@1.0.0", {"versions": {"1.0.0": []}}, "bad-answer", "the entry of 1.0.0 is damaged"),
    (
        "npm:acme@1.0.0",
        {"versions": {"1.0.0": manifest(integrity="sha512-%%%")}},
        "bad-answer",
        "integrity 'sha512-%%%' is malformed",
    ),
    ("npm:acme", {"versions": "none"}, "bad-answer", "did not answer with a packument"),
]


@pytest.mark.parametrize(("text", "packument", "reason", "message"), PACKUMENTS)
async def test_what_npm_says_of_the_missing(
    serve: Serve,
    machine: Machine,
    *,
    text: str,
    packument: dict[str, Any],
    reason: str,
    message: str,
) -> None:
    url = await serve(answering({"/acme": packument}))
    async with network.connect(NetworkSettings(npm=NpmSettings(url=url)), machine) as net:
        with pytest.raises(TargetError, match=message) as caught:
            await network.resolve(targets.parse(text), net)
    assert caught.value.reason == reason


async def test_npm_digests_are_held_against_the_bytes(
    serve: Serve, machine: Machine, tmp_path: Path
) -> None:
    sha1 = hashlib.sha1(BYTES, usedforsecurity=False).hexdigest()
    wrong = integrity(hashlib.sha512(b"other").digest())
    versions = {
        "1.0.0": manifest(integrity=f"{integrity(SHA512)} sha1-AAAA", shasum=sha1),
        "2.0.0": manifest(integrity=wrong, shasum=sha1),
        "3.0.0": manifest(integrity=integrity(SHA512), shasum="0" * 40),
        "4.0.0": manifest(shasum=sha1),
    }
    site = answering({"/acme": {"versions": versions}, "/acme.tgz": web.Response(body=BYTES)})
    outcome: dict[str, str] = {}
    settings = NetworkSettings(npm=NpmSettings(url=await serve(site)))
    async with network.connect(settings, machine) as net:
        for version in versions:
            [release] = await network.resolve(targets.parse(f"npm:acme@{version}"), net)
            try:
                file = await network.fetch(release.artifacts[0], net, str(tmp_path))
                outcome[version] = str(file.bytes)
            except IntegrityError as error:
                outcome[version] = error.reason
    size = str(len(BYTES))
    assert outcome == {
        "1.0.0": size,
        "2.0.0": "digest-mismatch",
        "3.0.0": "digest-mismatch",
        "4.0.0": size,
    }


@pytest.mark.parametrize(
    ("tarball", "kind"),
    [
        ("http://169.254.169.254/x.tgz", "private-address"),
        ("http://127.0.0.1:1/x.tgz", "private-address"),
        ("file:///etc/passwd", "bad-address"),
        ("git+file:///srv/secret.git", "bad-address"),
        ("ftp://h.example/x.tgz", "bad-address"),
    ],
)
async def test_a_packument_leads_nowhere_private(
    serve: Serve, machine: Machine, tmp_path: Path, tarball: str, kind: str
) -> None:
    url = await serve(answering({"/acme": {"versions": {"1.0.0": manifest(tarball=tarball)}}}))
    async with network.connect(NetworkSettings(npm=NpmSettings(url=url)), machine) as net:
        with pytest.raises(TargetError) as caught:
            await resolved_and_fetched("npm:acme@1.0.0", net, tmp_path)
    assert caught.value.reason == kind


async def resolved_and_fetched(text: str, net: network.Network, folder: Path) -> None:
    [release] = await network.resolve(targets.parse(text), net)
    await network.fetch(release.artifacts[0], net, str(folder))


HTML = """<!DOCTYPE html><html><head><base href="/files/"></head><body>
<a href="acme-1.0.tar.gz#sha256={digest}">acme-1.0.tar.gz</a><br>
<a href="acme-2.0.tar.gz#sha256=00" data-yanked="broken &amp; bad">acme-2.0.tar.gz</a>
<a href="Acme_X-1.0.zip">Acme_X-1.0.zip</a>
</body></html>"""


async def test_an_index_that_knows_only_html(
    serve: Serve, machine: Machine, tmp_path: Path
) -> None:
    page = HTML.format(digest=hashlib.sha256(BYTES).hexdigest())
    site = answering(
        {
            "/simple/acme/": web.Response(
                body=page.encode(), headers={"Content-Type": "text/html"}
            ),
            "/files/acme-1.0.tar.gz": web.Response(body=BYTES),
            "/files/acme-2.0.tar.gz": web.Response(body=BYTES),
        }
    )
    settings = NetworkSettings(pypi=PypiSettings(url=await serve(site)))
    async with network.connect(settings, machine) as net:
        [release] = await network.resolve(targets.parse("pypi:acme"), net)
        assert release.version == "1.0"
        file = await network.fetch(release.artifacts[0], net, str(tmp_path))
        assert file.bytes == len(BYTES)
        [yanked] = await network.resolve(targets.parse("pypi:acme==2.0"), net)
        with pytest.raises(IntegrityError):
            await network.fetch(yanked.artifacts[0], net, str(tmp_path))
        with pytest.raises(NotFoundError, match="yanked") as caught:
            await network.resolve(targets.parse("pypi:acme>1"), net)
    assert caught.value.reason == "yanked"


def json_page(files: list[dict[str, Any]], **more: Any) -> web.Response:
    page = {"meta": {"api-version": "1.4"}, "name": "acme", "files": files, **more}
    media_type = "application/vnd.pypi.simple.v1+json"
    return web.Response(body=json.dumps(page).encode(), headers={"Content-Type": media_type})


def listed(name: str, **more: Any) -> dict[str, Any]:
    return {"filename": name, "url": f"/f/{name}", "hashes": {}, **more}


PAGES: list[tuple[web.Response, str, str]] = [
    (json_page([], **{"project-status": {"status": "quarantined"}}), "quarantined", "quarantined"),
    (json_page([listed("acme-1.tar.gz", yanked="")]), "yanked", "pin one"),
    (json_page([], meta={"api-version": "2.0"}), "bad-answer", "version '2.0'"),
    (
        json_page([listed("acme-1.tar.gz", url="file:///etc/passwd")]),
        "bad-address",
        r"not at an http\(s\) address",
    ),
    (
        web.Response(body=b"{", headers={"Content-Type": "application/json"}),
        "bad-answer",
        "JSON is damaged",
    ),
    (web.Response(body=b"", headers={"Content-Type": "text/plain"}), "bad-answer", "text/plain"),
]


@pytest.mark.parametrize(("page", "reason", "message"), PAGES)
async def test_what_an_index_says_of_the_missing(
    serve: Serve, machine: Machine, page: web.Response, reason: str, message: str
) -> None:
    settings = NetworkSettings(
        pypi=PypiSettings(url=await serve(answering({"/simple/acme/": page})))
    )
    async with network.connect(settings, machine) as net:
        with pytest.raises(LeakmonError, match=message) as caught:
            await network.resolve(targets.parse("pypi:acme"), net)
    assert caught.value.reason == reason


async def test_prereleases_count_when_there_is_nothing_else(serve: Serve, machine: Machine) -> None:
    only_early = json_page([listed("acme-1.0rc1.tar.gz"), listed("acme-1.0a1.tar.gz")])
    settings = NetworkSettings(
        pypi=PypiSettings(url=await serve(answering({"/simple/acme/": only_early})))
    )
    async with network.connect(settings, machine) as net:
        [release] = await network.resolve(targets.parse("pypi:acme"), net)
    assert release.version == "1.0rc1"


FILENAMES = [
    ("acme-1.0.tar.gz", "1.0"),
    ("acme-1.0-py3-none-any.whl", "1.0"),
    ("acme-1.0-1-py3-none-any.whl", "1.0"),
    ("acme-1.0.post1.zip", "1.0.post1"),
    ("Acme-1.0.tar.bz2", "1.0"),
    ("acme-1.0-py2.7.egg", "1.0"),
    ("acme-1.0.win32.exe", "1.0"),
    ("acme-1.0.win-amd64-py2.7.exe", "1.0"),
    ("acme-1.0.linux-x86_64.tar.gz", "1.0"),
    ("acme-nonsense.tar.gz", None),
    ("other-1.0.tar.bz2", None),
    ("README", None),
]


def test_versions_in_file_names_of_all_times() -> None:
    assert FILENAMES
    for filename, version in FILENAMES:
        expected = Version(version) if version else None
        assert simple_index.version_of(filename, "acme") == expected, filename
    assert simple_index.version_of("my_acme-x-2.0.tgz", "my-acme-x") == Version("2.0")


async def test_github_release_assets_with_a_token(
    serve: Serve, machine: Machine, tmp_path: Path
) -> None:
    """The API asks for the token and redirects an asset to another host, which must not see it."""
    token = "ghp_" + "NobodysToken"
    seen: list[str | None] = []

    async def storage(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=BYTES)

    elsewhere = web.Application()
    elsewhere.router.add_get("/blob", storage)
    blob = f"{await serve(elsewhere)}blob"

    async def api(request: web.Request) -> web.Response:
        if not request.headers.get("Authorization", "").endswith(token):
            return web.Response(status=404)
        if request.path == "/api/v3/asset/1":
            assert request.headers["Accept"] == "application/octet-stream"
            return web.Response(status=302, headers={"Location": blob})
        if request.path not in {
            "/api/v3/repos/acme/repo/releases/tags/v1%2Fx",
            "/api/v3/repos/acme/repo/releases/tags/v1/x",
            "/api/v3/repos/acme/repo/releases/latest",
        }:
            return web.Response(status=404)
        sha256 = f"sha256:{hashlib.sha256(BYTES).hexdigest()}"
        own = {"url": str(request.url.with_path("/api/v3/asset/1")), "size": len(BYTES)}
        assets = [{"name": name, "digest": sha256, **own} for name in ("a.tgz", "b.tgz")]
        return web.json_response(
            {"tag_name": "v1/x", "assets": assets, "author": {"login": "robot"}}
        )

    app = web.Application()
    app.router.add_get("/{path:.*}", api)
    address = f"{await serve(app)}api/v3/"
    github = GithubSettings(api=address, token=token)
    allowed = NetworkSettings(github=github, http=HttpSettings(allow_private=["127.0.0.1"]))
    async with network.connect(allowed, machine) as net:
        [release] = await network.resolve(targets.parse("github:acme/repo@v1/x#releases"), net)
        [latest] = await network.resolve(targets.parse("github:acme/repo#releases/b.tgz"), net)
        file = await network.fetch(latest.artifacts[0], net, str(tmp_path))
        with pytest.raises(NotFoundError, match=r"has no asset c\.tgz"):
            await network.resolve(targets.parse("github:acme/repo#releases/c.tgz"), net)
    assert [one.filename for one in release.artifacts] == ["a.tgz", "b.tgz"]
    assert (release.version, release.publisher) == ("v1/x", "robot")
    assert file.sha256 == hashlib.sha256(BYTES).hexdigest()
    assert seen == [None]
    anonymous = NetworkSettings(github=GithubSettings(api=address))
    async with network.connect(anonymous, machine) as net:
        with pytest.raises(NotFoundError, match=r"or is private: set \[registries.github\] token"):
            await network.resolve(targets.parse("github:acme/repo@v1#releases"), net)


async def test_a_refused_private_index_is_not_asked_elsewhere(
    serve: Serve, machine: Machine
) -> None:
    """A login that fails must not fall through to another index and scan another's package."""
    denied = await serve(answering({"/simple/acme/": web.Response(status=401)}))
    public = await serve(answering({"/simple/acme/": json_page([listed("acme-9.tar.gz")])}))
    environ = {
        **machine.environ,
        "PIP_INDEX_URL": f"{denied}simple/",
        "PIP_EXTRA_INDEX_URL": f"{public}simple/",
    }
    told = Machine(environ=environ, home=machine.home, folder=machine.folder, root=machine.root)
    async with network.connect(NetworkSettings(), told) as net:
        with pytest.raises(DeniedError):
            await network.resolve(targets.parse("pypi:acme"), net)
        [pinned] = await network.resolve(targets.parse("pypi:acme==9"), net)
    assert pinned.version == "9"


NASTY: list[Any] = [
    None, True, -1, 1.5, "", "\u0000", "http://[::1", "http://h.example:99999/x", "//", "x" * 5000,
    "https://h.example:0/", [], [None], {}, {"name": 5}, {"url": []}, "2026-99-99T00:00:00Z",
    "sha512-" + "A" * 9, "../../etc/passwd", "http://\udcff.example/",
]  # fmt: skip


def mutated(value: Any, choose: random.Random) -> Any:
    """The value with one of its inner values, or itself, replaced by a nasty one."""
    if isinstance(value, dict) and value and choose.random() < 0.85:
        key = choose.choice(list(value))
        return {**value, key: mutated(value[key], choose)}
    if isinstance(value, list) and value and choose.random() < 0.85:
        return [mutated(value[0], choose), *value[1:]]
    return choose.choice(NASTY)


GOOD = {
    "npm": {
        "dist-tags": {"latest": "1.0.0"},
        "versions": {
            "1.0.0": {
                "license": {"type": "MIT"},
                "repository": {"url": "x"},
                "maintainers": [{"name": "a"}],
                "_npmUser": {"name": "a"},
                **manifest(integrity=integrity(SHA512), shasum="0" * 40),
            }
        },
        "time": {"1.0.0": "2026-01-01T00:00:00Z", "unpublished": {"time": "x"}},
        "maintainers": [{"name": "a"}],
    },
    "pypi": {
        "meta": {"api-version": "1.4"},
        "project-status": {"status": "active"},
        "files": [listed("acme-1.0.tar.gz", size=5, yanked=False, **{"upload-time": "x"})],
    },
    "github": {
        "tag_name": "v1",
        "author": {"login": "a"},
        "published_at": "x",
        "assets": [{"name": "a", "url": "http://127.0.0.1:1/", "size": 1, "digest": "sha256:00"}],
    },
}


async def test_any_answer_is_a_release_or_an_error_of_ours(
    serve: Serve, machine: Machine, tmp_path: Path, clock: TickingClock
) -> None:
    choose = random.Random(11)
    answer = {"body": b"{}"}

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=answer["body"], content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    url = await serve(app)
    settings = NetworkSettings(
        npm=NpmSettings(url=url),
        pypi=PypiSettings(url=url),
        github=GithubSettings(api=url),
        http=HttpSettings(tries=1),
    )
    texts = {"npm": "npm:acme", "pypi": "pypi:acme", "github": "github:acme/repo#releases"}
    said: list[str] = []
    async with network.connect(settings, machine, clock=clock) as net:
        for ecosystem, good in GOOD.items():
            deep = b'{"versions":' + b"[" * 100_000
            bodies = [deep, b"\xff", b"[]", *(dumped(mutated(good, choose)) for _ in range(150))]
            for body in bodies:
                answer["body"] = body
                try:
                    await resolved_and_fetched(texts[ecosystem], net, tmp_path)
                except LeakmonError as error:
                    said.append(str(error))
    assert len(said) > 100
    assert [one for one in said if not one.isprintable()] == []


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()
