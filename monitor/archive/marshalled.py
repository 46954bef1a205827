"""A bounded reader of Python's marshal format (CPython, ``Python/marshal.c``), for code objects.

``marshal.loads`` crashes the interpreter on hostile bytes; this one builds nothing but bytes,
tuples and ``Code``. Every item read consumes input, a declared length is checked against what is
left, and references share what they refer to, so time and memory stay within a small multiple of
the input.
"""

from __future__ import annotations

from struct import Struct as Layout

MAX_DEPTH = 150
_FLAG_REF = 0x80
_INT = Layout("<i")

_SIZED = {0x73: 4, 0x74: 4, 0x75: 4, 0x61: 4, 0x41: 4, 0x7A: 1, 0x5A: 1}  # s t u a A z Z
_SEQUENCES = {0x28: 4, 0x29: 1, 0x5B: 4, 0x3C: 4, 0x3E: 4}  # ( ) [ < >
_FIXED = {0x49: 8, 0x67: 8, 0x79: 16}  # I g y
_SINGLETONS = frozenset(b"NFTS.")
_INTERNED = 0x74
_NULL = 0x30

Value = object
"""bytes (a string of any kind), a tuple of values, a Code, a small int, or None for all else."""


class MalformedError(Exception):
    """The bytes are no marshal data from here on."""


class Code:
    """What of a code object matters here. ``variables`` are locals, then cells and free names."""

    __slots__ = (
        *("argument_count", "code", "constants", "derefs", "first_line", "names", "variables"),
    )

    def __init__(self) -> None:
        self.argument_count = 0
        self.code = b""
        self.constants: tuple[Value, ...] = ()
        self.names: tuple[Value, ...] = ()
        self.variables: tuple[Value, ...] = ()
        self.derefs: tuple[Value, ...] = ()
        self.first_line = 0


class Reader:
    """Reads one object from ``view``, written by Python ``version`` (major, minor).

    ``strings`` (in reading order) and ``codes`` (inner ones first) hold what was met, also when
    ``read`` raises MalformedError. ``at`` is the place of the next byte.
    """

    def __init__(self, view: memoryview, at: int, version: tuple[int, int]) -> None:
        self.view = view
        self.at = at
        self.version = version
        self.strings: list[bytes] = []
        self.codes: list[Code] = []
        self._references: list[Value] = []
        self._interned: list[Value] = []
        self._is_silent = False

    def read(self, depth: int = 0) -> Value:
        """The next object. MalformedError when there is none or it is nested too deeply."""
        if depth > MAX_DEPTH:
            raise MalformedError("over-depth")
        kind = self._take(1)[0]
        flagged, kind = kind & _FLAG_REF, kind & ~_FLAG_REF
        if kind in _SIZED:
            return self._string(kind, flagged)
        if kind in (0x72, 0x52):  # r R
            return self._reference(kind)
        place = len(self._references)
        if flagged:  # a container may be referred to from inside itself: its place comes first
            self._references.append(None)
        value = self._compound(kind, depth)
        if flagged:
            self._references[place] = value
        return value

    def _compound(self, kind: int, depth: int) -> Value:
        if kind in _SEQUENCES:
            return self._sequence(self._size(_SEQUENCES[kind]), depth)
        if kind == 0x63:  # noqa: PLR2004 - "c"
            return self._code(depth)
        if kind == 0x7B:  # noqa: PLR2004 - "{"
            self._mapping(depth)
        elif kind == 0x3A:  # noqa: PLR2004 - ":", a slice since 3.14
            self._sequence(3, depth)
        elif kind == 0x69:  # noqa: PLR2004 - "i"
            return int(_INT.unpack(self._take(4))[0])
        else:
            self._number(kind)
        return None

    def _take(self, size: int) -> memoryview:
        end = self.at + size
        if size < 0 or end > len(self.view):
            raise MalformedError("truncated")
        piece = self.view[self.at : end]
        self.at = end
        return piece

    def _size(self, width: int) -> int:
        if width == 1:
            return self._take(1)[0]
        size = int(_INT.unpack(self._take(4))[0])
        if not 0 <= size <= len(self.view) - self.at:  # an item takes at least one byte
            raise MalformedError("truncated")
        return size

    def _string(self, kind: int, flagged: int) -> bytes:
        value = bytes(self._take(self._size(_SIZED[kind])))
        if flagged:
            self._references.append(value)
        if kind == _INTERNED and self.version < (3, 0):
            self._interned.append(value)
        if value and not self._is_silent:
            self.strings.append(value)
        return value

    def _reference(self, kind: int) -> Value:
        table = self._references if kind == 0x72 else self._interned  # noqa: PLR2004 - "r"
        place = int(_INT.unpack(self._take(4))[0])
        if not 0 <= place < len(table):
            raise MalformedError("bad-reference")
        return table[place]

    def _sequence(self, size: int, depth: int) -> tuple[Value, ...]:
        return tuple([self.read(depth + 1) for _ in range(size)])

    def _mapping(self, depth: int) -> None:
        while self.at < len(self.view) and self.view[self.at] != _NULL:
            self.read(depth + 1)
            self.read(depth + 1)
        self._take(1)

    def _number(self, kind: int) -> None:
        if kind in _FIXED:
            self._take(_FIXED[kind])
        elif kind == 0x6C:  # noqa: PLR2004 - "l": 15 bits a digit, the sign is the count's
            self._take(2 * abs(int(_INT.unpack(self._take(4))[0])))
        elif kind in (0x66, 0x78):  # f x: numbers as text
            for _ in range(1 if kind == 0x66 else 2):  # noqa: PLR2004 - "f"
                self._take(self._take(1)[0])
        elif kind not in _SINGLETONS:
            raise MalformedError("bad-type")

    def _code(self, depth: int) -> Code:
        """A code object; the order of its fields is that of ``w_complex_object`` since 2.3."""
        found = Code()
        version = self.version
        found.argument_count = int(_INT.unpack(self._take(4))[0])
        counters = 3 if version < (3, 0) else 4 + (version >= (3, 8)) - (version >= (3, 11))
        self._take(4 * counters)
        found.code = self._quiet(depth)
        self.codes.append(found)
        found.constants = self._tuple(depth)
        found.names = self._tuple(depth)
        found.variables = self._tuple(depth)
        if version >= (3, 11):
            self._quiet(depth)  # kinds of the variables
            found.derefs = found.variables
        else:
            free = self._tuple(depth)
            found.derefs = self._tuple(depth) + free
        for _ in range(3 if version >= (3, 11) else 2):  # file name, name, qualified name
            self.read(depth + 1)
        found.first_line = int(_INT.unpack(self._take(4))[0])
        for _ in range(2 if version >= (3, 11) else 1):  # line table, exception table
            self._quiet(depth)
        return found

    def _tuple(self, depth: int) -> tuple[Value, ...]:
        value = self.read(depth + 1)
        return value if isinstance(value, tuple) else ()

    def _quiet(self, depth: int) -> bytes:
        """A byte string that is no text: instructions and tables."""
        self._is_silent = True
        value = self.read(depth + 1)
        self._is_silent = False
        return value if isinstance(value, bytes) else b""
