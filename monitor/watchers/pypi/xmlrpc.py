"""XML-RPC over our own way out; the standard library only writes the call and reads the answer.

Source: XML-RPC specification; PyPI's "Mirroring" methods and their rate limit (fault -32500).
"""

from __future__ import annotations

import re
import xmlrpc.client
from typing import TYPE_CHECKING, Any

from monitor.errors import TargetError
from monitor.http.failures import RetryError
from monitor.http.settings import shown
from monitor.watchers import markup, reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.http.client import Client

_BUSY = -32500
_RESET = re.compile(r"reset in (\d{1,6})", re.ASCII)
_SHORTEST_REST = 1.0  # seconds: the limit is about one call a second
_HEADERS = {"Accept": "text/xml", "Content-Type": "text/xml"}


async def call(client: Client, url: str, method: str, *arguments: int, max_bytes: int) -> Any:
    """The answer's one value; its shape is the caller's to check.

    "Too many requests" is waited out as long as it asks, then a TransientError; another fault is
    a TargetError (``fault``). ValueError for what is no answer.
    """
    question = xmlrpc.client.dumps(arguments, method).encode()

    async def attempt(_number: int) -> Any:
        answer = await reading.once(client, url, _HEADERS, max_bytes=max_bytes, question=question)
        try:
            return await reading.parsed(read, answer.body or b"")
        except xmlrpc.client.Fault as fault:
            raise _error(url, fault) from fault

    return await client.retried(attempt)


def read(body: bytes) -> Any:
    """The value of an answer. Raises ``xmlrpc.client.Fault``; ValueError for what is no answer."""
    target = xmlrpc.client.Unmarshaller(use_builtin_types=True)
    target.xml("", None)  # no encoding: expat has decoded the texts

    def start(name: str, attributes: Mapping[str, str]) -> None:
        target.start(name, dict(attributes))

    try:
        markup.parse(body, start=start, text=target.data, end=target.end)
        values: Any = target.close()
    except xmlrpc.client.Fault:
        raise
    except (xmlrpc.client.Error, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not XML-RPC ({type(error).__name__})") from error
    if not isinstance(values, tuple) or len(values) != 1:
        raise ValueError("an XML-RPC answer has one value")
    return values[0]


def _error(url: str, fault: xmlrpc.client.Fault) -> RetryError | TargetError:
    said = "".join(each for each in str(fault.faultString) if each.isprintable())[:200]
    if fault.faultCode != _BUSY or "TooManyRequests" not in said:
        return TargetError(f"{shown(url)}: fault {fault.faultCode}: {said}", reason="fault")
    asked = _RESET.search(said)
    wait = float(asked[1]) if asked else _SHORTEST_REST
    return RetryError(f"{shown(url)}: {said}", reason="rate-limit", wait=max(wait, _SHORTEST_REST))
