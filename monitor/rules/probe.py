r"""From an expression's tree to the probe that Hyperscan runs: cut short, then written out.

What would cost without narrowing is dropped: optional beginnings and ends. The last repeat is cut
to its minimum, so that one occurrence raises one callback. The probe also accepts the spellings
that a text takes inside JSON and JavaScript strings (``\"``, ``\/``, ``\n``, ``\u003d``), however
often escaped.
"""

from __future__ import annotations

from monitor.rules.syntax import ALL, Choice, Final, Node, Repeat, Sequence, Set, mask_of, width

_BACKSLASH = mask_of(b"\\")
_LINE = mask_of(b"\t\n\r\f")
_CODES = mask_of(b"ux0123456789ABCDEFabcdef")
_PUNCTUATION = mask_of(b"\"'`/=&<>+")
_ESCAPED = _LINE | _PUNCTUATION | _BACKSLASH
_WIDE = 90  # a set of more bytes than this holds the letters and digits that escapes are made of
_LARGE = 600  # characters of an unrolled repeat
_FEW = 6  # a repeat up to this often is written with its escapes one by one


def trimmed(tree: Node, clamp: int) -> tuple[int | None, Node]:
    """The part of a match that must be seen, and the most bytes that can precede it (None: any)."""
    tree = flattened(tree)
    if isinstance(tree, Choice):
        parts = [trimmed(item, clamp) for item in tree.items]
        leads = [lead for lead, _ in parts if lead is not None]
        lead = max(leads) if len(leads) == len(parts) else None
        return lead, Choice([kept for _, kept in parts])
    lead, tree = _without_lead(tree)
    return lead, _without_tail(tree, clamp)


def flattened(node: Node) -> Node:
    """The same tree without nested sequences, repeats of one and empty alternatives."""
    if isinstance(node, Set):
        return node
    if isinstance(node, Repeat):
        body = flattened(node.body)
        return body if (node.least, node.most) == (1, 1) else Repeat(body, node.least, node.most)
    items = [flattened(item) for item in node.items]
    if isinstance(node, Sequence):
        spread: list[Node] = []
        for item in items:
            spread += item.items if isinstance(item, Sequence) else [item]
        spread = [item for item in spread if width(item)[1] != 0]
        return spread[0] if len(spread) == 1 else Sequence(spread)
    full = [item for item in items if width(item)[1] != 0]
    choice: Node = full[0] if len(full) == 1 else Choice(full)
    return choice if len(full) == len(items) else Repeat(choice, 0, 1)


def _without_lead(node: Node) -> tuple[int | None, Node]:
    items: list[Node] = list(node.items) if isinstance(node, Sequence) else [node]
    lead: int | None = 0
    while len(items) > 1 and not width(items[0])[0]:
        lead = _sum(lead, width(items.pop(0))[1])
    first = items[0]
    if isinstance(first, Repeat) and isinstance(first.body, Set) and first.least != first.most:
        extra = None if first.most is None else first.most - first.least
        lead = _sum(lead, extra)
        items[0] = Repeat(first.body, first.least, first.least)
    return lead, Sequence(items)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _without_tail(node: Node, clamp: int) -> Node:
    if isinstance(node, Set):
        return Final(node, 1, 1)
    if isinstance(node, Choice):
        return Choice([_without_tail(item, clamp) for item in node.items])
    if isinstance(node, Repeat):
        if isinstance(node.body, Set):
            often = min(node.least, clamp)
            return Final(node.body, often, often)
        last = _without_tail(node.body, clamp)
        before = Repeat(node.body, node.least - 1, node.least - 1)
        return last if node.least == 1 else Sequence([before, last])
    items = list(node.items)
    while len(items) > 1 and not width(items[-1])[0]:
        items.pop()
    if items:
        items[-1] = _without_tail(items[-1], clamp)
    return Sequence(items)


def emit(node: Node, clamp: int, *, is_tolerant: bool) -> str:
    """The node in Hyperscan's syntax, needing no flag; ``is_tolerant`` of escapes."""
    if isinstance(node, Set):
        return _emit_set(node.mask, is_tolerant=is_tolerant)
    if isinstance(node, Repeat):
        return _emit_repeat(node, clamp, is_tolerant=is_tolerant)
    parts = [emit(item, clamp, is_tolerant=is_tolerant) for item in node.items]
    return "".join(parts) if isinstance(node, Sequence) else f"(?:{'|'.join(parts)})"


def _emit_repeat(node: Repeat, clamp: int, *, is_tolerant: bool) -> str:
    least, most = node.least, node.most
    if most is not None and most > clamp and least != most:
        most = None
    if isinstance(node.body, Set) and node.body.mask & _ESCAPED and is_tolerant:
        mask = node.body.mask
        if mask.bit_count() > _WIDE or (most or clamp) > _FEW:
            mask |= _BACKSLASH | (mask_of(b"nrt") if mask & _LINE else 0)
            # An escape is several bytes of the widened set: never fewer than the plain spelling.
            text = _class(mask)
            if not isinstance(node, Final) and mask & ~node.body.mask:
                most = None
        else:
            # An escape that ends the probe is not followed to its own end: it raises one hit.
            is_end = isinstance(node, Final) and most == 1
            text = _emit_set(mask, is_tolerant=True, loop="" if is_end else "+")
    elif isinstance(node.body, Set):
        text = _class(node.body.mask)
    else:
        text = f"(?:{emit(node.body, clamp, is_tolerant=is_tolerant)})"
        # Hyperscan unrolls a counted repeat: a large body becomes a loop instead.
        if len(text) * (most or least) > _LARGE:
            least, most = min(least, 1), None
    if least > clamp:
        least, most = clamp, None
    return text if (least, most) == (1, 1) else text + _times(least, most)


def _times(least: int, most: int | None) -> str:
    if most is None:
        return f"{{{least},}}" if least else "*"
    return f"{{{least}}}" if least == most else f"{{{least},{most}}}"


def _emit_set(mask: int, *, is_tolerant: bool, loop: str = "+") -> str:
    plain = _class(mask)
    if not is_tolerant or not mask & _ESCAPED:
        return plain
    if mask.bit_count() > _WIDE:
        return r"\\*" + plain
    spelled = mask & _PUNCTUATION | _BACKSLASH | _CODES
    for char, letter in (b"\nn", b"\rr", b"\tt", b"\ff"):
        if mask >> char & 1:
            spelled |= 1 << letter
    # One state with a loop, no alternatives in it: this stands in every rule several times.
    return rf"(?:{plain}|\\{_class(spelled)}{loop})"


def _class(mask: int) -> str:
    if mask == ALL:
        return r"[\x00-\xff]"
    ranges = []
    byte = 0
    while byte < 256:  # noqa: PLR2004 - the number of bytes
        if not mask >> byte & 1:
            byte += 1
            continue
        last = byte
        while mask >> (last + 1) & 1:
            last += 1
        ranges.append((byte, last))
        byte = last + 1
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _byte(ranges[0][0])
    text = "".join(_byte(a) if a == b else f"{_byte(a)}-{_byte(b)}" for a, b in ranges)
    return f"[{text}]"


def _byte(byte: int) -> str:
    char = chr(byte)
    return char if char.isascii() and char.isalnum() else f"\\x{byte:02x}"
