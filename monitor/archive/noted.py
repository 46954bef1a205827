"""The other packages that an artifact names, kept up to a limit, with gaps said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.archive.entries import Member, Trail
    from monitor.model import Dependency

MAX_DEPENDENCIES = 20_000
"""How many packages are noted of one artifact; the largest applications bundle some thousands."""


def note(member: Member, noted: list[Dependency], trail: Trail) -> None:
    """Adds to ``noted`` what the member names; what cannot be read or kept is a gap."""
    from monitor.archive import dependencies

    room = MAX_DEPENDENCIES - len(noted)
    if room < 0:
        return  # said already
    try:
        found = dependencies.read(member.path, member.data)
    except dependencies.UnreadableError as error:
        trail.skip(member.path, error.reason)
        return
    if len(found) > room:
        trail.skip(member.path, "over-dependencies")
    noted += found[: room + 1]  # one too many: that it was said
