"""What ``leakmon rules show`` prints of a rule, whichever engine runs it."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.rules.confirm import engine
from monitor.rules.model import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.rules import Rule
    from monitor.semgrep import StructuralRule

PAGE_WIDTH = 88
_MAX_EXAMPLES = 4
_SHORTEST_SECRET = 16
"""Secrets in examples from this length on are shown in part: they may look live."""

_SHOWN_HEAD, _SHOWN_TAIL = 12, 4
_LONG_WORD = re.compile(r"(?<!\S)(?!http)\S{29,}")

_TOKEN = re.compile(r"(?<![\w+/=~-])(?=[\w+/=~-]{0,40}\d)([\w+/=~-]{6})[\w+/=~-]{8,}([\w+/=~-]{4})")
"""What may look live in code, whose words are long for other reasons."""

_PATTERN_KEYS = (
    "pattern",
    "patterns",
    "pattern-either",
    "pattern-regex",
    "mode",
    "pattern-sources",
)


class Page(Struct, frozen=True, kw_only=True):
    """One rule in words. ``engine`` is empty for our own matcher; ``lines`` veils ``examples``."""

    id: str
    severity: str
    confidence: str
    kind: str
    provider: str
    message: str
    description: str
    references: list[str]
    revoke: str
    patterns: list[str]
    checksum: str = ""
    engine: str = ""
    languages: list[str]
    examples: list[str]

    def holds(self, words: Iterable[str]) -> bool:
        """Whether each word stands somewhere in what the rule is called and says."""
        text = f"{self.id} {self.provider} {self.kind} {self.engine} {self.message}".lower()
        return all(word.lower() in text for word in words)

    def summary(self) -> dict[str, Any]:
        """The rule for ``--json``."""
        return {
            "id": self.id,
            "severity": self.severity,
            "confidence": self.confidence,
            "kind": self.kind,
            "provider": self.provider,
            "message": self.message,
            "description": self.description,
            "references": self.references,
            "revoke": self.revoke,
            "patterns": self.patterns,
            "languages": self.languages,
            "engine": self.engine or "leakmon",
        }

    def lines(self) -> Iterator[str]:
        """The rule as a page of text."""
        yield self.id
        yield "=" * len(self.id)
        yield f"{self.severity} · {self.kind} · confidence {self.confidence}"
        if self.engine:
            yield f"runs with --{self.engine}, on {', '.join(self.languages)}"
        yield from _section("What it finds and why it matters", _wrapped(self.message))
        yield from _section("How it is recognised", _wrapped(self.description))
        examples = self.examples[:_MAX_EXAMPLES]
        if not self.engine:
            examples = [_veiled(text, self.patterns) for text in examples]
        shown = [line for text in examples for line in text.splitlines()]
        yield from _section("What it looks like", [f"    {line}" for line in shown])
        yield from _section("What to do", _wrapped(self.revoke))
        if self.checksum:
            yield from _section("Checked offline", [f"  {self.checksum}"])
        patterns = [line for pattern in self.patterns for line in pattern.splitlines()]
        yield from _section("Pattern", [f"    {line}" for line in patterns])
        yield from _section("References", [f"  {address}" for address in self.references])


def textual(rule: Rule) -> Page:
    """The page of a rule that the matcher runs."""
    about = rule.metadata
    return Page(
        id=rule.id,
        severity=rule.severity.value,
        confidence=about.confidence.value,
        kind=about.kind,
        provider=about.provider,
        message=rule.message,
        description=about.description,
        references=list(about.references),
        revoke=about.revoke,
        patterns=[each.pattern for branch in rule.branches for each in branch.expressions],
        checksum=about.checksum,
        languages=list(rule.languages),
        examples=[each.text for each in about.match],
    )


def structured(rule: StructuralRule) -> Page:
    """The page of a rule that Semgrep runs."""
    import yaml

    written = {key: value for key, value in rule.source.items() if key in _PATTERN_KEYS}
    return Page(
        id=rule.id,
        severity=rule.severity.value,
        confidence=rule.confidence.value,
        kind=rule.kind,
        provider=rule.provider,
        message=rule.message,
        description=rule.description,
        references=list(rule.references),
        revoke=rule.advice,
        patterns=[yaml.safe_dump(written, width=PAGE_WIDTH, sort_keys=False).rstrip()],
        engine="semgrep",
        languages=list(rule.languages),
        examples=[_TOKEN.sub(r"\1…\2", each.text.rstrip()) for each in rule.match],
    )


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, PAGE_WIDTH, initial_indent="  ", subsequent_indent="  ")


def _veiled(text: str, patterns: Iterable[str]) -> str:
    """An example as it may be printed: loaded ones have lost the mark that kept them harmless.

    Of what the patterns find the middle is left out; where they find nothing (the text is escaped)
    that of every long word.
    """
    raw = text.encode()
    spans = sorted({span for pattern in patterns for span in _secrets(pattern, raw)})
    if not spans:
        return _LONG_WORD.sub(lambda found: _shortened(found.group()), text)
    shown, last = b"", 0
    for start, end in spans:
        if start >= last:
            shown += raw[last:start] + _shortened(raw[start:end].decode()).encode()
            last = end
    return (shown + raw[last:]).decode()


def _secrets(pattern: str, raw: bytes) -> Iterator[tuple[int, int]]:
    for found in engine(pattern).finditer(raw):
        yield found.span(SECRET if SECRET in found.re.groupindex else 0)


def _shortened(value: str) -> str:
    """A secret without its middle; of a key in armour the frame is left, which tells what it is."""
    if len(value) < _SHORTEST_SECRET:
        return value
    lines = value.strip().splitlines()
    if value.startswith("-----") and len(lines) > 1:
        return f"{lines[0]}\n…\n{lines[-1].strip()}"
    bare = value.strip()
    lead, tail = value.partition(bare)[::2]
    return f"{lead}{bare[:_SHOWN_HEAD]}…{bare[-_SHOWN_TAIL:]}{tail}"
