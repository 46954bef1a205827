"""Answers that were given lately, one file each. Losing any of it costs a question, no more."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Answer = TypeVar("Answer")

_FORMAT = "leakmon/advisories/1"
_MAX_BYTES = 8 << 20
_KEPT_SECONDS = 14 * 86_400


class _Entry(msgspec.Struct, array_like=True):
    """``key`` is told again, so that a file that was put in another's place is not believed."""

    key: list[str]
    stored_at: float
    answer: msgspec.Raw


class Cache:
    """``folder`` is made at the first answer; ``seconds`` is how long an answer is believed.

    ``now`` gives Unix time. A folder that cannot be written keeps nothing; that is no error.
    """

    def __init__(self, folder: str, seconds: float, now: Callable[[], float]) -> None:
        self._folder = folder
        self._seconds = seconds
        self._now = now

    def get(self, kind: type[Answer], *key: str, is_lasting: bool = False) -> Answer | None:
        """The answer to ``key``, unless it is too old; None if there is none that can be read.

        ``is_lasting``: the key itself changes with the answer, which is then never too old.
        """
        try:
            with open(self._path(key), "rb") as file:
                entry = msgspec.msgpack.decode(file.read(_MAX_BYTES), type=_Entry)
            age = self._now() - entry.stored_at
            if entry.key != list(key) or not (is_lasting or 0 <= age < self._seconds):
                return None
            return msgspec.msgpack.decode(entry.answer, type=kind)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def put(self, answer: object, *key: str) -> None:
        """Remember an answer, whole or not at all."""
        path = self._path(key)
        entry = _Entry(list(key), self._now(), msgspec.Raw(msgspec.msgpack.encode(answer)))
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            handle, part = tempfile.mkstemp(dir=os.path.dirname(path))
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.msgpack.encode(entry))
                os.replace(part, path)
            except BaseException:
                os.unlink(part)
                raise

    def prune(self) -> None:
        """Remove what was not asked for anew in two weeks."""
        for path in self._files():
            with contextlib.suppress(OSError):
                if self._now() - os.stat(path).st_mtime > _KEPT_SECONDS:
                    os.unlink(path)

    def _files(self) -> Iterator[str]:
        for folder, _, names in os.walk(self._folder):
            yield from (os.path.join(folder, name) for name in names)

    def _path(self, key: tuple[str, ...]) -> str:
        name = hashlib.sha256("\0".join((_FORMAT, *key)).encode()).hexdigest()
        return os.path.join(self._folder, name[:2], name)
