"""What is ours, decided before anything is downloaded. Pure.

By name: npm scopes, name globs of npm and PyPI, names that must not be public at all. By what the
registry says: npm maintainers, PyPI organisations and users, repository addresses, mail domains.
Repositories and mail domains are claims of the package itself: anybody may make them, so the reason
of a match is kept and shown. The first organisation of the configuration that matches owns it.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.model import Organisation, Ownership
from monitor.watchers.interest import Interest

from . import repositories
from .confusable import Resemblance, Target
from .facts import PackageFacts, of_release
from .lookalikes import Lookalikes
from .names import Names, is_wild, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "Lookalikes",
    "PackageFacts",
    "Perimeter",
    "Resemblance",
    "Target",
    "Tried",
    "of_release",
    "plain",
]

ECOSYSTEMS = ("npm", "pypi")
REPOSITORIES = ("github", "gitlab", "git")


class Tried(Struct, frozen=True, kw_only=True):
    """One key of the configuration that a package was held against, and what came of it.

    ``wanted`` is what the key says, ``found`` what the package has; ``is_match`` is None where it
    was not looked at.
    """

    organisation: str
    key: str
    wanted: list[str]
    found: list[str]
    is_match: bool | None


class _Key(Struct, frozen=True):
    """A key that is held against facts: where it stands, what it wants, what a package has."""

    name: str
    label: str
    wanted: Callable[[Organisation], list[str]]
    found: Callable[[PackageFacts], list[str]]
    fits: Callable[[str, str], bool]


class Perimeter:
    """The configured organisations, ready to be asked."""

    def __init__(self, organisations: Sequence[Organisation]) -> None:
        self._organisations = list(organisations)
        self._names = {
            ecosystem: Names(_name_entries(ecosystem, organisations))
            for ecosystem in (*ECOSYSTEMS, *REPOSITORIES)
        }

    def by_name(self, ecosystem: str, name: str) -> Ownership | None:
        """Whose the name is, or None. Costs about a microsecond: every row of a feed is asked."""
        names = self._names.get(ecosystem)
        return names.find(plain(ecosystem, name)) if names is not None else None

    def by_place(self, tracked: str) -> Ownership | None:
        """Whose what was found through a tracked place is: a gist of a member, for example."""
        for organisation in self._organisations:
            if any(repositories.place(one) == tracked for one in organisation.repositories):
                return Ownership(organisation=organisation.name, reason=f"found through {tracked}")
        return None

    def by_metadata(self, facts: PackageFacts) -> Ownership | None:
        """Whose the package is by what its registry says of it, or None."""
        for organisation in self._organisations:
            for key in _keys(facts.ecosystem):
                pair = _first_fit(key, key.wanted(organisation), key.found(facts))
                if pair is not None:
                    return Ownership(
                        organisation=organisation.name, reason=f"{key.label} {_told(*pair)}"
                    )
        return None

    def by_people(self, facts: PackageFacts) -> Ownership | None:
        """Whose it is by who can publish it, which nobody can claim for himself; or None."""
        key = _OWN.get(facts.ecosystem)
        for organisation in self._organisations:
            if key is None:
                break
            pair = _first_fit(key, key.wanted(organisation), key.found(facts))
            if pair is not None:
                reason = f"{key.label} {_told(*pair)}"
                return Ownership(organisation=organisation.name, reason=reason)
        return None

    def knows_people(self, ecosystem: str, organisation: str) -> bool:
        """Whether the configuration says who publishes for an organisation."""
        key = _OWN.get(ecosystem)
        return key is not None and any(
            key.wanted(own) for own in self._organisations if own.name == organisation
        )

    def lookalikes(self, tracked: Iterable[tuple[str, Target]] = ()) -> Lookalikes:
        """What strangers' names are held against: ours, and the packages on record."""
        return Lookalikes(self._organisations, self.by_name, tracked)

    def is_on(self, ecosystem: str) -> bool:
        """Whether any organisation may have a package there at all."""
        is_named = any(True for own in self._organisations for _ in _globs(ecosystem, own))
        return is_named or self.needs_metadata(ecosystem)

    def told(self, ecosystem: str) -> list[str]:
        """What is watched there, for people: ``npm.scopes @acme, @acme-labs``."""
        found: dict[str, list[str]] = {}
        for own in self._organisations:
            for name, glob in _globs(ecosystem, own):
                shown = glob.removesuffix("/*") if name == "npm.scopes" else glob
                found.setdefault(name, []).append(shown)
            for key in _keys(ecosystem):
                if wanted := key.wanted(own):
                    found.setdefault(key.name, []).extend(wanted)
        return [f"{name} {', '.join(globs)}" for name, globs in found.items()]

    def needs_metadata(self, ecosystem: str) -> bool:
        """Whether a name that is not ours may belong to us all the same."""
        return any(
            key.wanted(organisation)
            for organisation in self._organisations
            for key in _keys(ecosystem)
        )

    def interest(self, ecosystem: str, tracked: Iterable[str] = ()) -> Interest:
        """What a backfill looks for: the names that are written out and those already tracked."""
        names = {plain(ecosystem, name) for name in tracked}
        globs: set[str] = set()
        scopes: set[str] = set()
        maintainers: set[str] = set()
        for organisation in self._organisations:
            for _, glob in _globs(ecosystem, organisation):
                (globs if is_wild(glob) else names).add(plain(ecosystem, glob))
            if ecosystem == "npm":
                scopes |= {one.lower() for one in organisation.npm.scopes if not is_wild(one)}
                maintainers |= {one for one in organisation.npm.maintainers if not is_wild(one)}
        return Interest(
            names=frozenset(names),
            scopes=frozenset(scopes),
            maintainers=frozenset(maintainers),
            globs=frozenset(globs),
            is_ours=lambda name: self.by_name(ecosystem, name) is not None,
        )

    def explain(
        self, ecosystem: str, name: str, facts: PackageFacts | None = None
    ) -> Iterator[Tried]:
        """Every key that is set, and whether the package matches it."""
        own = plain(ecosystem, name)
        for organisation in self._organisations:
            grouped: dict[str, list[str]] = {}
            for key_name, glob in _globs(ecosystem, organisation):
                grouped.setdefault(key_name, []).append(glob)
            for key_name, globs in grouped.items():
                is_match = any(fnmatchcase(own, plain(ecosystem, glob)) for glob in globs)
                yield _tried(organisation, key_name, globs, [own], is_match=is_match)
            for key in _keys(ecosystem):
                wanted = key.wanted(organisation)
                if not wanted:
                    continue
                found = key.found(facts) if facts is not None else []
                fit = _first_fit(key, wanted, found) is not None if facts is not None else None
                yield _tried(organisation, key.name, wanted, found, is_match=fit)


