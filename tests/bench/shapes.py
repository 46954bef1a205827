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
    "3": string.ascii_lowercase + "234567",
    "j": string.ascii_lowercase + string.digits + "!@#$%^&*(-_=+)",
    "c": "023456789acdefghjklmnpqrstuvwxyz",
    "C": "023456789ACDEFGHJKLMNPQRSTUVWXYZ",
}
_PART = re.compile(r"\{(?:(\d+):(.)|=(\d+)|uuid)\}")


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
    """A format with its parts drawn at random; other braces than those of a part stay.

    ``{20:n}``: twenty characters of alphabet ``n``; ``{=32}``: 32 bytes in base64; ``{uuid}``.
    """

    def drawn(part: re.Match[str]) -> str:
        if part[0] == "{uuid}":
            return random_uuid(chance)
        if part[3]:
            return base64.b64encode(chance.randbytes(int(part[3]))).decode()
        return "".join(chance.choices(ALPHABETS[part[2]], k=int(part[1])))

    return _PART.sub(drawn, pattern)


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def coded(pattern: str) -> Callable[[random.Random], str]:
    """Makes a format in base64: ``coded("svc:{20:n}")``."""
    return lambda chance: base64.b64encode(filled(pattern, chance).encode()).decode()


def signed(header: str, claims: str, signature: int) -> Callable[[random.Random], str]:
    """Makes a JSON web token of two formats, with a signature of that many bytes."""

    def make(chance: random.Random) -> str:
        parts = [unpadded(filled(one, chance).encode()) for one in (header, claims)]
        return ".".join([*parts, unpadded(chance.randbytes(signature))])

    return make


def joined(*parts: str | Callable[[random.Random], str]) -> Callable[[random.Random], str]:
    """Makes a format of formats and makers, one behind the other."""
    return lambda chance: "".join(
        part(chance) if callable(part) else filled(part, chance) for part in parts
    )


def random_uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
