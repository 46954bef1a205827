"""A stranger's JSON: decoded, or a ValueError with one line, whatever it holds."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")


def decoded(body: bytes | msgspec.Raw, kind: type[Kind]) -> Kind:
    """The value, checked against a type; ValueError for no JSON, another shape, endless nesting."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def decoded_object(body: bytes | msgspec.Raw) -> dict[str, Any]:
    """A JSON object of any content; anything else is a ValueError."""
    return decoded(body, dict[str, Any])
