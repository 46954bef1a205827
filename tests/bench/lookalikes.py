"""What a look-up of a feed's name costs: the index against an edit distance to every name of ours.

    python -m tests.bench.lookalikes [NAMES-OF-OURS ...]

Names of the feed are made up (seeded), one in fifty of them one edit from a name of ours. Both ways
must find the same of those; the other transformations are the index's alone.
"""

from __future__ import annotations

import random
import string
import sys
import time

from monitor.watchers.perimeter.confusable import (
    LEFT_OUT,
    MIN_EDITED,
    PUT_IN,
    REPLACED,
    SEPARATORS,
    TRANSPOSITION,
    Confusables,
    Target,
    bare,
)
from tests.watchers.edits import distance

SIZES = (10, 100, 1000, 10_000)
ROWS = 20_000
PAIRS = 10_000
_EDITS = {SEPARATORS, TRANSPOSITION, LEFT_OUT, PUT_IN, REPLACED}
_LETTERS = string.ascii_lowercase


def word(chance: random.Random) -> str:
    """Two or three made-up words."""
    parts = range(chance.randint(2, 3))
    return "-".join("".join(chance.choices(_LETTERS, k=chance.randint(4, 8))) for _ in parts)


def mistyped(name: str, chance: random.Random) -> str:
    """One edit away."""
    place = chance.randrange(1, len(name) - 1)
    letter = chance.choice(_LETTERS)
    return chance.choice(
        [
            name[:place] + name[place + 1 :],
            name[:place] + letter + name[place:],
            name[:place] + name[place + 1] + name[place] + name[place + 2 :],
        ]
    )


def main(sizes: list[int]) -> None:
    """Print one row for each size."""
    print("| names of ours | index built, ms | a look-up, µs | all pairs, µs | times |")
    print("| --: | --: | --: | --: | --: |")
    for size in sizes:
        chance = random.Random(size)
        ours = sorted({word(chance) for _ in range(size)})
        rows = [
            mistyped(chance.choice(ours), chance) if n % 50 == 0 else word(chance)
            for n in range(ROWS)
        ]
        began = time.process_time()
        index = Confusables(Target(name=name, organisation="acme") for name in ours)
        built = time.process_time() - began
        began = time.process_time()
        found = [index.find(name) for name in rows]
        looked = (time.process_time() - began) / len(rows)
        few = rows[: max(2, PAIRS // len(ours))]
        words = [bare(name) for name in ours]
        began = time.process_time()
        naive = [_near(bare(name), words) for name in few]
        compared = (time.process_time() - began) / len(few)
        for name, one, other in zip(few, found, naive, strict=False):
            is_edit = one is not None and one.how in _EDITS
            assert is_edit == (other and name not in ours), name
        print(
            f"| {len(ours):,} | {built * 1e3:.1f} | {looked * 1e6:.1f} | {compared * 1e6:,.0f} "
            f"| {compared / looked:,.0f} |"
        )


def _near(name: str, ours: list[str]) -> bool:
    return any(distance(name, each) <= 1 for each in ours if len(each) >= MIN_EDITED)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or list(SIZES))
