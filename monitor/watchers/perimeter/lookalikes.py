"""Strangers' names held against all of ours: what can be mistaken for a name, scope or place. Pure.

Ours are the names that the configuration writes out and those on record. What the perimeter calls
ours by name, and what the configuration allows, resembles nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .confusable import Confusables, Resemblance, Target
from .names import Names, is_wild, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from monitor.model import Organisation, Ownership

ECOSYSTEMS = ("npm", "pypi")


class Lookalikes:
    """All that strangers may imitate, for every feed; built anew when names of ours are added.

    ``by_name`` is the perimeter's. ``tracked`` are the packages on record, with their ecosystems.
    """

    def __init__(
        self,
        organisations: Sequence[Organisation],
        by_name: Callable[[str, str], Ownership | None],
        tracked: Iterable[tuple[str, Target]] = (),
    ) -> None:
        watched = [own for own in organisations if own.lookalikes]
        known = {own.name for own in watched}
        names: dict[str, list[Target]] = {
            ecosystem: [one for own in watched for one in _written(ecosystem, own)]
            for ecosystem in ECOSYSTEMS
        }
        for ecosystem, target in tracked:
            if target.organisation in known and ecosystem in names:
                names[ecosystem].append(target)
        self._by_name = by_name
        self._names = {ecosystem: Confusables(targets) for ecosystem, targets in names.items()}
        self._scopes = Confusables(_scopes(watched))
        self._allowed = {
            ecosystem: Names(
                (plain(ecosystem, glob), _ANY)
                for own in watched
                for glob in own.allowed_lookalikes
            )
            for ecosystem in ECOSYSTEMS
        }  # fmt: skip
        self._internal = {
            ecosystem: Names(
                (plain(ecosystem, glob), (own.name, glob))
                for own in organisations
                for glob in own.internal_names
            )
            for ecosystem in ECOSYSTEMS
        }

    def find(self, ecosystem: str, name: str) -> Resemblance | None:
        """Which of ours the name can be taken for. Microseconds: every row of a feed is asked."""
        names = self._names.get(ecosystem)
        if names is None:
            return None
        own = plain(ecosystem, name)
        found = names.find(own)
        if found is None and own.startswith("@") and len(self._scopes):
            found = self._scopes.find(own.partition("/")[0])
        if found is None or self._is_quiet(ecosystem, own):
            return None
        return found

    def internal(self, ecosystem: str, name: str) -> Target | None:
        """The internal name that this is, unless only its owner can publish it (a scope of ours).

        That the name is allowed as a lookalike makes it no stranger's.
        """
        names = self._internal.get(ecosystem)
        if names is None:
            return None
        own = plain(ecosystem, name)
        found = names.find(own)
        if found is None:
            return None
        owner = self._by_name(ecosystem, name)
        if owner is not None and owner.reason.startswith(_HELD):
            return None
        if self._allowed[ecosystem].find(own) is not None:
            return None
        organisation, glob = found
        return Target(name=glob, organisation=organisation, is_internal=True)

    def _is_quiet(self, ecosystem: str, own: str) -> bool:
        if self._by_name(ecosystem, own) is not None:
            return True
        return self._allowed[ecosystem].find(own) is not None


_ANY = True
_HELD = "npm scope "


def _written(ecosystem: str, own: Organisation) -> Iterator[Target]:
    """The names that stand in the configuration without a wild card."""
    mine = own.npm.packages if ecosystem == "npm" else own.pypi.packages
    for names, is_internal in ((mine, False), (own.internal_names, True)):
        for name in names:
            if not is_wild(name):
                yield Target(
                    name=plain(ecosystem, name), organisation=own.name, is_internal=is_internal
                )


def _scopes(organisations: Iterable[Organisation]) -> Iterator[Target]:
    for own in organisations:
        for scope in own.npm.scopes:
            if not is_wild(scope):
                yield Target(name=scope.lower(), organisation=own.name)
