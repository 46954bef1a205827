"""The way out against servers that misbehave as real ones do."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from monitor.errors import (
    DeniedError,
    IntegrityError,
    LeakmonError,
    LimitError,
    NotFoundError,
    TargetError,
    TransientError,
)
from monitor.http.client import Client
from monitor.http.download import Download, Downloaded
from monitor.http.guard import Guard
from monitor.http.settings import Credential, HttpSettings, best
from tests.network.conftest import Serve, TickingClock

BODY = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(BODY).hexdigest()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def app(handler: Handler) -> web.Application:
    made = web.Application()
    made.router.add_route("*", "/{path:.*}", handler)
    return made


def client(clock: TickingClock, *credentials: Credential, **settings: object) -> Client:
    made = HttpSettings(**{"allow_private": ["127.0.0.1"], **settings})  # type: ignore[arg-type]
    return Client(made, clock=clock, credentials=credentials)


def credential(url: str, path: str = "/") -> Credential:
    netloc = url.split("/")[2]
    return Credential(scheme="http", netloc=netloc, path=path, header="Bearer x", source="test")


async def download(
    out: Client, url: str, folder: Path, digest: str = SHA256, size: int | None = None
) -> Downloaded:
    return await Download(out, url, str(folder), digests={"sha256": digest}, size=size).run()


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def read(path: str) -> bytes:
    return Path(path).read_bytes()


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (503, {"Retry-After": "Thu, 01 Jan 2026 00:17:05 GMT"}, 25.0),
        (429, {"Retry-After": "0"}, 0.375),
        (503, {}, 0.375),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1767226650"}, 50.0),
    ],
)
async def test_a_busy_server_is_left_alone_as_long_as_it_asks(
    serve: Serve, clock: TickingClock, status: int, headers: dict[str, str], waits: float
) -> None:
    answers = iter([web.Response(status=status, headers=headers), web.Response(text="{}")])

    async def handler(_request: web.Request) -> web.Response:
        return next(answers)

    async with client(clock) as out:
        document = await out.document(await serve(app(handler)))
    assert document.body == b"{}"
    assert clock.sleeps == [waits]


async def test_tries_end_and_waits_grow(serve: Serve, clock: TickingClock) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=502)

    async with client(clock, tries=4) as out:
        with pytest.raises(TransientError, match="answered 502, 4 times") as caught:
            await out.document(await serve(app(handler)))
    assert caught.value.reason == "http-502"
    assert clock.sleeps == [0.375, 0.75, 1.5]


@pytest.mark.parametrize("code", [socket.EAI_AGAIN, socket.EAI_NONAME])
async def test_a_name_without_an_address_is_told_at_once(
    clock: TickingClock, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The resolver has its own tries; five times its patience is half a minute of silence."""
    asked: list[object] = []

    def answer(host: object, *_more: object, **_options: object) -> None:
        asked.append(host)
        raise socket.gaierror(code, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    async with client(clock) as out:
        with pytest.raises(
            TransientError, match=r"the name nowhere\.example has no addr"
        ) as caught:
            await out.document("http://nowhere.example/simple/")
    assert caught.value.reason == "unknown-host"
    assert (asked, clock.sleeps) == (["nowhere.example"], [])


async def test_a_wait_longer_than_the_limit_is_not_waited_for(
    serve: Serve, clock: TickingClock
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "86400"})

    async with client(clock) as out:
        with pytest.raises(TransientError, match="left alone for 86400 s"):
            await out.document(await serve(app(handler)))
    assert clock.sleeps == []


async def test_a_host_that_asked_for_a_long_rest_has_it_from_everybody(
    serve: Serve, clock: TickingClock
) -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        if len(asked) == 1:
            return web.Response(status=429, headers={"Retry-After": "3600"})
        return web.Response(text="{}")

    async with client(clock) as out:
        url = await serve(app(handler))
        for path in ("one", "two", "three"):
            with pytest.raises(TransientError, match="left alone"):
                await out.document(f"{url}{path}")
        assert asked == ["/one"]
        await clock.sleep(3600)
        assert (await out.document(f"{url}four")).body == b"{}"
    assert asked == ["/one", "/four"]


