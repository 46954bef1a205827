"""Addresses of repositories in one form, so that the ways of writing one compare as equal.

``git+https://host/acme/cli.git``, ``git@host:acme/cli``, ``github:acme/cli``, ``acme/cli`` (as npm
writes it for GitHub) and ``https://host/acme/cli/tree/main`` name one place.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from monitor import addresses
from monitor.registries.repository import is_address, name_of

_SHORT = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_KIND = re.compile(r"(?P<kind>[a-z]+):(?P<path>[^/\s][^\s]*)", re.ASCII)
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[A-Za-z0-9][\w.-]*):(?P<path>[^/\s][^\s]*)", re.ASCII)


def place(address: str) -> str:
    """``github:acme/cli`` for a public forge, else ``host/path``; empty for what is none."""
    text = address.strip().removeprefix("git+")
    if "://" in text:
        return _of_url(text)
    kinds = set(addresses.forges().values())
    short = _KIND.fullmatch(text.lower())
    if short and short["kind"] in kinds:
        return f"{short['kind']}:{_path(short['path'])}"
    if _SHORT.fullmatch(text):
        return f"github:{_path(text)}"
    scp = _SCP.fullmatch(text)
    return _joined(scp["host"], scp["path"]) if scp else ""


def globs(entry: str, ecosystem: str) -> list[str]:
    """The names of repositories of ``github``, ``gitlab`` or ``git`` that an entry stands for.

    ``github:acme`` is every repository of that owner; a GitLab path may be a group's or a
    project's; an address is one repository.
    """
    kind, _, path = place(entry).partition(":")
    if kind in {"github", "gitlab"} and path:
        if kind != ecosystem:
            return []
        if "/" not in path:
            return [f"{path}/*"]
        return [path, f"{path}/*"] if kind == "gitlab" else [path]
    return [name_of(entry).lower()] if ecosystem == "git" and is_address(entry) else []


def _of_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return _joined(host, parts.path) if host else ""


def _joined(host: str, path: str) -> str:
    host = host.lower().removeprefix("www.")
    kind = addresses.forges().get(host)
    return f"{kind}:{_path(path)}" if kind else f"{host}/{_path(path)}"


def _path(path: str) -> str:
    return path.lower().strip("/").removesuffix(".git")
