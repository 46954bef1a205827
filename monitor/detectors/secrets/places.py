"""Lines and columns of matches, counted once over the member however many matches there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from monitor.rules import Match

_CHUNK = 1 << 20


class Place(NamedTuple):
    """Where a secret stands: lines and byte columns from 1; the end is behind its last byte.

    All are 0 in a later window of a huge member, whose lines before it are not known.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class Places:
    """Answers for matches asked in ascending order of ``secret_start``."""

    def __init__(self, content: bytes | memoryview, offset: int) -> None:
        self._content = content
        self._is_known = offset == 0
        self._position = 0
        self._line = 1
        self._line_start = 0

    def of(self, match: Match) -> Place:
        """The place of the match's secret."""
        if not self._is_known:
            return Place(0, 0, 0, 0)
        self._advance(match.secret_start)
        line, column = self._line, match.secret_start - self._line_start + 1
        secret = bytes(self._content[match.secret_start : match.secret_end])
        breaks = secret.count(b"\n")
        if not breaks:
            return Place(line, column, line, column + len(secret))
        return Place(line, column, line + breaks, len(secret) - secret.rfind(b"\n"))

    def _advance(self, target: int) -> None:
        # Chunks bound the copies that counting in a memoryview needs.
        while self._position < target:
            end = min(target, self._position + _CHUNK)
            chunk = bytes(self._content[self._position : end])
            breaks = chunk.count(b"\n")
            if breaks:
                self._line += breaks
                self._line_start = self._position + chunk.rfind(b"\n") + 1
            self._position = end