STATUSES: list[tuple[int, type[LeakmonError], str]] = [
    (404, NotFoundError, "not-found"),
    (410, NotFoundError, "not-found"),
    (401, DeniedError, "denied"),
    (403, DeniedError, "denied"),
    (400, TargetError, "http-400"),
    (418, TargetError, "http-418"),
]


@pytest.mark.parametrize(("status", "kind", "reason"), STATUSES)
async def test_each_status_has_its_error(
    serve: Serve, clock: TickingClock, status: int, kind: type[LeakmonError], reason: str
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with client(clock) as out:
        with pytest.raises(kind) as caught:
            await out.document(f"{await serve(app(handler))}x?secret=1")
    assert type(caught.value) is kind
    assert caught.value.reason == reason
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert clock.sleeps == []


async def test_a_truncated_body_is_resumed(
    serve: Serve, clock: TickingClock, tmp_path: Path
) -> None:
    asked: list[tuple[str | None, str | None]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append((request.headers.get("Range"), request.headers.get("If-Range")))
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        answer = web.StreamResponse(
            status=206 if start else 200,
            headers={"ETag": '"v1"', "Content-Length": str(len(BODY) - start)},
        )
        if start:
            answer.headers["Content-Range"] = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        await answer.prepare(request)
        piece = BODY[start : start + 400_000]
        await answer.write(piece)
        if start + len(piece) < len(BODY):
            # Gone in the middle of the body, as a restarted proxy does it.
            assert request.transport is not None
            request.transport.close()
        return answer

    async with client(clock) as out:
        done = await download(out, await serve(app(handler)), tmp_path)
    assert read(done.path) == BODY
    assert done.sha256 == SHA256
    assert len(asked) >= 3
    assert asked[0] == (None, None)
    assert all(validator == '"v1"' for _, validator in asked[1:])
    assert left(tmp_path) == [Path(done.path)]


async def test_a_file_that_changed_is_begun_anew(
    serve: Serve, clock: TickingClock, tmp_path: Path
) -> None:
    """A server may ignore If-Range and continue another file: the digest tells."""
    calls = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        if calls == 1:
            answer = web.StreamResponse(headers={"ETag": '"a"', "Content-Length": str(len(BODY))})
            await answer.prepare(request)
            await answer.write(b"?" * 1000)
            assert request.transport is not None
            request.transport.close()
            return answer
        if "Range" in request.headers:
            start = int(request.headers["Range"][6:-1])
            headers = {"Content-Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"}
            return web.Response(status=206, body=BODY[start:], headers=headers)
        return web.Response(body=BODY)

    async with client(clock) as out:
        done = await download(out, await serve(app(handler)), tmp_path)
    assert read(done.path) == BODY
    assert calls == 3


async def test_truncation_that_stays_is_said(
    serve: Serve, clock: TickingClock, tmp_path: Path
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(len(BODY))})
        await answer.prepare(request)
        await answer.write(BODY[:1000])
        assert request.transport is not None
        request.transport.close()
        return answer

    async with client(clock, tries=2) as out:
        with pytest.raises(IntegrityError, match=f"broke off after 1000 of {len(BODY)} bytes") as e:
            await download(out, await serve(app(handler)), tmp_path)
    assert e.value.reason == "truncated"
    assert left(tmp_path) == []


async def test_a_body_shorter_than_announced_by_the_registry(
    serve: Serve, clock: TickingClock, tmp_path: Path
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        await answer.write(BODY[:500])
        return answer

    async with client(clock, tries=1) as out:
        with pytest.raises(IntegrityError, match=f"broke off after 500 of {len(BODY)} bytes"):
            await download(out, await serve(app(handler)), tmp_path, size=len(BODY))


async def test_a_wrong_digest_is_refused_at_once(
    serve: Serve, clock: TickingClock, tmp_path: Path
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=BODY)

    async with client(clock) as out:
        with pytest.raises(IntegrityError, match="damaged or replaced") as caught:
            await download(out, await serve(app(handler)), tmp_path, digest="0" * 64)
    assert caught.value.reason == "digest-mismatch"
    assert clock.sleeps == []
    assert left(tmp_path) == []


async def test_a_slow_loris_is_cut_off(serve: Serve, tmp_path: Path) -> None:
    clock = TickingClock(tick=10.0)

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(len(BODY))})
        await answer.prepare(request)
        with suppress(ConnectionError):
            for offset in range(len(BODY)):
                await answer.write(BODY[offset : offset + 1])
                await asyncio.sleep(0)
        return answer

    async with client(clock, tries=1, min_bytes_per_second=100_000) as out:
        with pytest.raises(LimitError, match="min_bytes_per_second") as caught:
            await download(out, await serve(app(handler)), tmp_path)
    assert caught.value.reason == "too-slow"
    assert left(tmp_path) == []


