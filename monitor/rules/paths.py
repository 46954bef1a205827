"""Semgrep's ``paths``: which members a rule looks at.

A pattern without a slash matches a name at any depth (of the member or of a folder above it); one
with a slash is anchored at the package's root; ``**`` spans folders. Only the innermost part of a
nested path counts, and archives' usual single top folder (``package/``) may be left out.
"""

from __future__ import annotations

import re
from functools import lru_cache

from monitor.model import NESTED


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    parts = []
    at = 0
    while at < len(body):
        if body.startswith("**/", at):
            parts.append(r"(?:[^/]+/)*")
            at += 3
        elif body.startswith("**", at):
            parts.append(r".*")
            at += 2
        elif body[at] == "*":
            parts.append(r"[^/]*")
            at += 1
        elif body[at] == "?":
            parts.append(r"[^/]")
            at += 1
        else:
            parts.append(re.escape(body[at]))
            at += 1
    prefix = r"(?:[^/]+/)?" if anchored else r"(?:.*/)?"
    return re.compile(rf"{prefix}{''.join(parts)}(?:/.*)?\Z", re.DOTALL)


@lru_cache(maxsize=1024)
def _literal(pattern: str) -> str:
    """The longest word that each path which the pattern matches must hold."""
    return max(re.split(r"[*?/]+", pattern), key=len)


def _matches(pattern: str, inner: str) -> bool:
    # Nearly no pattern fits: looking for its word spares compiling dozens for one small package.
    return _literal(pattern) in inner and _compiled(pattern).match(inner) is not None


def is_chosen(path: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> bool:
    """Whether a rule with these patterns looks at the member at ``path``."""
    inner = path.rpartition(NESTED)[2].lstrip("/")
    if include and not any(_matches(pattern, inner) for pattern in include):
        return False
    return not any(_matches(pattern, inner) for pattern in exclude)
