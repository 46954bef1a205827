"""Which address serves what, with which credentials. Pure, but for what the clients are told.

In this order: ``leakmon.toml``, the client's own configuration, the ecosystem's own map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor import addresses
from monitor.errors import ConfigError
from monitor.http.settings import Credential, netloc_of

from .client_config import ClientConfig, Index, Machine
from .client_config.pip import basic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.http.guard import Guard

    from .settings import NetworkSettings

_PROXIED = ("http", "https", "all", "no")


def slashed(url: str, key: str) -> str:
    """A configured address with ``/`` at its end; ConfigError names its key."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ConfigError(f"{key}: an address begins with https:// or http:// and holds no login")
    return url.rstrip("/") + "/"


def npm_registry(settings: NetworkSettings, told: ClientConfig, name: str) -> str:
    """The registry that serves a package's name."""
    if settings.npm.url:
        return slashed(settings.npm.url, "[registries.npm] url")
    scope = name.partition("/")[0] if name.startswith("@") else ""
    return told.scopes.get(scope) or told.registry or addresses.npm_registry()


def npm_changes(settings: NetworkSettings) -> str:
    """The database of the change feed; a registry of one's own has one of its own."""
    if settings.npm.changes:
        return slashed(settings.npm.changes, "[registries.npm] changes")
    if settings.npm.url:
        raise ConfigError(
            "[registries.npm] changes: missing: name the change feed that belongs to url"
        )
    return addresses.npm_changes()


def pypi_site(settings: NetworkSettings) -> str:
    """The site whose feeds are followed: ``pypi``, ``rss/`` and ``simple/`` lie below it."""
    if settings.pypi.url:
        return slashed(settings.pypi.url, "[registries.pypi] url")
    return addresses.pypi_site()


def pypi_indexes(settings: NetworkSettings, told: ClientConfig) -> list[Index]:
    """The Simple indexes, the first asked first."""
    if settings.pypi.index:
        key = "[registries.pypi] index"
        return [Index(url=slashed(settings.pypi.index, key), source=key)]
    if settings.pypi.url:
        key = "[registries.pypi] url"
        return [Index(url=slashed(settings.pypi.url, key) + "simple/", source=key)]
    if told.is_offline:
        return []
    public = Index(url=addresses.pypi_site() + "simple/", source="packageurl-python")
    return [*(told.indexes or [public]), *told.extra_indexes]


def github(settings: NetworkSettings) -> tuple[str, str]:
    """The REST API and the site of the repositories."""
    told = settings.github
    if told.url:
        site = slashed(told.url, "[registries.github] url")
    elif told.api:
        site = addresses.github_site_of(slashed(told.api, "[registries.github] api"))
    else:
        site = addresses.github_site()
    if told.api:
        return slashed(told.api, "[registries.github] api"), site
    return addresses.github_api(site), site


def github_graphql(settings: NetworkSettings) -> str:
    """The GraphQL address beside GitHub's REST API."""
    api = github(settings)[0]
    return f"{api.removesuffix('v3/')}graphql"


def gitlab(settings: NetworkSettings) -> tuple[str, str]:
    """The REST API and the site of the repositories of a GitLab."""
    told = settings.gitlab
    if told.url:
        site = slashed(told.url, "[registries.gitlab] url")
    elif told.api:
        api = slashed(told.api, "[registries.gitlab] api")
        site = f"{api.removesuffix('/').removesuffix('/api/v4')}/"
    else:
        site = addresses.gitlab_site()
    if told.api:
        return slashed(told.api, "[registries.gitlab] api"), site
    return f"{site}api/v4/", site


def credentials(settings: NetworkSettings) -> list[Credential]:
    """The credentials that ``leakmon.toml`` gives, each for its own place."""
    found = []
    if settings.npm.url:
        key = "[registries.npm] token"
        header = _header(settings.npm.token, settings.npm.username, settings.npm.password)
        found += _credential(settings.npm.url, header, key)
    index = settings.pypi.index or settings.pypi.url
    if index and settings.pypi.username:
        # As pip: an index's login is good for its host, because files lie beside the index.
        host = urlsplit(index)._replace(path="/").geturl()
        header = basic(settings.pypi.username, settings.pypi.password)
        found += _credential(host, header, "[registries.pypi] username")
    if settings.github.token:
        api, site = github(settings)
        key = "[registries.github] token"
        # git's http takes no bearer tokens; where both places are one, the API takes a login too.
        found += _credential(site, basic("x-access-token", settings.github.token), key)
        found += _credential(api, f"Bearer {settings.github.token}", key)
    if settings.gitlab.token:
        api, site = gitlab(settings)
        key = "[registries.gitlab] token"
        found += _credential(site, basic("oauth2", settings.gitlab.token), key)
        found += _credential(api, f"Bearer {settings.gitlab.token}", key)
    return found


def allow_configured(guard: Guard, settings: NetworkSettings, *told: ClientConfig) -> None:
    """Let the guard pass to the hosts that somebody configured as registries."""
    urls = [
        settings.npm.url,
        settings.npm.changes,
        settings.pypi.url,
        settings.pypi.index,
        settings.github.url,
        settings.github.api,
        settings.gitlab.url,
        settings.gitlab.api,
        *settings.repositories,
    ]
    for config in told:
        urls += [config.registry, *config.scopes.values()]
        urls += [index.url for index in (*config.indexes, *config.extra_indexes)]
    for url in urls:
        if url.startswith(("http:", "https:")):
            guard.allow(netloc_of(url))


def proxies(machine: Machine) -> dict[str, str]:
    """The proxies that the environment names, by scheme; ``no`` is the list of exceptions."""
    environ = machine.environ
    found: dict[str, str] = {}
    for scheme in _PROXIED:
        value = environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY")
        # HTTP_PROXY in capitals may be a request's header inside a CGI program.
        if value and not (scheme == "http" and "REQUEST_METHOD" in environ):
            found[scheme] = value
    return found


def hint(settings: NetworkSettings, npm: ClientConfig, pip: ClientConfig, url: str) -> str:
    """Where credentials for an address would be taken from."""
    ways: Mapping[str, list[str]] = {
        "give [registries.npm] token, or //host/path/:_authToken in .npmrc": [
            settings.npm.url,
            npm.registry,
            *npm.scopes.values(),
        ],
        "give [registries.pypi] username and password, a login in pip's index-url, or .netrc": [
            index.url for index in pypi_indexes(settings, pip)
        ],
        "give [registries.github] token": list(github(settings)),
        "give [registries.gitlab] token": list(gitlab(settings)),
    }
    for way, places in ways.items():
        if any(place and netloc_of(place) == netloc_of(url) for place in places):
            return way
    return "give a login for this host in .netrc"


def _header(token: str, username: str, password: str) -> str:
    if token:
        return f"Bearer {token}"
    return basic(username, password) if username else ""


def _credential(url: str, header: str, source: str) -> list[Credential]:
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + "/"
    if not header:
        return []
    return [
        Credential(
            scheme=parts.scheme, netloc=parts.netloc, path=path, header=header, source=source
        )
    ]
