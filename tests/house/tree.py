"""What the house rules are checked against: the project's files, as git and Python see them."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def files(suffix: str = "", below: str = "") -> list[Path]:
    """Every file that is or could become part of the project, relative to its root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    paths = sorted(Path(name) for name in set(listed) if name)
    return [
        path
        for path in paths
        if path.name.endswith(suffix)
        and (not below or path.parts[0] == below)
        and (ROOT / path).is_file()
    ]


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def top_level_functions(path: Path) -> dict[str, list[str]]:
    """The names of a module's own functions, each with the names of its positional parameters."""
    return {
        node.name: [argument.arg for argument in node.args.args]
        for node in syntax(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
