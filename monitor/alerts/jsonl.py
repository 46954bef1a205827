"""JSON lines: one line of ``document`` per event, appended and synced, for a SIEM's collector.

An event whose line may have been written is looked for at the file's end, so each stands there
once. A file that a rotation has moved away begins anew. ``-`` is standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from monitor.alerts.document import encoded
from monitor.alerts.errors import MisconfiguredError, UnreachableError
from monitor.model import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.alerts.settings import AlertSettings, JsonLinesSettings
    from monitor.model import Digest

STANDARD_OUTPUT = "-"
TAIL_BYTES = 8 * 1024 * 1024
"""How much of the file's end is searched for an event: thousands of lines."""


def channel(settings: AlertSettings) -> JsonLinesChannel | None:
    """The configured channel, None if there is none."""
    return JsonLinesChannel(settings.jsonl) if settings.jsonl is not None else None


class JsonLinesChannel:
    """One file. A message's id is the event's."""

    name = "jsonl"

    def __init__(
        self,
        settings: JsonLinesSettings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = settings.path
        self._now = now

    async def send(self, outgoing: Outgoing) -> str:
        """See ``monitor.alerts.Channel``."""
        await asyncio.to_thread(self._append, encoded(outgoing))
        return outgoing.id

    async def digest(self, digest: Digest) -> str:
        """See ``monitor.alerts.Channel``."""
        await asyncio.to_thread(self._append, encoded(digest))
        return digest.id

    async def find(self, outgoing: Outgoing | Digest) -> str | None:
        """See ``monitor.alerts.Channel``. What went to standard output cannot be looked at."""
        if self._path == STANDARD_OUTPUT:
            return None
        name = outgoing.event.id if isinstance(outgoing, Outgoing) else outgoing.id
        is_there = await asyncio.to_thread(self._holds, name)
        return outgoing.id if is_there else None

    async def check(self) -> str:
        """See ``monitor.alerts.Channel``: the file can be appended to."""
        if self._path == STANDARD_OUTPUT:
            return "standard output"
        await asyncio.to_thread(self._append, b"")
        return self._path

    async def notify(self, text: str) -> str:
        """See ``monitor.alerts.Channel``: ``{"schema": "leakmon/notice/1", "at", "text"}``."""
        told = {"schema": "leakmon/notice/1", "at": self._now(), "text": text}
        await asyncio.to_thread(self._append, msgspec.json.encode(told))
        return "notice"

    def _append(self, line: bytes) -> None:
        if self._path == STANDARD_OUTPUT:
            sys.stdout.write(f"{line.decode()}\n")
            sys.stdout.flush()
            return
        try:
            self._append_to_file(line)
        except OSError as error:
            raise self._failure(error) from None

    def _append_to_file(self, line: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            try:
                if size and os.pread(descriptor, 1, size - 1) != b"\n" and line:
                    line = b"\n" + line  # a write that was cut off: its line is nobody's any more
                view = memoryview(line + b"\n" if line else b"")
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)

    def _holds(self, event_id: str) -> bool:
        try:
            with open(self._path, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
                tail = file.read()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._failure(error) from None
        head = b'"id":' + json.dumps(event_id).encode()
        return any(head in line for line in tail.split(b"\n")[:-1])

    def _failure(self, error: OSError) -> Exception:
        told = f"{self._path}: {error.strerror}"
        if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError):
            return MisconfiguredError(f"{told}: name another in alerts.jsonl.path", reason="file")
        return UnreachableError(told, reason="file")
