"""``make bench-matching-strangers``: false alarms on thousands of packages that are none of ours.

The product's own index, gate and second reading, before and after it has learnt what is public
from ``background.txt``; two processes. Alerts are labelled by ``judged.txt``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Inspection
from monitor.pipeline.private_code import PrivateCode
from monitor.private_code.rereading import Rereader
from monitor.sandbox.protocol import ENCODER
from tests.bench.matching import learnt, material

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from monitor.private_code.gate import Gate

MIB = 1 << 20


class Seen(NamedTuple):
    """What came of one package: its alerts as lines of ``judged.txt``, its notices, its cost."""

    package: str
    alerts: list[str]
    notices: int
    bytes: int
    seconds: float


class _Product(NamedTuple):
    private: PrivateCode
    gate: Gate


_made: list[_Product] = []


def _make(folder: Path) -> None:
    index = learnt.opened(folder)
    private = PrivateCode([index], Rereader(str(material.esbuild())))
    _made[:] = [_Product(private, learnt.gate(index))]


def see(archive: Path, name: str) -> Seen:
    """One package, as a scan has it. Seconds are CPU time, that of the second reading included."""
    product = _made[0]
    started = _cpu()
    taken, size = learnt.taken(archive, product.gate)
    findings, _ = product.private.look([ENCODER.encode(taken)], Inspection())
    alerts = [
        f"{name} {one.path.partition('!/')[2]} <- {one.evidence['repository']}:{file['path']}"
        for one in findings
        if one.rule == "private-code-copy"
        for file in one.evidence["files"]
    ]
    notices = sum(one.rule != "private-code-copy" for one in findings)
    return Seen(name, alerts, notices, size, _cpu() - started)


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Print a paragraph a list, before and after learning."""
    parser = argparse.ArgumentParser(prog="make bench-matching-strangers")
    parser.add_argument("--lists", default="negatives.txt,fresh.txt,strangers.txt")
    parser.add_argument("--packages", type=int, default=1 << 30, help="of each list, evenly")
    parser.add_argument("--learnt", choices=("no", "yes", "both"), default="both")
    options = parser.parse_args()
    states = {"no": [False], "yes": [True], "both": [False, True]}[options.learnt]
    for has_learnt in states:
        folder = learnt.home(has_learnt=has_learnt)
        with ProcessPoolExecutor(os.cpu_count(), initializer=_make, initargs=(folder,)) as pool:
            for name in options.lists.split(","):
                rows = material.archives(name)
                rows = rows[:: max(1, len(rows) // options.packages)]
                archives = [archive for archive, _ in rows]
                names = [f"{row[0]}:{row[1]}" for _, row in rows]
                started = time.perf_counter()
                seen = list(pool.map(see, archives, names, chunksize=4))
                print(f"**{name}, {'learnt' if has_learnt else 'nothing learnt'}**: ", end="")
                _say(seen, time.perf_counter() - started)


def _say(seen: list[Seen], wall: float) -> None:
    judged = material.judged()
    labels: dict[str, set[str]] = {}
    for one in seen:
        for alert in one.alerts:
            label = judged(alert)
            labels.setdefault(label, set()).add(one.package)
            if label == "unjudged":
                print(f"unjudged: {alert}", file=sys.stderr)
    size = sum(one.bytes for one in seen) / MIB
    seconds = sum(one.seconds for one in seen)
    noticed = sum(one.notices > 0 for one in seen)
    print(f"{len(seen)} packages, {size:.0f} MiB, {size / seconds:.1f} MiB/s a core, ", end="")
    print(f"{wall:.0f} s; {noticed} with a notice; with an alert: ", end="")
    print(
        "; ".join(f"{label} {len(own)}" for label, own in sorted(labels.items())) or "none", end=""
    )
    chance = len(labels.get("chance", set()) | labels.get("unjudged", set()))
    print(f". At 95% confidence chance alerts are below {_bound(chance, len(seen)):.2%}.\n")
    counts = Counter(one.package for one in seen for _ in one.alerts)
    _list(f"- {package}: {count}" for package, count in counts.most_common())
    sys.stdout.flush()


def _list(lines: Iterable[str]) -> None:
    found = list(lines)
    print("\n".join(found) + "\n" if found else "", end="\n" if found else "")


def _bound(count: int, packages: int) -> float:
    """Of a Poisson count the upper limit (Byar's approximation), as a share of the packages."""
    if not count:
        return 3.0 / packages
    more = count + 1
    upper: float = more * (1 - 1 / (9 * more) + 1.645 / (3 * more**0.5)) ** 3
    return upper / packages


if __name__ == "__main__":
    main()
