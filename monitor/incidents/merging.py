"""One more observation into an incident: a fold that no order of arrival changes."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from monitor.incidents.observed import iso
from monitor.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.incidents.observed import Earlier
    from monitor.model import Incident

MAX_OBSERVATIONS = 6

_VersionKey = tuple[str, tuple[tuple[int, int, str], ...], str]


def with_observation(incident: Incident, seen: dict[str, Any], now: datetime) -> Incident:
    """The incident with this artifact in it; the same again changes nothing."""
    kept = _worst([*incident.detail.get("observations", ()), seen])
    published = dict(incident.detail.get("published", {}))
    if seen["published_at"]:
        known = published.get(seen["version"], seen["published_at"])
        published[seen["version"]] = min(known, seen["published_at"])
    published = dict(sorted(published.items()))
    versions = sorted(
        {*incident.versions, seen["version"]}, key=lambda each: version_key(each, published)
    )
    times = [datetime.fromisoformat(each) for each in published.values()]
    return replace(
        incident,
        title=kept[0]["title"],
        severity=max(incident.severity, Severity(seen["severity"])),
        opened_at=min(incident.opened_at, now),
        first_seen_at=min(incident.first_seen_at, now),
        published_at=min(times, default=None),
        first_bad_version=versions[0],
        versions=versions,
        artifacts=sorted({*incident.artifacts, seen["purl"]}),
        detail=incident.detail | {"observations": kept, "published": published},
    )


def with_history(incident: Incident, history: Sequence[Earlier]) -> Incident:
    """The incident with what the versions before its first bad one tell.

    What an earlier, longer history told stays unless it has become wrong.
    """
    detail = dict(incident.detail)
    first_bad = version_key(incident.first_bad_version, detail.get("published", {}))
    times = _times(incident, history)
    if incident.last_clean_version and incident.last_clean_version not in incident.versions:
        times.setdefault(incident.last_clean_version, detail.get("last_clean_at", ""))
    before = [each for each in times if version_key(each, times) < first_bad]
    last = max(before, key=lambda each: version_key(each, times), default="")
    known = detail.get("clean_before", 0) if last == incident.last_clean_version else 0
    detail["clean_before"] = max(len(before), known)
    detail["last_clean_at"] = times.get(last, "")
    return replace(incident, last_clean_version=last, detail=detail)


def _times(incident: Incident, history: Sequence[Earlier]) -> dict[str, str]:
    """Each version of the history that is not a bad one, with when it was published."""
    bad = set(incident.versions)
    times: dict[str, str] = {}
    for artifact in history:
        if artifact.version not in bad:
            told = iso(artifact.published_at) or ""
            times[artifact.version] = min(times.get(artifact.version, told), told)
    return times


def version_key(version: str, published: Mapping[str, str]) -> _VersionKey:
    """Sorts versions by when they were published, then by the numbers in them."""
    parts = tuple(
        (1, int(part[:18]), "") if part.isdecimal() and part.isascii() else (0, 0, part)
        for part in re.findall(r"[0-9]+|[^0-9.]+", version)
    )
    return (published.get(version, ""), parts, version)


def _worst(observations: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One observation for each artifact, the worst and newest first, no more than are kept."""
    best: dict[str, dict[str, Any]] = {}
    for each in observations:
        other = best.get(each["purl"])
        best[each["purl"]] = each if other is None else _of_one(other, each)
    return sorted(best.values(), key=_rank)[:MAX_OBSERVATIONS]


def _of_one(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Which of two looks at the same artifact counts: the worse, and of equals the first."""

    def rank(each: dict[str, Any]) -> tuple[int, str, str]:
        written = json.dumps(each, sort_keys=True)
        return (-Severity(each["severity"]).rank, each["seen_at"], written)

    return min(one, other, key=rank)


def _rank(each: dict[str, Any]) -> tuple[int, float, str]:
    moment = each["published_at"] or each["seen_at"]
    newest = -datetime.fromisoformat(moment).timestamp()
    return (-Severity(each["severity"]).rank, newest, each["purl"])
