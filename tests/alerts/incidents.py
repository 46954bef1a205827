"""Incidents for the tests of alerts: real ones, and hostile ones from strategies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from monitor.model import Incident, IncidentEvent, IncidentState, Severity

NOW = datetime(2026, 3, 31, 22, 36, 8, tzinfo=UTC)

HOSTILE = (
    "<!here> <!channel> <!everyone> <@U123> <#C123|leaks> <!subteam^S1>",
    "@channel @here @everyone",
    "<https://evil.example|Rotate here> https://evil.example/?q=1 mailto:a@evil.example",
    "` `@channel` ``` *bold* _it_ ~no~ > quote :skull: `",
    "a\nb\r\n\u2028> c\t\x00\x1b[31m\u202egnp.exe\u200b\ufeff\ud800",
    "&lt;!here&gt; &amp;lt;",
    "\U0001d54f" * 3000,
    "&" * 5000,
    "`" * 500,
    "",
    " ",
)

words = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.text(alphabet="<>&`*_~@!|#:\n \u202e\U0001d54fhereanl/.", max_size=400),
    st.text(max_size=20).map(lambda text: text * 200),
)
_moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy wants naive bounds


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


_places = st.fixed_dictionaries(
    {"path": words, "rule": words, "severity": words, "message": words},
    optional={
        "line": st.integers(0, 10**9),
        "redacted": words,
        "fingerprint": words,
        "checksum": st.sampled_from(["", "valid", "invalid"]),
        "decoded": st.lists(words, max_size=4),
    },
)
_observations = st.fixed_dictionaries(
    {
        "purl": words,
        "version": words,
        "filename": words,
        "sha256": words,
        "digests": st.fixed_dictionaries({"sha512": st.one_of(words, st.just("ab" * 64))}),
        "size": _maybe(st.integers(0, 10**18)),
        "usual_size": _maybe(st.integers(0, 10**12)),
        "publisher": words,
        "reason": words,
        "title": words,
        "is_partial": st.booleans(),
        "posture": st.fixed_dictionaries({"value": words, "evidence": st.lists(words, max_size=8)}),
        "places": st.lists(_places, max_size=20),
        "places_total": st.integers(0, 10**6),
        "advice": st.lists(words, max_size=4),
    }
)

incidents: st.SearchStrategy[Incident] = st.builds(
    Incident,
    id=st.one_of(words, st.just("lm-abcdefghij")),
    organisation=words,
    ecosystem=st.sampled_from(["npm", "pypi", "github", "<!here>"]),
    package=words,
    cause=st.one_of(
        words, st.sampled_from(["source-maps", "secret:ab", "not-inspected", "markers"])
    ),
    title=words,
    severity=st.sampled_from(Severity),
    opened_at=_moments,
    first_seen_at=_moments,
    state=st.sampled_from(IncidentState),
    published_at=_maybe(_moments),
    alerted_at=_maybe(_moments),
    last_verified_at=_maybe(_moments),
    is_present=_maybe(st.booleans()),
    first_bad_version=words,
    last_clean_version=words,
    versions=st.lists(words, max_size=30),
    artifacts=st.lists(words, max_size=3),
    snoozed_until=_maybe(_moments),
    note=words,
    reason=words,
    detail=st.fixed_dictionaries(
        {},
        optional={
            "observations": st.lists(_observations, min_size=1, max_size=2),
            "clean_before": st.integers(0, 10**9),
            "published": st.dictionaries(
                st.text(max_size=5), _moments.map(datetime.isoformat), max_size=3
            ),
        },
    ),
)
KINDS = (
    "opened", "version-added", "escalated", "reopened", "acknowledged", "snoozed", "resolved",
    "false-positive", "gone", "still-present", "served-by-cdn", "cleared-from-cdn", "note",
    "<!here>",
)  # fmt: skip
events: st.SearchStrategy[IncidentEvent] = st.builds(
    IncidentEvent,
    id=words,
    incident_id=words,
    kind=st.sampled_from(KINDS),
    at=_moments,
    actor=words,
    detail=st.fixed_dictionaries(
        {},
        optional={
            "reason": words,
            "version": words,
            "before": words,
            "severity": words,
            "until": _moments.map(datetime.isoformat),
            "published_at": _moments.map(datetime.isoformat),
        },
    ),
)


def incident(number: int = 0) -> Incident:
    return Incident(
        id=f"lm-{number:010}",
        organisation="acme",
        ecosystem="npm",
        package="@acme/cli",
        cause="source-maps",
        title="A map",
        severity=Severity.HIGH,
        opened_at=NOW,
        first_seen_at=NOW,
        published_at=NOW - timedelta(seconds=3),
        versions=["1.0.0"],
    )


def event(of: Incident, kind: str = "opened", number: int = 0) -> IncidentEvent:
    return IncidentEvent(
        id=f"ev-{of.id}-{kind}-{number}", incident_id=of.id, kind=kind, at=NOW, actor="eve"
    )
