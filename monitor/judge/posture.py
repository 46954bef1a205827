"""What the owner means to show: the operator's word first, then the evidence.

Nothing is looked up here. That a repository is public, or that a map's sources lie in it, cannot
be known offline: an open posture from evidence is a claim, and its evidence says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.judge.licences import Family, family, is_elsewhere
from monitor.model import Posture, PostureValue

if TYPE_CHECKING:
    from monitor.judge.evidence import Facts

_BY_FAMILY = {
    Family.OPEN: PostureValue.OPEN,
    Family.SOURCE_AVAILABLE: PostureValue.SOURCE_AVAILABLE,
    Family.PROPRIETARY: PostureValue.PROPRIETARY,
    Family.ABSENT: PostureValue.PROPRIETARY,
    Family.UNRECOGNISED: PostureValue.UNKNOWN,
}
_MAX_SHOWN = 120


def conclude(facts: Facts) -> Posture:
    """The posture of one package, with what speaks for it in the order of its weight."""
    return _configured(facts) or _judged(facts)


def of_history() -> Posture:
    """The posture of a repository: that it holds source gives nothing away, its secrets do."""
    return Posture(PostureValue.OPEN, ["the files of a repository are source by nature"])


def _configured(facts: Facts) -> Posture | None:
    """The posture that the operator's configuration decides, if it does."""
    own = facts.organisation
    if own is None:
        return None
    if facts.is_named_internal:
        told = f"{facts.name} is on the list of internal names of {own.name}"
        return Posture(PostureValue.INTERNAL_ONLY, [told, *_observations(facts)])
    if own.posture is not None:
        told = f"configured for {own.name}"
        return Posture(own.posture, [told, *_observations(facts)])
    expected = _BY_FAMILY[family(own.licence)]
    if own.licence and expected not in {PostureValue.OPEN, PostureValue.UNKNOWN}:
        told = f"{own.name} is configured to license its packages {own.licence}"
        return Posture(expected, [told, *_observations(facts)])
    return None


def _judged(facts: Facts) -> Posture:
    if not facts.is_known:
        return Posture(PostureValue.UNKNOWN, ["no manifest was found"])
    observations = _observations(facts)
    if facts.internal_registry:
        return Posture(PostureValue.INTERNAL_ONLY, observations)
    if facts.is_private:
        return Posture(PostureValue.PROPRIETARY, observations)
    value, doubt = _licensed(facts)
    return Posture(value, [*observations, doubt] if doubt else observations)


def _licensed(facts: Facts) -> tuple[PostureValue, str]:
    """What licence and repository together say, and what of it is only claimed."""
    value = _BY_FAMILY[family(facts.licence)]
    if is_elsewhere(facts.licence) and facts.is_on_public_forge:
        return PostureValue.SOURCE_AVAILABLE, (
            "terms of its own and a repository where the public has access, as the package itself "
            "claims: whether the source is there was not checked"
        )
    if value is not PostureValue.OPEN:
        return value, ""
    if not facts.repository:
        return PostureValue.UNKNOWN, (
            "without a public repository an open licence alone does not show an open project"
        )
    return value, "claimed by the package itself: whether the repository is public was not checked"


def _observations(facts: Facts) -> list[str]:
    """What was seen, whatever it led to."""
    if not facts.is_known:
        return ["no manifest was found"]
    seen = []
    if facts.internal_registry:
        seen.append(f"meant for the registry at {facts.internal_registry} (publishConfig)")
    if facts.is_private:
        seen.append("its manifest calls it private")
    licence = " ".join(facts.licence.split())[:_MAX_SHOWN]
    seen.append(f"licence {licence}" if licence else "no licence is declared")
    repository = facts.repository[:_MAX_SHOWN]
    seen.append(f"repository {_bare(repository)}" if repository else "no repository is named")
    return seen


def _bare(address: str) -> str:
    """An address without login, query and fragment: these may hold a secret."""
    head, separator, rest = address.partition("://")
    if not separator:
        return address.partition("?")[0]
    rest = rest.partition("?")[0].partition("#")[0]
    login, at, host = rest.partition("@")
    return f"{head}://{host if at and '/' not in login else rest}"
