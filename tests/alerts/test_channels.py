"""The channels beside Slack: real mail, real files, HTTP on loopback that keeps the real rules."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult
from hypothesis import given, settings
from markdown_it import MarkdownIt
from msgspec.structs import replace

from monitor.alerts import Channel, teams, telling
from monitor.alerts.document import cleaned, encoded
from monitor.alerts.email import EmailChannel
from monitor.alerts.errors import (
    BusyError,
    MisconfiguredError,
    RejectedError,
    UnansweredError,
    UnreachableError,
)
from monitor.alerts.github import GithubChannel
from monitor.alerts.jsonl import JsonLinesChannel
from monitor.alerts.pagerduty import PagerDutyChannel
from monitor.alerts.settings import (
    EmailSettings,
    GithubSettings,
    JsonLinesSettings,
    PagerDutySettings,
    Reach,
    TeamsSettings,
    WebhookSettings,
)
from monitor.alerts.teams import TeamsChannel
from monitor.alerts.webhook import TOLERANCE_SECONDS, WebhookChannel, verified
from monitor.model import Digest, IncidentState, Outgoing
from tests.alerts.certificates import certificate
from tests.alerts.incidents import NOW, event, events, incident, incidents
from tests.alerts.receiver import Receiver, Taken, receiving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from monitor.model import Incident

KEY = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROUTING_KEY = "0123456789abcdef" * 2


def outgoing(
    kind: str = "opened", *, thread: str | None = None, of: Incident | None = None, number: int = 0
) -> Outgoing:
    about = of or incident(1)
    made = event(about, kind, number)
    return Outgoing(
        id=f"{made.id}:x", channel="x", event=made, incident=about, thread=thread, created_at=NOW
    )


def standing(state: IncidentState) -> Incident:
    return replace(incident(1), state=state)


def digest() -> Digest:
    return Digest(
        id="digest:x:2026", channel="x", entries=[outgoing(), outgoing("note", number=1)],
        created_at=NOW,
    )  # fmt: skip


# ---- webhook ----


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


def hook(receiver: Receiver) -> WebhookChannel:
    settings = WebhookSettings(url=lambda: f"{receiver.url}/in", secret=lambda: KEY)
    return WebhookChannel(settings, Reach(contact="sec@acme.example"), now=lambda: NOW)


async def test_a_webhook_is_signed_and_cannot_be_replayed(receiver: Receiver) -> None:
    sent = outgoing()
    assert await hook(receiver).send(sent) == sent.id
    (taken,) = receiver.taken
    seconds = NOW.timestamp()
    assert verified(KEY, taken.headers, taken.body, seconds)
    assert not verified(KEY, taken.headers, taken.body + b" ", seconds)
    assert not verified(KEY, taken.headers, taken.body, seconds + TOLERANCE_SECONDS + 1)
    assert not verified("whsec_" + "A" * 32, taken.headers, taken.body, seconds)
    assert not verified(KEY, taken.headers | {"webhook-id": "other"}, taken.body, seconds)
    assert not verified(KEY, taken.headers | {"webhook-timestamp": "x"}, taken.body, seconds)
    told = json.loads(taken.body)
    assert (told["schema"], told["id"]) == ("leakmon/event/1", sent.event.id)
    assert told["incident"]["package"] == "@acme/cli"


async def test_a_webhook_that_may_have_arrived_is_sent_again_under_the_same_id(
    receiver: Receiver,
) -> None:
    receiver.faults = ["lost"]
    with pytest.raises(UnansweredError):
        await hook(receiver).send(outgoing())
    assert await hook(receiver).find(outgoing()) is None
    await hook(receiver).send(outgoing())
    first, second = receiver.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


ANSWERS: list[tuple[Any, type[Exception]]] = [
    (500, UnansweredError),
    (503, UnansweredError),
    (408, UnansweredError),
    (401, MisconfiguredError),
    (404, MisconfiguredError),
    (410, MisconfiguredError),
    (302, MisconfiguredError),
    (400, RejectedError),
    (413, RejectedError),
    ((429, {"Retry-After": "17"}), BusyError),
    ((403, {"Retry-After": "5"}), BusyError),
    (429, BusyError),
]


@pytest.mark.parametrize(("fault", "error"), ANSWERS)
async def test_what_an_answer_means(receiver: Receiver, fault: Any, error: type[Exception]) -> None:
    receiver.faults = [fault]
    with pytest.raises(error) as raised:
        await hook(receiver).send(outgoing())
    assert "/in" not in str(raised.value)  # the path of such an address is often its secret
    if fault == (429, {"Retry-After": "17"}):
        assert cast("BusyError", raised.value).retry_after == 17


async def test_nobody_listens() -> None:
    settings = WebhookSettings(url=lambda: "http://127.0.0.1:9/secret-path", secret=lambda: KEY)
    with pytest.raises(UnreachableError) as raised:
        await WebhookChannel(settings, Reach()).send(outgoing())
    assert "secret-path" not in str(raised.value)


async def test_a_key_that_is_none_is_refused_before_anything_is_sent(receiver: Receiver) -> None:
    settings = WebhookSettings(url=lambda: receiver.url, secret=lambda: "whsec_short")
    with pytest.raises(MisconfiguredError, match="openssl rand"):
        await WebhookChannel(settings, Reach()).check()
    with pytest.raises(MisconfiguredError):
        await WebhookChannel(settings, Reach()).send(outgoing())
    assert receiver.taken == []


async def test_digests_and_notices_are_signed_as_well(receiver: Receiver) -> None:
    await hook(receiver).digest(digest())
    await hook(receiver).notify("hello")
    for taken in receiver.taken:
        assert verified(KEY, taken.headers, taken.body, NOW.timestamp())
    assert [json.loads(each.body)["schema"] for each in receiver.taken] == [
        "leakmon/digest/1",
        "leakmon/notice/1",
    ]


@given(incidents, events)
@settings(max_examples=60, deadline=None)
def test_any_event_is_one_line_of_json(about: Incident, happened: Any) -> None:
    made = Outgoing(id="o", channel="x", event=happened, incident=about, created_at=NOW)
    line = encoded(made)
    assert b"\n" not in line
    assert line.isascii()
    json.loads(line)


# ---- JSON lines ----


async def test_each_event_is_one_line_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    channel = JsonLinesChannel(JsonLinesSettings(path=str(path)), now=lambda: NOW)
    assert await channel.check() == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    first = outgoing()
    assert await channel.find(first) is None
    await channel.send(first)
    assert await channel.find(first) == first.id
    assert await channel.find(outgoing("note")) is None
    await channel.send(outgoing("note"))
    await channel.digest(digest())
    assert await channel.find(digest()) == digest().id
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["schema"] for line in lines] == ["leakmon/event/1"] * 2 + ["leakmon/digest/1"]


async def test_a_line_that_was_cut_off_is_not_taken_for_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    channel = JsonLinesChannel(JsonLinesSettings(path=str(path)))
    whole = encoded(outgoing())
    path.write_bytes(whole[:-5])
    assert await channel.find(outgoing()) is None
    await channel.send(outgoing())
    assert path.read_bytes() == whole[:-5] + b"\n" + whole + b"\n"
    assert await channel.find(outgoing()) == outgoing().id


async def test_a_file_that_cannot_be_written_is_the_operators(tmp_path: Path) -> None:
    channel = JsonLinesChannel(JsonLinesSettings(path=str(tmp_path / "no" / "x")))
    with pytest.raises(MisconfiguredError, match=r"alerts\.jsonl\.path"):
        await channel.check()


async def test_standard_output_takes_lines(capsys: pytest.CaptureFixture[str]) -> None:
    channel = JsonLinesChannel(JsonLinesSettings(path="-"))
    await channel.send(outgoing())
    assert json.loads(capsys.readouterr().out)["kind"] == "opened"
    assert await channel.find(outgoing()) is None


# ---- PagerDuty ----


def events_api(taken: Taken) -> web.Response:
    """The Events API v2, as far as its documentation says what it refuses."""
    content = json.loads(taken.body)
    is_known = content.get("routing_key") == ROUTING_KEY and taken.path == "/v2/enqueue"
    payload = content.get("payload", {})
    is_whole = content["event_action"] != "trigger" or (
        0 < len(payload["summary"]) <= 1024
        and payload["severity"] in {"critical", "error", "warning", "info"}
        and payload["source"]
    )
    is_small = len(taken.body) <= 512 * 1024 and 0 < len(content["dedup_key"]) <= 255
    return web.Response(status=202 if is_known and is_whole and is_small else 400)


def pager(receiver: Receiver, key: str = ROUTING_KEY) -> PagerDutyChannel:
    settings = PagerDutySettings(routing_key=lambda: key, base_url=receiver.url)
    return PagerDutyChannel(settings, Reach(), now=lambda: NOW)


STATES = [
    (IncidentState.OPEN, "trigger"),
    (IncidentState.ACKNOWLEDGED, "acknowledge"),
    (IncidentState.SNOOZED, "acknowledge"),
    (IncidentState.RESOLVED, "resolve"),
    (IncidentState.FALSE_POSITIVE, "resolve"),
]


@pytest.mark.parametrize(("state", "action"), STATES)
async def test_a_page_follows_its_incident(state: IncidentState, action: str) -> None:
    async with receiving(events_api) as receiver:
        await pager(receiver).send(outgoing(of=standing(state)))
        (content,) = [json.loads(each.body) for each in receiver.taken]
        assert (content["event_action"], content["dedup_key"]) == (action, incident(1).id)


async def test_a_note_pages_nobody_and_a_wrong_key_is_the_operators() -> None:
    async with receiving(events_api) as receiver:
        await pager(receiver).send(outgoing("note", thread="x"))
        assert receiver.taken == []
        with pytest.raises(MisconfiguredError, match="routing_key"):
            await pager(receiver, "short").check()
        with pytest.raises(MisconfiguredError, match="routing_key"):
            await pager(receiver, "f" * 32).send(outgoing())
        receiver.taken.clear()
        await pager(receiver).digest(digest())
        actions = [json.loads(each.body)["event_action"] for each in receiver.taken]
        assert actions == ["trigger", "resolve"]


@given(incidents, events)
@settings(max_examples=25, deadline=None)
def test_pagerdutys_limits_hold_for_any_incident(about: Incident, happened: Any) -> None:
    made = Outgoing(id="o", channel="x", event=happened, incident=about, created_at=NOW)

    async def sent() -> None:
        async with receiving(events_api) as receiver:
            await pager(receiver).send(made)

    if 0 < len(about.id) <= 255 and about.id.isprintable():
        asyncio.run(sent())


# ---- Teams ----


def workflow(taken: Taken) -> web.Response:
    """A Teams workflow: one Adaptive Card, at most 28 KB."""
    content = json.loads(taken.body)
    (attachment,) = content["attachments"]
    card = attachment["content"]
    is_card = attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    is_card = is_card and card["type"] == "AdaptiveCard" and card["version"] == "1.4"
    return web.Response(status=202 if is_card and len(taken.body) <= 28_000 else 413)


def team(receiver: Receiver) -> TeamsChannel:
    return TeamsChannel(TeamsSettings(url=lambda: receiver.url), Reach(), now=lambda: NOW)


async def test_teams_takes_cards() -> None:
    async with receiving(workflow) as receiver:
        await team(receiver).send(outgoing())
        await team(receiver).digest(digest())
        await team(receiver).notify("hello [x](http://y.example)")
        texts = [json.loads(each.body) for each in receiver.taken]
        assert (
            "\\[x\\]"
            in json.loads(json.dumps(texts[2]))["attachments"][0]["content"]["body"][0]["text"]
        )


@given(incidents, events)
@settings(max_examples=25, deadline=None)
def test_teams_limit_holds_for_any_incident(about: Incident, happened: Any) -> None:
    made = Outgoing(id="o", channel="x", event=happened, incident=about, created_at=NOW)
    card = teams.card(telling.telling(made, NOW), made)
    texts = [each.get("text", "") for each in card["body"]]
    assert len(json.dumps(cleaned(card), ensure_ascii=False).encode()) <= 26_000
    assert all("](" not in text for text in texts)


# ---- GitHub ----


class Repository:
    """The part of GitHub's issues API that a channel uses."""

    def __init__(self, *, is_private: bool = True) -> None:
        self.is_private = is_private
        self.issues: list[dict[str, Any]] = []
        self.comments: dict[int, list[dict[str, Any]]] = {}

    def __call__(self, taken: Taken) -> web.Response:
        if taken.headers["authorization"] != "Bearer token":
            return web.Response(status=401)
        path, _, query = taken.path.partition("?")
        parts = path.split("/")[4:]
        content = json.loads(taken.body) if taken.body else {}
        if not parts:
            return web.json_response({"private": self.is_private, "has_issues": True})
        return self._answer(taken.method, parts, content, query)

    def _answer(self, method: str, parts: list[str], content: Any, query: str) -> web.Response:
        if method == "GET" and len(parts) == 1:
            assert "labels=leakmon" in query
            return web.json_response(self._page(self.issues, query))
        if method == "POST" and len(parts) == 1:
            if len(content["title"]) > 256 or len(content["body"]) > 65_536:
                return web.Response(status=422)
            number = len(self.issues) + 1
            self.issues.append(content | {"number": number, "state": "open"})
            self.comments[number] = []
            return web.json_response({"number": number}, status=201)
        number = int(parts[1])
        if method == "PATCH":
            self.issues[number - 1] |= content
            return web.json_response({})
        if method == "GET":
            return web.json_response(self._page(self.comments[number], query))
        self.comments[number].append(content | {"id": 100 + len(self.comments[number])})
        return web.json_response(self.comments[number][-1], status=201)

    @staticmethod
    def _page(rows: list[Any], query: str) -> list[Any]:
        page = int(dict(part.split("=") for part in query.split("&") if part)["page"])
        return rows[(page - 1) * 100 : page * 100]


