"""The compiled engine, kept on disk: a warm start loads it without yaml and without the translator.

The key is made of everything that the result depends on: the bytes of every rule file, leakmon's
own version, Hyperscan's version, the processor and the Python version. A file that is damaged in
any byte is rebuilt; a folder that cannot be written only costs the time of compiling.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

import hyperscan
import msgspec
from isal import isal_zlib

from monitor import __version__
from monitor.errors import RuleError
from monitor.rules.files import digest_of, read_files
from monitor.rules.matcher import Engine, Matcher
from monitor.rules.model import Rule
from monitor.rules.probes import NAMES, PROBES

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 6
"""Raised whenever the translation or the stored records change their meaning."""

_MAGIC = b"leakmon-rules\0"
_CHECKSUM = 12
_LENGTH = 8


class _Stored(msgspec.Struct, array_like=True):
    """What a cache file holds."""

    digest: str
    rules: list[Rule]
    known_examples: list[str]
    database: bytes


def compiled(folders: Sequence[str], cache_folder: str = "") -> Matcher:
    """A matcher of all rules in the folders, from the cache where it fits; RuleError for a bad one.

    With an empty ``cache_folder`` nothing is kept.
    """
    digest = digest_of(read_files(folders))
    if not cache_folder:
        return Matcher(_engine(_built(folders)))
    path = os.path.join(cache_folder, f"rules-{_key(digest)}.bin")
    stored = _read(path)
    if stored is not None and stored.digest == digest:
        with contextlib.suppress(hyperscan.error, ValueError):
            return Matcher(_engine(stored))
    stored = _built(folders)
    _write(path, stored)
    return Matcher(_engine(stored))


def matcher_of(
    rules: Sequence[Rule], known_examples: Sequence[str] = (), digest: str = ""
) -> Matcher:
    """A matcher of rules at hand, nothing kept. RuleError for one that cannot be compiled."""
    return Matcher(_engine(*_compiled(rules, known_examples, digest)))


def bundled_rules_folder() -> str:
    """Where the rules that come with leakmon lie: in the wheel, or beside a checkout's code."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (
        os.path.join(package, "_bundled", "rules"),
        os.path.join(os.path.dirname(package), "rules"),
    ):
        if os.path.isdir(folder):
            return folder
    raise RuleError("the rules that come with leakmon are missing: install it again")


def _built(folders: Sequence[str]) -> _Stored:
    from monitor.rules.loader import load

    rule_set = load(folders)
    return _compiled(rule_set.rules, rule_set.known_examples, rule_set.digest)[0]


def _compiled(
    rules: Sequence[Rule], known_examples: Sequence[str], digest: str
) -> tuple[_Stored, Any]:
    from monitor.rules.compile import build_all, light

    ready, database = build_all(rules)
    lean = [light(rule) for rule in ready]
    return _Stored(digest, lean, list(known_examples), hyperscan.dumpb(database)), database


def _engine(stored: _Stored, database: Any = None) -> Engine:
    if database is None:
        database = hyperscan.loadb(stored.database, mode=hyperscan.HS_MODE_BLOCK)
    return Engine(stored.rules, database, stored.digest, frozenset(stored.known_examples))


def _key(digest: str) -> str:
    """A name for everything that a compiled database depends on."""
    parts = (
        digest,
        str(FORMAT),
        __version__,
        hyperscan.__version__,  # type: ignore[attr-defined] # its own type information forgot it
        repr((PROBES, NAMES)),  # a database's ids count them
        f"{sys.version_info[0]}.{sys.version_info[1]}",
        sys.platform,
        platform.machine(),
        _processor(),
    )
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _processor() -> str:
    """The processor's features where the system tells them: Hyperscan compiles for them."""
    try:
        with open("/proc/cpuinfo", "rb") as file:
            for line in file:
                if line.startswith((b"flags", b"Features")):
                    return line.decode("ascii", "replace")
    except OSError:
        return platform.processor()
    return ""


def _read(path: str) -> _Stored | None:
    try:
        with open(path, "rb") as file:
            head = file.read(len(_MAGIC) + _CHECKSUM + _LENGTH)
            length = int.from_bytes(head[-_LENGTH:], "big")
            size = os.fstat(file.fileno()).st_size
            body = file.read(min(length, size))  # the length may be damaged as well
            database = file.read()  # by itself: it is large, and the library wants these bytes
    except OSError:
        return None
    if head[:-_LENGTH] != _MAGIC + _checksum(body, database):
        return None
    try:
        stored = msgspec.msgpack.decode(body, type=_Stored)
    except msgspec.MsgspecError:
        return None
    stored.database = database
    return stored


def _write(path: str, stored: _Stored) -> None:
    body = msgspec.msgpack.encode(msgspec.structs.replace(stored, database=b""))
    head = _MAGIC + _checksum(body, stored.database) + len(body).to_bytes(_LENGTH, "big")
    temporary = f"{path}.{os.getpid()}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600
            )
            with open(descriptor, "wb") as file:
                file.writelines((head, body, stored.database))
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise


def _checksum(body: bytes, database: bytes) -> bytes:
    """Against damage, not malice: a CRC is six times as fast here as a cryptographic digest."""
    crc = isal_zlib.crc32(database, isal_zlib.crc32(body))
    return crc.to_bytes(4, "big") + (len(body) + len(database)).to_bytes(8, "big")