async def test_a_silent_server_times_out(serve: Serve, clock: TickingClock) -> None:
    asked = asyncio.Event()

    async def handler(_request: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with client(clock, tries=2, idle_seconds=0.05) as out:
        with pytest.raises(TransientError, match="did not answer in time, 2 times"):
            await out.document(await serve(app(handler)))
    assert asked.is_set()


async def test_sizes_are_bounded(serve: Serve, clock: TickingClock, tmp_path: Path) -> None:
    async def announced(_request: web.Request) -> web.Response:
        return web.Response(body=BODY)

    async def bomb(_request: web.Request) -> web.Response:
        return web.Response(
            body=gzip.compress(bytes(1 << 24)), headers={"Content-Encoding": "gzip"}
        )

    async with client(clock, max_artifact_bytes=1000, max_document_bytes=100_000) as out:
        with pytest.raises(LimitError, match="larger than 1000 bytes"):
            await download(out, await serve(app(announced)), tmp_path)
        with pytest.raises(LimitError, match="larger than 100000 bytes"):
            await out.document(await serve(app(bomb)))
    assert left(tmp_path) == []


async def test_artifacts_are_taken_as_they_lie(
    serve: Serve, clock: TickingClock, tmp_path: Path
) -> None:
    """A server that marks a .tar.gz as gzip-encoded must not have it unpacked on the way."""
    packed = gzip.compress(BODY)

    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with client(clock) as out:
        digest = hashlib.sha256(packed).hexdigest()
        done = await download(out, await serve(app(handler)), tmp_path, digest)
    assert read(done.path) == packed


async def test_credentials_stay_at_their_place(serve: Serve, clock: TickingClock) -> None:
    seen: dict[str, str | None] = {}

    async def other(request: web.Request) -> web.Response:
        seen["other host"] = request.headers.get("Authorization")
        return web.Response(text="{}")

    elsewhere = await serve(app(other))

    async def handler(request: web.Request) -> web.Response:
        seen[request.path] = request.headers.get("Authorization")
        if request.path == "/in/redirects":
            return web.Response(status=302, headers={"Location": elsewhere})
        return web.Response(text="{}")

    site = await serve(app(handler))
    async with client(clock, credential(site, "/in/")) as out:
        for path in ("in/here", "in/redirects", "outside", "inside"):
            await out.document(site + path)
    assert seen == {
        "/in/here": "Bearer x",
        "/in/redirects": "Bearer x",
        "other host": None,
        "/outside": None,
        "/inside": None,
    }


PREFIX_CASES = [
    ("http://h.example/in/x", True),
    ("http://h.example:80/in/x", True),
    ("http://H.example/in/x", True),
    ("http://h.example/in", True),
    ("http://h.example/in/@s%2fname", True),
    ("http://h.example/in/../x", False),
    ("http://h.example/in/%2e%2e/x", False),
    ("http://h.example/in/..%5cx", False),
    ("http://h.example/inner/x", False),
    ("http://h.example:8080/in/x", False),
    ("https://h.example/in/x", False),
    ("http://h.example.evil.example/in/x", False),
    ("http://h.example@evil.example/in/x", False),
]


def test_a_credential_covers_its_prefix_only() -> None:
    mine = credential("http://h.example/", "/in/")
    assert PREFIX_CASES
    for url, is_covered in PREFIX_CASES:
        assert (best([mine], url) is not None) is is_covered, url
    assert "Bearer" not in repr(mine)


async def test_redirects_lead_nowhere_private_or_endless(serve: Serve, clock: TickingClock) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query.get("to", "/loop")})

    site = await serve(app(handler))
    cases = [
        ("http://169.254.169.254/latest/meta-data", "private-address"),
        ("http://[::1]:1/", "private-address"),
        ("http://[::ffff:10.0.0.1]/", "private-address"),
        ("http://[64:ff9b::a00:1]/", "private-address"),
        ("http://localhost:1/", "private-address"),
        ("file:///etc/passwd", "bad-address"),
        ("http://user:pass@h.example/", "bad-address"),
        ("", "redirect"),
    ]
    assert cases
    port = site.split(":")[2].rstrip("/")
    async with Client(HttpSettings(), clock=clock, guard=Guard([f"127.0.0.1:{port}"])) as out:
        for to, reason in cases:
            with pytest.raises(TargetError) as caught:
                await out.document(f"{site}?to={to}")
            assert caught.value.reason == reason, to
        with pytest.raises(TargetError, match="more than 10 redirects"):
            await out.document(f"{site}?to=/loop")


