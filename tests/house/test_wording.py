"""The words of the product: one file is a file, two are files."""

from __future__ import annotations

import ast
import re

from tests.house.tree import files, syntax

LAZY = re.compile(r"\w\((?:s|es)\)(?!\w)(?! address)")


def test_no_message_leaves_the_plural_to_the_reader() -> None:
    offenders = [
        f"{path}:{node.lineno} {node.value}"
        for path in files(".py", "monitor")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if LAZY.search(node.value)
    ]
    assert offenders == []
    assert LAZY.search("3 file(s) of")
    assert not LAZY.search("an http(s) address")
