"""One run of Semgrep: a process group with limits, private folders, and no word from the network.

What it reads is hostile, so a run may end in any way: late, killed, half-written. ``run`` says how.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from typing import Any

import msgspec
from msgspec import Struct, field

from monitor.errors import UsageError

MIB = 1 << 20
_BLOCK = 512
_MAX_COMPLAINT = 300
_TOLD = frozenset({0, 1, 2})
"""Semgrep's statuses that come with an answer; of any other its errors say what was wrong."""


class Limits(Struct, frozen=True, kw_only=True):
    """What Semgrep may use. Seconds are wall time; ``file_seconds`` is for one rule on one file.

    A batch that has to be killed is halved and tried again, until ``total_seconds`` are used up.
    """

    file_seconds: int = 30
    memory_mib: int = 1500
    batch_files: int = 500
    batch_bytes: int = 16 * MIB
    batch_seconds: float = 600.0
    total_seconds: float = 3600.0
    answer_bytes: int = 256 * MIB
    staged_bytes: int = 2048 * MIB


class Place(Struct):
    """A position in a staged file; only ``offset`` (bytes) is used."""

    offset: int


class _Extra(Struct):
    message: str = ""


class Result(Struct):
    """One match as Semgrep tells it."""

    check_id: str
    path: str
    start: Place
    end: Place
    extra: _Extra = field(default_factory=_Extra)

    @property
    def number(self) -> int:
        """Which rule matched."""
        return int(self.check_id.rpartition(".")[2].removeprefix("r"))

    @property
    def name(self) -> str:
        """The staged file's name."""
        return os.path.basename(self.path)


class Fault(Struct):
    """Something that went wrong, with a file or a rule where it concerns one."""

    type: Any = ""
    path: str = ""
    rule_id: str = ""
    message: str = ""
    level: str = ""

    @property
    def kind(self) -> str:
        """Its type's name; some come with their details in a list."""
        kind = self.type[0] if isinstance(self.type, list) and self.type else self.type
        return str(kind)


class _Paths(Struct):
    scanned: list[str] = field(default_factory=list)


class Answer(Struct):
    """Semgrep's JSON, as far as it is used."""

    results: list[Result]
    errors: list[Fault] = field(default_factory=list)
    paths: _Paths = field(default_factory=_Paths)


class Failed(Struct, frozen=True):
    """A run that gave nothing. ``reason`` is a code for ``skipped``."""

    reason: str
    complaint: str = ""


def program() -> str:
    """Semgrep's path. UsageError, with the remedy, where it is not installed."""
    beside = os.path.join(os.path.dirname(sys.executable), "semgrep")
    found = beside if os.access(beside, os.X_OK) else shutil.which("semgrep")
    if found is None:
        raise UsageError(
            "--semgrep: Semgrep is not installed; install it with: pip install 'leakmon[semgrep]'"
        )
    return found


def run(config: str, stage: str, room: str, limits: Limits, *, jobs: int) -> Answer | Failed:
    """Run the rules in ``config`` over the flat folder ``stage``; ``room`` is private to us."""
    output, complaint = os.path.join(room, "out.json"), os.path.join(room, "err.txt")
    with open(output, "wb") as out, open(complaint, "wb") as err:
        child = subprocess.Popen(  # noqa: S603 - a fixed program; every path in the call is our own
            _arguments(config, stage, limits, jobs),
            cwd=room,
            env=_environment(room),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            status: int | None = child.wait(limits.batch_seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            # Also what it left running: its workers are of the same group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if status is None:
        return Failed("semgrep-over-time")
    if status in {-signal.SIGKILL, 128 + signal.SIGKILL}:
        return Failed("semgrep-killed", _last(complaint))
    answer = _answer(output, complaint, limits)
    if status in _TOLD or (isinstance(answer, Answer) and answer.errors):
        return answer
    return Failed("semgrep-crashed", _last(complaint))


def _answer(output: str, complaint: str, limits: Limits) -> Answer | Failed:
    with open(output, "rb") as file:
        text = file.read(limits.answer_bytes + 1)
    if len(text) >= limits.answer_bytes // _BLOCK * _BLOCK:
        return Failed("semgrep-over-findings")
    try:
        # Its JSON quotes source text as it is, and not all source text is UTF-8.
        return msgspec.convert(json.loads(text.decode("utf-8", "surrogateescape")), Answer)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return Failed("semgrep-crashed", _last(complaint))


def _arguments(config: str, stage: str, limits: Limits, jobs: int) -> list[str]:
    return [
        *("sh", "-c", 'ulimit -f "$1"; shift; exec "$@"', "sh"),
        str(limits.answer_bytes // _BLOCK),
        *(program(), "scan", "--experimental"),  # the same engine, ready in a tenth of the time
        *("--metrics=off", "--disable-version-check", "--quiet", "--json"),
        *("--disable-nosem", "--no-git-ignore", "--scan-unknown-extensions"),
        *(f"--timeout={limits.file_seconds}", "--timeout-threshold=1"),
        *(f"--max-memory={limits.memory_mib}", "--max-target-bytes=0", f"--jobs={jobs}"),
        *(f"--config={config}", stage),
    ]


def _environment(room: str) -> dict[str, str]:
    """Nothing of the caller's: no token, no settings, no proxy, no home."""
    return {
        "HOME": room,
        "XDG_CONFIG_HOME": room,
        "XDG_CACHE_HOME": room,
        "TMPDIR": room,
        "PATH": os.pathsep.join([os.path.dirname(program()), os.defpath]),
        "LC_ALL": "C.UTF-8",
        "SEMGREP_SEND_METRICS": "off",
        "SEMGREP_ENABLE_VERSION_CHECK": "0",
        "SEMGREP_SETTINGS_FILE": os.path.join(room, "settings.yml"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _last(complaint: str) -> str:
    with open(complaint, "rb") as file:
        file.seek(max(0, os.path.getsize(complaint) - _MAX_COMPLAINT))
        text = file.read().decode("utf-8", "replace")
    return "".join(each if each.isprintable() else " " for each in text).strip()
