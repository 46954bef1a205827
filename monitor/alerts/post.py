"""One HTTP request of a channel, and what its failure means for a delivery."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.alerts.errors import (
    BusyError,
    MisconfiguredError,
    RejectedError,
    UnansweredError,
    UnreachableError,
)
from monitor.errors import UsageError
from monitor.http.bypass import proxy_for
from monitor.http.sending import NoReplyError, NotSentError, Reply, Way, send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.alerts.settings import Reach

_DEFAULT_WAIT = 30.0
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND,
                      HTTPStatus.GONE, HTTPStatus.METHOD_NOT_ALLOWED})  # fmt: skip
"""An address or a credential that is wrong: no message will pass until somebody mends it."""


async def request(
    method: str,
    url: str,
    *,
    reach: Reach,
    channel: str,
    content: Any = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    remedy: str,
) -> Reply:
    """Send JSON ``content`` (or a ready ``body``) once; gives any reply with a status of 2xx.

    Raises the errors of ``monitor.alerts.errors``. ``remedy`` ends the sentence where the operator
    has to act. A 5xx may have been taken; a 4xx was not.
    """
    told = {"Content-Type": "application/json"} | dict(headers or {})
    payload = _encoded(content) if content is not None else body
    way = Way(proxy=proxy_for(url, reach.proxies), ca_files=reach.ca_files, contact=reach.contact)
    try:
        reply = await send(method, url, payload, told, way)
    except NotSentError as error:
        raise UnreachableError(f"{channel}: {error}") from None
    except NoReplyError as error:
        raise UnansweredError(f"{channel}: {error}") from None
    except UsageError as error:
        raise MisconfiguredError(f"{channel}: {error}", reason=error.reason) from None
    if reply.is_success:
        return reply
    raise _meaning(reply, channel, remedy)


def _encoded(content: Any) -> bytes:
    """JSON in UTF-8; half a surrogate pair of a hostile name becomes a question mark."""
    try:
        return msgspec.json.encode(content)
    except UnicodeEncodeError:
        return json.dumps(content, ensure_ascii=False).encode(errors="replace")


def decoded(reply: Reply) -> Any:
    """The reply's JSON, None where it is none."""
    try:
        return msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return None


def _meaning(reply: Reply, channel: str, remedy: str) -> Exception:
    status = reply.status
    reason = f"http-{status}"
    wait = _wait(reply)
    is_limited = status == HTTPStatus.FORBIDDEN and wait is not None
    if status == HTTPStatus.TOO_MANY_REQUESTS or is_limited:
        seconds = _DEFAULT_WAIT if wait is None else wait
        return BusyError(f"{channel} asks to wait {seconds:.0f} s", retry_after=seconds)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return UnansweredError(f"{channel} failed ({status})", reason=reason)
    if status in _REFUSED or status < HTTPStatus.BAD_REQUEST:
        return MisconfiguredError(f"{channel} answers {status}: {remedy}", reason=reason)
    return RejectedError(f"{channel} refuses this message ({status})", reason=reason)


def _wait(reply: Reply) -> float | None:
    """Seconds, from ``Retry-After``; None where it is absent or no number."""
    try:
        return max(0.0, float(reply.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
