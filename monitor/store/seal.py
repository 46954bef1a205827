"""Secrets stay out of the database: redacted form and keyed fingerprint are all that is written.

The fingerprint of a secret outside (in a scan's report) is a plain digest, and a weak password can
be guessed from it. Inside, it is an HMAC with the instance's key, which the database holds only
wrapped by the evidence key: whoever has the database alone can try nothing.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.model import Finding, TargetReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY_BYTES = 32
_MIN_SCRUBBED = 4
_PURPOSE = b"leakmon/fingerprint/1\0"
_KEYED_LENGTH = 48
"""A keyed fingerprint has 48 hexadecimal digits; those of a report outside have 32 or 64."""


class Seal:
    """Makes reports fit for the database. Pure; sealing what is sealed changes nothing."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("the instance key has 32 bytes")
        self._key = key

    def fingerprint(self, plain: str) -> str:
        """The keyed form of a fingerprint; one that is keyed already is given back."""
        if len(plain) == _KEYED_LENGTH:
            return plain
        made = hmac.digest(self._key, _PURPOSE + plain.encode("utf-8", "replace"), "sha256")
        return made.hex()[:_KEYED_LENGTH]

    def findings(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings without values, their fingerprints keyed where they come from a secret."""
        taken = list(findings)
        values = _values(taken)
        sealed = [self._finding(finding) for finding in taken]
        return _scrubbed(sealed, values, list[Finding]) if values else sealed

    def report(self, report: TargetReport) -> TargetReport:
        """The report with its findings sealed; a value met in any other text is redacted too."""
        values = _values(report.findings)
        sealed = msgspec.structs.replace(
            report, findings=[self._finding(finding) for finding in report.findings]
        )
        return _scrubbed(sealed, values, TargetReport) if values else sealed

    def _finding(self, finding: Finding) -> Finding:
        if finding.secret is None:
            return finding
        secret = msgspec.structs.replace(
            finding.secret, value=None, fingerprint=self.fingerprint(finding.secret.fingerprint)
        )
        return msgspec.structs.replace(
            finding, secret=secret, fingerprint=self.fingerprint(finding.fingerprint)
        )


def _values(findings: Iterable[Finding]) -> dict[str, str]:
    """Each secret value that came along, longest first, with what stands for it."""
    found = {
        finding.secret.value: finding.secret.redacted
        for finding in findings
        if finding.secret and finding.secret.value and len(finding.secret.value) >= _MIN_SCRUBBED
    }
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _scrubbed(value: Any, values: Mapping[str, str], kind: Any) -> Any:
    return msgspec.convert(_without(msgspec.to_builtins(value), values), kind)


def _without(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for secret, redacted in values.items():
            value = value.replace(secret, redacted)
        return value
    if isinstance(value, dict):
        return {_without(key, values): _without(each, values) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without(each, values) for each in value]
    return value
