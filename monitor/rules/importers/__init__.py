"""Rules of other scanners, turned into ours: YAML text, and what could not be carried over.

Written from the documented formats. A rule that our own loader refuses is left out and named.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from monitor.errors import RuleError
from monitor.rules.loader import rule_of
from monitor.rules.metadata import CUT
from monitor.rules.model import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable

Imported = tuple[str, list[str]]
"""The YAML text of a rule file, and one line per thing that was not carried over."""

_ID = re.compile(r"[^A-Za-z0-9_.-]+")
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:[a-z]+:\]|[^\]\\])*\]|\((?!\?)|\(\?P?<([A-Za-z_]\w*)>", re.DOTALL
)


def identifier(text: str) -> str:
    """A rule id made of a stranger's id."""
    return _ID.sub("-", text).strip("-") or "unnamed"


def with_secret(pattern: str, group: int | str) -> str:
    """The pattern whose group with this number or name is called ``SECRET``; 0 is all of it.

    RuleError if there is no such group.
    """
    if group == 0:
        return f"(?P<{SECRET}>{pattern})"
    number = 0
    for token in _TOKEN.finditer(pattern):
        if not token.group().startswith("("):
            continue
        number += 1
        if group in (number, token[1]):
            return f"{pattern[: token.start()]}(?P<{SECRET}>{pattern[token.end() :]}"
    raise RuleError(f"has no group {group}")


def groups(pattern: str) -> list[str | None]:
    """The names of the capturing groups in their order; None for one without."""
    found = [token for token in _TOKEN.finditer(pattern) if token.group().startswith("(")]
    return [token[1] for token in found]


def without(words: Iterable[str]) -> str:
    """An expression that holds at the start of a value that contains none of the expressions."""
    return f"(?![\\s\\S]*(?:{'|'.join(words)}))"


def written(rules: Iterable[dict[str, Any]], left_out: list[str]) -> Imported:
    """The rules that our loader takes, as YAML; the others are added to what was left out."""
    kept = []
    seen: dict[str, str] = {}
    for rule in rules:
        try:
            rule_of("", rule, seen)
        except RuleError as error:
            left_out.append(f"{rule['id']}: {error}")
            continue
        seen[rule["id"]] = "this import"
        kept.append(rule)
    text = yaml.safe_dump({"rules": kept}, sort_keys=False, allow_unicode=True, width=100)
    return text, left_out


def cut(text: str, pattern: str) -> str:
    """The example with a cut mark inside its secret, so that it is no live-looking token."""
    from monitor.rules.confirm import engine
    from monitor.rules.dialect import to_python

    content = text.encode()
    found = engine(to_python(pattern)).search(content)
    if found is None or CUT in text:
        return text
    start, end = found.span(SECRET)
    middle = (start + end) // 2
    return (
        content[:middle].decode(errors="replace") + CUT + content[middle:].decode(errors="replace")
    )
