"""Block Kit's documented limits, as a check that answers with Slack's own error codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_JSON = 13_200  # not documented: slackapi/bolt-js issue 2509
MAX_TEXT = 40_000
MAX_METADATA = 16_384
ALLOWED = {
    "section": {"text", "fields", "accessory", "expand"},
    "header": {"text"},
    "context": {"elements"},
    "divider": set[str](),
    "actions": {"elements"},
}
TEXT_KEYS = {"plain_text": {"emoji"}, "mrkdwn": {"verbatim"}}


def refusal(message: Mapping[str, Any]) -> str | None:
    """The error code for a message that Slack would not take, None for a good one."""
    blocks, text = message.get("blocks"), message.get("text", "")
    if not blocks and not text:
        return "no_text"
    if not isinstance(text, str) or units(text) > MAX_TEXT:
        return "msg_too_long"
    if blocks is not None and (not isinstance(blocks, list) or list(problems(blocks))):
        return "invalid_blocks"
    if blocks and len(json.dumps(blocks)) > MAX_JSON:
        return "msg_blocks_too_long"
    return _metadata(message.get("metadata"))


def units(text: str) -> int:
    """UTF-16 units, as Slack counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def problems(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong with the blocks, in words."""
    if len(blocks) > 50:
        yield f"{len(blocks)} blocks"
    for number, block in enumerate(blocks):
        kind = str(block.get("type"))
        if kind not in ALLOWED:
            yield f"block {number}: type {kind}"
            continue
        if unknown := set(block) - ALLOWED[kind] - {"type", "block_id"}:
            yield f"block {number}: keys {unknown}"
        yield from (f"block {number}: {each}" for each in _inside(kind, block))


def texts(blocks: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Every text object of the blocks."""
    for block in blocks:
        if isinstance(block.get("text"), dict):
            yield block["text"]
        yield from block.get("fields", ())
        if block.get("type") != "actions":
            yield from block.get("elements", ())


def _inside(kind: str, block: Mapping[str, Any]) -> Iterator[str]:
    if kind == "header":
        yield from _text(block.get("text"), 150, {"plain_text"})
    elif kind == "section":
        yield from _section(block)
    elif kind == "actions":
        yield from _buttons(block.get("elements", []))
    elif kind == "context":
        elements = block.get("elements", [])
        if not 1 <= len(elements) <= 10:
            yield f"{len(elements)} elements"
        for each in elements:
            yield from _text(each, 3000)


def _section(block: Mapping[str, Any]) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield "neither text nor fields"
    if "text" in block:
        yield from _text(block["text"], 3000)
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield f"{len(fields)} fields"
    for each in fields:
        yield from _text(each, 2000)


def _buttons(elements: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not 1 <= len(elements) <= 25:
        yield f"{len(elements)} elements"
    ids = [str(each.get("action_id")) for each in elements]
    if len(set(ids)) != len(ids):
        yield "an action_id twice"
    for each in elements:
        if set(each) - {"type", "action_id", "text", "value", "style"} or each["type"] != "button":
            yield f"no button: {each!r:.80}"
        if len(str(each.get("action_id"))) > 255 or units(str(each.get("value"))) > 2000:
            yield "too long an action_id or value"
        if each.get("style", "primary") not in {"primary", "danger"}:
            yield "an unknown style"
        yield from _text(each.get("text"), 75, {"plain_text"})


def _text(text: Any, limit: int, kinds: set[str] | None = None) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in (kinds or set(TEXT_KEYS)):
        yield f"no text object: {text!r:.80}"
        return
    if set(text) - TEXT_KEYS[text["type"]] - {"type", "text"}:
        yield f"keys {set(text)}"
    if not isinstance(text.get("text"), str) or not 1 <= units(text["text"]) <= limit:
        yield f"a text of {units(str(text.get('text', '')))} units where {limit} is the limit"


def _metadata(metadata: Any) -> str | None:
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        return "invalid_metadata_format"
    if not isinstance(metadata["event_type"], str) or not isinstance(
        metadata["event_payload"], dict
    ):
        return "invalid_metadata_format"
    return "metadata_too_large" if len(json.dumps(metadata)) > MAX_METADATA else None
