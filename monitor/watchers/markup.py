"""A stranger's XML by expat alone: no document types, no entities, no depth without end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAX_DEPTH = 64  # a feed has five


def parse(
    body: bytes,
    *,
    start: Callable[[str, Mapping[str, str]], None],
    text: Callable[[str], None],
    end: Callable[[str], None],
) -> None:
    """Call back for each element and text; ValueError for what is not well-formed or forbidden.

    The size is the caller's to bound. Without a document type there are no entities of one's own,
    so nothing grows beyond the body ("billion laughs") and nothing is fetched.
    """
    depth = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise ValueError(f"XML nested deeper than {_MAX_DEPTH}")
        start(name, attributes)

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = opened
    parser.CharacterDataHandler = text
    parser.EndElementHandler = closed
    try:
        parser.Parse(body, True)  # noqa: FBT003 - its name is "isfinal", by position only
    except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding nobody knows
        raise ValueError(f"not XML ({error})") from error


def _refuse(*_declaration: object) -> None:
    raise ValueError("XML with a document type is refused")
