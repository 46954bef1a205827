"""What happens to packages after their publication, and whose they are, seen by the daemon."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.e2e.daemon import token

if TYPE_CHECKING:
    from tests.e2e.daemon import Site


def states(site: Site) -> list[tuple[str, str]]:
    return site.rows("select filename, withdrawal from artifacts order by filename")


def events(site: Site) -> list[str]:
    return [row[0] for row in site.rows("select kind from incident_events order by number")]


def test_a_wheel_that_comes_later_is_inspected_and_a_removal_is_told(site: Site) -> None:
    site.start()
    site.ready()
    site.pypi.put("acmelate", "1.0", "s")
    site.until(lambda: len(states(site)) == 1 and site.is_idle(), "the sdist is not settled")
    (wheel,) = site.pypi.put("acmelate", "1.0", "w")
    site.until(lambda: len(states(site)) == 2 and site.is_idle(), "the wheel is not settled")
    assert events(site) == ["opened"]
    site.pypi.remove_file(wheel.name)
    site.until(lambda: "gone" in events(site) and site.is_idle(), "the removal is not told")
    assert states(site) == [
        ("acmelate-1.0-py3-none-any.whl", "removed"),
        ("acmelate-1.0.tar.gz", ""),
    ]
    assert site.rows("select is_present from incidents") == [(0,)]
    first, reply = site.slack.messages
    assert reply["thread_ts"] == first["ts"]


def test_a_yank_and_its_end_are_on_record_and_tell_nobody(site: Site) -> None:
    site.start()
    site.ready()
    site.pypi.put("acmeyank", "1.0", "s")
    site.until(lambda: len(states(site)) == 1 and site.is_idle(), "it is not settled")
    site.pypi.yank("acmeyank", "1.0")
    site.until(lambda: states(site)[0][1] == "yanked" and site.is_idle(), "no yank on record")
    site.pypi.unyank("acmeyank", "1.0")
    site.until(lambda: states(site)[0][1] == "" and site.is_idle(), "the yank stays on record")
    assert site.slack.messages == []


def test_a_quarantine_is_on_record_told_where_it_matters_and_ends(site: Site) -> None:
    site.start()
    site.ready()
    site.pypi.put("acmejail", "1.0", "w")  # a wheel whose RECORD does not list its members
    site.until(lambda: "opened" in events(site) and site.is_idle(), "it is not settled")
    site.pypi.quarantine("acmejail")
    site.until(lambda: "gone" in events(site) and site.is_idle(), "the quarantine is not told")
    assert [word for _, word in states(site)] == ["quarantined"]
    site.pypi.clear("acmejail")
    site.until(lambda: states(site)[0][1] == "" and site.is_idle(), "it stays on record")
    site.until(lambda: events(site)[-1] == "still-present", "its end is not told")


def test_an_unpublished_version_is_gone_and_its_evidence_kept(site: Site) -> None:
    site.start()
    site.ready()
    files = {"index.js": "1;\n", ".env": f"GITHUB_TOKEN={token('unpublished')}\n"}
    for version in ("1.0.0", "1.0.1"):
        kept = files if version == "1.0.1" else {"index.js": "1;\n"}
        site.npm.put("@acme/fleeting", version, kept, license="UNLICENSED")
        site.until(lambda: f"fleeting-{version}.tgz" in site.said(), version)  # noqa: B023 - called at once
    site.npm.npm("unpublish", "@acme/fleeting@1.0.1", "--force")
    site.until(lambda: "gone" in events(site) and site.is_idle(), "it is not told to be gone")
    (row,) = site.rows("select sha256 from artifacts where filename = 'fleeting-1.0.1.tgz'")
    reading = ("evidence", "get", row[0], "--reason", "rotate", "--output", "kept.tgz")
    assert site.run(*reading).returncode == 0
    assert (site.folder / "kept.tgz").stat().st_size > 100
    assert site.rows("select first_bad_version, last_clean_version from incidents") == [
        ("1.0.1", "1.0.0")
    ]


def test_a_package_of_another_name_is_ours_by_its_mail_domain(site: Site) -> None:
    site.configure('domains = ["acme.example"]')
    site.start()
    site.ready()
    files = {"index.js": "1;\n", ".env": f"GITHUB_TOKEN={token('mail')}\n"}
    mail = {"license": "UNLICENSED", "author": "A <dev@acme.example>"}
    site.npm.put("innocent-name", "1.0.0", files, **mail)
    site.npm.put("somebody-elses", "1.0.0", files, license="UNLICENSED")
    query = "select outcome from notices where outcome != '' order by outcome"
    site.until(lambda: len(site.rows(query)) == 2 and site.is_idle(), "not resolved")
    assert site.rows(query) == [("announced",), ("not-ours",)]
    ((name, reason),) = site.rows("select name, reason from packages")
    assert (name, "mail domain" in reason) == ("innocent-name", True)


def test_status_shows_feeds_queue_and_incidents(site: Site) -> None:
    site.start()
    site.ready()
    files = {"index.js": "1;\n", ".env": f"GITHUB_TOKEN={token('status')}\n"}
    site.npm.put("@acme/status", "1.0.0", files, license="UNLICENSED")
    site.until(lambda: site.slack.messages and site.is_idle(), "not told")
    told = json.loads(site.run("status", "--json").stdout)
    feeds = {feed["feed"]: feed for feed in told["feeds"]}
    assert feeds["npm/changes"]["kept"] == 1
    assert {"pypi/changelog", "pypi/updates", "pypi/listing"} <= feeds.keys()
    assert told["incidents"] == {"critical": 1}
    assert told["alerts"] == {"slack": {"sent": 1}}
    text = site.run("status").stdout
    assert "npm/changes" in text
    assert "1 critical" in text
