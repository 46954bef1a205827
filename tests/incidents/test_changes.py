"""Incidents as a fold over settled reports: order, replays, recurrence, people's decisions."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.errors import UsageError
from monitor.incidents import acted, causes, changes, verified, woken
from monitor.model import (
    Artifact,
    Confidence,
    Finding,
    Incident,
    IncidentChange,
    IncidentState,
    Secret,
    Severity,
    Skipped,
    Status,
    TargetReport,
)

T0 = datetime(2026, 3, 31, 22, 36, tzinfo=UTC)
KEYS = ["a" * 32, "b" * 32, "c" * 32]


def artifact(number: int, filename: str = "") -> Artifact:
    version = f"1.0.{number}"
    return Artifact(
        ecosystem="npm",
        name="@acme/cli",
        version=version,
        filename=filename or f"cli-{version}.tgz",
        purl=f"pkg:npm/%40acme/cli@{version}{'?file_name=' + filename if filename else ''}",
        size=1000 + number,
        published_at=T0 + timedelta(hours=number),
    )


def secret(key: str, severity: Severity = Severity.CRITICAL, path: str = "dist/a.js") -> Finding:
    return Finding(
        rule="github-personal-access-token",
        detector="secrets",
        kind="secret",
        severity=severity,
        confidence=Confidence.HIGH,
        message="GitHub personal access token. Revoke it.",
        path=f"cli.tgz!/package/{path}",
        fingerprint="f" + key[1:],
        line=3,
        column=9,
        secret=Secret(redacted="ghp_…q7R8", fingerprint=key),
    )


def source_map(severity: Severity = Severity.CRITICAL, path: str = "cli.js.map") -> Finding:
    return Finding(
        rule="source-map-first-party-content",
        detector="source-maps",
        kind="source",
        severity=severity,
        confidence=Confidence.HIGH,
        message="The source map carries 1,897 first-party source files in full text.",
        path=f"cli.tgz!/package/{path}",
        fingerprint="9" * 32,
        evidence={"first_party_files": 1897, "first_party_lines": 512_000},
    )


def carrier(path: str) -> Finding:
    return replace(
        source_map(path=path),
        rule="carrier-env-file",
        detector="carriers",
        kind="credential-file",
        message="An environment file with 1 filled-in credential ships.",
        evidence={"keys": ["TOKEN"]},
    )


def report(*findings: Finding) -> TargetReport:
    return TargetReport(target="x", status=Status.COMPLETE, findings=list(findings), bytes=10)


class Book:
    """All incidents of one package, as a store would keep them."""

    def __init__(self, history: list[Artifact] | None = None) -> None:
        self.incidents: dict[str, Incident] = {}
        self.kinds: list[str] = []
        self.history = history or []

    def settle(self, one: TargetReport, of: Artifact, now: datetime) -> list[IncidentChange]:
        made = changes(one, of, "acme", list(self.incidents.values()), now, history=self.history)
        for change in made:
            self.keep(change)
        return made

    def keep(self, change: IncidentChange) -> None:
        self.incidents[change.incident.id] = change.incident
        self.kinds += [event.kind for event in change.events]

    def only(self) -> Incident:
        (incident,) = self.incidents.values()
        return incident


findings = st.lists(
    st.one_of(
        st.builds(
            secret,
            st.sampled_from(KEYS),
            st.sampled_from(list(Severity)[1:]),
            st.sampled_from(["dist/a.js", "dist/b.js", ".env"]),
        ),
        st.builds(source_map, st.sampled_from(list(Severity)[1:])),
        st.builds(carrier, st.sampled_from([".env", "other/.env"])),
    ),
    max_size=5,
)
settled = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["", "a.whl"]), findings), max_size=12
).map(lambda rows: {(n, name): (artifact(n, name), report(*each)) for n, name, each in rows})


@given(rows=settled, seed=st.integers())
def test_any_order_of_the_same_reports_gives_the_same_incidents(
    rows: dict[tuple[int, str], tuple[Artifact, TargetReport]], seed: int
) -> None:
    every = [each for each, _ in rows.values()]
    written, shuffled = Book(every), Book(every)
    order = list(rows.values())
    for of, one in order:
        written.settle(one, of, T0 + timedelta(days=int(of.version[-1])))
    random.Random(seed).shuffle(order)
    for of, one in order:
        shuffled.settle(one, of, T0 + timedelta(days=int(of.version[-1])))
    assert shuffled.incidents == written.incidents


@given(rows=settled, delay=st.integers(0, 10**6))
def test_a_replay_changes_nothing(
    rows: dict[tuple[int, str], tuple[Artifact, TargetReport]], delay: int
) -> None:
    book = Book([each for each, _ in rows.values()])
    for of, one in rows.values():
        book.settle(one, of, T0)
    for of, one in rows.values():
        assert book.settle(one, of, T0 + timedelta(seconds=delay)) == []


def test_one_secret_in_ten_versions_is_one_incident_with_ten_versions() -> None:
    book = Book([artifact(n) for n in range(12)])
    for n in range(2, 12):
        book.settle(report(secret(KEYS[0], path=f"dist/{n}.js")), artifact(n), T0)
    one = book.only()
    assert one.versions == [f"1.0.{n}" for n in range(2, 12)]
    assert (one.first_bad_version, one.last_clean_version) == ("1.0.2", "1.0.1")
    assert one.published_at == T0 + timedelta(hours=2)
    assert book.kinds == ["opened", *["version-added"] * 9]


def test_a_map_and_a_secret_are_two_causes_and_a_carrier_is_told_with_its_secret() -> None:
    book = Book()
    book.settle(
        report(source_map(), secret(KEYS[0], path=".env"), carrier(".env")), artifact(1), T0
    )
    assert sorted(each.cause for each in book.incidents.values()) == [
        f"secret:{KEYS[0]}",
        "source-maps",
    ]


def test_many_secrets_of_one_artifact_do_not_flood_a_channel() -> None:
    found = causes(report(*(secret(f"{n:032x}") for n in range(500))))
    assert len(found) == 11
    assert found[-1].name == "secrets:more" or "secrets:more" in {each.name for each in found}
    assert sum(len(each.findings) for each in found) == 500


def test_what_is_below_the_threshold_opens_nothing() -> None:
    assert Book().settle(report(source_map(Severity.LOW)), artifact(1), T0) == []


def test_what_could_not_be_opened_is_an_incident_of_its_own() -> None:
    book = Book()
    failed = TargetReport(
        target="x", status=Status.FAILED, skipped=[Skipped("cli.tgz", "not-found")]
    )
    book.settle(failed, artifact(1), T0)
    assert (book.only().cause, book.only().severity) == ("not-inspected", Severity.MEDIUM)
    assert book.only().title == "It could not be inspected (not-found)"


def test_a_backfill_of_many_versions_does_not_flood_a_thread() -> None:
    book = Book()
    told = 0
    for n in range(200):
        made = book.settle(report(source_map()), artifact(n), T0)
        told += sum(event.is_told for change in made for event in change.events)
    assert len(book.only().versions) == 200
    assert told == 25 + 7


def test_a_worse_finding_escalates_and_ends_a_snooze() -> None:
    book = Book()
    book.settle(report(source_map(Severity.MEDIUM)), artifact(1), T0)
    until = T0 + timedelta(days=7)
    book.keep(acted(book.only(), "snoozed", at=T0, actor="eve", until=until))
    quiet = book.settle(report(source_map(Severity.MEDIUM)), artifact(2), T0 + timedelta(days=1))
    assert [(e.kind, e.is_told) for e in quiet[0].events] == [("version-added", False)]
    book.settle(report(source_map()), artifact(3), T0 + timedelta(days=2))
    assert book.only().severity is Severity.CRITICAL
    assert book.only().state is IncidentState.OPEN
    assert book.kinds[-2:] == ["version-added", "escalated"]


def test_what_comes_back_after_it_was_resolved_is_reopened_with_a_reason() -> None:
    book = Book()
    book.settle(report(source_map()), artifact(1), T0)
    book.keep(acted(book.only(), "resolved", at=T0 + timedelta(hours=3), actor="eve"))
    book.settle(report(source_map()), artifact(1), T0 + timedelta(hours=4))
    assert book.only().state is IncidentState.RESOLVED
    book.settle(report(source_map()), artifact(9), T0 + timedelta(hours=9))
    assert book.only().state is IncidentState.OPEN
    assert book.only().reason == "back in 1.0.9, after it was resolved"
    assert book.kinds == ["opened", "resolved", "reopened"]


def test_a_false_positive_stays_quiet_until_it_gets_worse() -> None:
    book = Book()
    book.settle(report(source_map(Severity.MEDIUM)), artifact(1), T0)
    book.keep(acted(book.only(), "false-positive", at=T0, actor="eve", reason="meant to be public"))
    made = book.settle(report(source_map(Severity.MEDIUM)), artifact(2), T0)
    assert [event.is_told for change in made for event in change.events] == [False]
    assert book.only().state is IncidentState.FALSE_POSITIVE
    book.settle(report(source_map()), artifact(3), T0)
    assert book.only().state is IncidentState.OPEN
    assert book.only().reason == "critical in 1.0.3; it was judged a false positive at medium"


def test_verification_tells_only_what_changed() -> None:
    book = Book()
    book.settle(report(source_map()), artifact(1), T0)
    seen = [True, True, False, False, True]
    for hour, is_present in enumerate(seen, 1):
        book.keep(verified(book.only(), is_present=is_present, at=T0 + timedelta(hours=hour)))
    assert book.kinds == ["opened", "gone", "still-present"]
    assert book.only().last_verified_at == T0 + timedelta(hours=5)
    book.keep(acted(book.only(), "resolved", at=T0 + timedelta(hours=6), actor="eve"))
    book.keep(verified(book.only(), is_present=True, at=T0 + timedelta(hours=7)))
    assert book.only().state is IncidentState.OPEN
    assert book.only().reason == "resolved, but the registry still serves it"


def test_a_snooze_ends() -> None:
    book = Book()
    book.settle(report(source_map()), artifact(1), T0)
    until = T0 + timedelta(hours=2)
    book.keep(acted(book.only(), "snoozed", at=T0, actor="eve", until=until))
    assert woken(book.only(), T0 + timedelta(hours=1)).events == []
    woke = woken(book.only(), until)
    assert woke.incident.state is IncidentState.OPEN
    assert woken(book.only(), until + timedelta(hours=1)).events[0].id == woke.events[0].id


@pytest.mark.parametrize(
    ("kind", "reason", "until"),
    [("snoozed", "", None), ("snoozed", "", T0), ("false-positive", " ", None), ("sung", "", None)],
)
def test_an_action_that_makes_no_sense_is_refused(
    kind: str, reason: str, until: datetime | None
) -> None:
    book = Book()
    book.settle(report(source_map()), artifact(1), T0)
    with pytest.raises(UsageError):
        acted(book.only(), kind, at=T0, actor="eve", reason=reason, until=until)


def test_a_value_that_the_report_holds_never_reaches_an_incident() -> None:
    value = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    told = secret(KEYS[0], path=f"dist/{value}.js")
    assert told.secret is not None
    told = replace(told, message=f"Token {value} found", secret=replace(told.secret, value=value))
    book = Book()
    book.settle(report(told), artifact(1), T0)
    assert value not in repr(book.incidents)
