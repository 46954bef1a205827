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
_LEAVE_OUT = "Leave the file out of the package; the next one may be filled in."
_REPLACE_KEY = (
    "Replace the key pair everywhere its public half is trusted and revoke its certificates first, "
    "then publish a version without the file and remove this one."
)
_HINTS = credentials.HINTS | {"backup", "bak", "json", "old"}


def is_telling(path: str) -> bool:
    """Whether ``inspect`` looks into a file of this name: nearly every one is of no interest."""
    name = path[path.rfind("/") + 1 :]
    return (
        name[name.rfind(".") + 1 :].lower() in _HINTS
        or "/." in path
        or path[:1] == "."
        or name[:3] == "id_"
    )


def inspect(
    member: Member, matches: Sequence[Match], context: Context = NOTHING_KNOWN
) -> Sequence[Finding]:
    """The finding for a file that may hold credentials or an agent's settings, if it is one."""
    del context
    path = member.path
    if not is_telling(path):
        return ()
    if member.offset:
        return ()  # the first window has told it
    name = path[path.rfind("/") + 1 :].lower()
    carrier = credentials.of(path, name)
    if carrier is credentials.PEM:
        return _private_key(member)
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
    if not is_filled and not credentials.has_key(carrier, member.data):
        return [_without_key(carrier, member.path)]
    evidence: dict[str, Any] = {"keys": keys}
    if is_filled:
        evidence["content"] = fingerprints.of_content(member.data)
    if rules:
        evidence["rules"] = rules
    if is_fixture(member.path):
        evidence["fixture"] = True
    return [_finding(carrier, member.path, evidence, is_filled=is_filled, is_specimen=is_specimen)]


def _private_key(member: Member) -> Sequence[Finding]:
    """One scale for all formats: in the clear, behind a passphrase, no key that could be read."""
    from monitor.detectors.carriers import key_files

    carrier = credentials.PEM
    file = key_files.read(member.data)
    if file is None:
        return ()
    evidence: dict[str, Any] = {}
    if file.key is None:
        severity, message = Severity.LOW, "A private key ships that is cut off or made up."
    elif file.key.is_encrypted:
        evidence["encrypted"] = True
        severity, message = Severity.MEDIUM, "A private key ships; a passphrase protects it."
    else:
        evidence["encrypted"] = False
        severity, message = Severity.CRITICAL, "A private key ships in the clear."
    if file.key is not None and file.key.algorithm:
        evidence["key_algorithm"] = file.key.algorithm
    if is_fixture(member.path):
        evidence["fixture"] = True
    return [
        Finding(
            rule=carrier.rule,
            detector=DETECTOR,
            kind=carrier.kind,
            severity=severity,
            confidence=Confidence.HIGH,
            message=message,
            path=member.path,
            fingerprint=fingerprints.of_finding(
                carrier.rule, fingerprints.stable_path(member.path)
            ),
            evidence=evidence,
            advice=_REPLACE_KEY,
        )
    ]


def _without_key(carrier: Carrier, path: str) -> Finding:
    """Such a file is one of settings only: it tells how the package was made, and no more."""
    return Finding(
        rule=carrier.rule,
        detector=DETECTOR,
        kind="carrier",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        message=_article(f"A {carrier.what} ships; nothing in it is the place of a credential."),
        path=path,
        fingerprint=fingerprints.of_finding(carrier.rule, fingerprints.stable_path(path)),
        advice=_LEAVE_OUT,
    )


def _article(text: str) -> str:
    return text.replace("A e", "An e").replace("A i", "An i").replace("A u", "An u")


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
        message=_article(message),
        path=path,
        fingerprint=fingerprints.of_finding(carrier.rule, fingerprints.stable_path(path)),
        evidence=evidence,
        advice=carrier.advice if is_filled else _LEAVE_OUT,
    )
