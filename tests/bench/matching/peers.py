"""Similarity by three peers; run by a Python that has them, not imported.

Standard input: one JSON line per pair of files, ``[name, one, other]``; standard output: one JSON
line per pair and peer, ``[name, peer, similarity]``: larger is more alike, in the peer's own unit.
"""

from __future__ import annotations

import contextlib
import json
import sys
from functools import cache
from pathlib import Path

import copydetect
import tlsh
from scanoss.winnowing import Winnowing


@cache
def _winnowed(path: str) -> frozenset[str]:
    content = Path(path).read_bytes()
    text = Winnowing(all_extensions=True).wfp_for_contents(path, bin_file=False, contents=content)
    rows = [line.partition("=")[2] for line in text.splitlines() if line[:1].isdigit()]
    return frozenset(one for row in rows for one in row.split(","))


def scanoss(one: str, other: str) -> float:
    """The share of the first file's winnowed hashes that the second has."""
    return len(_winnowed(one) & _winnowed(other)) / max(1, len(_winnowed(one)))


@cache
def _fingerprint(path: str) -> copydetect.CodeFingerprint:
    return copydetect.CodeFingerprint(path, 25, 1)


def copied(one: str, other: str) -> float:
    """The larger of both files' shares of common code."""
    _, similarities, _ = copydetect.compare_files(_fingerprint(one), _fingerprint(other))
    return float(max(similarities))


@cache
def _hashed(path: str) -> str:
    return str(tlsh.hash(Path(path).read_bytes()))


def tlshed(one: str, other: str) -> float:
    """Minus the distance of the files' locality-sensitive hashes."""
    if "TNULL" in (_hashed(one), _hashed(other)) or not _hashed(one) or not _hashed(other):
        return -1000.0
    return -float(tlsh.diff(_hashed(one), _hashed(other)))


PEERS = {"SCANOSS winnowing": scanoss, "copydetect": copied, "TLSH": tlshed}

if __name__ == "__main__":
    for line in sys.stdin:
        name, one, other = json.loads(line)
        for peer, work in PEERS.items():
            score = -1000.0
            with contextlib.suppress(Exception), contextlib.redirect_stdout(sys.stderr):
                score = work(one, other)
            print(json.dumps([name, peer, score]))
