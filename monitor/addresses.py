"""Where the public registries live: the ecosystems' own map, ``packageurl-python``, is asked.

No public registry's host name is written in this project. Each function gives an address that ends
with ``/``. They are the last resort, after ``leakmon.toml`` and the client's own configuration.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packageurl.contrib import purl2url

from .errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

# The library has no type information of its own here.
_download_url: Callable[[str], str | None] = purl2url.get_download_url
_site_url: Callable[[str], str | None] = purl2url.get_repo_url


@functools.cache
def npm_registry() -> str:
    """The npm registry: the site of the download address of any npm package."""
    return _origin(_download_url("pkg:npm/any@1.0.0"), "npm")


@functools.cache
def npm_changes() -> str:
    """The database of npm's change feed: ``registry`` at the host ``replicate`` of npm's domain."""
    host = urlsplit(_origin(_site_url("pkg:npm/any"), "npm")).netloc
    return f"https://replicate.{host.removeprefix('www.')}/registry/"


@functools.cache
def pypi_site() -> str:
    """PyPI's site, below which ``simple/``, ``pypi/`` and ``rss/`` lie."""
    return _origin(_site_url("pkg:pypi/any"), "pypi")


@functools.cache
def github_site() -> str:
    """GitHub's site, below which ``owner/repository`` are git addresses."""
    return _origin(_site_url("pkg:github/any/any"), "github")


@functools.cache
def gitlab_site() -> str:
    """GitLab's site, below which ``group/repository`` are git addresses."""
    return _origin(_site_url("pkg:gitlab/any/any"), "gitlab")


@functools.cache
def forges() -> dict[str, str]:
    """The hosts of the public forges, each with its name in package URLs (``github`` ...)."""
    kinds = ("github", "gitlab", "bitbucket")
    return {
        urlsplit(_origin(_site_url(f"pkg:{kind}/any/any"), kind)).netloc: kind for kind in kinds
    }


def github_api(site: str) -> str:
    """The REST API that belongs to a GitHub site.

    The public one answers at the host ``api``; a GitHub Enterprise Server below ``/api/v3/``.
    """
    if site == github_site():
        return f"https://api.{urlsplit(site).netloc}/"
    return f"{site.rstrip('/')}/api/v3/"


def github_site_of(api: str) -> str:
    """The site that belongs to a GitHub REST API: the inverse of ``github_api``."""
    parts = urlsplit(api)
    path = parts.path.rstrip("/").removesuffix("/api/v3")
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}{path}/"


def _origin(url: str | None, ecosystem: str) -> str:
    parts = urlsplit(url or "")
    if parts.scheme != "https" or not parts.netloc:
        raise ConfigError(
            f"packageurl-python does not know where {ecosystem} lives: "
            f"set [registries.{ecosystem}] url in leakmon.toml"
        )
    return f"{parts.scheme}://{parts.netloc}/"
