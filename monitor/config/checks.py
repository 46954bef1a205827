"""What a value of ``leakmon.toml`` must be beyond its type. Nothing is opened, nothing is asked."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING

from monitor.config.alerts_checks import check_alerts
from monitor.config.complaints import Complaint, parts_of, web_address
from monitor.config.secrets import SecretRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.config.settings import Copies, Evidence, Registries, Settings
    from monitor.http.settings import HttpSettings
    from monitor.model import Organisation

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.ASCII)
_REPOSITORY = re.compile(r"(?:[a-z]+:)[\w.*?\[\]-]+(?:/[\w.*?\[\]-]+)*", re.ASCII)
_MIN_CODE_NAME = 3
_ASKED = ("hint", "all", "off")
_ENGINES = ("auto", "embedded", "procrastinate")
_MAY_BE_ZERO = ("seconds_between_requests",)


def check(settings: Settings) -> None:
    """Raises Complaint at the first value that cannot be meant."""
    _database(settings.database.url)
    _engine(settings.jobs.engine, settings.database.url)
    _evidence(settings.evidence)
    check_alerts(settings.alerts, [each.name for each in settings.organisations])
    if not settings.advisories.osv:
        raise Complaint("advisories.osv: empty: write the address of an OSV API, or leave it out")
    web_address("advisories.osv", settings.advisories.osv)
    _copies(settings.copies)
    if settings.provenance.ask not in _ASKED:
        raise Complaint(f"provenance.ask: no such wish: write one of {', '.join(_ASKED)}")
    _listen(settings.service.listen)
    _http(settings.http)
    _registries(settings.registries)
    _organisations(settings.organisations)
    _private_code(settings)


def _private_code(settings: Settings) -> None:
    known = [one.name for one in settings.organisations]
    for name in settings.private_code.keys:
        if name not in known:
            raise Complaint(
                f"private_code.keys.{name}: no organisation has this name: "
                f"write one of {', '.join(known) or 'those that [[organisations]] will name'}"
            )


def _copies(copies: Copies) -> None:
    web_address("copies.jsdelivr", copies.jsdelivr)
    web_address("copies.unpkg", copies.unpkg)
    if copies.cdn and not copies.jsdelivr and not copies.unpkg:
        raise Complaint("copies.cdn: there is no CDN to ask: leave out copies.jsdelivr = ''")


def _listen(listen: str) -> None:
    host, _, port = listen.rpartition(":")
    if listen and (not host or not port.isdecimal() or not 0 < int(port) < 1 << 16):
        raise Complaint("service.listen: no address: write 127.0.0.1:9464, or '' for none")


def _database(url: str | SecretRef) -> None:
    if isinstance(url, SecretRef):
        return
    scheme = url.partition("://")[0]
    if scheme not in {"sqlite", "postgresql"} or "://" not in url:
        raise Complaint(
            "database.url: neither SQLite nor PostgreSQL: "
            "write sqlite:///leakmon.db or postgresql://host/name"
        )
    if scheme == "sqlite" and not url.startswith("sqlite:///"):
        raise Complaint("database.url: SQLite has no host: write sqlite:///leakmon.db")
    if parts_of("database.url", url).password is not None:
        raise Complaint(
            "database.url: holds a password: write env:NAME or file:PATH, which holds the address"
        )


def _engine(engine: str, url: str | SecretRef) -> None:
    if engine not in _ENGINES:
        raise Complaint(f"jobs.engine: no engine: write one of {', '.join(_ENGINES)}")
    if engine == "procrastinate" and isinstance(url, str) and not url.startswith("postgresql"):
        raise Complaint("jobs.engine: procrastinate needs PostgreSQL: write postgresql://host/name")


def _evidence(evidence: Evidence) -> None:
    url = evidence.url
    web_address("evidence.endpoint", evidence.endpoint)
    if bool(evidence.access_key_id) != bool(evidence.secret_access_key):
        missing = "secret_access_key" if evidence.access_key_id else "access_key_id"
        raise Complaint(f"evidence.{missing}: missing; a login needs both")
    if url.startswith("s3://"):
        parts = parts_of("evidence.url", url)
        if not parts.hostname or "@" in parts.netloc:
            raise Complaint("evidence.url: no bucket's address: write s3://bucket/prefix")
        if evidence.key is None:
            raise Complaint("evidence.key: missing; a bucket needs one: env:NAME or file:PATH")
    elif not url.startswith("file:") or url == "file:":
        raise Complaint("evidence.url: unknown store: write file:FOLDER or s3://bucket/prefix")


def _http(http: HttpSettings) -> None:
    for entry in http.allow_private:
        _private(entry)
    for name in http.__struct_fields__:
        value = getattr(http, name)
        if isinstance(value, int | float) and (
            not isfinite(value) or value < 0 or (value == 0 and name not in _MAY_BE_ZERO)
        ):
            raise Complaint(f"http.{name}: {value} cannot be meant: write a number above 0")


def _registries(registries: Registries) -> None:
    npm, pypi, github = registries.npm, registries.pypi, registries.github
    for key, url in (
        ("npm.url", npm.url),
        ("npm.changes", npm.changes),
        ("pypi.url", pypi.url),
        ("pypi.index", pypi.index),
        ("github.api", github.api),
        ("github.url", github.url),
        ("gitlab.api", registries.gitlab.api),
        ("gitlab.url", registries.gitlab.url),
    ):
        web_address(f"registries.{key}", url)
    for name, login in (("npm", npm), ("pypi", pypi)):
        if bool(login.username) != bool(login.password):
            missing = "password" if login.username else "username"
            raise Complaint(f"registries.{name}.{missing}: missing; a login needs both")
        if login.username and not login.url:
            raise Complaint(f"registries.{name}.url: missing; say where the login is for")
    if github.members and not github.token:
        raise Complaint(
            "registries.github.members: needs a token: without one GitHub answers 60 questions an "
            "hour"
        )
    if npm.token and not npm.url:
        raise Complaint("registries.npm.url: missing; say where the token is for")


def _private(entry: str) -> None:
    import ipaddress

    try:
        ipaddress.ip_network(entry, strict=False)
    except ValueError:
        host = re.sub(r"(?<=.):\d{1,5}$", "", entry.lower())
        if host != entry.lower() and _is_address(host):
            return
        if not _HOST.fullmatch(host) or re.fullmatch(r"[\d.]+", host):
            raise Complaint(
                f"http.allow_private: {entry!r} is no address, network or host: "
                "write 127.0.0.1, 10.0.0.0/8 or registry.internal"
            ) from None


def _is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _organisations(organisations: list[Organisation]) -> None:
    seen: set[str] = set()
    for number, organisation in enumerate(organisations, 1):
        if not organisation.name.strip():
            raise Complaint(f"organisations[number {number}].name: empty: give it a name")
        if organisation.name in seen:
            raise Complaint(f'organisations["{organisation.name}"]: stands twice: join the two')
        seen.add(organisation.name)
        _organisation(f'organisations["{organisation.name}"]', organisation)
        _ids(f'organisations["{organisation.name}"]', organisation)


def _ids(key: str, organisation: Organisation) -> None:
    for name in ("github_owner_ids", "gitlab_namespace_ids"):
        if any(number <= 0 for number in getattr(organisation, name)):
            raise Complaint(f"{key}.{name}: an id is a whole number above 0: ask the forge's API")


def _organisation(key: str, organisation: Organisation) -> None:
    for scope in organisation.npm.scopes:
        if not re.fullmatch(r"@[^\s/@]+", scope):
            raise Complaint(f"{key}.npm.scopes: {scope!r} is no scope: write '@acme'")
        _globs(f"{key}.npm.scopes", [scope[1:]])
    _globs(f"{key}.npm.packages", organisation.npm.packages)
    _globs(f"{key}.npm.maintainers", organisation.npm.maintainers)
    _globs(f"{key}.pypi.packages", organisation.pypi.packages)
    _globs(f"{key}.pypi.owners", organisation.pypi.owners)
    _globs(f"{key}.internal_hosts", organisation.internal_hosts)
    _globs(f"{key}.internal_names", organisation.internal_names)
    _globs(f"{key}.allowed_lookalikes", organisation.allowed_lookalikes)
    _globs(f"{key}.repositories", organisation.repositories)
    for repository in organisation.repositories:
        if "://" not in repository and not _REPOSITORY.fullmatch(repository):
            raise Complaint(
                f"{key}.repositories: {repository!r} names no repositories: "
                "write 'github:acme', 'github:acme/repo' or a git address"
            )
        if re.match(r"(?:git\+)?https?://[^/]*@", repository):
            raise Complaint(
                f"{key}.repositories: an address holds a login: leave it to .netrc or to the token "
                "of its forge"
            )
    for domain in organisation.domains:
        if not _HOST.fullmatch(domain.lower().removeprefix("*.")) or "." not in domain:
            raise Complaint(f"{key}.domains: {domain!r} is no domain: write 'acme.example'")
    for name in organisation.code_names:
        if len(name.strip()) < _MIN_CODE_NAME:
            raise Complaint(
                f"{key}.code_names: {name!r} would be found everywhere: use three letters or more"
            )


def _globs(key: str, globs: Iterable[str]) -> None:
    for glob in globs:
        if not glob or glob != glob.strip():
            raise Complaint(f"{key}: {glob!r} is empty or has space around it: remove it")
        if not glob.strip("*?"):
            raise Complaint(f"{key}: {glob!r} is every name there is: name what is yours")
        if not _closed(glob):
            raise Complaint(f"{key}: {glob!r} has a '[' without its ']': close it, or write '[[]'")


def _closed(glob: str) -> bool:
    """Whether each ``[`` has its ``]``, read as ``fnmatch`` reads it."""
    position = glob.find("[")
    while position >= 0:
        # A "]" that comes first (also after "!") stands for itself.
        start = position + 2 if glob[position + 1 : position + 2] != "!" else position + 3
        end = glob.find("]", start)
        if end < 0:
            return False
        position = glob.find("[", end)
    return True
