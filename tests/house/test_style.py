"""Size, names and manners. Each test gathers all offenders, so that one run shows them all."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import yaml

from tests.house.tree import files, functions, syntax, text

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50
MAX_NESTING = 4
VAGUE_MODULES = {
    *("utils", "helpers", "common", "base", "manager", "handler", "process", "data", "info"),
}
# "data" may name the bytes of a member: that is what the interfaces of monitor.archive call them.
VAGUE_VARIABLES = VAGUE_MODULES - {"data"}
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def test_there_is_something_to_check() -> None:
    assert len(files(".py", "monitor")) > 20
    assert len(files(".py", "tests")) > 5


def test_every_file_can_be_parsed() -> None:
    for path in files(".py"):
        syntax(path)
    for path in files(".toml"):
        tomllib.loads(text(path))
    for path in files(".json"):
        json.loads(text(path))
    for path in (*files(".yaml"), *files(".yml")):
        list(yaml.safe_load_all(text(path)))


def test_no_module_is_too_long() -> None:
    long = {
        str(path): len(text(path).splitlines())
        for path in files(".py", "monitor")
        if len(text(path).splitlines()) > MAX_MODULE_LINES
    }
    assert long == {}


def test_no_function_is_too_long() -> None:
    long = {
        f"{path}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in files(".py", "monitor")
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES
    }
    assert long == {}


def _depth(node: ast.AST, *, is_elif: bool = False) -> int:
    """How deep blocks are nested inside; an ``elif`` is no deeper than its ``if``."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        chained = isinstance(node, ast.If) and [child] == node.orelse
        deepest = max(deepest, _depth(child, is_elif=chained and isinstance(child, ast.If)))
    return deepest + (isinstance(node, _BLOCKS) and not is_elif)


def test_no_function_is_too_deep() -> None:
    deep = {
        f"{path}:{node.lineno} {node.name}": _depth(node)
        for path in files(".py", "monitor")
        for node in functions(path)
        if _depth(node) > MAX_NESTING
    }
    assert deep == {}


def test_no_module_has_a_vague_name() -> None:
    vague = [path for path in files(".py") if VAGUE_MODULES & {*path.parts, path.stem}]
    assert vague == []


def test_no_variable_has_a_vague_name() -> None:
    vague = [
        f"{path}:{getattr(node, 'lineno', 0)} {name}"
        for path in files(".py", "monitor")
        for node in ast.walk(syntax(path))
        for name in [_bound(node)]
        if name in VAGUE_VARIABLES
    ]
    assert vague == []


def _bound(node: ast.AST) -> str:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    return ""


def test_every_exception_to_the_linter_has_its_code_and_reason() -> None:
    bare = re.compile(r"#\s*noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S)", re.IGNORECASE)
    found = [
        f"{path}:{number} {line.strip()}"
        for path in files(".py")
        if path != Path("tests/house/test_style.py")
        for number, line in enumerate(text(path).splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []


def test_no_test_is_skipped_or_slept_through() -> None:
    banned = {("pytest", "skip"), ("pytest", "xfail"), ("mark", "skip"), ("mark", "skipif")}
    banned |= {("mark", "xfail"), ("pytest", "importorskip"), ("time", "sleep")}
    found = [
        f"{path}:{node.lineno} {node.attr}"
        for path in files(".py", "tests")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in banned
    ]
    assert found == []


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
