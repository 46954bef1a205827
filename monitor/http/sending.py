"""One request to an address of the operator's own, sent once: what became of it is told exactly.

The client of this room asks, and may ask again. Who *sends* must know whether the other side may
have taken it: ``NotSentError`` is certain that it did not, ``NoReplyError`` is not. The path of
such an address is often its secret, so errors name the host alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct, field
from yarl import URL

from monitor import __version__
from monitor.errors import TransientError, UsageError

from . import trust

TIMEOUT_SECONDS = 20.0
MAX_REPLY_BYTES = 256 * 1024


class NotSentError(TransientError):
    """No connection came about."""

    default_reason = "unreachable"


class NoReplyError(TransientError):
    """The request went out and no whole reply came back."""

    default_reason = "unanswered"


class Way(Struct, frozen=True, kw_only=True):
    """The way out: ``proxy`` for this address (None for none), certificates, the operator."""

    proxy: str | None = None
    ca_files: tuple[str, ...] = ()
    contact: str = ""


class Reply(Struct, frozen=True):
    """What came back: any status, headers by lower-case name, at most 256 KiB of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


async def send(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    way: Way | None = None,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Reply:
    """Send once; redirects are not followed: a changed address is the operator's to confirm.

    Raises NotSentError, NoReplyError, or UsageError for a certificate that is not trusted and an
    address that is none.
    """
    way = way or Way()
    contact = f" (+{way.contact})" if way.contact else ""
    host = _host(url)
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=trust.context(way.ca_files)),
                timeout=aiohttp.ClientTimeout(total=timeout_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"leakmon/{__version__}{contact}"},
            ) as session,
            session.request(
                method, URL(url, encoded=True), data=body, headers=dict(headers),
                allow_redirects=False, proxy=way.proxy,
            ) as answer,
        ):  # fmt: skip
            read = await answer.content.read(MAX_REPLY_BYTES)
            named = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, named, read)
    except aiohttp.ClientConnectorCertificateError:
        raise UsageError(
            f"{host}: its certificate is not trusted: name the authority's file in SSL_CERT_FILE",
            reason="certificate",
        ) from None
    except aiohttp.ClientConnectorError as error:
        raise NotSentError(f"{host} cannot be reached ({_cause(error)})") from None
    except aiohttp.InvalidURL:
        raise UsageError("an address that is none", reason="bad-address") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise NoReplyError(f"{host} gave no answer ({type(error).__name__})") from None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the address"
    except ValueError:
        return "the address"


def _cause(error: aiohttp.ClientConnectorError) -> str:
    return (error.os_error.strerror or type(error.os_error).__name__).splitlines()[0]
