"""The keys of the configuration that are held against what a registry says of a package."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.model import Organisation

from . import repositories
from .facts import PackageFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORIES = ("github", "gitlab", "git")


class Key(Struct, frozen=True):
    """A key that is held against facts: where it stands, what it wants, what a package has."""

    name: str
    label: str
    wanted: Callable[[Organisation], list[str]]
    found: Callable[[PackageFacts], list[str]]
    fits: Callable[[str, str], bool]


def _is_glob_of(glob: str, name: str) -> bool:
    return fnmatchcase(name.lower(), glob.lower())


def _is_place_of(wanted: str, address: str) -> bool:
    """Whether an address is the wanted place or lies below it."""
    own, theirs = repositories.place(wanted), repositories.place(address)
    if not own or not theirs:
        return False
    return fnmatchcase(theirs, own) or fnmatchcase(theirs, f"{own}/*")


def _is_domain_of(wanted: str, domain: str) -> bool:
    own = wanted.lower().removeprefix("*.")
    return domain == own or domain.endswith(f".{own}")


_SHARED = (
    Key(
        "repositories", "repository", lambda own: own.repositories,
        lambda facts: facts.repositories, _is_place_of,
    ),
    Key(
        "domains", "mail domain", lambda own: own.domains,
        lambda facts: facts.mail_domains, _is_domain_of,
    ),
)  # fmt: skip
_OWN = {
    "npm": Key(
        "npm.maintainers", "npm maintainer", lambda own: own.npm.maintainers,
        lambda facts: facts.maintainers, _is_glob_of,
    ),
    "pypi": Key(
        "pypi.owners", "PyPI owner", lambda own: own.pypi.owners,
        lambda facts: [*filter(None, [facts.organisation]), *facts.owners], _is_glob_of,
    ),
}  # fmt: skip


def keys_of(ecosystem: str) -> tuple[Key, ...]:
    """The keys that count in an ecosystem, its own first."""
    if ecosystem in REPOSITORIES:
        return ()  # where it is says whose it is
    own = _OWN.get(ecosystem)
    return (own, *_SHARED) if own is not None else _SHARED


def people_key(ecosystem: str) -> Key | None:
    """The key that names who can publish there."""
    return _OWN.get(ecosystem)


def first_fit(key: Key, wanted: Sequence[str], found: Sequence[str]) -> tuple[str, str] | None:
    """The first wanted and found that fit each other."""
    for one in wanted:
        for other in found:
            if key.fits(one, other):
                return one, other
    return None


def told(wanted: str, found: str) -> str:
    """``acme-*`` and what matched it, once where they are the same."""
    shown = "".join(each if each.isprintable() else "?" for each in found)[:200]
    return wanted if shown.lower() == wanted.lower() else f"{wanted} ({shown})"
