"""The nouns of the rules engine. A warm start needs only this: no yaml, no translator.

Expressions are kept in two forms: ``pattern`` is what confirms (the standard library's ``re``, on
bytes), ``probe`` is the wider form that Hyperscan looks for.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from monitor.model import Confidence, Severity

SECRET = "SECRET"  # noqa: S105 - the name of the group, not a secret

KINDS = (
    "secret",
    "private-key",
    "public-key",
    "signed-url",
    "identifier",
    "marker",
    "canary",
    "carrier",
)
"""What a rule can find; see ``rules/README.md``."""


class Example(Struct, frozen=True, omit_defaults=True):
    """A text that proves a rule; ``secret`` pins the value found, where the author says so."""

    text: str
    path: str = ""
    secret: str = ""


class Metadata(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What Semgrep ignores. ``known_examples`` are SHA-256 digests (hex) of secrets kept quiet."""

    kind: str = "secret"
    confidence: Confidence = Confidence.MEDIUM
    provider: str = "generic"
    description: str = ""
    references: tuple[str, ...] = ()
    revoke: str = ""
    checksum: str = ""
    entropy: float = 0.0
    looks: str = ""
    generic: bool = False
    placeholders: bool = True
    known_examples: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    match: tuple[Example, ...] = ()
    ignore: tuple[Example, ...] = ()


class Expression(Struct, frozen=True, omit_defaults=True):
    """One regular expression.

    A match that contains a hit of ``probe`` ending at ``e`` starts between ``e - window`` and
    ``e - least`` and ends at or before ``e + tail``. With ``is_open`` some of this is a cap, not a
    bound, because of an open repeat. ``context`` is how far look-arounds see beyond a match;
    ``is_anchored`` that ``^`` or ``$`` occurs.
    """

    pattern: str
    probe: str = ""
    window: int = 0
    least: int = 0
    tail: int = 0
    is_open: bool = False
    is_anchored: bool = False
    context: int = 0


class Condition(Struct, frozen=True):
    """What must hold of a metavariable; ``kind`` is ``regex``, ``comparison`` or ``entropy``."""

    kind: str
    metavariable: str
    argument: str = ""


class Branch(Struct, frozen=True, omit_defaults=True):
    """One alternative of a rule in normal form: everything in it must hold at once.

    The ranges of ``expressions`` must lie inside one another (the smallest is the match), none of
    ``excluded`` may lie inside or around it. With ``focus`` the match is that group's range.
    """

    expressions: tuple[Expression, ...]
    excluded: tuple[Expression, ...] = ()
    conditions: tuple[Condition, ...] = ()
    focus: str = ""


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule, ready to be compiled. ``file`` is where it was read from, for messages."""

    id: str
    message: str
    severity: Severity
    languages: tuple[str, ...]
    file: str = ""
    branches: tuple[Branch, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)


class Structural(Struct, frozen=True):
    """A rule for Semgrep itself: its id, its file and the rule as it was written."""

    id: str
    file: str
    source: dict[str, Any]


class RuleSet(Struct, frozen=True):
    """All rules of some folders.

    ``digest`` identifies their content (hex); ``known_examples`` are SHA-256 digests of documented
    values that every rule keeps quiet.
    """

    rules: list[Rule]
    digest: str
    structural: list[Structural] = field(default_factory=list)
    known_examples: list[str] = field(default_factory=list)


class Problem(Struct, frozen=True):
    """What is wrong with a rule or a rule file; ``rule`` is empty where the whole file is."""

    file: str
    rule: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.rule}" if self.rule else self.file
        return f"{where}: {self.message}"


class Match:
    """One confirmed match.

    ``start`` to ``end`` and ``secret_start`` to ``secret_end`` are offsets into the scanned bytes;
    ``secret`` is the value with its escapes undone, ``decoded`` names what was undone, outermost
    first. Where a rule names no ``SECRET``, the whole match is the secret.
    """

    __slots__ = ("decoded", "end", "rule", "secret", "secret_end", "secret_start", "start")

    def __init__(
        self,
        rule: Rule,
        span: tuple[int, int],
        secret_span: tuple[int, int],
        secret: bytes,
        decoded: tuple[str, ...] = (),
    ) -> None:
        self.rule = rule
        self.start, self.end = span
        self.secret_start, self.secret_end = secret_span
        self.secret = secret
        self.decoded = decoded

    def __repr__(self) -> str:
        return f"Match({self.rule.id!r}, {self.start}, {self.end})"

    @property
    def key(self) -> tuple[str, int, int, int, int]:
        """What tells two matches of one scan apart."""
        return (self.rule.id, self.start, self.end, self.secret_start, self.secret_end)
