"""Text for Slack: untrusted words made harmless, and made to fit.

Slack's markup knows no escape but ``&amp; &lt; &gt;``: what would format, link, mention or turn
into a picture is replaced by a character that looks alike. Lengths are counted as Slack counts
them, in UTF-16 units after escaping.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.report.text import prose

if TYPE_CHECKING:
    from collections.abc import Iterable

_MENTION = r"(?i)@(?=channel|here|everyone)"
_LOOK_ALIKES = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
_EDGE_UNDERSCORE = r"(?<!\w)_|_(?!\w)"
_EMOJI = r":(?=[\w+'-]{1,80}:)|(?<!\d):(?=[\w+'-])"  # also where a colon of ours would end it
_LINK = r"(?i)\b(https?|ftp|mailto|slack|file):"
ELLIPSIS = "…"
NOTHING = "—"


def plain(text: str, limit: int = 600) -> str:
    """Untrusted prose on one line that Slack shows as it stands, at most ``limit`` long."""
    made = prose(text).translate(_LOOK_ALIKES)
    made = re.sub(_EDGE_UNDERSCORE, "\u02cd", made)
    made = re.sub(_EMOJI, "\u2236", made)
    made = re.sub(_LINK, r"\1[:]", made)
    made = re.sub(r"^>+", "\u203a", made)  # even escaped, it would quote at the start of a line
    return _fit(_unmentioned(made), limit) or NOTHING


def code(text: str, limit: int = 200) -> str:
    """Untrusted text as a code span, shortened in its middle; ``—`` for none."""
    made = _unmentioned(prose(text)).replace("`", "\u02cb")
    return f"`{_fit(made, limit - 2, keep_end=True)}`" if made else NOTHING


def title(text: str, limit: int = 150) -> str:
    """Untrusted text for a plain_text object, where nothing is parsed and nothing escaped."""
    made = _unmentioned(prose(text)).replace("<", "\u2039").replace(">", "\u203a")
    if length(made) <= limit:
        return made
    made = made[: limit - 1]
    while length(made) >= limit:
        made = made[:-1]
    return made + ELLIPSIS


def spans(text: str, limit: int = 800) -> str:
    """A sentence of ours that quotes untrusted names between backticks: prose and code spans."""
    made: list[str] = []
    for number, part in enumerate(text.split("`")):
        if part:
            shown = code(part, 260) if number % 2 else _kept_blanks(part, limit)
            made.append(shown)
    return joined(made, limit, separator="", more="")


def joined(lines: Iterable[str], limit: int, *, separator: str = "\n", more: str = "more") -> str:
    """As many whole lines as fit; the last one says how many were left out."""
    every = list(lines)
    reserve = 24 if more else 0
    taken: list[str] = []
    used = 0
    for number, line in enumerate(every):
        size = length(line) + len(separator)
        is_last = number == len(every) - 1
        if used + size > limit - (0 if is_last else reserve):
            if more:
                taken.append(f"{ELLIPSIS} and {len(every) - number:,} {more}")
            break
        taken.append(line)
        used += size
    return separator.join(taken)


def length(text: str) -> int:
    """As Slack counts: UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def escape(text: str) -> str:
    """The three characters that Slack's markup is made of."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _kept_blanks(text: str, limit: int) -> str:
    """Prose between two code spans, with a blank where it met them."""
    if not text.strip():
        return " "
    return " " * text[:1].isspace() + plain(text, limit) + " " * text[-1:].isspace()


def _unmentioned(text: str) -> str:
    return re.sub(_MENTION, "\uff20", text)


def _fit(text: str, limit: int, *, keep_end: bool = False) -> str:
    """The text escaped, shortened before escaping so that no entity is ever cut."""
    kept = min(len(text), limit)
    escaped = escape(text) if kept == len(text) else "x" * (limit + 1)
    while length(escaped) > limit:
        over = length(escaped) - limit
        kept = max(0, min(kept - 1, kept - over // 6))
        tail = kept // 2 if keep_end else 0
        cut = text[: kept - tail] + ELLIPSIS + (text[len(text) - tail :] if tail else "")
        escaped = escape(cut)
        if not kept:
            break
    return escaped