def issues(receiver: Receiver) -> GithubChannel:
    made = GithubSettings(
        token=lambda: "token", repository="acme/leaks", api=receiver.url, labels=("security",)
    )
    return GithubChannel(made, Reach(), now=lambda: NOW)


async def test_an_incident_is_one_issue_that_follows_it() -> None:
    repository = Repository()
    async with receiving(repository) as receiver:
        channel = issues(receiver)
        assert "private" in await channel.check()
        thread = await channel.send(outgoing())
        assert thread == "1"
        assert repository.issues[0]["labels"] == ["leakmon", "security"]
        again = outgoing("resolved", thread=thread, of=standing(IncidentState.RESOLVED))
        assert await channel.send(again) == "1#100"
        assert repository.issues[0]["state"] == "closed"
        assert repository.issues[0]["state_reason"] == "completed"
        await channel.send(outgoing("reopened", thread="1#100"))
        assert repository.issues[0]["state"] == "open"
        assert len(repository.issues) == 1


async def test_an_issue_whose_answer_was_lost_is_found_again() -> None:
    repository = Repository()
    async with receiving(repository) as receiver:
        channel = issues(receiver)
        for number in range(1, 121):  # more than a page of others
            repository.issues.append({"number": number, "body": "another", "state": "open"})
            repository.comments[number] = []
        receiver.faults = [None, "lost"]
        with pytest.raises(UnansweredError):
            await channel.send(outgoing())
        assert await channel.find(outgoing()) == "121"
        receiver.faults = [None, "lost"]
        with pytest.raises(UnansweredError):
            await channel.send(outgoing("gone", thread="121"))
        assert await channel.find(outgoing("gone", thread="121")) == "121#100"
        assert await channel.find(outgoing("gone", thread="121", number=7)) is None