async def test_a_configured_host_is_allowed_at_its_port_only(
    serve: Serve, clock: TickingClock
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text="{}")

    one, two = await serve(app(handler)), await serve(app(handler))
    guard = Guard([])
    guard.allow(one.split("/")[2])
    async with Client(HttpSettings(), clock=clock, guard=guard) as out:
        assert (await out.document(one)).body == b"{}"
        with pytest.raises(DeniedError, match="allow_private"):
            await out.document(two)


ADDRESSES = [
    ("10.1.2.3", False),
    ("172.31.0.1", False),
    ("100.64.0.1", False),
    ("0.0.0.0", False),  # noqa: S104 - an address to refuse, not to bind
    ("224.0.0.1", False),
    ("255.255.255.255", False),
    ("fd00::1", False),
    ("fe80::1%eth0", False),
    ("::", False),
    ("2002:7f00:1::", False),
    ("192.168.7.7", True),
    ("8.8.4.4", True),
    ("172.32.0.1", True),
    ("2001:4860:4860::8844", True),
]


def test_which_addresses_are_private() -> None:
    guard = Guard(["192.168.7.0/24", "named.example"])
    assert ADDRESSES
    for address, is_allowed in ADDRESSES:
        assert guard.permits("h.example", 443, address) is is_allowed, address
    assert guard.permits("Named.example", 443, "10.0.0.1")


async def test_cancellation_leaves_no_file(
    serve: Serve, clock: TickingClock, tmp_path: Path
) -> None:
    arrived = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(len(BODY))})
        await answer.prepare(request)
        await answer.write(BODY[:300_000])
        await asyncio.Event().wait()
        return answer

    async with client(clock) as out:
        url = await serve(app(handler))
        one = Download(
            out, url, str(tmp_path), digests={}, progress=lambda _done, _total: arrived.set()
        )
        task = asyncio.create_task(one.run())
        await arrived.wait()
        assert len(left(tmp_path)) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert left(tmp_path) == []


async def test_pace_and_connections_per_host(serve: Serve, clock: TickingClock) -> None:
    now, most = 0, 0

    async def handler(_request: web.Request) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return web.Response(text="{}")

    url = await serve(app(handler))
    async with client(clock, connections_per_host=2, seconds_between_requests=3.0) as out:
        await asyncio.gather(*(out.document(url) for _ in range(6)))
    assert most <= 2
    assert sum(clock.sleeps) >= 15.0


async def test_a_proxy_of_the_environment_is_used(serve: Serve, clock: TickingClock) -> None:
    seen: list[str] = []

    async def proxy(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.Response(text="{}")

    address = await serve(app(proxy))
    proxies = {"http": address, "no": "direct.example"}
    async with Client(HttpSettings(), clock=clock, proxies=proxies) as out:
        await out.document("http://registry.example/x")
        assert out.proxy_for("http://direct.example/") is None
        assert out.proxy_for("https://registry.example/") is None
        with pytest.raises(DeniedError):
            await out.document("http://10.0.0.1/x")
    assert seen == ["http://registry.example/x"]


async def test_the_user_agent_names_us_and_a_contact(serve: Serve, clock: TickingClock) -> None:
    agents: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        agents.append(request.headers["User-Agent"])
        return web.Response(text="{}")

    async with client(clock, contact="https://acme.example/leakmon") as out:
        await out.document(await serve(app(handler)))
    assert agents[0].startswith("leakmon/")
    assert agents[0].endswith(" (+https://acme.example/leakmon)")
