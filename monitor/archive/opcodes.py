"""What CPython's instructions do, as far as telling assignments needs it.

Numbers are those of ``opcode.opmap`` of each version (3.14: ``Lib/_opcode_metadata.py``). The words
are those that ``bytecode.Assignments`` acts on: ``skip`` leaves the stack as it is, ``other`` puts
something unknown on it, ``extend`` is EXTENDED_ARG; an opcode without a line makes it forget.
``half-`` marks an argument whose lowest bit is a flag.
"""

from __future__ import annotations

_TO_310 = {
    100: "const", 101: "name", 116: "name", 124: "fast", 136: "deref", 106: "attribute",
    160: "attribute", 90: "set-name", 97: "set-name", 125: "set-fast", 137: "set-deref",
    95: "set-attribute", 60: "set-item", 105: "map", 156: "map-of-keys", 141: "call-keywords",
    131: "call", 161: "call", 107: "compare", 132: "function", 4: "copy", 92: "unpack",
    144: "extend", 9: "skip",
}  # fmt: skip
_TO_312 = {
    100: "const", 101: "name", 116: "half-name", 124: "fast", 137: "deref", 106: "attribute",
    160: "attribute", 90: "set-name", 97: "set-name", 125: "set-fast", 138: "set-deref",
    95: "set-attribute", 60: "set-item", 105: "map", 156: "map-of-keys", 172: "keywords",
    171: "call", 107: "compare", 132: "function", 120: "copy", 92: "unpack", 144: "extend",
    99: "swap", 9: "skip", 0: "skip", 2: "skip", 151: "skip", 166: "skip",
}  # fmt: skip
TABLES: dict[tuple[int, int], dict[int, str]] = {
    (2, 7): {
        100: "const", 101: "name", 116: "name", 124: "fast", 136: "deref", 106: "attribute",
        90: "set-name", 97: "set-name", 125: "set-fast", 137: "set-deref", 95: "set-attribute",
        60: "set-item", 54: "map-item", 131: "call-pairs", 107: "compare", 132: "function-2",
        4: "copy", 92: "unpack", 145: "extend", 9: "skip", 105: "skip",
    },
    (3, 6): _TO_310,
    (3, 7): _TO_310,
    (3, 8): _TO_310,
    (3, 9): _TO_310,
    (3, 10): _TO_310,
    (3, 11): _TO_312,
    (3, 12): _TO_312 | {106: "half-attribute", 127: "fast", 160: "forget"},
    (3, 13): {
        83: "const", 92: "name", 91: "half-name", 85: "fast", 87: "fast", 84: "deref",
        82: "half-attribute", 88: "fast-fast", 114: "set-name", 113: "set-name", 110: "set-fast",
        109: "set-deref", 108: "set-attribute", 39: "set-item", 48: "map", 46: "map-of-keys",
        57: "call-keywords", 53: "call", 58: "compare", 26: "function", 61: "copy", 117: "unpack",
        115: "swap", 111: "set-fast-fast", 71: "extend", 30: "skip", 0: "skip", 34: "skip",
        149: "skip",
    },
    (3, 14): {
        82: "const", 93: "name", 92: "half-name", 84: "fast", 86: "fast", 88: "fast", 83: "deref",
        80: "half-attribute", 87: "fast-fast", 89: "fast-fast", 116: "set-name", 115: "set-name",
        112: "set-fast", 111: "set-deref", 110: "set-attribute", 38: "set-item", 47: "map",
        55: "call-keywords", 52: "call", 56: "compare", 23: "function", 59: "copy", 119: "unpack",
        113: "set-fast-fast", 69: "extend", 94: "other", 27: "skip", 0: "skip", 33: "skip",
        117: "swap", 128: "skip",
    },
}  # fmt: skip
