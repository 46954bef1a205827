"""Source code taken out of an artifact while it is inspected, for an engine that reads files.

Runs inside the sandbox, which cannot write: the code leaves it in the child's answer, the same
bytes once, up to the limits of the ``Wish``. What a limit keeps back is said.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from monitor.archive import Trail
from monitor.model import Skipped
from monitor.patterns import later

if TYPE_CHECKING:
    from monitor.archive import Member

MAX_PATHS = 1000
"""Places kept of the same bytes; the rest is counted."""

_INTERPRETER = later(rb"#![^\n]{0,120}?(node|deno|bun|python|ruby|php|bash|sh)[\d.]*(?:\s|\Z)")
_SPOKEN = {
    b"node": ".js", b"deno": ".ts", b"bun": ".ts", b"python": ".py", b"ruby": ".rb",
    b"php": ".php", b"bash": ".sh", b"sh": ".sh",
}  # fmt: skip


class Taker(Protocol):
    """Wants to see every member as well: to keep its code, or to take its prints."""

    def take(self, member: Member) -> None:
        """Look at a member; its data are valid until the next."""


class Wish(Struct, frozen=True, kw_only=True):
    """Which members are wanted of each job, and how much of them at most.

    ``endings`` maps a name's lower-case ending (``.mjs``), or a whole name (``dockerfile``), to the
    ending by which the reading engine knows the language (``.js``).
    """

    endings: dict[str, str]
    max_file_bytes: int = 2 << 20
    max_files: int = 20_000
    max_bytes: int = 48 << 20


class Code(Struct):
    """The bytes of one or more members. ``more`` counts the places beyond ``paths``."""

    ending: str
    content: bytes
    paths: list[str]
    more: int = 0


class Harvest(Struct):
    """All code of one job, and what was kept back with its reasons."""

    code: list[Code] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class Gatherer:
    """Takes members as they come; ``harvest`` is what was taken."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._trail = Trail()
        self._known: dict[tuple[str, bytes], Code] = {}
        self._room = wish.max_bytes
        self.harvest = Harvest(skipped=self._trail.skipped)

    def take(self, member: Member) -> None:
        """Keep the member if it is wanted and there is room. Later windows are no news."""
        if member.offset:
            return
        ending = self._ending(member)
        size = len(member.data)
        if ending is None or not size:
            return
        if size > self._wish.max_file_bytes or not member.is_last:
            self._trail.skip(member.path, "semgrep-over-size")
            return
        key = (ending, hashlib.sha256(member.data).digest())
        code = self._known.get(key)
        if code is not None:
            self._again(code, member.path)
        elif len(self._known) >= self._wish.max_files:
            self._trail.skip(member.path, "semgrep-over-files")
        elif size > self._room:
            self._trail.skip(member.path, "semgrep-over-bytes")
        else:
            self._room -= size
            code = self._known[key] = Code(ending, bytes(member.data), [member.path])
            self.harvest.code.append(code)

    def _again(self, code: Code, path: str) -> None:
        if len(code.paths) < MAX_PATHS:
            code.paths.append(path)
        else:
            code.more += 1

    def _ending(self, member: Member) -> str | None:
        """The ending to read the member by; None if it is not wanted."""
        name = member.path.rpartition("/")[2].lower()
        # Bundlers write queries behind the names of recovered sources: App.ts?6f1d
        name = name.partition("?")[0]
        endings = self._wish.endings
        stem, dot, last = name.rpartition(".")
        ending = endings.get(dot + last) if dot and stem else None
        if ending is None and not name.startswith("."):
            ending = endings.get(name)
        if ending is not None:
            return ending
        if bytes(member.data[:2]) == b"#!":
            spoken = _INTERPRETER.match(bytes(member.data[:160]))
            ending = _SPOKEN[spoken[1]] if spoken else None
            return ending if ending in endings.values() else None
        return None
