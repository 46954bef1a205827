"""How a kind of token is written down: its name, what it is drawn from, what it needs around it."""

from __future__ import annotations

import base64
import re
import string
import uuid
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

ALPHABETS = {
    "d": string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "n": string.ascii_letters + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "u": string.ascii_uppercase + string.digits,
    "a": string.ascii_letters,
    "b": string.ascii_letters + string.digits + "-_",
    "B": string.ascii_letters + string.digits + "+/",
    "2": string.ascii_uppercase + "234567",
    "c": "023456789acdefghjklmnpqrstuvwxyz",
    "C": "023456789ACDEFGHJKLMNPQRSTUVWXYZ",
}
_PART = re.compile(r"\{(\d+):(.)\}")


class Provider(NamedTuple):
    """A provider's kind of token and the name under which programs keep it.

    ``shape``: ``token`` (tells by itself what it is), ``bare`` (only its name tells),
    ``connection`` (an address with a password in it) or ``pem``.
    """

    name: str
    variable: str
    make: str | Callable[[random.Random], str]
    shape: str = "token"


def filled(pattern: str, chance: random.Random) -> str:
    """A format with its parts drawn at random."""
    return _PART.sub(
        lambda part: "".join(chance.choices(ALPHABETS[part[2]], k=int(part[1]))), pattern
    )


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def random_uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
