"""The canary's verdict on the daemon: silence when it is recognised, an incident when it is not."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor import canary
from monitor.config import cache_folder, environment
from monitor.detectors import Context
from monitor.errors import LeakmonError
from monitor.model import Artifact, IncidentState, Organisation, Severity, TargetReport
from monitor.pipeline import local, subjects
from monitor.pipeline.conclude import Policy, conclude_subject
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox, Settings
from monitor.service import canaries, inspecting
from tests.service.conftest import worked, worked_until_idle

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    import pytest

    from monitor.service.parts import Parts
    from tests.service.conftest import MovedClock

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ARTIFACT = Artifact(
    ecosystem="leakmon",
    name="canary",
    version="20261123.120000",
    filename=canary.FILENAME,
    purl="pkg:generic/leakmon-canary@20261123.120000",
    digests={"sha256": hashlib.sha256(canary.package()).hexdigest()},
)


def scanned(folder: Path) -> TargetReport:
    path = folder / canary.FILENAME
    path.write_bytes(canary.package())
    cache = cache_folder(environment())
    settings = Settings(rule_folders=(bundled_rules_folder(),), cache_folder=cache)
    subject = subjects.local(str(path), Context())
    with Sandbox(settings) as sandbox:
        ((_, outcomes),) = local.inspect(sandbox, [subject], 1)
    return conclude_subject(subject, outcomes, Context(), Policy(today=NOW.date())).report


def test_a_canary_that_is_recognised_is_no_news(tmp_path: Path) -> None:
    assert canaries.decide(scanned(tmp_path), ARTIFACT, [], NOW) == []


def test_each_silence_is_one_incident_until_it_sings_again(tmp_path: Path) -> None:
    whole = scanned(tmp_path)
    deaf = replace(whole, findings=[each for each in whole.findings if each.detector != "secrets"])
    (opened,) = canaries.decide(deaf, ARTIFACT, [], NOW)
    assert opened.incident.severity is Severity.CRITICAL
    assert "secrets" in opened.incident.title
    assert [event.kind for event in opened.events] == ["opened"]
    assert opened.events[0].is_told
    later = NOW + timedelta(hours=1)
    assert canaries.decide(deaf, ARTIFACT, [opened.incident], later) == []
    (closed,) = canaries.decide(whole, ARTIFACT, [opened.incident], later)
    assert closed.incident.state is IncidentState.RESOLVED
    again = replace(ARTIFACT, version="20261123.140000")
    (back,) = canaries.decide(deaf, again, [closed.incident], later + timedelta(hours=1))
    assert back.incident.state is IncidentState.OPEN
    assert [event.kind for event in back.events] == ["reopened"]
    assert back.incident.opened_at == NOW


def test_findings_that_would_alert_nobody_are_silence_too(tmp_path: Path) -> None:
    whole = scanned(tmp_path)
    mild = [replace(each, severity=Severity.LOW) for each in whole.findings]
    (opened,) = canaries.decide(replace(whole, findings=mild), ARTIFACT, [], NOW)
    assert opened.incident.reason == "no critical incident came of it"


ACME = Organisation(name="acme", domains=["acme.example"])


async def test_a_canary_that_cannot_be_scanned_is_the_alert_until_one_sings(
    opened: Opened, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object) -> None:
        raise LeakmonError("no process can be made", reason="no-process")

    async with opened(None, None, [ACME]) as parts:
        monkeypatch.setattr(inspecting, "run", broken)
        await canaries.release(parts)
        await worked(parts, ["artifact"])
        assert await parts.store.incidents() == [], "one failure is nothing"
        await worked_until_idle(parts, ["artifact"])
        (incident,) = await parts.store.incidents()
        assert incident.severity is Severity.CRITICAL
        assert "not inspected (no-process)" in incident.title
        events = await parts.store.incident_events(incident.id)
        assert [event.kind for event in events] == ["opened"], "once, however often it fails"
        monkeypatch.undo()
        clock.move(minutes=5)
        await canaries.release(parts)
        await worked(parts, ["artifact"])
        (incident,) = await parts.store.incidents()
        assert incident.state is IncidentState.RESOLVED


async def test_a_canary_that_nobody_takes_up_is_the_alert(
    opened: Opened, clock: MovedClock
) -> None:
    async with opened(None, None, [ACME]) as parts:
        await canaries.release(parts)
        clock.move(minutes=60)
        await canaries.release(parts)
        (incident,) = await parts.store.incidents()
        assert "not inspected (announced)" in incident.title
