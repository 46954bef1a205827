"""What an index needs to be told of how prints are made: a few functions and what pins them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from monitor.private_code.prints import FilePrints

Fingerprints = Callable[[Sequence[tuple[str, bytes]]], "list[FilePrints | None]"]
Hygiene = Callable[[str, bytes], "str | None"]


class Making(Struct, frozen=True, kw_only=True):
    """How prints are made. The functions are of modules, so that other processes find them.

    ``fingerprints`` takes paths and contents and gives each one's prints, or None for what has
    none; ``hygiene`` gives the reason for which a file is left out; ``suffix`` the end of a path.
    ``parameters`` and ``canonicaliser`` change when the same content would give other prints.
    """

    fingerprints: Fingerprints
    hygiene: Hygiene
    suffix: Callable[[str], str]
    parameters: str
    canonicaliser: str = ""
