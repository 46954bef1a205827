"""Names from strangers: made printable, and judged for what they would do to an unpacker."""

from __future__ import annotations

from monitor.archive.entries import Trail, nested

_MAX_NAME = 4_096
_CUT = " (cut)"


def printable(text: str) -> str:
    """``text`` with every control, surrogate or otherwise unprintable character escaped."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - what surrogateescape makes of a stray byte
        code -= 0xDC00
    if code <= 0xFF:  # noqa: PLR2004 - fits two hex digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as in Python


def decode(raw: bytes) -> str:
    """A stored name as printable text: UTF-8, stray bytes escaped, of bounded length."""
    if len(raw) > _MAX_NAME:
        return printable(raw[:_MAX_NAME].decode("utf-8", "surrogateescape")) + _CUT
    text = raw.decode("utf-8", "surrogateescape")
    return text if text.isprintable() else printable(text)


def member_path(path: str, raw: bytes, trail: Trail) -> str:
    """The path of a member whose stored name is ``raw``; hazards of the name are noted."""
    try:
        text = raw.decode()
        is_clean = text.isprintable() and len(raw) <= _MAX_NAME
    except UnicodeDecodeError:
        is_clean = False
        text = ""
    if not is_clean:
        text = decode(raw)
    full = f"{path}!/{text}"
    if not is_clean or not raw or ".." in text or "\\" in text or raw[0] == 47 or raw[1:2] == b":":  # noqa: PLR2004 - a slash
        _judge(full, raw, text, trail)
    return full


def is_utf8(raw: bytes) -> bool:
    """Whether a stored name is UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _judge(full: str, raw: bytes, text: str, trail: Trail) -> None:
    """Notes what an unpacker that trusts this name would do."""
    slashed = raw.replace(b"\\", b"/")
    if not raw:
        trail.hazard(full, "empty-name", "a member without a name")
    if b".." in slashed.split(b"/"):
        trail.hazard(full, "traversal", f"the name leads out of the folder: {text}")
    elif slashed.startswith(b"/") or raw[1:2] == b":":
        trail.hazard(full, "traversal", f"the name is absolute: {text}")
    if b"\\" in raw:
        trail.hazard(full, "backslash", "the name is another path on Windows")
    if any(byte < 32 or byte == 127 for byte in raw):  # noqa: PLR2004 - ASCII control characters
        trail.hazard(full, "control-characters", f"the name holds control characters: {text}")
    elif any(byte > 127 for byte in raw) and not is_utf8(raw):  # noqa: PLR2004 - ASCII ends
        trail.hazard(full, "not-utf8", f"the name is no UTF-8: {text}")
    if len(raw) > _MAX_NAME:
        trail.hazard(full, "long-name", f"the name has {len(raw):,} bytes")


def escapes(target: bytes, name: bytes) -> bool:
    """Whether a link called ``name`` to ``target`` leads out of the unpacked folder."""
    slashed = target.replace(b"\\", b"/")
    if slashed.startswith(b"/") or slashed[1:2] == b":":
        return True
    depth = name.strip(b"/").count(b"/")
    for part in slashed.split(b"/"):
        if part == b"..":
            depth -= 1
        elif part not in (b"", b"."):
            depth += 1
        if depth < 0:
            return True
    return False


def stem(path: str, suffixes: dict[str, str]) -> str:
    """What a compressed single file would be called: its name with the suffix taken off."""
    name = path.rpartition("/")[2]
    for suffix, replacement in suffixes.items():
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)] + replacement
    return name


__all__ = ["decode", "escapes", "member_path", "nested", "printable", "stem"]
