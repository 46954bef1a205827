"""Provenance that is gone, or that is another's: the build is not where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.detectors.drift.telling import finding
from monitor.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.model import Finding
    from monitor.model.profiles import Profile

_HELD = frozenset({"verified", "declared"})
_ADVICE = (
    "Ask whoever publishes this package whether they published this version, and from where: a "
    "stolen token publishes past the build."
)


def drift(now: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """What changed of the proof; one version before is enough, for none has it by accident.

    Where nobody could look, now or then, nothing is told: an outage is no drift.
    """
    looked = [each for each in past if each.provenance]
    held = [each for each in looked if each.provenance in _HELD]
    if held and now.provenance == "absent":
        proven = sum(each.provenance == "verified" for each in held)
        yield finding(
            "drift-provenance-gone",
            Severity.MEDIUM,
            f"No provenance, where {len(held):,} of the {len(looked):,} versions before had one: "
            "nothing shows that their build made this one.",
            signal="S8",
            kind="provenance",
            advice=_ADVICE,
            before=len(held),
            verified_before=proven,
            builders=sorted({each.builder for each in held if each.builder})[:10],
        )
    builders = {each.builder for each in past if each.builder}
    if now.builder and builders and now.builder not in builders:
        yield finding(
            "drift-builder",
            Severity.MEDIUM,
            f"Built by {now.builder[:100]}, which built none of the versions before.",
            signal="S8",
            kind="provenance",
            advice=_ADVICE,
            before=sorted(builders)[:10],
            now=now.builder,
        )
