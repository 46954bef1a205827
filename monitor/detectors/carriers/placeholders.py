"""Tells a value that somebody filled into a configuration from one that only shows where to."""

from __future__ import annotations

import re

_REFERENCE = r"^(?:env:|file:|op://|vault:|keyring:|arn:|__\w+__$|process\.env)"
_SETTINGS = frozenset({
    "anonymous", "development", "disabled", "enabled", "guest", "info", "localhost", "off",
    "production", "required", "staging", "testing", "username", "verbose", "warn",
})  # fmt: skip
_MIN_LENGTH = 4
_MIN_DISTINCT = 3
_MAX_READ = 4_096
_MIN_RANDOM = 12
_MIN_RANDOM_DISTINCT = 8


def bare(value: str) -> str:
    """A configured value without its quotes and the punctuation around it."""
    return value[:_MAX_READ].strip().strip("\"'`,;").strip()


def is_placeholder(value: str) -> bool:
    """Whether a configured value stands for another, or is a word nobody uses as a secret."""
    from monitor.rules import placeholders

    plain = bare(value)
    if len(plain) < _MIN_LENGTH or len(set(plain)) < _MIN_DISTINCT or plain.lower() in _SETTINGS:
        return True
    if "EXAMPLE" in plain:
        return True  # AWS marks its documented keys so, in the middle of other letters
    if plain.replace(".", "").replace("-", "").isdigit():
        return len(plain) < _MIN_RANDOM  # a port, a version, a number of seconds
    return bool(re.match(_REFERENCE, plain)) or placeholders.is_placeholder(plain.encode())


def is_random(value: str) -> bool:
    """Whether a value looks generated: long, of several kinds of characters, not of words."""
    plain = bare(value)
    if len(plain) < _MIN_RANDOM or len(set(plain)) < _MIN_RANDOM_DISTINCT or " " in plain:
        return False
    has_letters = any(map(str.isalpha, plain))
    return has_letters and any(map(str.isdigit, plain))
