"""Findings that the operator knows of: a baseline, ignores in a file, ignores beside the secret.

What is taken away here is gone before the verdict, yet never silently: each hidden finding keeps
its explanation, and an ignore that ran out says so and no longer hides. ``files`` reads baselines
and ignore files, ``inline`` the comments beside a secret; this module decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from monitor.model import NESTED, Finding
from monitor.suppress.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Iterable

IGNORE_FILE = "leakmon-ignore.toml"
"""What the ignore file is called where nobody names another."""

FINGERPRINT = r"[0-9a-f]{16,128}"
"""What the fingerprint of a finding or of a secret's value looks like."""


class Ignore(Struct, frozen=True, kw_only=True):
    """One ignore: by ``fingerprint`` (finding or secret value), or by ``rule`` and ``path`` glob.

    ``content`` holds it to one content of the file (``evidence.content``), where it is given.
    ``line`` is 0 save for an inline ignore, which holds for one value in one line of one file.
    ``origin`` says where it is written, for people. It holds up to and on the day ``expires``.
    """

    origin: str
    reason: str
    fingerprint: str = ""
    rule: str = ""
    path: str = ""
    content: str = ""
    line: int = 0
    expires: date | None = None

    def has_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and today > self.expires

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of this finding, expired or not."""
        value = finding.secret.fingerprint if finding.secret else None
        if self.line:
            is_here = (finding.path, finding.line) == (self.path, self.line)
            return is_here and value == self.fingerprint
        if self.content and self.content != finding.evidence.get("content"):
            return False
        if self.fingerprint:
            return self.fingerprint in {finding.fingerprint, value}
        return finding.rule == self.rule and covers_path(self.path, finding.path)


class Baseline(Struct, frozen=True):
    """The fingerprints of known findings, and the file they stand in.

    ``extents`` tells of those that came from a report how much was known; the others hold for
    anything of their fingerprint.
    """

    name: str
    fingerprints: frozenset[str]
    extents: Mapping[str, Sequence[Extent]] = {}

    def excess(self, finding: Finding) -> str | None:
        """What of the finding goes beyond the known one; empty: nothing, None: it is not known."""
        if finding.fingerprint not in self.fingerprints:
            return None
        beyond = [
            each.excess(finding.evidence) for each in self.extents.get(finding.fingerprint, ())
        ]
        return beyond[-1] if beyond and all(beyond) else ""


class Suppressions(Struct, frozen=True, kw_only=True):
    """Everything that may hide a finding."""

    baselines: tuple[Baseline, ...] = ()
    ignores: tuple[Ignore, ...] = ()


class Hidden(Struct, frozen=True):
    """A finding that was taken away, by what (``baseline``, ``ignore``, ``inline``), and why."""

    finding: Finding
    by: str
    explanation: str


def apply(
    findings: Iterable[Finding], suppressions: Suppressions, today: date
) -> tuple[list[Finding], list[Hidden]]:
    """The findings that stand and those that are hidden, both in the order given."""
    kept: list[Finding] = []
    hidden: list[Hidden] = []
    live: dict[str, list[Ignore]] = {}
    for ignore in suppressions.ignores:
        if not ignore.has_expired(today):
            live.setdefault(ignore.fingerprint or ignore.rule, []).append(ignore)
    for finding in findings:
        why = _by_ignore(finding, live) or _by_baseline(finding, suppressions.baselines)
        if isinstance(why, Hidden):
            hidden.append(why)
        else:
            kept.append(why or finding)
    return kept, hidden


def expired(findings: Iterable[Finding], suppressions: Suppressions, today: date) -> list[str]:
    """One line for each ignore that has run out, telling how many of these findings it covers."""
    known = list(findings)
    lines: list[str] = []
    for ignore in suppressions.ignores:
        if not ignore.has_expired(today):
            continue
        covered = sum(ignore.covers(finding) for finding in known)
        things = "1 finding" if covered == 1 else f"{covered:,} findings"
        lines.append(f"{ignore.origin}: expired on {ignore.expires}; it no longer hides {things}")
    return lines


def covers_path(glob: str, path: str) -> bool:
    """Whether a glob means this path, whole or without its outermost container.

    ``*`` and ``?`` stay within one folder, ``**`` does not, everything else stands for itself.
    The archive's own name carries the version, so a glob may begin inside it: ``package/*.env``
    covers ``acme-0.9.0.tgz!/package/a.env``.
    """
    pattern = _glob_pattern(glob)
    inner = path.partition(NESTED)[2]
    return bool(pattern.fullmatch(path) or (inner and pattern.fullmatch(inner)))


@lru_cache(maxsize=1024)
def _glob_pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts), re.DOTALL)


def _by_ignore(finding: Finding, live: Mapping[str, Sequence[Ignore]]) -> Hidden | None:
    """``live`` holds the ignores in force by their fingerprint or rule."""
    value = finding.secret.fingerprint if finding.secret else ""
    for name in (finding.fingerprint, value, finding.rule):
        for ignore in live.get(name, ()):
            if ignore.covers(finding):
                until = f", until {ignore.expires}" if ignore.expires else ""
                by = "inline" if ignore.line else "ignore"
                return Hidden(finding, by, f"{ignore.reason} ({ignore.origin}{until})")
    return None


def _by_baseline(finding: Finding, baselines: Sequence[Baseline]) -> Hidden | Finding | None:
    """The finding hidden; or with a word on what goes beyond what was known of it; or None."""
    beyond = ""
    for baseline in baselines:
        excess = baseline.excess(finding)
        if excess == "":
            return Hidden(finding, "baseline", f"known: it stands in {baseline.name}")
        if excess:
            beyond = f"{excess} ({baseline.name})"
    if not beyond:
        return None
    return structs.replace(finding, evidence=finding.evidence | {"beyond_baseline": beyond})
