"""A file from an address: streamed to disk, its digests computed on the way and checked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from monitor.errors import IntegrityError

from .digests import Digests
from .failures import RetryError, too_large, truncated
from .settings import shown

if TYPE_CHECKING:
    import aiohttp

    from .client import Client

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes announced (None if unknown)."""


class Downloaded(Struct, frozen=True):
    """A file on this machine, its size in bytes and its SHA-256 (hex)."""

    path: str
    bytes: int
    sha256: str


class Download:
    """One file on its way to ``folder``; ``run`` gives it or leaves nothing behind.

    ``digests`` (hex, by algorithm) and ``size`` are what the registry announced; every digest of a
    known algorithm must fit. The name on disk is ours, never the server's. A body that breaks off
    is resumed where the server offers a validator (``ETag``, ``Last-Modified``), else begun anew.
    """

    def __init__(
        self,
        client: Client,
        url: str,
        folder: str,
        *,
        digests: Mapping[str, str],
        size: int | None = None,
        headers: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._client = client
        self._url = url
        self._folder = folder
        self._digests = Digests(digests)
        self._size = size
        self._headers = {"Accept": "*/*", **(headers or {}), "Accept-Encoding": "identity"}
        self._progress = progress or (lambda _done, _total: None)
        self._validator = ""
        self._received = 0
        self._is_resumed = False

    async def run(self) -> Downloaded:
        """The downloaded file. On any failure, cancellation included, no file is left."""
        handle, partial = tempfile.mkstemp(suffix=".part", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:

                async def attempt(_number: int) -> None:
                    await self._attempt(file)

                await self._client.retried(attempt)
            done = partial.removesuffix(".part")
            os.replace(partial, done)
        except BaseException:
            os.unlink(partial)
            raise
        return Downloaded(done, self._received, self._digests.sha256)

    async def _attempt(self, file: BinaryIO) -> None:
        headers = dict(self._headers)
        if self._received and self._validator:
            headers |= {"Range": f"bytes={self._received}-", "If-Range": self._validator}
        async with self._client.open(self._url, headers, decode=False) as (response, url):
            self._position(file, response)
            total = self._announced(response)
            limit = self._client.settings.max_artifact_bytes
            if total is not None and total > limit:
                raise too_large(url, limit)
            await self._stream(file, response, url, total)
        self._check(file, url, total)

    async def _stream(
        self, file: BinaryIO, response: aiohttp.ClientResponse, url: str, total: int | None
    ) -> None:
        limit = self._client.settings.max_artifact_bytes
        try:
            async for chunk in self._client.chunks(response, url):
                self._received += len(chunk)
                if self._received > limit:
                    raise too_large(url, limit)
                file.write(chunk)
                self._digests.update(chunk)
                self._progress(self._received, total)
        except RetryError as error:
            if error.reason == "truncated":
                raise truncated(url, self._received, total) from error
            raise

    def _position(self, file: BinaryIO, response: aiohttp.ClientResponse) -> None:
        """Go on where the last try broke off if the server does, else begin anew."""
        start = f"bytes {self._received}-"
        fits = response.headers.get("Content-Range", "").startswith(start)
        self._is_resumed = response.status == HTTPStatus.PARTIAL_CONTENT and fits
        if not self._is_resumed:
            self._restart(file)
            if response.status == HTTPStatus.PARTIAL_CONTENT:
                raise RetryError(f"{shown(self._url)} sent another part", reason="bad-range")
        tag = response.headers.get("ETag", "")
        # A weak tag promises no equal bytes, so it must not continue a file (RFC 9110, 13.1.5).
        self._validator = (
            tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
        )

    def _restart(self, file: BinaryIO) -> None:
        file.seek(0)
        file.truncate()
        self._received = 0
        self._validator = ""
        self._digests.restart()

    def _announced(self, response: aiohttp.ClientResponse) -> int | None:
        """The bytes of the whole file as the server says, else as the registry said."""
        length = response.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit():
            return self._received + int(length)
        return self._size

    def _check(self, file: BinaryIO, url: str, total: int | None) -> None:
        """Refuse a body that is short or is not the announced one."""
        if total is not None and self._received < total:
            raise truncated(url, self._received, total)
        try:
            self._digests.check(url)
        except IntegrityError as error:
            if not self._is_resumed:
                raise
            # Two halves of different files: only a whole one can be judged.
            self._restart(file)
            raise RetryError(str(error), reason=error.reason, final=error) from error
