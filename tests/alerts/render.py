"""Slack's look of a message, as a page: Block Kit's blocks the way Slack's own client shows them.

``python -m tests.alerts.render FILE [source|secret]`` writes the made-up incident's page.

Only what ``mrkdwn`` really does is done: escapes, code spans, bold, italics, strike, mentions and
links. What an injection would achieve in Slack is thus seen here too.
"""

from __future__ import annotations

import html
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.alerts.sample import sample
from monitor.alerts.slack import message

if TYPE_CHECKING:
    from collections.abc import Sequence

STYLE = """
:root { color-scheme: light }
* { box-sizing: border-box }
body { margin: 0; padding: 18px 20px; background: #fff; color: #1d1c1d;
  font: 15px/1.46668 Lato, "Noto Sans", "Liberation Sans", "DejaVu Sans", Arial, "Noto Color Emoji",
  sans-serif }
.message { display: flex; gap: 8px; max-width: 720px; margin-bottom: 10px }
.avatar { flex: none; width: 36px; height: 36px; border-radius: 6px; background: #1b2a49;
  color: #fff; font-weight: 900; display: grid; place-items: center; font-size: 17px }
.who { font-weight: 900 } .app { font-size: 10px; font-weight: 700; background: #e8e8e8;
  color: #616061; border-radius: 2px; padding: 1px 3px; vertical-align: 2px; margin: 0 4px }
.at, .small { color: #616061; font-size: 12px }
.body { max-width: 600px; min-width: 0; overflow-wrap: anywhere }
.header { font-size: 18px; line-height: 1.33334; font-weight: 900; margin: 8px 0 4px }
.section { margin: 4px 0 8px; white-space: pre-wrap }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin: 8px 0 }
.fields > div { white-space: pre-wrap }
.context { display: flex; flex-direction: column; gap: 4px; font-size: 13px; line-height: 1.38463;
  color: #616061; margin: 4px 0; white-space: pre-wrap }
hr { border: 0; border-top: 1px solid #ddd; margin: 12px 0 }
code { font: 12px/1.50001 Monaco, Menlo, Consolas, "DejaVu Sans Mono", monospace; color: #c01343;
  background: #f8f8f8; border: 1px solid #ddd; border-radius: 3px; padding: 2px 3px 1px }
.mention { background: #f2c74466; color: #7d5200; border-radius: 3px; padding: 0 2px }
.sign { display: inline-grid; place-items: center; width: 1.15em; height: 1.15em; font-size: .9em;
  border-radius: 50%; vertical-align: -.18em; color: #fff; font-weight: 900; line-height: 1 }
.thread { margin-left: 44px; border-left: 2px solid #ddd; padding-left: 12px }
.broadcast { color: #616061; font-size: 13px }
"""

SIGNS = {
    "🔴": ("#dd2e44", ""),
    "🟠": ("#f4900c", ""),
    "🟡": ("#fdcb58", ""),
    "🔵": ("#55acee", ""),
    "⚪": ("#ccd6dd", ""),
    "👀": ("#8a6d3b", "o"),
    "💤": ("#5c6bc0", "z"),
    "🚫": ("#be1931", "-"),
    "✅": ("#77b255", "✓"),
    "🔁": ("#3b88c3", "↻"),
    "🧹": ("#a0522d", "~"),
    "⚠️": ("#ffcc4d", "!"),
    "📝": ("#99aab5", "✎"),
}
"""Slack draws its own pictures; headless machines have no font for them."""


def page(messages: Sequence[dict[str, Any]]) -> str:
    """A channel with these messages; replies stand below what they reply to."""
    shown = "".join(_message(each) for each in messages)
    for sign, (colour, glyph) in SIGNS.items():
        drawn = f'<span class="sign" style="background:{colour}">{glyph}</span>'
        shown = shown.replace(sign, drawn)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Slack</title>'
        f"<style>{STYLE}</style></head><body>{shown}</body></html>"
    )


def _message(message: dict[str, Any]) -> str:
    is_reply = bool(message.get("thread_ts")) and message["thread_ts"] != message.get("ts")
    blocks = "".join(_block(each) for each in message.get("blocks", ()))
    broadcast = '<div class="broadcast">replied to a thread, also sent to the channel</div>'
    return (
        f'<div class="message{" thread" if is_reply else ""}"><div class="avatar">lm</div>'
        '<div class="body"><span class="who">leakmon</span><span class="app">APP</span>'
        f'<span class="at">22:36</span>{broadcast if message.get("reply_broadcast") else ""}'
        f"{blocks or mrkdwn(str(message.get('text', '')))}</div></div>"
    )


def _block(block: dict[str, Any]) -> str:
    kind = block["type"]
    if kind == "header":
        return f'<div class="header">{html.escape(block["text"]["text"])}</div>'
    if kind == "divider":
        return "<hr>"
    if kind == "context":
        inside = "".join(f"<div>{_text(each)}</div>" for each in block["elements"])
        return f'<div class="context">{inside}</div>'
    assert kind == "section", kind
    text = f'<div class="section">{_text(block["text"])}</div>' if "text" in block else ""
    fields = "".join(f"<div>{_text(each)}</div>" for each in block.get("fields", ()))
    return text + (f'<div class="fields">{fields}</div>' if fields else "")


def _text(text: dict[str, Any]) -> str:
    if text["type"] == "plain_text":
        return html.escape(text["text"])
    return mrkdwn(text["text"])


def mrkdwn(text: str) -> str:
    """Slack's markup as HTML."""
    spans: list[str] = []

    def kept(found: re.Match[str]) -> str:
        spans.append(f"<code>{_entities(found[1])}</code>")
        return f"\x03{len(spans) - 1}\x04"

    made = _prose(re.sub(r"`([^`\n]+)`", kept, text))
    return re.sub(r"\x03(\d+)\x04", lambda found: spans[int(found[1])], made)


def _prose(text: str) -> str:
    made = re.sub(r"<([^>]*)>", lambda found: f"\x01{found[1]}\x02", text)
    made = _entities(made)
    made = re.sub(r"\x01([!@#])([^\x02]*)\x02", r'<span class="mention">\1\2</span>', made)
    made = re.sub(
        r"\x01([^\x02|]*)\|?([^\x02]*)\x02",
        lambda found: f'<a href="{found[1]}">{found[2] or found[1]}</a>',
        made,
    )
    for mark, tag in (("*", "b"), ("_", "i"), ("~", "s")):
        escaped = re.escape(mark)
        made = re.sub(
            rf"(?<!\w){escaped}(?=\S)([^{escaped}\n]+?)(?<=\S){escaped}(?!\w)",
            rf"<{tag}>\1</{tag}>",
            made,
        )
    return re.sub(r"(?m)^&gt; ?(.*)$", r"<blockquote>\1</blockquote>", made)


def _entities(text: str) -> str:
    """Slack knows three entities; all else is text."""
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return html.escape(plain, quote=False)


def main(target: str, kind: str = "source") -> None:
    now = datetime(2026, 3, 31, 22, 36, 8, tzinfo=UTC)
    blocks = message.message(sample(now, kind).incident, now)
    Path(target).write_text(page([{"blocks": blocks}]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
