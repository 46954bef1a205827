"""Answers that were given lately. Losing any of it costs a question, no more.

256 files hold all of it: a package may bundle thousands of others, and a file for each answer made
a scan of one take 40 seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

_MAX_BYTES = 32 << 20
_KEPT_SECONDS = 14 * 86_400


class _Entry(msgspec.Struct, array_like=True):
    stored_at: float
    answer: msgspec.Raw


_Shelf = dict[str, _Entry]
_DECODER = msgspec.msgpack.Decoder(_Shelf)


class Cache:
    """``folder`` is made by the first ``flush``; ``seconds`` is how long an answer is believed.

    ``now`` gives Unix time. A folder that cannot be used keeps nothing; that is no error.
    """

    def __init__(self, folder: str, seconds: float, now: Callable[[], float]) -> None:
        self._folder = folder
        self._seconds = seconds
        self._now = now
        self._shelves: dict[str, _Shelf] = {}
        self._new: dict[str, _Shelf] = {}

    def get(self, kind: type[Answer], *key: str, is_lasting: bool = False) -> Answer | None:
        """The answer to ``key``, unless it is too old; None if there is none that can be read.

        ``is_lasting``: the key itself changes with the answer, which is then never too old.
        """
        name, place = _place(key)
        if place not in self._shelves:
            self._shelves[place] = self._read(place)
        entry = self._shelves[place].get(name)
        if entry is None:
            return None
        if not is_lasting and not 0 <= self._now() - entry.stored_at < self._seconds:
            return None
        try:
            return msgspec.msgpack.decode(entry.answer, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def put(self, answer: object, *key: str) -> None:
        """Remember an answer; ``flush`` makes it last."""
        name, place = _place(key)
        entry = _Entry(self._now(), msgspec.Raw(msgspec.msgpack.encode(answer)))
        self._shelves.setdefault(place, {})[name] = entry
        self._new.setdefault(place, {})[name] = entry

    def flush(self) -> None:
        """Write what is new, each file whole or not at all; what is older than two weeks goes."""
        for place, new in self._new.items():
            oldest = self._now() - _KEPT_SECONDS
            # Read anew: another scan may have written meanwhile.
            kept = {k: each for k, each in self._read(place).items() if each.stored_at > oldest}
            with contextlib.suppress(OSError):
                os.makedirs(self._folder, exist_ok=True)
                _replace(os.path.join(self._folder, place), msgspec.msgpack.encode(kept | new))
        self._new = {}

    def _read(self, place: str) -> _Shelf:
        try:
            with open(os.path.join(self._folder, place), "rb") as file:
                return _DECODER.decode(file.read(_MAX_BYTES))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}


def _place(key: tuple[str, ...]) -> tuple[str, str]:
    """The key as one text, and the file that holds it."""
    name = "\0".join(key)
    return name, hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:2]


def _replace(path: str, content: bytes) -> None:
    handle, part = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
