"""``leakmon incidents`` and ``leakmon alerts``, on a real database and a Slack on loopback."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.delivery import Delivery
from monitor.alerts.sample import _artifact, _maps, _secrets
from monitor.alerts.settings import SlackSettings
from monitor.alerts.slack import SlackChannel
from monitor.cli import main
from monitor.cli.incidents import span
from monitor.evidence.keys import Keyring
from monitor.incidents import changes
from monitor.model import Ownership, Release, Status, TargetReport
from monitor.store import Scan, Store, migrations
from tests.alerts.fake_slack import TOKEN, FakeSlack, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from monitor.model import Incident, IncidentChange

NOW = datetime(2026, 3, 31, 22, 36, 8, tzinfo=UTC)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with running() as server:
        yield server


@pytest.fixture
def url(tmp_path: Path, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with a configuration and a database that holds two incidents."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEAKMON_CONFIG", str(tmp_path / "leakmon.toml"))
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    (tmp_path / "leakmon.toml").write_text(
        f'[alerts.slack]\ntoken = "env:SLACK_BOT_TOKEN"\nchannel = "#leaks"\n'
        f'base_url = "{slack.url}"\n'
    )
    address = f"sqlite:///{tmp_path / 'leakmon.db'}"
    migrations.upgrade(address)
    asyncio.run(_settle(address))
    return address


async def _settle(address: str) -> None:
    store = Store.open(address, clock=lambda: NOW)
    await store.unlock(Keyring([b"k" * 32]))
    artifact = _artifact(NOW, 88)
    release = Release(
        ecosystem="npm", name=artifact.name, version=artifact.version, artifacts=[artifact]
    )
    (entry,) = await store.announce(release, Ownership(organisation="acme", reason="scope"))
    report = TargetReport(
        target=artifact.purl, status=Status.COMPLETE, findings=[*_maps(), *_secrets()]
    )

    def decide(sealed: TargetReport, known: Sequence[Incident]) -> list[IncidentChange]:
        return changes(sealed, artifact, "acme", known, NOW, release=release)

    await store.settle(
        entry.artifact_id, report, decide, Scan(rules_digest="r"), channels=["slack"]
    )
    await store.close()


async def _deliver(address: str, slack: FakeSlack) -> int:
    store = Store.open(address)
    settings = SlackSettings(token=lambda: TOKEN, channel="#leaks", base_url=slack.url)
    passed = await Delivery(SlackChannel(settings), store).deliver()
    await store.close()
    return passed.sent


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    said = capsys.readouterr()
    return status, said.out, said.err


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, str]]:
    status, out, _ = run(capsys, "incidents", "list", "--json", *words)
    assert status == 0
    found = json.loads(out)
    assert isinstance(found, list)
    return found


def test_the_way_of_an_incident(
    url: str, slack: FakeSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, "incidents", "list")
    assert status == 0
    assert out.count("\n") == 2
    assert "npm:@acme/cli" in out
    assert asyncio.run(_deliver(url, slack)) == 2
    name = next(each["id"] for each in listed(capsys) if each["cause"] == "source-maps")
    assert run(capsys, "incidents", "ack", name[:8], "--reason", "on it")[0] == 0
    assert run(capsys, "incidents", "snooze", name, "--for", "7d")[0] == 0
    assert run(capsys, "incidents", "note", name, "--reason", "asked legal")[0] == 0
    assert run(capsys, "incidents", "resolve", name)[0] == 0
    assert asyncio.run(_deliver(url, slack)) == 4
    first, *replies = slack.of(name)
    assert first["blocks"][0]["text"]["text"].startswith("✅ RESOLVED")
    assert [each["thread_ts"] for each in replies] == [first["ts"]] * 4
    assert len(listed(capsys)) == 1
    assert len(listed(capsys, "--state", "all")) == 2
    status, out, _ = run(capsys, "incidents", "show", name)
    assert "1,897 first-party source files" in out
    assert "asked legal" in out
    assert [
        line.split()[3] for line in out.splitlines() if " UTC  " in line and "published" not in line
    ] == [
        "opened",
        "acknowledged",
        "snoozed",
        "note",
        "resolved",
    ]


@pytest.mark.usefixtures("url")
def test_what_is_ignored_is_a_false_positive_on_record(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    every = listed(capsys)
    for each in every:
        words = ("incidents", "ignore", each["id"], "--reason", "public on purpose")
        assert run(capsys, *words, "--expires", "2027-01-31")[0] == 0

    async def ignores() -> list[tuple[str, str, str]]:
        store = Store.open(url)
        found = [(each.fingerprint, each.rule, each.package) for each in await store.ignores()]
        await store.close()
        return found

    secret = next(each["cause"] for each in every if each["cause"].startswith("secret:"))
    assert sorted(asyncio.run(ignores())) == sorted(
        [
            (secret.removeprefix("secret:"), "", "@acme/cli"),
            ("", "source-map-first-party-content", "@acme/cli"),
        ]
    )
    assert listed(capsys) == []


@pytest.mark.usefixtures("url")
def test_an_export_reads_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "incidents", "export", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0
    assert {row["package"] for row in rows} == {"'@acme/cli"}
    target = tmp_path / "out.json"
    assert run(capsys, "incidents", "export", "--output", str(target))[0] == 0
    assert len(json.loads(target.read_text())) == 2


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "lm-nothing"), "lm-nothing"),
        (("snooze", "lm-", "--for", "soon"), "--for soon"),
        (("ack", "lm-"), "several incidents begin so"),
        (("ignore", "lm-", "--reason", "x", "--expires", "never"), "--expires never"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, "incidents", *words)
    assert status in {2, 3}
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_without_a_database_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, "incidents", "list")
    assert status == 2
    assert "leakmon db upgrade" in err
    assert not (tmp_path / "leakmon.db").exists()


@pytest.mark.usefixtures("url")
def test_a_preview_is_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "alerts", "preview", "--kind", "secret")
    assert status == 0
    assert "Rotate now" in out
    assert "ghp_…q7R8" in out
    name = listed(capsys)[0]["id"]
    status, out, _ = run(capsys, "alerts", "preview", name, "--json")
    assert json.loads(out)["blocks"][0]["type"] == "header"


@pytest.mark.usefixtures("url")
def test_a_test_says_what_came_back(slack: FakeSlack, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "alerts", "test")
    assert status == 0
    assert "slack: leakmon in Acme, channel C00000002" in out
    assert "one thread per incident" in slack.messages[0]["text"]
    slack.token = "xoxb-" + "another"
    status, _, err = run(capsys, "alerts", "test", "--dry-run")
    assert status == 1
    assert "invalid_auth" in err
    assert len(slack.messages) == 1
    assert TOKEN not in err


def test_spans_are_read() -> None:
    assert span("90m") == timedelta(minutes=90)
    assert span("2w") == timedelta(weeks=2)
