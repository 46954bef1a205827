"""Who stands behind a package, as far as learning from it goes: everybody related, or one of us."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.watchers.perimeter import of_release

if TYPE_CHECKING:
    from monitor.model import Release
    from monitor.watchers.perimeter import Perimeter

_MACHINES = frozenset({"github actions"})
"""Who publishes for anybody: it relates nobody to anybody."""

_OWNER = re.compile(r"[/:]([^/:]+)/[^/]+?(?:\.git)?/?$")


def publishers_of(release: Release) -> frozenset[str]:
    """Every name by which two packages may be related: people, scope, owner of the repository."""
    names = {name.lower() for name in (*release.maintainers, release.publisher) if name}
    names = (names - _MACHINES) or names
    if release.name.startswith("@"):
        names.add(release.name.partition("/")[0].lower())
    owner = _OWNER.search(release.repository.lower())
    if owner is not None and names:
        names.add(f"repository:{owner[1]}")
    return frozenset(f"{release.ecosystem}:{name}" for name in names)


def is_ours(release: Release, perimeter: Perimeter) -> bool:
    """Whether a package, or anybody who publishes it, belongs to an organisation of ours."""
    if perimeter.by_name(release.ecosystem, release.name) is not None:
        return True
    return perimeter.by_metadata(of_release(release)) is not None
