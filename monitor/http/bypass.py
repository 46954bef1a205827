"""Which proxy an address is reached through: what the environment says, exceptions included."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib import request as urllib_request
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def proxy_for(url: str, proxies: Mapping[str, str]) -> str | None:
    """The proxy for an address, or None. ``proxies`` maps a scheme (or ``all``, ``no``)."""
    parts = urlsplit(url)
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or _is_bypassed(parts.netloc.rpartition("@")[2], proxies):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_bypassed(netloc: str, proxies: Mapping[str, str]) -> bool:
    """Whether ``no_proxy`` excludes a host; the standard library's rule, on a mapping of ours."""
    bypass: Callable[[str, Mapping[str, str]], bool] = vars(urllib_request)[
        "proxy_bypass_environment"
    ]
    return bool(bypass(netloc, proxies))
