"""Slack's Web API on loopback, as far as alerts use it, with its limits and its bad days.

``async with FakeSlack() as slack`` in a test with a loop, ``with running() as slack`` (a thread of
its own) beside other processes. ``slack.messages`` are the messages that people see, in the order
in which they were taken, each with ``channel``, ``ts``, ``thread_ts``, ``text``, ``blocks``,
``metadata``, ``edits`` and ``reply_broadcast``.

Faults: ``slack.faults.append(Fault(...))`` for the next calls, ``slack.is_down`` and
``slack.refuses`` (an error code for every call) until they are taken back.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from msgspec import Struct

from tests.alerts.block_kit import refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

TOKEN = "xoxb-" + "1111-2222-abcdefghijkl"
PER_MINUTE = {
    "chat.postMessage": 60,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.list": 20,
    "conversations.join": 50,
    "auth.test": 600,
}
"""Slack's tiers; ``chat.postMessage`` is one a second with some burst."""

BURST = {"chat.postMessage": 20}
READING = {
    "conversations.history",
    "conversations.replies",
    "conversations.list",
    "usergroups.users.list",
}
APP_TOKEN = "xapp-" + "1-A111-222-abc"
MAX_VIEW_TITLE = 24


class Fault(Struct):
    """What goes wrong with the next ``times`` calls of ``method`` (empty: any).

    ``kind``: ``lost`` (taken, then the connection breaks), ``lost-500`` (taken, then a 500),
    ``500`` (not taken), ``cut`` (not taken, the connection breaks), ``429``, ``garbage`` (taken,
    the answer is HTML) or an error code of Slack's (not taken). ``after`` calls go well before.
    """

    kind: str
    method: str = "chat.postMessage"
    times: int = 1
    retry_after: int = 3
    after: int = 0


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """Slack's ``ok: false``."""


