"""Ignores written beside the secret: ``leakmon:ignore <value fingerprint> [until=DATE] <reason>``.

A package could write such a comment itself to silence the scan. So it counts only for the one
value whose fingerprint it names, in its own line, with a reason, and only where the caller vouches
for the target: a local folder of the operator's, never something fetched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import date

from monitor.model import NESTED, Finding
from monitor.patterns import later
from monitor.suppress import FINGERPRINT, Ignore

LineReader = Callable[[str, int], bytes]
"""The bytes of one line, counted from 1, of the file at a path; empty if there is no such line."""

_inline = later(
    rb"leakmon:ignore[ \t]+(%s)(?![0-9a-f])(?:[ \t]+until=(\S+))?([^\r\n]*)" % FINGERPRINT.encode()
)
_comment_end = later(r"\s*(?:\*/|-->|\*\)|#\}|%>)\s*$")


def inline_ignores(
    findings: Iterable[Finding], read_line: LineReader, *, honour_inline: bool
) -> tuple[Ignore, ...]:
    """The ignores written in the lines of these findings' secrets; none without ``honour_inline``.

    ``honour_inline`` says that the target is the operator's own folder, not a stranger's package.
    """
    if not honour_inline:
        return ()
    places = {(f.path, f.line) for f in findings if f.secret is not None and f.line > 0}
    return tuple(
        ignore
        for path, line in sorted(places)
        for ignore in parse_inline(read_line(path, line), path, line)
    )


def parse_inline(text: bytes, path: str, line: int) -> list[Ignore]:
    """The inline ignores in one line; one without a reason or with an unreadable date is none."""
    found: list[Ignore] = []
    for fingerprint, until, tail in _inline.findall(text):
        reason = _comment_end.sub("", tail.decode("utf-8", "replace")).strip()
        expires = _iso_date(until)
        if not reason or reason.startswith("until=") or (until and expires is None):
            continue
        ignore = Ignore(
            origin=f"{path}:{line}",
            reason=reason,
            fingerprint=fingerprint.decode("ascii"),
            path=path,
            line=line,
            expires=expires,
        )
        found.append(ignore)
    return found


def folder_lines(root: str, *, max_line_bytes: int = 65_536) -> LineReader:
    """Reads lines of regular files below a local folder: nothing nested, nothing outside it.

    Of a line longer than ``max_line_bytes`` only its beginning is given.
    """
    top = os.path.realpath(root)

    def read_line(path: str, number: int) -> bytes:
        if NESTED in path or "\0" in path:
            return b""
        real = os.path.realpath(f"{top}/{path}")
        if os.path.commonpath([top, real]) != top or not os.path.isfile(real):
            return b""
        with open(real, "rb") as file:
            for _ in range(number - 1):
                _bounded_line(file.readline, max_line_bytes)
            return _bounded_line(file.readline, max_line_bytes)

    return read_line


def _bounded_line(readline: Callable[[int], bytes], limit: int) -> bytes:
    """The beginning of the next line, up to the limit; the rest of the line is passed over."""
    first = rest = readline(limit)
    while len(rest) == limit and not rest.endswith(b"\n"):
        rest = readline(limit)
    return first


def _iso_date(text: bytes) -> date | None:
    try:
        return date.fromisoformat(text.decode("ascii"))
    except ValueError:
        return None