async def test_a_public_repository_never_learns_of_a_leak() -> None:
    repository = Repository(is_private=False)
    async with receiving(repository) as receiver:
        for attempt in (issues(receiver).check(), issues(receiver).send(outgoing())):
            with pytest.raises(MisconfiguredError, match="public"):
                await attempt
        assert repository.issues == []


async def test_githubs_limits_are_waited_for() -> None:
    async with receiving(Repository()) as receiver:
        channel = issues(receiver)
        receiver.faults = [(403, {"Retry-After": "60"})]
        with pytest.raises(BusyError) as busy:
            await channel.send(outgoing())
        assert busy.value.retry_after == 60
        await channel.digest(digest())
        await channel.notify("hello")


@given(incidents, events)
@settings(max_examples=15, deadline=None)
def test_no_text_mentions_anybody_on_github(about: Incident, happened: Any) -> None:
    made = Outgoing(id="o", channel="x", event=happened, incident=about, created_at=NOW)
    repository = Repository()

    async def sent() -> None:
        async with receiving(repository) as receiver:
            await issues(receiver).send(made)

    asyncio.run(sent())
    body = repository.issues[0]["body"].rpartition("<!--")[0]
    shown = [
        child
        for token in MarkdownIt("commonmark").parse(body)
        for child in token.children or ()
        if child.type != "code_inline"
    ]
    assert shown
    assert not any("@channel" in each.content for each in shown)
    assert "html_inline" not in {each.type for each in shown}


