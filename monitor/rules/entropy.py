"""How random a text looks."""

from __future__ import annotations

import math
from collections import Counter

from monitor.patterns import later

_STRONG = 3.0
_LEAST_LENGTH = 8
_DIGIT = later(rb"[0-9]")
_WORD = later(rb"[A-Za-z]{5,}")


def shannon(text: bytes) -> float:
    """Shannon entropy in bits per byte; 0 for the empty text."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values()) if size else 0.0


def looks_random(text: bytes) -> bool:
    """Our reading of ``metavariable-analysis: {analyzer: entropy}``.

    Semgrep weighs English trigrams; this asks for a digit, for variety and against plain words. The
    differential test holds both to the same answer for every rule that uses it.
    """
    if len(text) < _LEAST_LENGTH or not _DIGIT.search(text):
        return False
    worded = sum(len(word) for word in _WORD.findall(text) if word.islower() or word.isupper())
    return shannon(text) >= _STRONG and worded * 2 < len(text)
