"""The records that pass between the daemon or command line, the zygote and its children."""

from __future__ import annotations

import os
import struct
from typing import Final, TypeVar

from msgspec import Struct, field, msgpack

from monitor.archive.budget import Limits
from monitor.detectors.context import NOTHING_KNOWN, Context
from monitor.harvest import Harvest, Wish
from monitor.model import Inspection

MIB: Final = 1 << 20
Record = TypeVar("Record")


class WordsOf(Struct, frozen=True):
    """An index that is asked which words are ours: its folder, and the key for this alone.

    ``key_id`` and ``parameters`` are its manifest's: made otherwise, it cannot be asked so.
    """

    folder: str
    key: bytes
    key_id: str
    parameters: str

    def __repr__(self) -> str:
        return f"WordsOf({self.folder})"


class Settings(Struct, frozen=True, kw_only=True):
    """What a zygote is started with: the rules to load and the limits of every child.

    ``memory_bytes`` bounds what a child may take beyond the engine, ``cpu_seconds`` and
    ``wall_seconds`` one job. A child that reaches a time limit is asked to hand in what it has,
    and killed ``grace_seconds`` later. With ``code`` every answer brings
    the artifact's source code as well, with ``has_prints`` what private code is recognised by, and
    then ``max_script_bytes`` of JavaScript to recognise it by in another form. With ``words``
    only what has words of these indexes close together is read for prints.
    """

    rule_folders: tuple[str, ...]
    cache_folder: str
    memory_bytes: int = 448 * MIB
    cpu_seconds: int = 300
    wall_seconds: int = 600
    grace_seconds: int = 5
    limits: Limits = field(default_factory=Limits)
    code: Wish | None = None
    has_prints: bool = False
    max_script_bytes: int = 0
    words: tuple[WordsOf, ...] = ()


class Job(Struct, frozen=True):
    """Files to open in one child: ``(path on this machine, path to show)`` each."""

    files: tuple[tuple[str, str], ...]
    context: Context = NOTHING_KNOWN


class _WireJob(Struct, frozen=True):
    files: tuple[tuple[bytes, str], ...]
    context: Context


class Hello(Struct, frozen=True, kw_only=True):
    """The zygote's first word: ready, with what it loaded, or the reason why it cannot be."""

    rules_digest: str = ""
    rules: int = 0
    error: str | None = None
    reason: str | None = None


class Reaped(Struct, frozen=True):
    """A child's answer where more was asked for. ``prints`` is a ``private_code.taking.Taken``.

    It stays encoded: who does not ask for prints need not load what reads them.
    """

    inspection: Inspection
    code: Harvest | None = None
    prints: bytes = b""


class Failure(Struct, frozen=True):
    """A child's own account of why it gave nothing."""

    message: str
    reason: str


class Trailer(Struct, frozen=True):
    """How a child ended, as the operating system tells: the zygote adds it behind the answer."""

    wait_status: int
    timed_out: bool
    max_rss_bytes: int
    cpu_seconds: float


ENCODER: Final = msgpack.Encoder()

KIND_INSPECTION: Final = b"I"
KIND_REAPED: Final = b"R"
KIND_FAILURE: Final = b"F"

LENGTH: Final = struct.Struct("<I")
TRAILER: Final = struct.Struct("<i?Qd")
MAX_ANSWER_BYTES: Final = 512 * MIB
"""A longer answer is cut off unread: the child is as untrusted as what it opened."""


def read(kind: type[Record], body: bytes | bytearray | memoryview) -> Record:
    """A record out of MessagePack; msgspec learns a type when it is first read, not before."""
    return msgpack.decode(body, type=kind)


def frame_of(job: Job) -> bytes:
    """A job as it goes over the wire: a path need not be UTF-8."""
    return frame(
        _WireJob(tuple((os.fsencode(path), name) for path, name in job.files), job.context)
    )


def job_of(body: bytes) -> Job:
    """The job in the body of a frame."""
    wired = read(_WireJob, body)
    return Job(tuple((os.fsdecode(path), name) for path, name in wired.files), wired.context)


def frame(record: Struct) -> bytes:
    """A record as length-prefixed MessagePack."""
    body = ENCODER.encode(record)
    return LENGTH.pack(len(body)) + body
