"""What a registry says of a package beyond its name, as far as it tells whose it is."""

from __future__ import annotations

import re
from email.utils import getaddresses
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from monitor.model import Artifact
from monitor.model.provenance import Provenance

from . import newest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.model import Release

_MAIL = re.compile(r"[^@\s<>,;]{1,64}@([A-Za-z0-9.-]{1,253})", re.ASCII)
_MAX_TEXT = 4_096
_INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")


class PackageFacts(Struct, frozen=True, kw_only=True):
    """``maintainers`` are npm's users, ``owners`` PyPI's organisation and users, as given.

    ``repositories`` are addresses which the package claims for itself; ``mail_domains`` are those
    of its authors, maintainers and publisher, in lower case. ``newest`` is a file of its latest
    version, with the digests that its registry gives, ``provenance`` what that one's attestations
    prove, None where nobody asked. ``version`` is the latest; ``runs_at_install`` says that
    installing it runs code of its own: a script of npm's, or for want of a wheel the build of a
    source distribution.
    """

    ecosystem: str
    name: str
    maintainers: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    organisation: str = ""
    repositories: list[str] = field(default_factory=list)
    mail_domains: list[str] = field(default_factory=list)
    newest: Artifact | None = None
    provenance: Provenance | None = None
    version: str = ""
    runs_at_install: bool = False

    @property
    def people(self) -> list[str]:
        """Who can publish it, by the registry's own word."""
        return [*self.maintainers, *filter(None, [self.organisation]), *self.owners]


def of_release(release: Release) -> PackageFacts:
    """What a resolved release tells; its registry may know more."""
    people = [*release.maintainers, *([release.publisher] if release.publisher else [])]
    return PackageFacts(
        ecosystem=release.ecosystem,
        name=release.name,
        maintainers=people if release.ecosystem == "npm" else [],
        owners=people if release.ecosystem == "pypi" else [],
        repositories=[release.repository] if release.repository else [],
    )


def of_npm(name: str, manifest: Mapping[str, Any]) -> PackageFacts:
    """The facts of a version's manifest, as the registry gives it."""
    people = [manifest.get("_npmUser"), *_list(manifest.get("maintainers"))]
    repository = manifest.get("repository")
    address = _field(repository, "url") or _text(repository)
    written = [*people, manifest.get("author"), *_list(manifest.get("contributors"))]
    return PackageFacts(
        ecosystem="npm",
        name=name,
        maintainers=_unique(
            _field(one, "name") or _text(one).partition("<")[0].strip() for one in people
        ),
        repositories=[address] if address else [],
        mail_domains=domains(*(_field(one, "email") or _text(one) for one in written)),
        version=_text(manifest.get("version")),
        runs_at_install=_has_install_script(manifest),
        newest=newest.of_npm(name, manifest),
    )


def of_pypi(name: str, document: Mapping[str, Any]) -> PackageFacts:
    """The facts of a project's JSON: ``info`` and (since 2026) ``ownership``."""
    about = _mapping(document.get("info"))
    ownership = _mapping(document.get("ownership"))
    organisation = ownership.get("organization")
    kinds = {_field(file, "packagetype") for file in _list(document.get("urls"))}
    urls = [about.get("home_page"), *_mapping(about.get("project_urls")).values()]
    return PackageFacts(
        ecosystem="pypi",
        name=name,
        owners=_unique(_field(role, "user") for role in _list(ownership.get("roles"))),
        organisation=_text(organisation) or _field(organisation, "name"),
        repositories=_unique(map(_text, urls)),
        mail_domains=domains(
            _text(about.get("author_email")), _text(about.get("maintainer_email"))
        ),
        version=_text(about.get("version")),
        runs_at_install=kinds == {"sdist"},
        newest=newest.of_pypi(name, document),
    )


def _has_install_script(manifest: Mapping[str, Any]) -> bool:
    """Whether npm runs code where it is installed: a script, or the build of ``binding.gyp``."""
    scripts = _mapping(manifest.get("scripts"))
    if any(_text(scripts.get(name)).strip() for name in _INSTALL_SCRIPTS):
        return True
    return manifest.get("hasInstallScript") is True or manifest.get("gypfile") is True


def domains(*texts: str) -> list[str]:
    """The domains of the addresses in texts (``A <a@acme.example>, b@acme.example``)."""
    found = []
    for text in texts:
        for _, address in getaddresses([text[:_MAX_TEXT]]):
            match = _MAIL.fullmatch(address)
            if match:
                found.append(match[1].lower().strip("."))
    return _unique(found)


def _unique(texts: Any) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _field(value: object, name: str) -> str:
    return _text(_mapping(value).get(name))


def _text(value: object) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
