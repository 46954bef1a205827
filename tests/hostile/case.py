"""What a hostile case is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.hostile.makers import tar_member, tgz

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = b"the text that must be found"
GOOD = tar_member(b"package/good.js", SECRET)


class Case(NamedTuple):
    name: str
    build: Callable[[], bytes]
    reason: str = ""
    hazard: str = ""
    see: bytes = SECRET


def tar_case(
    name: str, body: bytes, reason: str = "", hazard: str = "", see: bytes = SECRET
) -> Case:
    return Case(name, lambda: tgz(body), reason, hazard, see)
