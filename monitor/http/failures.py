"""What can go wrong on the way, as errors of ours: one line each, that names the address."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp

from monitor.errors import IntegrityError, LimitError, TargetError, TransientError

from .settings import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = {errno.ENOSPC, errno.EDQUOT}


class RetryError(TransientError):
    """May go well at once or after ``wait`` seconds; ``final`` is raised when no try is left."""

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        wait: float | None = None,
        final: TargetError | None = None,
    ) -> None:
        super().__init__(message, reason=reason)
        self.wait = wait
        self.final = final


def given_up(error: RetryError, tries: int, wait: float, limit: float) -> TransientError:
    """The error when no further try is made."""
    if wait > limit:
        return TransientError(
            f"{error}: it asks to be left alone for {wait:.0f} s, longer than [http] "
            f"max_wait_seconds ({limit:.0f}); try again later",
            reason=error.reason,
        )
    return TransientError(f"{error}, {tries} times; try again later", reason=error.reason)


def too_large(url: str, limit: int) -> LimitError:
    """The error for a body above its limit."""
    return LimitError(
        f"{shown(url)} is larger than {limit} bytes: raise [http] max_artifact_bytes or "
        "max_document_bytes if that is meant",
        reason="too-large",
    )


def truncated(url: str, received: int, announced: int | None) -> RetryError:
    """The error for a body that ended early."""
    of = f" of {announced}" if announced is not None else ""
    message = f"{shown(url)} broke off after {received}{of} bytes"
    return RetryError(
        message, reason="truncated", final=IntegrityError(message, reason="truncated")
    )


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what aiohttp raises into errors of ours."""
    try:
        yield
    except aiohttp.ClientConnectorCertificateError as error:
        raise TargetError(
            f"{shown(url)}: its certificate is not trusted ({error.certificate_error}): name "
            "the authority's file in SSL_CERT_FILE, pip's cert or npm's cafile",
            reason="certificate",
        ) from error
    except aiohttp.ClientPayloadError as error:
        raise truncated(url, 0, None) from error
    except TimeoutError as error:
        raise RetryError(f"{shown(url)} did not answer in time", reason="timeout") from error
    except ValueError as error:
        raise TargetError(f"{shown(url)} is not an address", reason="bad-address") from error
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, socket.gaierror):
            raise _unknown_host(url, error) from error
        raise _unreachable(url, error) from error
    except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
        raise _unreachable(url, error) from error


def _unreachable(url: str, error: Exception) -> RetryError:
    return RetryError(f"{shown(url)} cannot be reached ({_cause(error)})", reason="connection")


def _unknown_host(url: str, error: aiohttp.ClientConnectorError) -> TransientError:
    """For a name without an address: the resolver has tried often enough by itself."""
    return TransientError(
        f"{shown(url)} cannot be reached: the name {error.host} has no address "
        f"({_cause(error)}); check the network, the proxy and the spelling",
        reason="unknown-host",
    )


@contextmanager
def room() -> Iterator[None]:
    """Turn a full temporary folder into an error of ours (``disk-full``), which may pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise TransientError(
            f"no room for what is fetched ({os.strerror(error.errno)}): free some space, or set "
            "TMPDIR to another disk",
            reason="disk-full",
        ) from error


def _cause(error: Exception) -> str:
    """The first line of the cause: aiohttp's own repeats the address with its login."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    text = inner.strerror if isinstance(inner, OSError) else ""
    return (text or type(inner).__name__).splitlines()[0]
