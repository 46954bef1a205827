r"""PCRE, in which rules are written, into the dialect of the standard library's ``re``.

Only the spelling differs: named groups, POSIX classes, ``\h`` ``\R`` ``\z`` ``\Z``, ``\Q..\E``,
``\x{41}`` and options that are switched on in the middle (``a(?i)b|c`` is ``a(?i:b)|(?i:c)``).
What has no counterpart is refused, by name. Semgrep runs PCRE multiline and not dotall; so do we.
"""

from __future__ import annotations

import re

from monitor.errors import RuleError

_POSIX = {
    "alnum": "A-Za-z0-9",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}
_OUTSIDE = {
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "h": r"[ \t]",
    "H": r"[^ \t]",
    "R": r"(?:\r\n|[\n\x0b\f\r])",
    "N": r"[^\n]",
    "v": r"[\n\x0b\f\r]",
    "V": r"[^\n\x0b\f\r]",
    "e": r"\x1b",
}
_INSIDE = {"h": r" \t", "v": r"\n\x0b\f\r", "e": r"\x1b", "b": r"\x08"}
_REFUSED = frozenset("GKXCpP")
_HEX = re.compile(r"\\x\{([0-9A-Fa-f]{1,2})\}|\\x([0-9A-Fa-f]{1,2})")
_NAMED = re.compile(r"\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_OPTIONS = re.compile(r"\(\?([imsx]*)(?:-([imsx]+))?\)")
_REFERENCE = re.compile(r"\\[kg](?:<(\w+)>|\{(\w+)\}|'(\w+)')")
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_UNSUPPORTED = re.compile(r"\(\?(?:R|&|\d|[-+]\d|P>|\||C)|\(\*")


def to_python(pattern: str) -> str:
    """The same expression for ``re`` with ``MULTILINE``; RuleError for what it cannot express."""
    return _Rewriter(pattern).run()


class _Rewriter:
    """One pass from left to right; ``_open`` holds the options switched on within each group."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._out: list[str] = []
        self._open: list[list[str]] = [[]]
        self._verbose = False

    def run(self) -> str:
        pattern = self._pattern
        while self._at < len(pattern):
            char = pattern[self._at]
            if char == "\\":
                self._escape()
            elif char == "[":
                self._set()
            elif char == "(":
                self._group()
            elif char == "#" and self._verbose:
                end = pattern.find("\n", self._at)
                self._at = len(pattern) if end < 0 else end
            else:
                self._plain(char)
        self._out.append(")" * len(self._open[-1]))
        return "".join(self._out)

    def _plain(self, char: str) -> None:
        options = self._open[-1]
        if char == "|" and options:
            self._out.append(")" * len(options) + "|" + "".join(options))
        elif char == ")":
            self._out.append(")" * len(options) + ")")
            if len(self._open) > 1:
                self._open.pop()
        else:
            self._out.append(char)
        self._at += 1

    def _group(self) -> None:
        pattern, at = self._pattern, self._at
        if unsupported := _UNSUPPORTED.match(pattern, at):
            raise RuleError(f"{unsupported.group()!r} (recursion or a verb) is not supported")
        if options := _OPTIONS.match(pattern, at):
            self._at = options.end()
            self._verbose = self._verbose or "x" in options[1]
            text = f"(?{options[1]}{'-' + options[2] if options[2] else ''}:"
            if options[1] or options[2]:
                self._open[-1].append(text)
                self._out.append(text)
            return
        if pattern.startswith("(?#", at):
            end = pattern.find(")", at)
            self._at = len(pattern) if end < 0 else end + 1
            return
        self._open.append([])
        if named := _NAMED.match(pattern, at):
            self._out.append(f"(?P<{named[1] or named[2]}>")
            self._at = named.end()
        else:
            self._out.append("(")
            self._at += 1

    def _escape(self) -> None:
        pattern, at = self._pattern, self._at
        char = pattern[at + 1 : at + 2]
        if char == "Q":
            end = pattern.find("\\E", at)
            end = len(pattern) if end < 0 else end
            self._out.append(re.escape(pattern[at + 2 : end]))
            self._at = end + 2
            return
        if char in _REFUSED:
            raise RuleError(f"\\{char} is not supported")
        if hexadecimal := _HEX.match(pattern, at):
            self._out.append(_hexadecimal(hexadecimal))
            self._at = hexadecimal.end()
        elif reference := _REFERENCE.match(pattern, at):
            name = reference[1] or reference[2] or reference[3]
            self._out.append(f"(?:\\{name})" if name.isdigit() else f"(?P={name})")
            self._at = reference.end()
        else:
            self._out.append(_OUTSIDE.get(char, pattern[at : at + 2]))
            self._at += 2

    def _set(self) -> None:
        pattern = self._pattern
        start = self._at
        self._out.append("[")
        self._at += 1
        if pattern.startswith("^", self._at):
            self._out.append("^")
            self._at += 1
        if pattern.startswith("]", self._at):
            self._out.append("\\]")
            self._at += 1
        while self._at < len(pattern):
            if pattern[self._at] == "]":
                self._out.append("]")
                self._at += 1
                return
            self._set_item()
        raise RuleError(f"the set that begins at character {start + 1} has no end")

    def _set_item(self) -> None:
        pattern, at = self._pattern, self._at
        char = pattern[at]
        if char == "\\":
            following = pattern[at + 1 : at + 2]
            if following in _REFUSED:
                raise RuleError(f"\\{following} is not supported")
            if hexadecimal := _HEX.match(pattern, at):
                self._out.append(_hexadecimal(hexadecimal))
                self._at = hexadecimal.end()
                return
            self._out.append(_INSIDE.get(following, pattern[at : at + 2]))
            self._at += 2
        elif posix := _POSIX_CLASS.match(pattern, at):
            if posix[1] or posix[2] not in _POSIX:
                raise RuleError(f"{posix.group()} is not supported")
            self._out.append(_POSIX[posix[2]])
            self._at = posix.end()
        elif not char.isascii():
            raise RuleError(f"{char!r} inside a set: sets are of bytes")
        else:
            self._out.append(f"\\{char}" if char in "[&~|" else char)
            self._at += 1


def _hexadecimal(found: re.Match[str]) -> str:
    return f"\\x{int(found[1] or found[2], 16):02x}"
