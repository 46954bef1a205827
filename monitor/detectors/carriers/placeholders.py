"""Tells a value that somebody filled in from one that only shows where to."""

from __future__ import annotations

import re

_REFERENCE = re.compile(
    r"""^(?:\$\{.*\}|\$\(.*\)|\$[A-Za-z_]\w*|%\w+%|\{\{.*\}\}|<.*>|\[.*\]|\{[^"]*\}|@\w+@|__\w+__
        |(?:process|import\.meta)\.env\b.*|os\.environ\b.*|env[:.].*|file:.*|op://.*|vault:.*)$""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = re.compile(
    r"""change[-_ ]?(?:me|it|this)|your[-_ ]|example|placeholder|dummy|sample|replace|insert
        |fixme|todo|redacted|\.\.\.|xxx|\*\*\*|foobar|lorem|<[a-z_ -]+>|put[-_ ]|enter[-_ ]
        |goes[-_]here|not[-_]?real|fake""",
    re.VERBOSE | re.IGNORECASE,
)
_WHOLE = frozenset({
    "abc123", "admin", "anonymous", "changeme", "default", "development", "false", "foo",
    "guest", "localhost", "mysql", "none", "null", "off", "password", "passwd", "postgres",
    "production", "root", "secret", "staging", "test", "testing", "token", "true",
    "undefined", "user", "username", "yes",
})  # fmt: skip
_MIN_CLASSES = 2
_MIN_RANDOM = 12
_MIN_DISTINCT = 8


def is_placeholder(value: str) -> bool:
    """Whether a configured value stands for another, or is a word nobody uses as a secret."""
    bare = value.strip().strip("\"'`,;").strip()
    if len(bare) < 4 or len(set(bare)) < 3 or bare.lower() in _WHOLE:  # noqa: PLR2004 - too little to be a secret
        return True
    if bare.replace(".", "").replace("-", "").isdigit():
        return len(bare) < _MIN_RANDOM
    return bool(_REFERENCE.match(bare) or _WORDS.search(bare))


def is_random(value: str) -> bool:
    """Whether a value looks generated: long, of several kinds of characters, not of words."""
    bare = value.strip().strip("\"'`,;")
    classes = sum(
        any(test(each) for each in bare) for test in (str.islower, str.isupper, str.isdigit)
    )
    if len(bare) < _MIN_RANDOM or len(set(bare)) < _MIN_DISTINCT or " " in bare:
        return False
    return classes > _MIN_CLASSES or (classes == _MIN_CLASSES and any(map(str.isdigit, bare)))
