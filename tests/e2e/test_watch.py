"""From a publish to one message: real publishes, the real daemon, a Slack with its real limits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

from tests.e2e.daemon import leaky_map, token

if TYPE_CHECKING:
    from tests.alerts.fake_slack import FakeSlack
    from tests.e2e.daemon import Site


def leak(secret: str) -> dict[str, str]:
    return {"index.js": "1;\n", ".env": f"GITHUB_TOKEN={secret}\n"}


def firsts(slack: FakeSlack) -> list[dict[str, Any]]:
    """The messages that begin a thread."""
    return [each for each in slack.messages if not each.get("thread_ts")]


def settled(site: Site, count: int) -> None:
    """Wait until so many artifacts are settled and nothing is left undone."""
    query = "select count(*) from artifacts where state = 'settled'"
    site.until(lambda: site.rows(query) == [(count,)], f"{count} artifacts are not settled")
    site.until(site.is_idle, "something is left undone")


def test_a_leak_on_npm_becomes_one_message(site: Site) -> None:
    site.start()
    site.ready()
    secret = token("npm-one")
    site.npm.publish("@acme/one", "1.0.0", leak(secret), license="UNLICENSED")
    site.until(lambda: site.slack.messages, "no message came")
    site.until(site.is_idle, "something is left undone")
    (message,) = site.slack.messages
    text = json.dumps(message, ensure_ascii=False)
    assert "@acme/one" in text
    assert "1.0.0" in text
    assert "package/.env" in text
    assert "Rotate" in text
    for place in (text, site.said(), (site.folder / "leakmon.db").read_bytes().decode("latin-1")):
        assert secret not in place
    assert site.stop() == 0


def test_uploads_to_pypi_are_one_incident_and_strangers_none(site: Site) -> None:
    site.start()
    site.ready()
    site.pypi.upload("acmepie", "1.0")
    site.pypi.put("stranger", "1.0")
    settled(site, 2)
    (message,) = site.slack.messages
    assert "acmepie" in json.dumps(message)
    assert site.rows("select distinct name from packages") == [("acmepie",)]


def test_one_cause_in_three_versions_is_one_thread(site: Site) -> None:
    site.start()
    site.ready()
    for version in ("1.0.0", "1.0.1", "1.1.0"):
        text = leaky_map("export const price = (cost: number) => cost * 3;\n" * 40)
        site.npm.put("@acme/map", version, {"index.js": text}, license="UNLICENSED")
        number = version.replace(".", "")
        site.until(lambda: f"map-{version}.tgz" in site.said(), number)  # noqa: B023 - called at once
    settled(site, 3)
    (first,) = firsts(site.slack)
    replies = [each for each in site.slack.messages if each.get("thread_ts")]
    assert [each["thread_ts"] for each in replies] == [first["ts"]] * 2
    assert site.rows("select versions from incidents") == [('["1.0.0","1.0.1","1.1.0"]',)]


def test_slack_that_is_down_is_told_everything_once_it_is_back(site: Site) -> None:
    site.start()
    site.ready()
    site.slack.is_down = True
    for number in range(3):
        secret = token(f"down-{number}")
        site.npm.put(f"@acme/down-{number}", "1.0.0", leak(secret), license="UNLICENSED")
    site.until(lambda: site.rows("select count(*) from outgoing") == [(3,)], "no alerts wait")
    assert site.slack.messages == []
    site.slack.is_down = False
    site.until(site.is_idle, "not told")
    ids = [row[0] for row in site.rows("select id from outgoing order by number")]
    assert site.slack.ids() == ids
    told = [line for line in site.lines() if line.get("step") == "deliver" and "reason" in line]
    assert len(told) <= 2, told


def test_without_a_channel_it_works_and_says_so(site: Site) -> None:
    site.configure(has_slack=False)
    site.start()
    site.ready()
    site.npm.put("@acme/quiet", "1.0.0", leak(token("quiet")), license="UNLICENSED")
    settled(site, 1)
    assert "no-channel" in site.said()
    assert "@acme/quiet" in site.run("incidents", "list").stdout
    assert site.slack.calls == []


def test_what_was_published_before_is_left_alone_unless_asked_for(site: Site) -> None:
    site.npm.put("@acme/old", "1.0.0", leak(token("old")), license="UNLICENSED")
    site.start("--once")
    assert site.process is not None
    assert site.process.wait(180) == 0, site.said()
    assert "--backfill" in site.said()
    assert site.rows("select count(*) from artifacts") == [(0,)]
    site.start("--once", "--backfill", "all")
    assert site.process.wait(180) == 0, site.said()
    names = {row[0] for row in site.rows("select name from packages")}
    assert "@acme/old" in names
    assert site.is_idle(), site.said()


def test_two_daemons_do_not_share_a_database(site: Site) -> None:
    site.start()
    site.ready()
    other = site.run("watch")
    assert other.returncode == 2
    assert "another leakmon watch" in other.stderr
    assert site.stop() == 0


def test_the_canary_sings_and_nobody_is_told(site: Site) -> None:
    site.configure(canary_minutes=60)
    site.start()
    site.ready()
    settled(site, 1)
    assert site.rows("select ecosystem, name from packages") == [("leakmon", "canary")]
    assert site.rows("select count(*) from incidents") == [(0,)]
    assert site.slack.messages == []
    name = "leakmon_canary_success_timestamp_seconds "
    (line,) = [each for each in site.get("metrics")[1].splitlines() if each.startswith(name)]
    assert float(line.split()[1]) > 0


def test_told_to_stop_amid_a_slow_download_it_ends_in_time_and_goes_on_after_a_start(
    site: Site,
) -> None:
    site.configure(drain_seconds=2, idle_seconds=600)
    site.start()
    site.ready()
    site.npm.faults.switch_on("slow-loris", r"slow-1\.0\.0\.tgz", 1)
    site.npm.put("@acme/slow", "1.0.0", leak(token("slow")), license="UNLICENSED")
    site.until(lambda: site.npm.faults.taken["slow-loris"], "the download did not begin")
    assert site.stop() == 0
    assert "cut short, to be done after the next start: local/artifact" in site.said()
    assert site.rows("select reason from pulses where name like 'daemon/%'") == [("stopped",)]
    site.start()
    settled(site, 1)
    assert len(site.slack.messages) == 1


METRICS = {
    "leakmon_discovery_lag_seconds_count": "discovery lag",
    "leakmon_checkpoint_age_seconds": "checkpoint age",
    "leakmon_poll_age_seconds": "when a feed last answered",
    "leakmon_jobs": "queue depth",
    "leakmon_queue_age_seconds": "queue age",
    "leakmon_scan_seconds_count": "scan seconds",
    "leakmon_bytes_total": "bytes",
    "leakmon_findings_total": "findings",
    "leakmon_deliveries_total": "deliveries",
    "leakmon_alert_seconds_count": "from event to message",
    "leakmon_errors_total": "errors by reason",
    "leakmon_incidents": "incidents",
    "leakmon_open_gaps": "gaps",
    "leakmon_intake_stopped": "a full disk",
}


def test_health_and_every_metric_are_there_to_be_read(site: Site) -> None:
    site.start()
    site.ready()
    assert site.get("healthz") == (200, "ok\n")
    site.npm.faults.switch_on("not-found", r"metrics-1\.0\.0\.tgz", 1)
    site.npm.put("@acme/metrics", "1.0.0", leak(token("metrics")), license="UNLICENSED")
    site.until(lambda: "not-found" in site.said(), "the fault was not met")
    site.npm.put("@acme/metrics", "1.0.1", leak(token("metrics")), license="UNLICENSED")
    site.until(lambda: site.slack.messages, "no message came")
    status, text = site.get("metrics")
    found = {line.split("{")[0].split(" ")[0] for line in text.splitlines()}
    assert status == 200
    assert METRICS.keys() - found == set()
    values = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if not line.startswith("#")
    }
    assert values['leakmon_incidents{severity="critical",state="open"}'] == 1
    assert values['leakmon_errors_total{reason="not-found",step="artifact"}'] == 1
    assert values['leakmon_deliveries_total{channel="slack",outcome="sent"}'] == 1
    assert values['leakmon_poll_age_seconds{feed="npm/changes"}'] < 60
    assert not [line for line in text.splitlines() if "@acme" in line], "names are no labels"


def test_a_sandbox_that_dies_is_replaced(site: Site) -> None:
    site.start()
    site.ready()
    assert site.process is not None
    (zygote,) = children(site.process.pid)
    os.kill(zygote, signal.SIGKILL)
    site.npm.put("@acme/after", "1.0.0", leak(token("after")), license="UNLICENSED")
    settled(site, 1)
    assert len(site.slack.messages) == 1
    assert "sandbox-lost" in site.said()
    assert site.stop() == 0


def children(pid: int) -> list[int]:
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]