class FakeSlack:
    """One workspace with the channels that ``channels`` names."""

    def __init__(
        self,
        *,
        channels: tuple[str, ...] = ("general", "leaks"),
        now: Callable[[], float] = time.time,
        has_limits: bool = False,
    ) -> None:
        self.token = TOKEN
        self.url = ""
        self.is_down = False
        self.refuses = ""
        self.faults: list[Fault] = []
        self.messages: list[dict[str, Any]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.channels = {name: f"C{number:08}" for number, name in enumerate(channels, 1)}
        self.members = set(self.channels.values())
        self.scopes = {"chat:write", "channels:history", "channels:read", "channels:join"}
        self.has_limits = has_limits
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}
        self._last_ts = 0
        self._runner: web.AppRunner | None = None
        self.groups: dict[str, list[str]] = {}
        self.acknowledged: list[str] = []
        self.connected = asyncio.Event()
        self._sockets: list[web.WebSocketResponse] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application(client_max_size=4 * 2**20)
        app.router.add_route("*", "/api/{method}", self._answer)
        app.router.add_get("/socket", self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        port = int(self.url.split(":")[2].split("/")[0]) if self.url else 0
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/"

    async def stop(self) -> None:
        """Nobody listens any more; ``start`` takes the same address again."""
        assert self._runner is not None
        await self._runner.cleanup()

    async def press(self, payload: dict[str, Any], envelope: str) -> None:
        """Somebody presses a button: an envelope over the last socket that was opened."""
        told = {"envelope_id": envelope, "type": "interactive", "payload": payload}
        await self._sockets[-1].send_json(told | {"accepts_response_payload": True})

    def is_connected(self) -> bool:
        """Whether a socket was opened."""
        return bool(self._sockets)

    def press_from_outside(self, payload: dict[str, Any], envelope: str) -> None:
        """``press`` from another thread than the server's."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self.press(payload, envelope), self._loop).result(20)

    async def hang_up(self) -> None:
        """Close the socket, as Slack does now and then."""
        self.connected.clear()
        await self._sockets[-1].close()

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.connected.set()
        async for heard in socket:
            told = json.loads(heard.data)
            self.acknowledged.append(told["envelope_id"])
        return socket

    def of(self, incident: str) -> list[dict[str, Any]]:
        """The messages about one incident."""
        return [m for m in self.messages if _payload(m).get("incident") == incident]

    def ids(self) -> list[str]:
        """The ids of the events that people were told of, in the order of the messages."""
        return [str(_payload(each)["id"]) for each in self.messages if _payload(each)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        content = await self._content(method, request)
        self.calls.append((method, content))
        fault = self._fault(method)
        if self.is_down or (fault and fault.kind == "cut"):
            return _cut(request)
        wait = fault.retry_after if fault and fault.kind == "429" else self._limited(method)
        if wait:
            asked = {"Retry-After": str(wait)}
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers=asked
            )
        answer: dict[str, Any] = {}
        if not fault or fault.kind != "500":
            try:
                answer = {"ok": True, **self._act(method, content, request, fault)}
            except Refused as refused:
                return web.json_response({"ok": False, "error": str(refused)})
        return _spoilt(request, fault.kind) if fault else web.json_response(answer)

    async def _content(self, method: str, request: web.Request) -> dict[str, Any]:
        """The arguments: in the address for what reads, as JSON for what writes."""
        if method in READING:
            return {**request.query, **(await request.post() if request.can_read_body else {})}
        if request.content_type == "application/json":
            found = json.loads(await request.read() or b"{}")
            return found if isinstance(found, dict) else {}
        return dict((await request.post()).items())

    def _fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.times < 1 or fault.method not in {"", method}:
                continue
            if not fault.after:
                fault.times -= 1
                return fault
            fault.after -= 1
        return None

    def _limited(self, method: str) -> int:
        """Seconds to wait, by a bucket for each method."""
        if not self.has_limits:
            return 0
        rate = PER_MINUTE.get(method, 50) / 60
        full = BURST.get(method, PER_MINUTE.get(method, 50))
        left, at = self._buckets.get(method, (full, self._now()))
        left = min(full, left + (self._now() - at) * rate)
        self._buckets[method] = (left - (left >= 1), self._now())
        return 0 if left >= 1 else max(1, round((1 - left) / rate + 0.5))

    def _act(
        self, method: str, content: dict[str, Any], request: web.Request, fault: Fault | None
    ) -> dict[str, Any]:
        known = {"lost", "lost-500", "garbage"}
        if self.refuses or (fault and fault.kind not in known):
            raise Refused(self.refuses or (fault.kind if fault else ""))
        given = request.headers.get("Authorization", "")
        if method == "apps.connections.open":
            if given != f"Bearer {APP_TOKEN}":
                raise Refused("invalid_auth")
            return {"url": self.url.replace("http", "ws", 1).replace("/api/", "/socket")}
        if not given:
            raise Refused("not_authed")
        if given != f"Bearer {self.token}":
            raise Refused("invalid_auth")
        actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "auth.test": self._auth,
            "chat.postEphemeral": self._whisper,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.join": self._join,
            "conversations.list": self._list,
            "conversations.replies": self._replies,
            "usergroups.users.list": self._members,
            "views.open": self._open_view,
        }
        if method not in actions:
            raise Refused("unknown_method")
        return actions[method](content)

    def _auth(self, _content: dict[str, Any]) -> dict[str, Any]:
        return {"team": "Acme", "user": "leakmon", "team_id": "T1", "user_id": "U1", "bot_id": "B1"}

    def _post(self, content: dict[str, Any]) -> dict[str, Any]:
        self._needs("chat:write")
        channel = self._channel(content, by_name=True)
        if channel not in self.members:
            raise Refused("not_in_channel")
        if error := refusal(content):
            raise Refused(error)
        thread = content.get("thread_ts")
        if thread and not self._found(channel, thread):
            raise Refused("thread_not_found")
        message = {
            "type": "message",
            "channel": channel,
            "ts": self._ts(),
            "text": content.get("text", ""),
            "edits": 0,
        }
        for key in ("blocks", "metadata", "thread_ts", "reply_broadcast"):
            if content.get(key):
                message[key] = content[key]
        self.messages.append(message)
        return {"channel": channel, "ts": message["ts"], "message": message}

    def _update(self, content: dict[str, Any]) -> dict[str, Any]:
        self._needs("chat:write")
        channel = self._channel(content)
        message = self._found(channel, content.get("ts", ""))
        if message is None:
            raise Refused("message_not_found")
        if error := refusal({**message, **content}):
            raise Refused(error)
        # what is not given stays, metadata too
        message |= {key: content[key] for key in ("text", "blocks", "metadata") if key in content}
        message["edits"] += 1
        return {"channel": channel, "ts": message["ts"], "text": message["text"]}

    def _history(self, content: dict[str, Any]) -> dict[str, Any]:
        self._needs("channels:history")
        channel = self._channel(content)
        seen = [
            each
            for each in self.messages
            if each["channel"] == channel
            and (not each.get("thread_ts") or each.get("reply_broadcast"))
        ]
        return self._page(seen[::-1], content)

    def _replies(self, content: dict[str, Any]) -> dict[str, Any]:
        self._needs("channels:history")
        channel = self._channel(content)
        if not self._found(channel, content.get("ts", "")):
            raise Refused("thread_not_found")
        root = content["ts"]
        seen = [
            each
            for each in self.messages
            if each["channel"] == channel and root in {each["ts"], each.get("thread_ts")}
        ]
        return self._page(seen, content)

    def _page(self, seen: list[dict[str, Any]], content: dict[str, Any]) -> dict[str, Any]:
        oldest = float(content.get("oldest") or 0)
        seen = [each for each in seen if float(each["ts"]) > oldest]
        start = int(content.get("cursor") or 0)
        limit = min(int(content.get("limit") or 100), 999)
        has_metadata = str(content.get("include_all_metadata", "")).lower() in {"1", "true"}
        shown = [
            {key: value for key, value in each.items() if has_metadata or key != "metadata"}
            for each in seen[start : start + limit]
        ]
        more = str(start + limit) if len(seen) > start + limit else ""
        return {
            "messages": shown,
            "has_more": bool(more),
            "response_metadata": {"next_cursor": more},
        }

    def _list(self, content: dict[str, Any]) -> dict[str, Any]:
        self._needs("channels:read")
        every = [
            {"id": place, "name": name, "is_member": place in self.members, "is_archived": False}
            for name, place in self.channels.items()
        ]
        start, limit = int(content.get("cursor") or 0), int(content.get("limit") or 100)
        more = str(start + limit) if len(every) > start + limit else ""
        return {
            "channels": every[start : start + limit],
            "response_metadata": {"next_cursor": more},
        }

    def _join(self, content: dict[str, Any]) -> dict[str, Any]:
        self._needs("channels:join")
        self.members.add(self._channel(content))
        return {"channel": {"id": content["channel"]}}

    def _whisper(self, content: dict[str, Any]) -> dict[str, Any]:
        self._needs("chat:write")
        self._channel(content)
        if not content.get("user") or not content.get("text"):
            raise Refused("no_text")
        return {"message_ts": self._ts()}

    def _members(self, content: dict[str, Any]) -> dict[str, Any]:
        if content.get("usergroup") not in self.groups:
            raise Refused("no_such_subteam")
        return {"users": self.groups[content["usergroup"]]}

    def _open_view(self, content: dict[str, Any]) -> dict[str, Any]:
        view = content.get("view")
        if not content.get("trigger_id"):
            raise Refused("invalid_arguments")
        if not isinstance(view, dict) or len(view["title"]["text"]) > MAX_VIEW_TITLE:
            raise Refused("invalid_arguments")
        return {"view": view | {"id": "V1"}}

    def _needs(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Refused("missing_scope")

    def _channel(self, content: dict[str, Any], *, by_name: bool = False) -> str:
        given = str(content.get("channel", ""))
        if by_name and given.removeprefix("#") in self.channels:
            return self.channels[given.removeprefix("#")]
        if given not in self.channels.values():
            raise Refused("channel_not_found")
        return given

    def _found(self, channel: str, ts: str) -> dict[str, Any] | None:
        for each in self.messages:
            if each["channel"] == channel and each["ts"] == ts:
                return each
        return None

    def _ts(self) -> str:
        self._last_ts = max(self._last_ts + 1, int(self._now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"


@contextmanager
def running(**options: Any) -> Iterator[FakeSlack]:
    """A Slack in a thread of its own, for tests whose daemon is another process."""
    slack = FakeSlack(**options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(step: Awaitable[None]) -> None:
        asyncio.run_coroutine_threadsafe(_awaited(step), loop).result(10)

    wait(slack.start())
    try:
        yield slack
    finally:
        wait(slack.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _awaited(step: Awaitable[None]) -> None:
    await step


def _spoilt(request: web.Request, kind: str) -> web.Response:
    """What the caller gets of an answer that goes wrong."""
    if kind == "lost":
        return _cut(request)
    if kind == "garbage":
        return web.Response(text="<html>a proxy's page</html>", content_type="text/html")
    return web.Response(status=500, text="<html>oops</html>", content_type="text/html")


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _payload(message: dict[str, Any]) -> dict[str, Any]:
    payload = message.get("metadata", {}).get("event_payload", {})
    return payload if isinstance(payload, dict) else {}
