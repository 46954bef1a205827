"""Names in the feeds that can be taken for ours, and internal names that others publish.

A feed's name is held against an index first; only what resembles a name of ours is asked about, and
none of its bytes are fetched. Quiet on what was there before the watch began or before ours was,
and on packages of people who publish ours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.errors import NotFoundError
from monitor.incidents import impostors
from monitor.incidents.kinds import CONFUSION
from monitor.model import Ownership
from monitor.service import imposture
from monitor.service.polling import began_at
from monitor.service.pypi_pages import page_of
from monitor.service.resolved import Look, NotYet
from monitor.watchers import WATCHERS, actions, npm, proving
from monitor.watchers.npm.packuments import SECURITY_HOLDER
from monitor.watchers.perimeter import PackageFacts

if TYPE_CHECKING:
    from monitor.model import Finding, Notice
    from monitor.service.parts import Parts
    from monitor.watchers.perimeter import Target


class _Sight(Struct, frozen=True, kw_only=True):
    """A package as its registry shows it, and since when it is there."""

    facts: PackageFacts
    since: datetime | None


async def look(told: Look, facts: PackageFacts | None, parts: Parts) -> str:
    """Is the package of a notice, which is nobody's we know, one of a stranger who imitates ours?

    Gives the notice's outcome, empty where it resembles nothing. Raises NotYet.
    """
    await parts.suspects.refresh(parts)
    notice = told.notice
    found = parts.suspects.find(notice.ecosystem, notice.name)
    if found is None:
        return ""
    seen = await _seen(told, facts, parts)
    if seen is None:
        return "gone"
    began = await began_at(notice.ecosystem, parts)
    if seen.since is not None and seen.since < max(began, found.target.since or began):
        return "long-standing"
    if await is_of_our_people(seen.facts, found.target, parts):
        return "of-our-people"
    finding = impostors.lookalike(
        _impostor(seen.facts), found.target.name, found.target.organisation, found.how
    )
    return await _tell(notice, finding, seen, found.target.organisation, parts)


async def look_internal(told: Look, parts: Parts) -> str:
    """The same for a name that is ours because it is internal: who published it?"""
    notice = told.notice
    if notice.action not in actions.FETCHABLE:
        return ""
    found = parts.suspects.index.internal(notice.ecosystem, notice.name)
    if found is None:
        return ""
    seen = await _seen(told, None, parts)
    if seen is None:
        return "gone"
    if await is_of_our_people(seen.facts, found, parts):
        return "of-our-people"
    is_known = parts.perimeter.knows_people(notice.ecosystem, found.organisation) or bool(
        await parts.store.people(notice.ecosystem, found.organisation)
    )
    finding = impostors.confusion(
        _impostor(seen.facts), found.name, found.organisation, is_known_stranger=is_known
    )
    return await _tell(notice, finding, seen, found.organisation, parts)


async def _seen(told: Look, facts: PackageFacts | None, parts: Parts) -> _Sight | None:
    """What the registry shows; None, with its incidents settled, if it is gone."""
    notice = told.notice
    try:
        if facts is None:
            facts = await WATCHERS[notice.ecosystem].ownership(
                parts.registries, parts.network, notice.name
            )
            facts = await proving.proven(facts, parts.perimeter, parts.network)
        if facts.version != SECURITY_HOLDER:
            return _Sight(facts=facts, since=await _since(notice, parts))
    except NotFoundError:
        known = await parts.store.known_incidents(notice.ecosystem, notice.name)
        if not any(impostors.is_impostor(each) for each in known) and not told.is_last:
            raise NotYet(f"{notice.ecosystem}:{notice.name}: it cannot be seen yet") from None
    await imposture.settle_gone(notice.ecosystem, notice.name, parts)
    return None


async def _since(notice: Notice, parts: Parts) -> datetime | None:
    """When the first of its versions was published; None where its registry does not tell."""
    if notice.ecosystem == "npm":
        record = await npm.packuments(parts.network).fetch(notice.name)
        return min(record.times.values(), default=None)
    page = await page_of(notice.name, parts)
    moments = [each.uploaded_at for each in page.files if each.uploaded_at]
    if not moments:
        return None
    try:
        return datetime.fromisoformat(min(moments)).astimezone(UTC)
    except ValueError:
        return None


async def is_of_our_people(facts: PackageFacts, target: Target, parts: Parts) -> bool:
    """Whether somebody can publish it who can publish ours: what it claims for itself is no sign.

    Names with a space are no people's: npm puts ``GitHub Actions`` for everybody who publishes
    from there.
    """
    if parts.perimeter.by_people(facts) is not None:
        return True
    theirs = {each.lower() for each in facts.people if " " not in each}
    if not theirs:
        return False
    ours = await parts.store.people(facts.ecosystem, target.organisation)
    if facts.ecosystem == "pypi" and not target.is_internal:
        ours |= await _people_of(target, parts)
    return bool(theirs & {each.lower() for each in ours})


async def _people_of(target: Target, parts: Parts) -> set[str]:
    """Who publishes a package of ours: PyPI's releases do not say so themselves."""
    try:
        facts = await WATCHERS["pypi"].ownership(parts.registries, parts.network, target.name)
    except NotFoundError:
        return set()
    return set(facts.people)


def _impostor(facts: PackageFacts) -> impostors.Impostor:
    return impostors.Impostor(
        ecosystem=facts.ecosystem,
        name=facts.name,
        version=facts.version,
        people=facts.people,
        claims=facts.repositories,
        runs_at_install=facts.runs_at_install,
    )


async def _tell(
    notice: Notice, finding: Finding, seen: _Sight, organisation: str, parts: Parts
) -> str:
    """One incident for a package and cause; twice is harmless."""
    owner = parts.owners.get((notice.ecosystem, notice.name))
    if owner is None and finding.kind == CONFUSION:
        owner = parts.perimeter.by_name(notice.ecosystem, notice.name)
    owner = owner or Ownership(organisation="", reason=finding.kind)
    version = seen.facts.version or notice.version or ""
    about = imposture.About(
        ecosystem=notice.ecosystem,
        name=notice.name,
        version=version,
        publisher=", ".join(seen.facts.people[:3]),
        published_at=seen.since,
    )
    await imposture.tell(finding, about, organisation, owner, parts)
    return finding.kind
