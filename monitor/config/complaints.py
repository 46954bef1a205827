"""How a value that cannot be meant is refused, and what makes an address one."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit


class Complaint(Exception):  # noqa: N818 - it becomes a ConfigError, which knows the file
    """``key: what is wrong: what to do``."""


def web_address(key: str, url: str) -> None:
    """Raises Complaint for what is no plain http(s) address; an empty one passes."""
    if not url:
        return
    parts = parts_of(key, url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", url):
        raise Complaint(f"{key}: not a web address: write https://host/path/")
    if "@" in parts.netloc:
        raise Complaint(
            f"{key}: holds credentials: leave them to the client's own configuration "
            "(pip, .npmrc) or to a token reference"
        )
    if parts.query or parts.fragment:
        raise Complaint(f"{key}: ends in a query or fragment: write https://host/path/")


def parts_of(key: str, url: str) -> SplitResult:
    """The address in its parts. Raises Complaint for what is malformed."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Complaint(f"{key}: not an address ({error}): write https://host:port/path/") from None
    return parts
