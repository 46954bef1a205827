"""Notebooks: sources and outputs as text, whatever the version."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.archive.mutations import mutated, opened

NOTEBOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "code", "source": ["key = '''\n", "line \"two\"'''\n"], "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["token=", "abc\n"]},
            {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}},
        ]},
        {"cell_type": "markdown", "source": "plain string", "metadata": {}},
    ],
    "metadata": {"kernelspec": {"name": "python3"}, "secret": "in-metadata"},
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip


def test_sources_outputs_and_metadata() -> None:
    members, trail = opened("a.ipynb", json.dumps(NOTEBOOK, indent=1).encode())
    assert members["a.ipynb!/(cell 1)"] == b"key = '''\nline \"two\"'''\n"
    assert b"token=abc\n" in members["a.ipynb!/(cell 1 outputs)"]
    assert b"iVBORw0KGgo=" in members["a.ipynb!/(cell 1 outputs)"]
    assert members["a.ipynb!/(cell 2)"] == b"plain string"
    assert b'"secret": "in-metadata"' in members["a.ipynb!/(metadata)"]
    assert trail.skipped == []


def test_version_3_keeps_cells_in_worksheets() -> None:
    document = {"nbformat": 3, "worksheets": [{"cells": [{"input": ["a\n", "b"]}]}]}
    assert opened("a.ipynb", json.dumps(document).encode())[0]["a.ipynb!/(cell 1)"] == b"a\nb"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"cells": 1}',
        b'{"cells": [',
        b'{"nbformat": "cells"' + b"[" * 50_000,
        b'["nbformat"]',
    ],
)
def test_what_is_no_notebook_stays_a_file(raw: bytes) -> None:
    assert opened("a.ipynb", raw)[0] == {"a.ipynb": raw}


@pytest.mark.parametrize("cells", [None, 7, "text", [1, None, []], {"source": {"a": [1]}}])
def test_odd_cells_are_survived(cells: object) -> None:
    members, trail = opened(
        "a.ipynb", json.dumps({"nbformat": 4, "cells": cells, "x": "y"}).encode()
    )
    assert members["a.ipynb!/(metadata)"].endswith(b'"x": "y"')
    assert trail.skipped == []


def test_deep_cells_are_bounded() -> None:
    deep: Any = "kept"
    for _ in range(300):
        deep = {"a": [deep]}
    members, trail = opened("a.ipynb", json.dumps({"nbformat": 4, "cells": [deep]}).encode())
    assert b"kept" in b"".join(members.values())
    assert trail.skipped == []


@settings(deadline=None)
@given(mutated(json.dumps(NOTEBOOK).encode()))
def test_mutations_never_raise(raw: bytes) -> None:
    _, trail = opened("a.ipynb", raw)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}
