"""Python source without what minifiers and old versions leave out: annotations and docstrings.

The index's side keeps prints of it beside those of the source: a squeezed file has no others.
Nothing is run; a source that this Python cannot parse has none.
"""

from __future__ import annotations

import ast
import warnings

MAX_SOURCE = 2 << 20
"""The bytes of a source that is looked at; generated tables are longer."""


class _Stripper(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        plain = ast.Assign(targets=[node.target], value=self.visit(node.value))
        return ast.copy_location(plain, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def bare(content: bytes) -> tuple[bytes, list[int]] | None:
    """The bare text, and for each of its lines the line of the source; None if there is none."""
    if len(content) > MAX_SOURCE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _Stripper().visit(ast.parse(content))
            parts = [(ast.unparse(node), node) for node in tree.body]
    except (SyntaxError, ValueError, RecursionError, MemoryError, AttributeError):
        return None
    text: list[str] = []
    lines: list[int] = []
    for part, node in parts:
        count = part.count("\n") + 1
        text.append(part)
        last = (node.end_lineno or node.lineno) - node.lineno
        lines += [node.lineno + min(last, last * at // count) for at in range(count)]
    return "\n".join(text).encode("utf-8", "surrogatepass"), lines
