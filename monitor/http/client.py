"""One request out: guarded, paced, retried, with the credentials of its place and no other."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from monitor import __version__
from monitor.errors import DeniedError, LimitError, NotFoundError, TargetError

from . import trust
from .bypass import proxy_for
from .failures import RetryError, given_up, too_large, translated
from .guard import Guard, GuardedResolver
from .limits import Limits
from .pace import Clock, Pace, back_off, wait_asked
from .settings import Credential, HttpSettings, best, is_web, joined, netloc_of, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

_MAX_REDIRECTS = 10
_CHUNK = 256 * 1024
_PEEK = 4096
_REDIRECTS = {301, 302, 303, 307, 308}
_REPEATED = {307, 308}  # those that keep the method and the body (RFC 9110, section 15.4)
_RETRIED = {408, 425, 429, 500, 502, 503, 504}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}

Result = TypeVar("Result")


class Document:
    """A body that was read whole: its bytes, its headers and where it came from in the end."""

    __slots__ = ("body", "headers", "url")

    def __init__(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        self.url = url
        self.headers = headers
        self.body = body

    @property
    def media_type(self) -> str:
        """The media type, lower case, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class Client:
    """One session for everything; use it as an asynchronous context manager.

    ``proxies`` maps a scheme (``http``, ``https``, ``all``, ``no``) to what the environment says.
    ``ca_files`` are trusted besides the system's certificates. ``hint`` is added to a refusal: it
    tells where credentials for an address would be taken from.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        credentials: Sequence[Credential] = (),
        guard: Guard | None = None,
        proxies: Mapping[str, str] | None = None,
        ca_files: Sequence[str] = (),
        clock: Clock | None = None,
        hint: Callable[[str], str] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.credentials = list(credentials)
        self.guard = guard or Guard(settings.allow_private)
        self.proxies = dict(proxies or {})
        self._ca_files = ca_files
        self.limits = Limits()
        self._pace = Pace(settings, self.clock)
        self._hint = hint or (lambda _url: "")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        for proxy in (self.proxies.get("http"), self.proxies.get("https"), self.proxies.get("all")):
            if proxy:
                self.guard.allow(netloc_of(proxy))
        contact = f" (+{self.settings.contact})" if self.settings.contact else ""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=GuardedResolver(self.guard), ssl=trust.context(self._ca_files), limit=0
            ),
            timeout=aiohttp.ClientTimeout(
                total=self.settings.total_seconds,
                sock_connect=self.settings.connect_seconds,
                sock_read=self.settings.idle_seconds,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"leakmon/{__version__}{contact}"},
        )
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def document(
        self,
        url: str,
        *,
        accept: str = "application/json",
        max_bytes: int | None = None,
        question: bytes | None = None,
    ) -> Document:
        """GET a whole body; larger than ``max_bytes`` is a LimitError.

        With a ``question`` (JSON) it is a POST, of the kind that only asks: it may be sent twice.
        """
        limit = max_bytes or self.settings.max_document_bytes

        async def read(_attempt: int) -> Document:
            async with self.open(url, {"Accept": accept}, question=question) as answer:
                response, final_url = answer
                body = bytearray()
                async for chunk in self.chunks(response, final_url):
                    body += chunk
                    if len(body) > limit:
                        raise too_large(final_url, limit)
                return Document(final_url, response.headers, bytes(body))

        return await self.retried(read)

    async def retried(self, attempt: Callable[[int], Awaitable[Result]]) -> Result:
        """Call ``attempt(n)``, n from 1, until it does not raise RetryError or no try is left."""
        for number in range(1, self.settings.tries + 1):
            try:
                return await attempt(number)
            except RetryError as error:
                limit = self.settings.max_wait_seconds
                wait = max(error.wait or 0.0, back_off(number, self.clock, limit))
                if number == self.settings.tries or wait > limit:
                    raise (error.final or given_up(error, number, wait, limit)) from error
            await self.clock.sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    @asynccontextmanager
    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        decode: bool = True,
        question: bytes | None = None,
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, str]]:
        """The answer with a status below 300 and the address that gave it, redirects followed.

        One try: RetryError for what may go well later, else the TargetError that fits the status
        (``http-304`` where the headers made the question conditional).
        Each hop is checked anew and gets only the credentials of its own place.
        """
        origin = url
        for _hop in range(_MAX_REDIRECTS + 1):
            self._check(url, origin)
            self._refrain(url)
            async with (
                self._pace.turn(netloc_of(url)),
                self._answer(url, headers, decode=decode, question=question) as answer,
            ):
                if question is not None and answer.status in _REDIRECTS - _REPEATED:
                    raise TargetError(
                        f"{shown(url)} answered a question with a redirect ({answer.status}): "
                        "name the address where it lives",
                        reason="redirect",
                    )
                if answer.status not in _REDIRECTS:
                    await self._judge_limit(answer, url)
                    self._judge(answer, url)
                    yield answer, url
                    return
                url = _target(url, answer.headers.get("Location", ""))
        raise TargetError(
            f"{shown(origin)}: more than {_MAX_REDIRECTS} redirects", reason="redirect"
        )

    async def chunks(self, response: aiohttp.ClientResponse, url: str) -> AsyncIterator[bytes]:
        """The body in pieces; RetryError if it breaks off, idles or comes too slowly."""
        started = self.clock.monotonic()
        received = 0
        with translated(url):
            async for chunk in response.content.iter_chunked(_CHUNK):
                received += len(chunk)
                elapsed = self.clock.monotonic() - started
                slowest = self.settings.min_bytes_per_second * elapsed
                if elapsed > self.settings.slow_seconds and received < slowest:
                    message = f"{shown(url)} sends {received / elapsed:.0f} bytes a second"
                    final = LimitError(
                        f"{message}, less than [http] min_bytes_per_second", reason="too-slow"
                    )
                    raise RetryError(message, reason="too-slow", final=final)
                yield chunk

    def proxy_for(self, url: str) -> str | None:
        """The proxy that the environment names for an address, or None."""
        return proxy_for(url, self.proxies)

    @asynccontextmanager
    async def _answer(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        decode: bool,
        question: bytes | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._session is not None, "use the client as a context manager"
        self.limits.check(url, self.clock.now())
        credential = best(self.credentials, url)
        sent = dict(headers) | ({"Authorization": credential.header} if credential else {})
        if question is not None:
            sent.setdefault("Content-Type", "application/json")
        with translated(url):
            answer = await self._session.request(
                "GET" if question is None else "POST",
                URL(url, encoded=True),
                data=question,
                headers=sent,
                allow_redirects=False,
                proxy=self.proxy_for(url),
                auto_decompress=decode,
            )
        async with answer:
            self.limits.saw(url, answer.status, answer.headers, self.clock.now())
            yield answer

    async def _judge_limit(self, answer: aiohttp.ClientResponse, url: str) -> None:
        """A refusal that is a limit, told by its text alone: the host is left alone for long."""
        is_refusal = answer.status in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
        is_told = wait_asked(answer.headers, self.clock.now()) is not None
        if not is_refusal or is_told or not self.limits.counts(url):
            return
        with translated(url):
            text = await answer.content.read(_PEEK)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS or b"rate limit" in text.lower():
            wait = self.limits.refused(url, self.clock.now())
            reason = f"http-{answer.status}"
            raise RetryError(f"{shown(url)} answered {answer.status}", reason=reason, wait=wait)

    def _check(self, url: str, origin: str) -> None:
        parts = urlsplit(url) if is_web(url) else None
        if parts is None or not parts.hostname or "@" in parts.netloc:
            raise DeniedError(
                f"{shown(url)} is not an http(s) address that may be followed", reason="bad-address"
            )
        if parts.scheme == "http" and origin.startswith("https:"):
            raise DeniedError(
                f"{shown(origin)} redirects to the unencrypted {shown(url)}", reason="downgrade"
            )
        self.guard.check_literal(parts.hostname, int(netloc_of(url).rpartition(":")[2]))

    def _refrain(self, url: str) -> None:
        """A host that asked to be left alone is, whoever else wants something of it."""
        wait = self._pace.held(netloc_of(url))
        if wait > 0:
            raise RetryError(
                f"{shown(url)}: its host asked to be left alone", reason="retry-after", wait=wait
            )

    def _judge(self, answer: aiohttp.ClientResponse, url: str) -> None:
        """Raise the error that belongs to a status, if any."""
        status = answer.status
        wait = wait_asked(answer.headers, self.clock.now())
        if status in _RETRIED or (status == HTTPStatus.FORBIDDEN and wait is not None):
            if wait is not None and wait > self.settings.max_wait_seconds:
                self._pace.hold(netloc_of(url), wait)
            raise RetryError(f"{shown(url)} answered {status}", reason=f"http-{status}", wait=wait)
        if status in _GONE:
            raise NotFoundError(f"{shown(url)} does not exist ({status})")
        if status in _REFUSED:
            credential = best(self.credentials, url)
            why = (
                f"the credentials from {credential.source} were refused"
                if credential
                else ("no credentials are configured for it")
            )
            hint = self._hint(url)
            raise DeniedError(f"{shown(url)} answered {status}: {why}{hint and f' ({hint})'}")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise TargetError(f"{shown(url)} answered {status}", reason=f"http-{status}")


def _target(url: str, location: str) -> str:
    """Where a redirect leads."""
    if not location:
        raise TargetError(f"{shown(url)} redirects to nowhere", reason="redirect")
    return joined(url, location).partition("#")[0]