# ---- e-mail ----


class Mailbox:
    """A real SMTP server that keeps what it takes."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.recipients: list[list[str]] = []
        self.refusal = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 taken"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@asynccontextmanager
async def serving(mailbox: Mailbox, **options: Any) -> AsyncIterator[int]:
    """A real SMTP server on the test's own loop; gives its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, loop=loop, hostname="localhost", **options), "localhost", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"leakmon", b"word"), handled=False)


@pytest.fixture
async def port(mailbox: Mailbox, authority: Path) -> AsyncIterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority)
    async with serving(
        mailbox, tls_context=context, require_starttls=True, authenticator=login,
        auth_required=True,
    ) as made:  # fmt: skip
        yield made


def mail(port: int, authority: Path | None, **changes: Any) -> EmailChannel:
    told: dict[str, Any] = {
        "host": "localhost", "port": port, "sender": "leakmon <bot@acme.example>",
        "to": ("sec@acme.example", "kim@acme.example"), "username": "leakmon",
        "password": lambda: "word", "ca_file": str(authority) if authority else "",
    }  # fmt: skip
    return EmailChannel(EmailSettings(**(told | changes)), now=lambda: NOW)


async def test_mails_of_one_incident_are_one_conversation(
    port: int, mailbox: Mailbox, authority: Path
) -> None:
    channel = mail(port, authority)
    assert "localhost" in await channel.check()
    first = await channel.send(outgoing())
    second = await channel.send(outgoing("gone", thread=first))
    assert first != second
    assert mailbox.recipients == [["sec@acme.example", "kim@acme.example"]] * 2
    one, two = mailbox.mails
    assert one["Message-ID"] == first
    assert one["Auto-Submitted"] == "auto-generated"
    assert two["In-Reply-To"] == two["References"] == first
    assert two["Subject"] == f"Re: {one['Subject']}"
    text = one.get_body(("plain",)).get_content()
    assert "Do now, in this order" in text
    assert "Do now" in one.get_body(("html",)).get_content()


