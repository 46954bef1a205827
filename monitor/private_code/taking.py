"""Takes the prints of an artifact's members where they are opened, and hands them over as bytes.

It runs in the confined child: prints are the same for every organisation, and whoever holds the
keys looks them up elsewhere. What the child may ask is which words are ours, through the gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from monitor.archive.pyc import version
from monitor.model import NESTED, Skipped
from monitor.private_code.hygiene import hygiene
from monitor.private_code.languages import is_script
from monitor.private_code.partly import read
from monitor.private_code.prints import Channel, FilePrints, Prints, Text

if TYPE_CHECKING:
    from monitor.archive import Member
    from monitor.private_code.gate import Gate

BATCH_BYTES = 4 << 20
"""Texts are fingerprinted together: numpy's calls cost more than small texts."""

MAX_FILE_BYTES = 64 << 20
MAX_PRINTS = 8_000_000
"""Of one job: some four million lines, 100 MB on the way to the parent."""

MAX_FILES = 100_000
_HEAD = 4096
_HASH_BYTES = 8
_BINARY = 512
_OTHERS = frozenset({"empty", "licence-text", "lock-file"})
_NO_CODE = (
    *(".map", ".svg", ".csv", ".tsv", ".po", ".lock", ".css", ".html", ".htm", ".xml", ".md"),
    *(".rst", ".txt", ".pem", ".crt", ".geojson", ".ipynb"),
)
_JSON_BYTES = 64 << 10
"""A larger JSON file is data: its strings would match any other copy of the same data."""


MAX_SCRIPT_BYTES = 24 << 20
"""JavaScript that is handed over as it is, to be read again where something of ours is in it."""

_MAX_ONE_SCRIPT = 8 << 20
_SMALL_SCRIPT = 128 << 10
_LEAST_COVERAGE = 0.1


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be taken; with ``max_script_bytes`` also the text of so much JavaScript."""

    max_prints: int = MAX_PRINTS
    max_script_bytes: int = 0


class TakenPrints(Struct, frozen=True, array_like=True):
    """One channel: little-endian 64-bit hashes and 32-bit lines."""

    channel: int
    hashes: bytes
    lines: bytes


class TakenFile(Struct, frozen=True, array_like=True):
    """``FilePrints`` of the member at ``path`` of ``size`` bytes, fit to pass between processes."""

    path: str
    language: str
    lines: int
    tokens: int
    content: bytes
    normal: bytes
    channels: list[TakenPrints]
    coverage: float
    size: int

    @property
    def prints_count(self) -> int:
        """How many prints it has in all channels."""
        return sum(len(one.hashes) for one in self.channels) // _HASH_BYTES

    @property
    def is_over(self) -> bool:
        """Whether it is too large to be read a second time."""
        return self.size > _MAX_ONE_SCRIPT

    @property
    def is_worth(self) -> bool:
        """Whether it is worth that: not where the gate let hardly anything of it pass."""
        return self.size <= _SMALL_SCRIPT or self.coverage >= _LEAST_COVERAGE

    def prints(self) -> FilePrints:
        """The prints as arrays. Raises ValueError where the bytes are none."""
        channels = {
            Channel(each.channel): Prints(
                np.frombuffer(each.hashes, "<u8"), np.frombuffer(each.lines, "<u4")
            )
            for each in self.channels
        }
        return FilePrints(
            language=self.language,
            lines=self.lines,
            tokens=self.tokens,
            content=self.content,
            normal=self.normal,
            channels=channels,
            coverage=self.coverage,
        )


class TakenText(Struct, frozen=True, array_like=True):
    """A member's own text."""

    path: str
    content: bytes


class Taken(Struct, kw_only=True):
    """All that was taken of one job, and what could not be."""

    files: list[TakenFile] = field(default_factory=list)
    scripts: list[TakenText] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class Taker:
    """Sees every member; ``finish`` gives what was taken.

    With a gate, only of what the gate lets pass, and with the words of ours that it met.
    """

    def __init__(self, wish: Wish, gate: Gate | None = None) -> None:
        self._gate = gate
        self._room = wish.max_prints
        self._script_room = wish.max_script_bytes
        self._taken = Taken()
        self._waiting: list[Text] = []
        self._bytes = 0
        # Maps repeat what lies beside them, and packages themselves in several forms.
        self._strange: set[int] = set()
        self._read: dict[tuple[str, int], TakenFile] = {}

    def take(self, member: Member) -> None:
        """Note a member, if it may be code."""
        content = member.compiled or member.data
        path = member.path.rpartition(NESTED)[0] if member.compiled else member.path
        if not self._is_wanted(path, content):
            return
        text = Text(path, bytes(content))
        if hash(text.content) in self._strange:
            return
        if self._read and (known := self._read.get(_identity(text))) is not None:
            self._note(text, replace(known, path=path))
            return
        self._waiting.append(text)
        self._bytes += len(content)
        if self._bytes >= BATCH_BYTES:
            self._flush()

    def finish(self) -> Taken:
        """Everything, once the last member was seen."""
        self._flush()
        return self._taken

    def _is_wanted(self, path: str, content: bytes | memoryview) -> bool:
        name = _name(path)
        size = len(content)
        if not size or name.endswith(_NO_CODE) or (name.endswith(".json") and size > _JSON_BYTES):
            return False
        if len(self._taken.files) >= MAX_FILES or self._room <= 0 or size > MAX_FILE_BYTES:
            self._skip(path)
            return False
        head = bytes(content[:_BINARY])
        return b"\0" not in head or version(head) is not None

    def _skip(self, path: str) -> None:
        if len(self._taken.skipped) < MAX_FILES:
            self._taken.skipped.append(Skipped(path, "over-prints"))

    def _flush(self) -> None:
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        for text, prints in zip(waiting, read(waiting, self._gate), strict=True):
            if prints is None and len(self._strange) < MAX_FILES:
                self._strange.add(hash(text.content))
            if prints is None or not prints.channels or _is_another_s(text):
                continue
            file = taken_file(text, prints)
            self._read[_identity(text)] = file
            self._note(text, file)

    def _note(self, text: Text, file: TakenFile) -> None:
        self._room -= file.prints_count
        if self._room < 0:
            self._skip(text.path)
            return
        self._taken.files.append(file)
        if file.language == "javascript" and file.is_worth and not file.is_over:
            self._keep(text)

    def _keep(self, text: Text) -> None:
        """Hand a script over as well, while there is room: without it one reading has to do."""
        size = len(text.content)
        if is_script(text.path) and size <= self._script_room:
            self._script_room -= size
            self._taken.scripts.append(TakenText(text.path, text.content))


def _identity(text: Text) -> tuple[str, int]:
    """What tells texts apart: the language is told by the name as well."""
    return _name(text.path), hash(text.content)


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower().partition("?")[0]


def _is_another_s(text: Text) -> bool:
    """Whether it is nobody's own writing: a licence, or what a tool locked."""
    return hygiene(_name(text.path), text.content[:_HEAD]) in _OTHERS


def taken_file(text: Text, prints: FilePrints) -> TakenFile:
    """The prints of a file, fit to pass between processes."""
    return TakenFile(
        text.path,
        prints.language,
        prints.lines,
        prints.tokens,
        prints.content,
        prints.normal,
        [
            TakenPrints(
                int(channel),
                each.hashes.astype("<u8", copy=False).tobytes(),
                each.lines.astype("<u4", copy=False).tobytes(),
            )
            for channel, each in prints.channels.items()
        ],
        prints.coverage,
        len(text.content),
    )
