"""The report as one self-contained HTML file: no script, nothing fetched, readable and printable.

A content security policy forbids everything but the one style sheet, by its hash. Severities are
filtered by check boxes in plain CSS. Every untrusted text is made visible by ``clean`` and then
escaped by Jinja2; only http and https references become links.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from msgspec import Struct

from monitor.model import Severity, Skipped
from monitor.model.wording import count
from monitor.report.fold import (
    Group,
    Shown,
    folded,
    further_evidence,
    hidden_counts,
    severities,
    shown,
    where,
)
from monitor.report.text import clean, prose, seconds, size
from monitor.report.words import (
    HIDDEN_BY,
    SKIP_REASONS,
    figure,
    further_reasons,
    label,
    proof,
    summary_sentence,
    verdict_mark,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Finding, ScanReport, TargetReport
    from monitor.report import RenderOptions

MAX_GROUPS_PER_RULE = 100
MAX_PLACES = 200
_open_groups_per_rule = 5
_max_skipped = 500
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
_links = ("https://", "http://")


class _Section(Struct):
    """The findings of one severity.

    ``groups`` stand open; ``more`` are ``(rule, groups folded away, how many are left out)``.
    """

    severity: Severity
    number: int
    groups: list[Group]
    more: list[tuple[str, list[Group], int]]


def render(report: ScanReport, options: RenderOptions) -> str:
    """The whole report as one HTML document."""
    told = shown(report, options)
    style = files("monitor.report").joinpath("scan.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _template().render(
            report=report,
            told=told,
            shared=[name for name, files in _named(told).items() if files > 1],
            totals=severities([finding for one in told for finding in one.findings]),
            volume=sum(target.bytes for target in report.targets),
            members=sum(target.members for target in report.targets),
            notes=[*options.notes, *(HIDDEN_BY[by](n) for by, n in hidden_counts(told).items())],
            generated_at=options.generated_at,
            severities=sorted(Severity, reverse=True)[:-1],
            # our own file, so it may stand unescaped; the policy holds exactly these bytes
            style=Markup(style),  # noqa: S704 - see above
            policy=f"{_POLICY}; style-src 'sha256-{digest}'",
        )
        + "\n"
    )


def _named(told: list[Shown]) -> Counter[str]:
    """How many targets have the same name, as the files of one release do."""
    return Counter(one.target.target for one in told)


@cache
def _template() -> Template:
    """The compiled template; compiling costs more than filling it in."""
    source = files("monitor.report").joinpath("scan.html.j2").read_text(encoding="utf-8")
    return _environment().from_string(source)


def _environment() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        clean=clean, prose=prose, size=size, seconds=seconds, count=count, proof=proof
    )
    environment.globals.update(
        sections=_sections,
        sentence=summary_sentence,
        mark=verdict_mark,
        further=further_reasons,
        place=_place,
        evidence=_evidence,
        remaining=further_evidence,
        is_link=_is_link,
        ticked=_ticked,
        skipped=_skipped,
        anchor=_anchor,
        max_places=MAX_PLACES,
    )
    return environment


def _anchor(target: TargetReport) -> str:
    """An id for the target's section: from a hash, for its name is a stranger's."""
    name = f"{target.target}\0{target.filename}".encode("utf-8", "surrogatepass")
    return f"t-{hashlib.sha256(name).hexdigest()[:12]}"


def _sections(one: Shown) -> Iterator[_Section]:
    groups = folded(one.findings)
    for severity, number in severities(one.findings).items():
        by_rule: dict[str, list[Group]] = {}
        for group in groups:
            if group.first.severity is severity:
                by_rule.setdefault(group.first.rule, []).append(group)
        yield _Section(
            severity,
            number,
            [group for same in by_rule.values() for group in same[:_open_groups_per_rule]],
            [
                (
                    clean(rule),
                    same[_open_groups_per_rule:MAX_GROUPS_PER_RULE],
                    max(0, len(same) - MAX_GROUPS_PER_RULE),
                )
                for rule, same in by_rule.items()
                if len(same) > _open_groups_per_rule
            ],
        )


def _place(finding: Finding) -> tuple[str, str]:
    """Where, and what the path does not tell."""
    asides = [f"byte {finding.byte_offset:,}"] if finding.byte_offset and not finding.line else []
    if finding.decoded:
        asides.append(f"inside {', '.join(finding.decoded)}")
    return clean(where(finding)), clean(", ".join(asides))


def _evidence(values: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Each key with its values as text; a list keeps at most 50 of them and says so."""
    rows = []
    for key, value in values.items():
        if value in (None, "", [], {}):
            continue
        items = list(value) if isinstance(value, (list, tuple)) else [value]
        texts = [figure(item) for item in items[:50]]
        if len(items) > len(texts):
            texts.append(f"and {len(items) - len(texts):,} more")
        rows.append((label(key), texts))
    return rows


def _ticked(text: str) -> list[str]:
    """The parts of a sentence between its backticks: every second one is code."""
    parts = prose(text).split("`")
    return parts if len(parts) % 2 else [prose(text)]


def _is_link(reference: str) -> bool:
    return reference.lower().startswith(_links)


def _causes(members: list[Skipped]) -> list[str]:
    """Why, in words, each once."""
    return list(dict.fromkeys(clean(each.detail) for each in members if each.detail))[:3]


def _skipped(target: TargetReport) -> list[tuple[str, str, list[str], int]]:
    """``(reason, in words, paths, how many more)`` for each reason."""
    by_reason: dict[str, list[Skipped]] = {}
    for skipped in target.skipped:
        by_reason.setdefault(skipped.reason, []).append(skipped)
    return [
        (
            clean(reason),
            "; ".join(filter(None, [SKIP_REASONS.get(reason, ""), *_causes(members)])),
            [clean(skipped.path) for skipped in members[:_max_skipped]],
            max(0, len(members) - _max_skipped),
        )
        for reason, members in by_reason.items()
    ]
