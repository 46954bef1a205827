"""Files that should not ship, known by their names and confirmed by their content.

Files that may hold credentials are looked into one by one (``inspect``, on the hot path); what is
told by its mere presence is told once per artifact and kind (``conclude``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.detectors import fingerprints
from monitor.detectors.carriers import agents, credentials, presence
from monitor.detectors.context import NOTHING_KNOWN, Context, is_fixture
from monitor.model import Confidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.archive import Member
    from monitor.detectors.carriers.credentials import Carrier
    from monitor.model import Inspection
    from monitor.rules import Match

DETECTOR = "carriers"
_HINTS = credentials.HINTS | {"backup", "bak", "json", "old"}


def inspect(
    member: Member, matches: Sequence[Match], context: Context = NOTHING_KNOWN
) -> Sequence[Finding]:
    """The finding for a file that may hold credentials or an agent's settings, if it is one."""
    del context
    path = member.path
    name = path[path.rfind("/") + 1 :]
    # Nearly every member of nearly every package leaves here.
    if (
        name[name.rfind(".") + 1 :].lower() not in _HINTS
        and "/." not in path
        and path[:1] != "."
        and name[:3] != "id_"
    ):
        return ()
    if member.offset:
        return ()  # the first window has told it
    name = name.lower()
    carrier = credentials.of(path, name)
    if carrier is not None:
        return _credentials(carrier, member, matches, name)
    return agents.inspect(path, member.data, matches)


def conclude(inspection: Inspection, context: Context = NOTHING_KNOWN) -> Sequence[Finding]:
    """Findings for folders, debris, dumps, logs and the like, one per kind."""
    del context
    return presence.findings(inspection.members)


def _credentials(
    carrier: Carrier, member: Member, matches: Sequence[Match], name: str
) -> Sequence[Finding]:
    is_specimen = credentials.is_specimen(name)
    keys = credentials.filled_keys(carrier, member.data, is_strict=is_specimen)
    rules = sorted({each.rule.id for each in matches if each.rule.metadata.kind == "secret"})
    is_filled = bool(keys or rules) or (not carrier.pattern and len(member.data) > 0)
    if not is_filled and (is_specimen or carrier.is_quiet_when_blank):
        return ()
    evidence: dict[str, Any] = {"keys": keys}
    if is_filled:
        evidence["content"] = fingerprints.of_content(member.data)
    if rules:
        evidence["rules"] = rules
    if is_fixture(member.path):
        evidence["fixture"] = True
    return [_finding(carrier, member.path, evidence, is_filled=is_filled, is_specimen=is_specimen)]


def _finding(
    carrier: Carrier, path: str, evidence: dict[str, Any], *, is_filled: bool, is_specimen: bool
) -> Finding:
    count = len(evidence["keys"])
    if not is_filled:
        message = f"A {carrier.what} ships with the package; it holds no credential."
    elif count:
        message = f"A {carrier.what} with {count} filled-in credential{'s' * (count > 1)} ships."
    else:
        message = f"A {carrier.what} that holds a secret ships with the package."
    is_sure = is_filled and not is_specimen
    return Finding(
        rule=carrier.rule,
        detector=DETECTOR,
        kind=carrier.kind if is_filled else "carrier",
        severity=Severity.CRITICAL if is_sure else Severity.MEDIUM,
        confidence=Confidence.HIGH if is_sure else Confidence.MEDIUM,
        message=message.replace("A e", "An e").replace("A i", "An i").replace("A u", "An u"),
        path=path,
        fingerprint=fingerprints.of_finding(carrier.rule, fingerprints.stable_path(path)),
        evidence=evidence,
        advice=carrier.advice
        if is_filled
        else "Leave the file out of the package; the next one may be filled in.",
    )
