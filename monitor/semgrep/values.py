"""The secret in what ``$SECRET`` was bound to: the token of a header, an address's password."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"(?i)\A(?:[a-z][a-z0-9+.-]{1,40}://[^:/@\s]*:([^@\s]+)@|[^:/@\s]+:([^@\s]+)@(?:tcp|unix)?\()"
)
_PARTS = re.compile(
    r"(?i)(?:\A|[;\s])(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*(?:'([^']+)'|([^;\s']+))"
)
_IS_PARTED = re.compile(r"(?i)\A\s*[a-z][a-z _]{1,40}=[^;\s]+[;\s]")
_SCHEME = re.compile(r"(?i)\A(?:bearer|basic|token|apikey|bot|key)\s+(\S+)\Z")
_QUOTES = ("'''", '"""', '"', "'", "`")


def secret_of(text: str) -> str:
    """The part of a literal that has to stay secret, as it is written in the source."""
    text = _unquoted(text)
    found = _SCHEME.match(text) or _ADDRESS.match(text)
    if found is None and _IS_PARTED.match(text):
        found = _PARTS.search(text)
    return next(filter(None, found.groups()), text) if found else text


def _unquoted(text: str) -> str:
    """Semgrep leaves the quotes on a literal that holds escapes."""
    for quote in _QUOTES:
        if len(text) >= 2 * len(quote) and text.startswith(quote) and text.endswith(quote):
            return text[len(quote) : -len(quote)]
    return text
