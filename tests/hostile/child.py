"""Walks one file and says what came of it: run as a process of its own, so that it can be measured.

Usage: child.py FILE TEXT; prints one JSON object.
"""

from __future__ import annotations

import json
import mmap
import resource
import sys
import time
from pathlib import Path

from monitor.archive import Budget, Limits, Trail, walk

MAX_SECONDS = 20.0


def peak_bytes() -> int:
    """The most memory that this process has held.

    On Linux from its own address space: ru_maxrss begins with what the parent held at the fork.
    """
    status = Path("/proc/self/status")
    if status.exists():
        words = status.read_text().split()
        return int(words[words.index("VmHWM:") + 1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(file: str, text: str) -> None:
    wanted = text.encode()
    trail = Trail()
    members = 0
    is_seen = not wanted
    is_printable = True
    with Path(file).open("rb") as opened:
        size = opened.seek(0, 2)
        held = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    started = time.monotonic()
    for member in walk("artifact", held, Budget(Limits(max_seconds=MAX_SECONDS)), trail):
        members += 1
        is_printable = is_printable and member.path.isprintable()
        is_seen = is_seen or wanted in bytes(member.data)
    said = {
        "members": members,
        "is_seen": is_seen,
        "is_printable": is_printable,
        "reasons": sorted({note.reason for note in trail.skipped}),
        "hazards": sorted({note.kind for note in trail.hazards}),
        "notes": len(trail.skipped) + len(trail.hazards),
        "seconds": time.monotonic() - started,
        "peak_bytes": peak_bytes(),
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
