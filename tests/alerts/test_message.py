"""Slack's limits and a reader's safety, for any incident."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.alerts.sample import sample
from monitor.alerts.slack import message, thread
from monitor.alerts.slack.mrkdwn import code, joined, length, plain, spans, title
from tests.alerts.block_kit import problems, refusal, texts
from tests.alerts.incidents import HOSTILE, NOW, events, incidents, words
from tests.alerts.render import mrkdwn, page

if TYPE_CHECKING:
    from monitor.model import Incident, IncidentEvent

UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
TAGS = re.compile(r"</?([a-z]+)[^>]*>")


def assert_is_safe(blocks: list[dict[str, Any]], text: str) -> None:
    assert list(problems(blocks)) == []
    assert refusal({"blocks": blocks, "text": text}) is None
    assert len(json.dumps(blocks)) <= message.MAX_TOTAL
    for each in (*texts(blocks), {"type": "mrkdwn", "text": text}):
        shown = each["text"]
        assert not UNSAFE.search(shown)
        assert "<" not in shown
        assert ">" not in shown
        assert not re.search(r"&(?!amp;|lt;|gt;)", shown) or each["type"] == "plain_text"
        assert not re.search(r"(?i)@(channel|here|everyone)", shown)
        if each["type"] == "mrkdwn":
            assert shown.count("`") % 2 == 0
            assert set(TAGS.findall(mrkdwn(shown))) <= {"b", "code"}
            bare = re.sub(r"`[^`]*`", "", shown)
            assert not re.search(r"(?i)(https?|ftp|mailto):", bare)
            assert not re.search(r":[a-z_+'-][a-z0-9_+'-]*:", bare)


@settings(max_examples=100, deadline=None)
@given(incident=incidents)
def test_the_first_message_fits_and_harms_nobody_whatever_the_incident(incident: Incident) -> None:
    assert_is_safe(message.message(incident, NOW), message.fallback(incident))


@settings(max_examples=60, deadline=None)
@given(event=events, incident=incidents)
def test_a_reply_fits_and_harms_nobody_whatever_the_event(
    event: IncidentEvent, incident: Incident
) -> None:
    assert_is_safe(thread.reply(event, incident), thread.fallback(event, incident))


@given(text=words, limit=st.integers(20, 400))
def test_texts_keep_to_their_limits(text: str, limit: int) -> None:
    for made in (plain(text, limit), code(text, limit), title(text, limit), spans(text, limit)):
        assert length(made) <= limit + 30
    assert length(code(text, limit)) <= limit
    assert length(title(text, limit)) <= limit


@given(lines=st.lists(words, max_size=30), limit=st.integers(60, 3000))
def test_joined_lines_are_whole_or_counted(lines: list[str], limit: int) -> None:
    made = joined(lines, limit)
    assert length(made) <= limit
    assert made == "\n".join(lines) or " more" in made


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(text: str) -> None:
    for made in (plain(text), code(text), spans(text)):
        assert set(TAGS.findall(mrkdwn(made))) <= {"code"}


def test_no_quotation_comes_of_a_first_character() -> None:
    assert mrkdwn(plain("> quoted")) == "\u203a quoted"


def test_no_picture_comes_of_a_colon_of_ours() -> None:
    assert f"{plain('inside :skull')}:" == "inside \u2236skull:"
    assert plain("at 12:30:45 UTC").replace("\u2236", ":") == "at 12:30:45 UTC"


def test_ordinary_names_are_shown_as_they_are() -> None:
    assert code("package/cli.js.map!/src/client.ts") == "`package/cli.js.map!/src/client.ts`"
    assert plain("my_package-2.0 (a & b)") == "my_package-2.0 (a &amp; b)"
    assert spans("3 files in `a/b.js` and more") == "3 files in `a/b.js` and more"
    assert title("CRITICAL · @acme/cli 2.1.88") == "CRITICAL · @acme/cli 2.1.88"


@pytest.mark.parametrize("kind", ["source", "secret"])
def test_the_message_holds_what_a_responder_needs(kind: str) -> None:
    change = sample(NOW, kind)
    shown = json.dumps(message.message(change.incident, NOW), ensure_ascii=False)
    told = [
        "CRITICAL · @acme/cli 2.1.88",
        "Meant to be *proprietary*: configured for acme; licence UNLICENSED",
        "not in the 87 versions before",
        "pkg:npm/%40acme/cli@2.1.88",
        f"sha256 `{change.incident.detail['observations'][0]['sha256']}`",
        "integrity `sha512-",
        "59.8 MB\\nusually 9.5 MB, 6.3 times that",
        "acme-release-bot",
        "2026-03-31 22:36:04 UTC\\nseen 3 s later\\nalerted 4 s later",
        "*Last clean version*\\n`2.1.87`",
        "Open: nobody has it yet",
        "1. *Keep the bytes*",
        "npm unpublish @acme/cli@2.1.88",
        "until 2026-04-03 22:36 UTC",
        f"leakmon incidents ack {change.incident.id}",
    ]
    told += (
        ["1,897 first-party source files (512,031 lines) in `package/cli.js.map`"]
        if kind == "source"
        else [
            "GitHub personal access token `ghp_…q7R8` in `package/.env` and 1 more place",
            "`package/vendor/tools-0.9.0.tgz!/package/dist/cli.js.map!/src/client.ts` line 211",
            "2. *Rotate now*: Revoke the token",
            "fingerprint `",
        ]
    )
    assert [each for each in told if each not in shown] == []


def test_a_message_can_be_looked_at() -> None:
    blocks = message.message(sample(NOW).incident, NOW)
    shown = page([{"blocks": blocks, "text": "x"}])
    assert "<code>package/cli.js.map</code>" in shown
    assert shown.count('class="message') == 1


def test_what_vanished_is_told_without_bytes_that_nobody_has() -> None:
    gone = replace(sample(NOW).incident, cause="vanished", detail={})
    told = json.dumps(message.message(gone, NOW))
    assert "Gone before it could be inspected" in told
    assert "Ask who published it" in told
    assert "evidence get" not in told
    assert "Unpublish" not in told
