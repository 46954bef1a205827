"""Tells in which kind of surroundings an example of a rule stands."""

from __future__ import annotations

import re

KINDS: tuple[tuple[str, str], ...] = (
    (
        "command",
        r"<<|^(?:RUN )?(?:curl|wget|gpg|cat|kubectl|docker|mysql|sshpass|git|npm|sf|helm)\b",
    ),
    ("environment", r"(?m)^(?:export |ENV |ARG |set )?[A-Z][A-Z0-9_]*[= ](?![= ])"),
    ("json", r'^\s*[{\[][\s\S]*"[^"\n]{0,80}"\s*:|^\s*"[\w.\-]+"\s*:'),
    ("url", r"^[^\s\"'=]{0,4}[a-z][a-z0-9+.\-]{1,20}://|^(?:GET|POST) "),
    ("header", r"^(?:[A-Za-z]+(?:-[A-Za-z0-9]+)+|[Aa]uthorization|[Cc]ookie|apikey): |headers?\["),
    ("call", r"\w\([^\n]*[\"'][^\n]*\)"),
    ("xml", r"^\s*<\w"),
    ("ini", r"(?m)^\[[\w. \-]+\]$"),
    ("yaml", r"(?m)^[ \-]*[\w.\-]+:(?: |$)"),
    ("properties", r"(?m)^[\w.:/\-]+ ?= ?[^\s\"'=]+$"),
    ("assignment", r"[\w\])\"']\s*(?::=|=>|=|:)\s*[\"'`\w]"),
)
"""Names and how they are told; the first that fits counts, what none fits is its own format."""


def kind(text: str) -> str:
    """The kind of the surroundings of a secret in an example."""
    return next((name for name, pattern in KINDS if re.search(pattern, text)), "own format")
