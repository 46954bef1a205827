"""Which addresses may be talked to: public ones, and those that the operator named.

A registry's answer may point anywhere, also at a cloud's metadata service or at a neighbour. The
check is made on the addresses that the connection will use, as the resolver gives them, so a name
that resolves differently the second time (DNS rebinding) does not pass either.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from monitor.errors import ConfigError, DeniedError

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Not ``is_private``: what it says differs between the patch releases of Python, and it counts
# documentation networks, which carry no neighbours.
_PRIVATE: list[Network] = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "::/127",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Guard:
    """The operator's exceptions: ``allow_private`` entries and the configured registries' hosts.

    An entry is a host or ``host:port``, an address or a network.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        for entry in entries:
            self._add(entry)

    def _add(self, entry: str) -> None:
        text = entry.strip().lower()
        if not text:
            raise ConfigError("[http] allow_private: an entry is empty")
        try:
            self._networks.append(ipaddress.ip_network(text.strip("[]")))
        except ValueError:
            if "/" in text:
                raise ConfigError(
                    f"[http] allow_private: {entry!r} is not a host, an address or a network"
                ) from None
            self._hosts.add(text)

    def allow(self, netloc: str) -> None:
        """Allow one ``host:port``, as that of a configured registry."""
        self._hosts.add(netloc.lower())

    def permits(self, host: str, port: int, address: str) -> bool:
        """Whether a connection to this host at this resolved address is allowed."""
        if host.lower() in self._hosts or f"{host.lower()}:{port}" in self._hosts:
            return True
        parsed = _unwrap(ipaddress.ip_address(address.partition("%")[0]))
        if any(parsed in network for network in self._networks):
            return True
        return not any(parsed in network for network in _PRIVATE)

    def check_literal(self, host: str, port: int) -> None:
        """Refuse an address written as a number: no resolver would see it."""
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return
        if not self.permits(host, port, host):
            raise refusal(host, port, host)


def refusal(host: str, port: int, address: str) -> DeniedError:
    """The error for a private address."""
    where = host if host == address else f"{host} ({address})"
    return DeniedError(
        f"{where} port {port} is a private address: name it in [http] allow_private of "
        "leakmon.toml if that is meant",
        reason="private-address",
    )


def _unwrap(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


class GuardedResolver(AbstractResolver):
    """The system's resolver; a name with any refused address is refused as a whole."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of the host; DeniedError if it may not be talked to."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            if not self._guard.permits(host, port, result["host"]):
                raise refusal(host, port, result["host"])
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()
