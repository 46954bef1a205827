"""The literals that a text is cut into, and those that a real parser finds in the same file."""

from __future__ import annotations

import json
import subprocess
from itertools import accumulate
from pathlib import Path

from monitor.private_code.lexing.families import JAVASCRIPT
from monitor.private_code.lexing.pieces import Piece, windows

HERE = Path(__file__).parent
MODULES = Path(__file__).parents[1] / "servers" / "node_modules"

Literal = tuple[str, int, int]


def ours(text: bytes) -> list[Literal]:
    """What our pieces say: kind, start and end; templates without their delimiters."""
    found = []
    at = -1  # the border before the text
    for window in windows([text], JAVASCRIPT.grammar):
        ends = list(accumulate(window.lengths.tolist(), initial=at))
        for kind, start, end in zip(window.kinds.tolist(), ends, ends[1:], strict=False):
            if kind == Piece.REGEX:
                found.append(("regexp", start, end))
            elif kind == Piece.STRING and text[start : start + 1] != b"`":
                found.append(("string", start, end))
            elif kind in (Piece.STRING, Piece.TEMPLATE):
                tail = 2 if text[start:end].endswith(b"${") else 1
                found.append(("template", start + 1, end - tail))
        at = ends[-1]
    return found


def acorns(paths: list[Path]) -> dict[Path, list[Literal] | None]:
    """What acorn says; None for a file that it cannot parse."""
    done = subprocess.run(
        ["node", HERE / "acorn_tokens.cjs", MODULES / "acorn"],
        input="\0".join(map(str, paths)).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[Path, list[Literal] | None] = {}
    for line in done.stdout.splitlines():
        path, literals = json.loads(line)
        found[Path(path)] = None if literals is None else [tuple(one) for one in literals]
    return found
