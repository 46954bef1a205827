"""Whose a proven build is: by the forge's number of its owner, or by its repository's name.

Only a verified provenance comes here. A name can be taken over once its owner has left it, a number
cannot: where an organisation gives numbers for a forge, its repositories' names decide nothing
there. Whoever merely names our repository in its manifest is no builder of ours.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from monitor.model.provenance import ABSENT, INVALID, UNVERIFIABLE

from . import repositories

if TYPE_CHECKING:
    from monitor.model import Organisation
    from monitor.model.provenance import Builder, Provenance

REASON = "provenance: "
"""How the reason of an ownership by proven builds begins."""

KINDS = ("github", "gitlab")


def ids(own: Organisation, kind: str) -> list[str]:
    """The forge's numbers of an organisation, as certificates write them."""
    numbers = {"github": own.github_owner_ids, "gitlab": own.gitlab_namespace_ids}
    return [str(number) for number in numbers.get(kind, [])]


def fit(own: Organisation, builder: Builder) -> str:
    """Why the build is this organisation's (``provenance: github:acme (id 123), verified``), or ''.

    A build that no forge vouches for has no repository, and is nobody's.
    """
    if builder.kind not in KINDS or not builder.repository:
        return ""
    numbers = ids(own, builder.kind)
    if numbers:
        is_own = builder.owner_id in numbers
    else:
        name = builder.repository.lower()
        is_own = any(
            fnmatchcase(name, glob)
            for entry in own.repositories
            for glob in repositories.globs(entry, builder.kind)
        )
    return f"{REASON}{told(builder)}, verified" if is_own else ""


def told(builder: Builder) -> str:
    """Whose build it is, for people: ``github:acme (id 123)``."""
    if not builder.repository:
        return builder.issuer or "an unknown builder"
    number = f" (id {builder.owner_id})" if builder.owner_id else ""
    return f"{builder.kind}:{builder.owner}{number}"


def wanted(own: Organisation) -> list[str]:
    """The builds that are an organisation's, for people."""
    found = []
    for kind in KINDS:
        numbers = ids(own, kind)
        if numbers:
            found += [f"{kind} owner {number}" for number in numbers]
            continue
        places = (repositories.place(entry) for entry in own.repositories)
        found += [place for place in places if place.startswith(f"{kind}:")]
    return found


def beside(provenance: Provenance | None) -> str:
    """What to add to a claim that made a package ours: that its proof does not bear it out."""
    if provenance is None or provenance.state == ABSENT:
        return ""
    if provenance.is_verified and provenance.builder is not None:
        return f", claimed: it is built by {told(provenance.builder)}"
    words = "does not hold" if provenance.state == INVALID else "could not be verified"
    return f", claimed: its provenance {words} ({provenance.reason})"


def tried(own: Organisation, provenance: Provenance | None) -> tuple[list[str], bool | None]:
    """What was found where a build was looked for, and whether it is this organisation's."""
    if provenance is None:
        return [], None
    if provenance.is_verified and provenance.builder is not None:
        return [f"{told(provenance.builder)}, verified"], bool(fit(own, provenance.builder))
    found = ": ".join(filter(None, [provenance.state, provenance.detail or provenance.reason]))
    return [found], None if provenance.state == UNVERIFIABLE else False


def may_be(own: Organisation, claimed: list[str]) -> bool:
    """Whether what a package says of its repository leaves it possible that our builds made it.

    npm takes a provenance only if the manifest names the very repository that it proves, so a name
    that is not ours settles it there. A claim of none, or at no forge, settles nothing; nor does
    one at a forge of whose owner we know the number alone.
    """
    places = [place for place in map(repositories.place, claimed) if place.startswith(_FORGES)]
    if not places:
        return True
    named = {kind for kind in KINDS for one in own.repositories if repositories.globs(one, kind)}
    for place in places:
        kind, _, path = place.partition(":")
        path = "/".join(path.split("/")[:2]) if kind == "github" else path
        if ids(own, kind) and kind not in named:
            return True
        for one in own.repositories:
            globs = repositories.globs(one, kind)
            if any(fnmatchcase(path, glob) or fnmatchcase(path, f"{glob}/*") for glob in globs):
                return True
    return False


_FORGES = tuple(f"{kind}:" for kind in KINDS)