async def test_the_same_event_has_the_same_message_id(
    port: int, mailbox: Mailbox, authority: Path
) -> None:
    channel = mail(port, authority)
    assert await channel.send(outgoing()) == await channel.send(outgoing())
    await channel.digest(digest())
    await channel.notify("hello")
    assert len(mailbox.mails) == 4


async def test_what_a_mail_server_answers(port: int, mailbox: Mailbox, authority: Path) -> None:
    wrong = mail(port, authority, password=lambda: "other")
    with pytest.raises(MisconfiguredError, match="refuses the login"):
        await wrong.send(outgoing())
    with pytest.raises(MisconfiguredError, match="ca_file"):
        await mail(port, None).send(outgoing())
    mailbox.refusal = "451 later"
    with pytest.raises(BusyError):
        await mail(port, authority).send(outgoing())
    mailbox.refusal = "554 no"
    with pytest.raises(RejectedError):
        await mail(port, authority).send(outgoing())
    assert mailbox.mails == []


async def test_no_mail_goes_out_in_clear(mailbox: Mailbox) -> None:
    async with serving(mailbox) as port:
        with pytest.raises(MisconfiguredError, match="STARTTLS"):
            await mail(port, None, username="", password=None).send(outgoing())
    with pytest.raises(UnreachableError):
        await mail_to_nobody().send(outgoing())
    assert mailbox.mails == []


def mail_to_nobody() -> EmailChannel:
    settings = EmailSettings(host="127.0.0.1", port=9, sender="a@b.example", to=("c@d.example",))
    return EmailChannel(settings)


@given(incidents, events)
@settings(max_examples=25, deadline=None)
def test_no_incident_adds_a_header_to_a_mail(about: Incident, happened: Any) -> None:
    made = Outgoing(id="o", channel="x", event=happened, incident=about, created_at=NOW)
    channel = mail_to_nobody()
    told = telling.telling(made, NOW)
    built = channel._mail(told.subject, made.id)
    names = {name.lower() for name in built}
    assert names == {"subject", "from", "to", "date", "message-id", "auto-submitted"}
    assert "\n" not in told.subject


# ---- all ----


def test_every_channel_is_one(tmp_path: Path) -> None:
    reach = Reach()
    made: list[Channel] = [
        WebhookChannel(WebhookSettings(url=lambda: "", secret=lambda: ""), reach),
        JsonLinesChannel(JsonLinesSettings(path=str(tmp_path / "x"))),
        PagerDutyChannel(PagerDutySettings(routing_key=lambda: "", base_url=""), reach),
        TeamsChannel(TeamsSettings(url=lambda: ""), reach),
        GithubChannel(GithubSettings(token=lambda: "", repository="", api=""), reach),
        mail_to_nobody(),
    ]
    assert len({each.name for each in made}) == 6
