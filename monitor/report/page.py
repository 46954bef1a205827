"""Lines of styled text for a terminal, a pipe or a log; of the reports, the only user of rich.

Prose is wrapped to the terminal. What a reader copies (paths, values, fingerprints, addresses) is
never broken by us: a long one runs on and the terminal folds it, so that copying gives it whole.
Without a terminal nothing is wrapped at all, and where nothing is coloured either, rich is not even
imported: it would be a seventh of a small scan.
"""

from __future__ import annotations

import io
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

MAX_PROSE_WIDTH = 100
"""Longer lines tire the eye, however wide the terminal."""

_ASCII = str.maketrans({"·": "|", "→": "->", "…": "...", "—": "-", "─": "-", "■": "*"})
"""Stand-ins for the marks that reports use, where the encoding lacks them."""


class Page:
    """Collects lines; ``text()`` gives them in the encoding's repertoire.

    All text given must have gone through ``clean`` or ``prose``; nothing here is read as markup.
    """

    def __init__(self, *, width: int | None, colour: bool, encoding: str) -> None:
        self._file = io.StringIO()
        self._encoding = encoding
        self.width = min(width, MAX_PROSE_WIDTH) if width else None
        self._columns = width or 80
        self._colour = colour

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            file=self._file,
            width=self._columns,
            height=100,
            force_terminal=self._colour,
            color_system="standard" if self._colour else None,
            no_color=not self._colour,
            legacy_windows=False,
            force_jupyter=False,
            markup=False,
            highlight=False,
            emoji=False,
            _environ={},
        )

    def line(self, *parts: str | tuple[str, str], indent: int = 0) -> None:
        """One line, never broken: plain strings and ``(text, style)`` pairs side by side."""
        if not self._colour:
            plain = (part if isinstance(part, str) else part[0] for part in parts)
            self._file.write(" " * indent + "".join(plain) + "\n")
            return
        from rich.text import Text

        self._console.print(Text.assemble(" " * indent, *parts), soft_wrap=True)

    def prose(
        self, text: str, style: str = "", *, indent: int = 0, lead: str = "", mark: str = ""
    ) -> None:
        """A sentence, wrapped: its first line begins with ``lead`` in the style ``mark``."""
        hang = indent + len(lead)
        if not self.width and not self._colour:
            self.line(lead, text.rstrip(), indent=indent)
            return
        from rich.text import Text

        body = Text(text, style=style)
        room = self.width - hang if self.width else None
        lines = body.wrap(self._console, room) if room and room > 0 else [body]
        for number, part in enumerate(lines):
            part.rstrip()
            start = (" " * indent + lead, mark) if number == 0 else " " * hang
            self._console.print(Text.assemble(start, part), soft_wrap=True)

    def rule(self, label: str, style: str) -> None:
        """A heading with a line to the right edge."""
        room = (self.width or 80) - len(label) - 2
        self.line((label, style), (f" {'─' * max(room, 3)}", "dim"), indent=0)

    def blank(self) -> None:
        """An empty line."""
        self._file.write("\n")

    def text(self) -> str:
        """Everything so far."""
        text = self._file.getvalue()
        try:
            text.encode(self._encoding)
        except (UnicodeEncodeError, LookupError):
            return self._in_repertoire(text)
        return text

    def _in_repertoire(self, text: str) -> str:
        """Our own marks in ASCII, a stranger's characters spelt out where the encoding has none."""
        try:
            raw = text.translate(_ASCII).encode(self._encoding, "backslashreplace")
            return raw.decode(self._encoding)
        except LookupError:
            return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")
