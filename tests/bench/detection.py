"""Planted secrets in twelve surroundings, and decoys, for four tools: ``make bench-detection``.

Every provider of ``formats.py`` is planted once in each surrounding that fits it, each time as a
new token in a file of its own. A token is found when a tool reports anything in that file that
overlaps it: the reported value holds eight characters of it in a row, or, where a tool tells no
value, the line is right. Every finding in a decoy is a false alarm.

    python -m tests.bench.detection [--tools leakmon,...] [--reveal] [--seed N]
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from tests.bench import corpus, decoys, formats, measure, peers, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.shapes import Provider

GOAL_RECALL, GOAL_LEAD = 0.97, 1.3
LEAST_OVERLAP = 8


class Planted(NamedTuple):
    """One token in one file."""

    path: Path
    provider: Provider
    surrounding: str
    token: str
    lines: range

    @property
    def is_held_out(self) -> bool:
        return self.provider.name in formats.HELD_OUT


class Score(NamedTuple):
    """What one tool did."""

    tool: peers.Tool
    hit: set[Path]
    alarms: list[peers.Found]
    seconds: float


def plant(folder: Path, seed: int) -> list[Planted]:
    """Write all planted files below a folder, whose names tell nothing."""
    chance, planted = random.Random(seed), []
    for provider in formats.PROVIDERS:
        for name, surround in surroundings.SURROUNDINGS.items():
            if name in surroundings.UNFIT.get(provider.shape, ()):
                continue
            token = formats.token(provider, chance)
            filename, body = surround(provider, token, chance)
            place = folder / f"{chance.getrandbits(40):010x}" / filename
            place.parent.mkdir(parents=True)
            place.write_bytes(body)
            planted.append(Planted(place, provider, name, token, _lines(body, token)))
    return planted


def _lines(body: bytes, token: str) -> range:
    """The lines of the file that the token covers; none where it is not in plain sight."""
    at = body.find(token.strip().encode())
    if at < 0:
        at = body.find(quote(token, safe="").encode())
    first = body.count(b"\n", 0, max(at, 0)) + 1
    return range(first, first + token.strip().count("\n") + 1) if at >= 0 else range(0)


def overlaps(found: peers.Found, planted: Planted) -> bool:
    """Whether a finding in the planted file is about the planted token."""
    if not found.value:
        return found.line in planted.lines or not planted.lines
    value = found.value.replace("\\n", "\n")
    spelled = (planted.token, quote(planted.token, safe=""))
    if any(value.strip() in one for one in spelled):
        return True
    pieces = {
        one[at : at + LEAST_OVERLAP]
        for one in spelled
        for at in range(len(one) - LEAST_OVERLAP + 1)
    }
    return any(piece in value for piece in pieces)


def score(tool: peers.Tool, folder: Path, planted: Sequence[Planted]) -> Score:
    """Run one tool over both folders."""
    found, seconds = peers.timed(tool, folder / "planted")
    by_path: defaultdict[Path, list[peers.Found]] = defaultdict(list)
    for one in found:
        by_path[Path(one.path)].append(one)
    hit = {one.path for one in planted if any(overlaps(each, one) for each in by_path[one.path])}
    return Score(tool, hit, tool.run(folder / "decoys"), seconds)


def _recall(planted: Iterable[Planted], hit: set[Path]) -> str:
    every = list(planted)
    return f"{sum(one.path in hit for one in every) / len(every):.3f}" if every else "-"


def print_table(planted: Sequence[Planted], scores: Sequence[Score]) -> None:
    """Recall by half and by surrounding, false alarms and seconds; one column a tool."""
    rows: list[tuple[str, list[str]]] = [
        ("**recall, all**", [f"**{_recall(planted, one.hit)}**" for one in scores]),
    ]
    for title, held in (("tuned half", False), ("held-out half", True)):
        half = [one for one in planted if one.is_held_out is held]
        rows.append((f"recall, {title} ({len(half)})", [_recall(half, one.hit) for one in scores]))
    for name in surroundings.SURROUNDINGS:
        part = [one for one in planted if one.surrounding == name]
        rows.append((f"{name} ({len(part)})", [_recall(part, one.hit) for one in scores]))
    share = [len(one.hit) / max(1, len(one.hit) + len(one.alarms)) for one in scores]
    rows += [
        ("**false alarms in decoys**", [f"**{len(one.alarms)}**" for one in scores]),
        ("found of all that was said", [f"{one:.3f}" for one in share]),
        ("seconds", [f"{one.seconds:.1f}" for one in scores]),
    ]
    print("| | " + " | ".join(one.tool.name for one in scores) + " |")
    print("| --- |" + " --- |" * len(scores))
    for title, cells in rows:
        print(f"| {title} | " + " | ".join(cells) + " |")


def print_goals(planted: Sequence[Planted], scores: Sequence[Score]) -> None:
    """Our recall against the goal and the best peer's."""
    shares = {one.tool.name: len(one.hit) / len(planted) for one in scores}
    ours = shares.pop("leakmon", 0.0)
    best = max(shares, key=lambda name: shares[name], default="")
    lead = f"; {ours / shares[best]:.2f} x {best} (goal {GOAL_LEAD})" if best else ""
    print(f"\nleakmon's recall {ours:.3f} (goal {GOAL_RECALL}){lead}")
    print("Options: " + "; ".join(f"{one.tool.name} {one.tool.options}" for one in scores))


def print_misses(planted: Sequence[Planted], mine: Score, *, reveal: bool) -> None:
    """What leakmon missed and said in vain; of the held-out half only how many."""
    missed: defaultdict[str, list[str]] = defaultdict(list)
    for one in planted:
        if one.path not in mine.hit and (reveal or not one.is_held_out):
            missed[one.provider.name].append(one.surrounding)
    held = sum(one.is_held_out and one.path not in mine.hit for one in planted)
    print(f"\nMissed by leakmon ({held} of the held-out half, shown only with --reveal):")
    for name, where in missed.items():
        print(f"- {name}: {'everywhere' if len(where) >= 10 else ', '.join(where)}")
    for found in mine.alarms:
        print(f"- false alarm: {found.path.name}:{found.line} {found.rule} {found.value[:60]!r}")


def main() -> None:
    """Plant, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [tool.name for tool in peers.TOOLS]
    parser.add_argument("--tools", type=lambda text: text.split(","), default=names)
    parser.add_argument("--reveal", action="store_true")
    parser.add_argument("--seed", type=int, default=20261123)
    options = parser.parse_args()
    folder = corpus.CACHE / "detection"
    shutil.rmtree(folder, ignore_errors=True)
    planted = plant(folder / "planted", options.seed)
    (folder / "decoys").mkdir()
    for name, body in decoys.decoys(random.Random(options.seed)):
        (folder / "decoys" / name).write_bytes(body)
    print(measure.machine())
    print(
        f"{len(formats.PROVIDERS)} kinds of token, {len(surroundings.SURROUNDINGS)} surroundings, "
        f"{len(planted)} planted, {sum(1 for _ in (folder / 'decoys').iterdir())} decoys\n",
        flush=True,
    )
    scores = [score(one, folder, planted) for one in peers.TOOLS if one.name in options.tools]
    print_table(planted, scores)
    print_goals(planted, scores)
    if scores[0].tool.name == "leakmon":
        print_misses(planted, scores[0], reveal=options.reveal)


if __name__ == "__main__":
    main()
