"""Transforms Python source as build tools do; run by a Python that has the tools, not imported.

Standard input: one JSON line per task, ``{"path", "name", "slices", "host"}``; standard output:
one JSON line per result, ``{"name", "transform", "text"}``.
"""

from __future__ import annotations

import ast
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import black
import python_minifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _black(code: str) -> str:
    mode = black.Mode(line_length=60, string_normalization=True, magic_trailing_comma=False)
    return str(black.format_str(code, mode=mode))


def _renamed(code: str) -> str:
    return str(
        python_minifier.minify(
            code,
            rename_locals=True,
            rename_globals=False,
            hoist_literals=False,
            combine_imports=False,
            remove_literal_statements=False,
        )
    )


TRANSFORMS: dict[str, Callable[[str], str]] = {
    "black": _black,
    "comments stripped": lambda code: ast.unparse(ast.parse(code)),
    "locals renamed": _renamed,
    "minified": lambda code: str(python_minifier.minify(code, rename_globals=False)),
    "minified with globals": lambda code: str(python_minifier.minify(code, rename_globals=True)),
}


def _slice(code: str, wanted: int) -> tuple[str, int] | None:
    """Whole statements of the top level, about so many lines of them."""
    lines = code.splitlines()
    passed = (ast.Import, ast.ImportFrom, ast.Expr, ast.If)
    nodes = [node for node in ast.parse(code).body if not isinstance(node, passed)]
    for number, first in enumerate(nodes):
        for last in nodes[number:]:
            count = (last.end_lineno or last.lineno) - first.lineno + 1
            if count > 2 * wanted:
                break
            if count >= wanted:
                return "\n".join(lines[first.lineno - 1 : last.end_lineno]), count
    return None


def results(path: str, slices: list[int], host: list[str]) -> Iterator[tuple[str, str | None]]:
    """Each transform of a file, and copies of parts of it in the middle of a strange file."""
    code = Path(path).read_text("utf-8")
    yield "verbatim", code
    for name, work in TRANSFORMS.items():
        text = None
        with contextlib.suppress(Exception):
            text = work(code)
        yield name, text
    for wanted in slices:
        part = _slice(code, wanted)
        if part is None:
            continue
        mixed = f"\n{part[0]}\n".join(Path(one).read_text("utf-8") for one in host)
        yield f"copy of {wanted}+ lines", mixed
        text = None
        with contextlib.suppress(Exception):
            text = str(python_minifier.minify(mixed, rename_globals=False))
        yield f"copy of {wanted}+ lines, minified", text


if __name__ == "__main__":
    for line in sys.stdin:
        task = json.loads(line)
        for transform, text in results(task["path"], task["slices"], task["host"]):
            print(json.dumps({"name": task["name"], "transform": transform, "text": text}))