def _tried(
    organisation: Organisation,
    key: str,
    wanted: list[str],
    found: list[str],
    *,
    is_match: bool | None,
) -> Tried:
    return Tried(
        organisation=organisation.name, key=key, wanted=wanted, found=found, is_match=is_match
    )


def _globs(ecosystem: str, organisation: Organisation) -> Iterator[tuple[str, str]]:
    """The key and glob of every name that belongs to an organisation."""
    if ecosystem == "npm":
        yield from (("npm.scopes", f"{scope}/*") for scope in organisation.npm.scopes)
        yield from (("npm.packages", glob) for glob in organisation.npm.packages)
    elif ecosystem == "pypi":
        yield from (("pypi.packages", glob) for glob in organisation.pypi.packages)
    if ecosystem in REPOSITORIES:
        for one in organisation.repositories:
            yield from (("repositories", glob) for glob in repositories.globs(one, ecosystem))
        return
    yield from (("internal_names", glob) for glob in organisation.internal_names)


_LABELS = {
    "npm.scopes": "npm scope",
    "npm.packages": "npm package",
    "pypi.packages": "PyPI package",
    "internal_names": "internal name",
    "repositories": "repository",
}


def _name_entries(
    ecosystem: str, organisations: Sequence[Organisation]
) -> Iterator[tuple[str, Ownership]]:
    for organisation in organisations:
        for key, glob in _globs(ecosystem, organisation):
            shown = glob.removesuffix("/*") if key == "npm.scopes" else glob
            reason = f"{_LABELS[key]} {shown}"
            yield (
                plain(ecosystem, glob),
                Ownership(organisation=organisation.name, reason=reason),
            )


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
    _Key(
        "repositories", "repository", lambda own: own.repositories,
        lambda facts: facts.repositories, _is_place_of,
    ),
    _Key(
        "domains", "mail domain", lambda own: own.domains,
        lambda facts: facts.mail_domains, _is_domain_of,
    ),
)  # fmt: skip
_OWN = {
    "npm": _Key(
        "npm.maintainers", "npm maintainer", lambda own: own.npm.maintainers,
        lambda facts: facts.maintainers, _is_glob_of,
    ),
    "pypi": _Key(
        "pypi.owners", "PyPI owner", lambda own: own.pypi.owners,
        lambda facts: [*filter(None, [facts.organisation]), *facts.owners], _is_glob_of,
    ),
}  # fmt: skip


def _keys(ecosystem: str) -> tuple[_Key, ...]:
    if ecosystem in REPOSITORIES:
        return ()  # where it is says whose it is
    own = _OWN.get(ecosystem)
    return (own, *_SHARED) if own is not None else _SHARED


def _first_fit(key: _Key, wanted: Sequence[str], found: Sequence[str]) -> tuple[str, str] | None:
    for one in wanted:
        for other in found:
            if key.fits(one, other):
                return one, other
    return None


def _told(wanted: str, found: str) -> str:
    """``acme-*`` and what matched it, once where they are the same."""
    shown = "".join(each if each.isprintable() else "?" for each in found)[:200]
    return wanted if shown.lower() == wanted.lower() else f"{wanted} ({shown})"
