"""Bytecode that differs from the source beside it (S5): what deleted code leaves behind.

Compared is what no interpreter invents: words of strings and names. A word of the bytecode counts
as accounted for wherever the source spells it, whatever quotes, breaks and escapes stand within.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from monitor.archive import Member

_MAX_FILES = 5_000
_MAX_WORDS = 5_000
_WORD = re.compile(rb"[A-Za-z0-9_]{8,}")
_TELLING = 16  # one such word is proof
_ENOUGH = 3  # of shorter ones
_NAME = re.compile(
    r"(?:^|/)__pycache__/[^/.]+\.[a-z]+-?\d+(?:\.opt-[12])?\.pyc$|^(?!.*__pycache__)"
)
_PATH = re.compile(rb"[^\n]*\.pyx?$", re.MULTILINE)
_SPECIAL = re.compile(rb"__\w+__|listcomp|dictcomp|generator")
_MANGLED = re.compile(rb"_[A-Za-z0-9]\w*?(__\w+)")
_COMMENT = re.compile(rb"#[^\n\"']*$", re.MULTILINE)
_PREFIX = re.compile(rb"(?<![A-Za-z0-9_])[A-Za-z]{1,2}(?=[\"'])")
_NO_WORD = re.compile(rb"[^A-Za-z0-9_]+")
_ESCAPE = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2})|([0-7]{1,3})|(\r?\n|.))", re.DOTALL
)


class Bytecode(NamedTuple):
    """One file of bytecode: its path and the words in it that a source must account for.

    ``place`` is how many members of the artifact came before it.
    """

    path: str
    words: frozenset[bytes]
    place: int = 0


class Compiled:
    """The bytecode files of one artifact and their sources, as they are met.

    ``take`` notes bytecode; ``wanted`` are then the paths of sources; ``compare`` each of them.
    ``differing`` are the paths of bytecode that holds what its source does not.
    """

    def __init__(self) -> None:
        self.wanted: dict[str, list[Bytecode]] = {}
        self.differing: list[str] = []
        self._count = 0

    def take(self, member: Member, place: int = 0) -> None:
        """Notes what a bytecode file holds, as its reader gives it, behind ``place`` members."""
        path = member.path
        if self._count >= _MAX_FILES:
            return
        path = path.removesuffix("!/(constants)")
        if not _NAME.search(path):
            return  # written by a tool that changes code on purpose
        self._count += 1
        text = _PATH.sub(b"", bytes(member.data))
        words = frozenset(_WORD.findall(text)[:_MAX_WORDS])
        self.wanted.setdefault(f"{module(path)}.py", []).append(Bytecode(path, words, place))

    def compare(self, member: Member) -> None:
        """Holds a source against the bytecode that was noted for it."""
        waiting = self.wanted.get(member.path, ())
        source = bytes(member.data) if waiting else b""  # libraries of 20 MB are members as well
        for bytecode in waiting:
            if differs(bytecode.words, source):
                self.differing.append(bytecode.path)

    def is_compared(self, path: str, place: int) -> bool:
        """Whether the source that came as the member ``place`` knew all bytecode of its path."""
        return all(bytecode.place <= place for bytecode in self.wanted.get(path, ()))


def differs(words: frozenset[bytes], source: bytes) -> bool:
    """Whether bytecode holds words that its source cannot have given it."""
    spellings = [source, _condensed(source), _condensed(_ESCAPE.sub(_unescaped, source))]
    spellings.append(_condensed(_COMMENT.sub(b"", source)))
    foreign = [word for word in words if not _is_accounted(word, spellings)]
    return len(foreign) >= _ENOUGH or any(len(word) >= _TELLING for word in foreign)


def _is_accounted(word: bytes, spellings: list[bytes]) -> bool:
    if _SPECIAL.fullmatch(word) or word in (word + word)[1:-1]:
        return True  # the interpreter's own, or one piece of text repeated (``"ab" * 20``)
    mangled = _MANGLED.fullmatch(word)
    looked_for = (word, mangled.group(1)) if mangled else (word,)
    return any(each in text for text in spellings for each in looked_for)


def _condensed(source: bytes) -> bytes:
    """The source with nothing between its words, so that joined literals are one."""
    return _NO_WORD.sub(b"", _PREFIX.sub(b"", source))


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found.group(1) or found.group(2)
    if code:
        return bytes((int(code, 16),))
    return bytes((int(found.group(3), 8) & 255,)) if found.group(3) else b""


def module(path: str) -> str:
    """``pkg/__pycache__/mod.cpython-311.opt-1.pyc`` and ``pkg/mod.pyc`` both give ``pkg/mod``."""
    folder, slash, name = path.rpartition("/")
    if folder.endswith("__pycache__"):
        folder = folder.removesuffix("__pycache__").rstrip("/")
        return f"{folder}{slash if folder else ''}{name.partition('.')[0]}"
    return path.removesuffix(".pyc")
