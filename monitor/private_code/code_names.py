"""Bytecode's channel: runs of the names that Python's code objects use.

Names outlive compilation, and their order hardly depends on the version of Python. A source gives
the same as its ``.pyc``: it is compiled, never run.
"""

from __future__ import annotations

import contextlib
import types
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from monitor.archive.marshalled import Code, MalformedError, Reader
from monitor.archive.pyc import header_size, version
from monitor.private_code.bare_python import MAX_SOURCE
from monitor.private_code.lexing.hashing import stir, texts
from monitor.private_code.prints import Channel, Prints
from monitor.private_code.winnowing import distinct, runs, salted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RUN = 4
_LEAST_NAMES = 6
_SKIPPED = frozenset(
    b"__name__ __module__ __qualname__ __doc__ __annotations__ __firstlineno__ __annotate__"
    b" __static_attributes__ __classdict__ __conditional_annotations__ __annotate_func__".split()
)


class Names(NamedTuple):
    """The names of one code object, in the order in which it first uses them."""

    names: list[bytes]
    line: int


class Bytecode(NamedTuple):
    """What a ``.pyc`` tells: its code objects' names, and its strings."""

    names: list[Names]
    strings: list[bytes]


def bytecode(content: bytes) -> Bytecode | None:
    """What is told by the bytes of a ``.pyc``; None if they are none. Reads as far as it can."""
    found = version(content[:4])
    if found is None or content[header_size(found) : header_size(found) + 1] not in (b"c", b"\xe3"):
        return None
    reader = Reader(memoryview(content), header_size(found), found)
    with contextlib.suppress(MalformedError):  # what was read until there is kept
        reader.read()
    return Bytecode([_names(code) for code in reader.codes], reader.strings)


def _names(code: Code) -> Names:
    names = [name for name in code.names if isinstance(name, bytes) and name not in _SKIPPED]
    return Names(names, max(code.first_line, 1))


def source(content: bytes) -> list[Names]:
    """The names that a source has when compiled; none for what this Python cannot compile."""
    if len(content) > MAX_SOURCE:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(content, "source", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return []
    return list(_compiled(code))


def _compiled(code: types.CodeType) -> Iterator[Names]:
    pending = [code]
    while pending:
        one = pending.pop()
        names = [name.encode("utf-8", "surrogatepass") for name in one.co_names]
        kept = [name for name in names if name not in _SKIPPED]
        yield Names(kept, max(one.co_firstlineno or 1, 1))
        pending += [inner for inner in one.co_consts if isinstance(inner, types.CodeType)]


def prints(codes: Iterable[Names]) -> Prints:
    """The prints of code objects: each run of four names, and the set of names as a whole."""
    kept = [one for one in codes if len(one.names) >= RUN]
    if not kept:
        return Prints(np.empty(0, np.uint64), np.empty(0, np.uint32))
    counts = np.fromiter((len(one.names) for one in kept), np.int64, len(kept))
    hashes = texts([name for one in kept for name in one.names])
    objects = np.repeat(np.arange(len(kept)), counts)
    lines = np.fromiter((one.line for one in kept), np.uint32, len(kept))
    whole_runs = objects[: 1 - RUN] == objects[RUN - 1 :]
    wholes = np.add.reduceat(stir(hashes), np.cumsum(counts) - counts)[counts >= _LEAST_NAMES]
    made = np.concatenate([runs(hashes, RUN)[whole_runs], wholes])
    begun = np.concatenate([lines[objects[: 1 - RUN][whole_runs]], lines[counts >= _LEAST_NAMES]])
    return distinct(salted(made, Channel.BYTECODE), begun)
