"""From a git push to one message: a GitHub on loopback, the real daemon, a Slack."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.e2e.daemon import token
from tests.watch_servers import github as fake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.daemon import Site

FORGE = """repositories = ["github:acme"]
[registries.github]
api = "{url}"
token = "env:GITHUB_TOKEN"
poll_seconds = 1
"""


@pytest.fixture
def github(tmp_path: Path) -> Iterator[fake.Github]:
    with fake.running(tmp_path / "github") as forge:
        yield forge


@pytest.fixture
def acme(site: Site, github: fake.Github) -> Site:
    """The machine, with an organisation on GitHub."""
    site.secrets["GITHUB_TOKEN"] = fake.TOKEN
    site.configure(FORGE.format(url=github.url))
    return site


def checkout(github: fake.Github, tmp_path: Path, name: str) -> fake.Checkout:
    work = fake.Checkout(tmp_path / "work" / name, f"{github.url}{name}.git")
    work.commit({"README.md": "# x\n"}, "first")
    work.push()
    return work


def idle(site: Site) -> None:
    site.until(site.is_idle, "something is left undone")


def looked(site: Site, name: str) -> None:
    """Wait until a repository is on record."""
    query = "select p.name from packages p join repositories r on r.package_id = p.id"
    site.until(lambda: (name,) in site.rows(query), f"{name} was not looked at")


def test_a_push_with_a_key_becomes_one_message(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    github.create("acme/app")
    work = checkout(github, tmp_path, "acme/app")
    acme.start()
    acme.ready()
    looked(acme, "acme/app")
    secret = token("push")
    commit = work.commit({"conf/prod.env": f"GITHUB_TOKEN={secret}\n"}, "prod")
    work.push()
    acme.until(lambda: acme.slack.messages, "no message came")
    idle(acme)
    (message,) = [each for each in acme.slack.messages if not each.get("thread_ts")]
    text = json.dumps(message, ensure_ascii=False)
    for expected in ("acme/app", "conf/prod.env", commit[:12], "main", "2026-01-02"):
        assert expected in text, expected
    for place in (text, acme.said(), (acme.folder / "leakmon.db").read_bytes().decode("latin-1")):
        assert secret not in place
    assert acme.rows("select severity from incidents") == [("critical",)]
    work.commit({"README.md": "more\n"}, "more")
    work.push()
    acme.until(lambda: acme.rows("select count(*) from artifacts") == [(2,)], "not looked at")
    idle(acme)
    assert len(acme.slack.messages) == 1
    assert acme.stop() == 0


def test_a_key_in_a_commit_that_was_force_pushed_away(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    github.create("acme/app")
    work = checkout(github, tmp_path, "acme/app")
    acme.start()
    acme.ready()
    looked(acme, "acme/app")
    acme.kill()
    clean = work.git("rev-parse", "HEAD")
    lost = work.commit({"config.py": f"KEY = '{token('oops')}'\n"}, "oops")
    work.push()
    work.git("reset", "-q", "--hard", clean)
    work.commit({"config.py": "KEY = os.environ['KEY']\n"}, "clean")
    work.push("--force", "origin", "HEAD:main")
    acme.start()
    acme.until(lambda: acme.slack.messages, "no message came")
    idle(acme)
    (message,) = acme.slack.messages
    text = json.dumps(message)
    assert lost[:12] in text
    assert "force-pushed away" in text
    assert acme.rows("select severity, versions from incidents") == [("critical", f'["{lost}"]')]


def test_a_commit_that_is_pushed_away_later_is_told_of_in_the_thread(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    github.create("acme/app")
    work = checkout(github, tmp_path, "acme/app")
    acme.start()
    acme.ready()
    looked(acme, "acme/app")
    clean = work.git("rev-parse", "HEAD")
    work.commit({"config.py": f"KEY = '{token('seen')}'\n"}, "oops")
    work.push()
    acme.until(lambda: acme.slack.messages, "no message came")
    work.git("reset", "-q", "--hard", clean)
    work.push("--force", "origin", "HEAD:main")
    acme.until(lambda: len(acme.slack.messages) == 2, "nothing was added to the thread")
    idle(acme)
    first, reply = acme.slack.messages
    assert reply["thread_ts"] == first["ts"]
    assert "can still read it" in json.dumps(reply)
    assert acme.rows("select state from incidents") == [("open",)]


def test_a_repository_that_is_made_public_is_inspected_from_its_first_commit(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    github.create("acme/inside", is_private=True)
    work = fake.Checkout(tmp_path / "inside", github.repos["acme/inside"].path.as_uri())
    work.commit({"deploy/.env": f"GITHUB_TOKEN={token('old')}\n"}, "long ago")
    work.git("rm", "-q", "deploy/.env")
    work.commit({"README.md": "fit for the public\n"}, "clean up")
    work.push()
    github.create("acme/app")
    checkout(github, tmp_path, "acme/app")
    acme.start()
    acme.ready()
    looked(acme, "acme/app")
    github.repos["acme/inside"].is_private = False
    acme.until(lambda: acme.slack.messages, "no message came")
    idle(acme)
    text = json.dumps(acme.slack.messages)
    assert "deploy/.env" in text
    assert "no longer in HEAD" in text


def test_assets_of_releases_come_from_the_api_alone(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    github.create("acme/app")
    work = checkout(github, tmp_path, "acme/app")
    acme.start()
    acme.ready()
    looked(acme, "acme/app")
    leaky = zipped({"app/.env": f"GITHUB_TOKEN={token('asset')}\n"})
    github.release("acme/app", "v1", {"app.zip": leaky})
    work.git("tag", "v1")
    work.push("origin", "v1")
    acme.until(lambda: acme.slack.messages, "no message came")
    idle(acme)
    assert "app.zip" in json.dumps(acme.slack.messages)
    assert "evil.example" not in acme.said()
    urls = acme.rows("select url from artifacts where filename = 'app.zip'")
    assert urls == [(github.repos["acme/app"].releases[0]["assets"][0]["url"],)]


def test_a_repository_that_is_removed_is_said_to_be_gone(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    github.create("acme/app")
    work = checkout(github, tmp_path, "acme/app")
    acme.start()
    acme.ready()
    looked(acme, "acme/app")
    work.commit({"k": token("gone") + "\n"})
    work.push()
    acme.until(lambda: acme.slack.messages, "no message came")
    github.delete("acme/app")
    gone = "select kind from incident_events where kind = 'gone'"
    acme.until(lambda: acme.rows(gone), "its end was not told")
    assert acme.rows("select is_present from incidents") == [(0,)]


def zipped(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def test_the_past_is_inspected_if_it_is_asked_for(
    site: Site, github: fake.Github, tmp_path: Path
) -> None:
    """Any git address, and a gist that is found through its owner; without any token."""
    github.kinds["kim"] = "User"
    github.create("plain/repo")
    github.create("kim/gists/aa5a315d61ae9438b18d")
    address = f"{github.url}plain/repo.git"
    secrets = {"plain/repo": token("plain"), "kim/gists/aa5a315d61ae9438b18d": token("gist")}
    for name, secret in secrets.items():
        work = fake.Checkout(tmp_path / "work" / name, f"{github.url}{name}.git")
        work.commit({"notes.txt": f"{secret}\n"}, "long ago")
        work.commit({"notes.txt": "nothing\n"}, "clean up")
        work.push()
    more = FORGE.format(url=github.url).replace('"github:acme"', f'"github:kim", "{address}"')
    site.configure(more.replace('token = "env:GITHUB_TOKEN"\n', ""))
    site.start("--once")
    assert site.process is not None
    assert site.process.wait(180) == 0, site.said()
    assert site.rows("select count(*) from incidents") == [(0,)]
    site.start("--once", "--backfill", "all")
    assert site.process.wait(180) == 0, site.said()
    packages = site.rows("select p.name from incidents i join packages p on p.id = i.package_id")
    assert sorted(packages) == [
        (f"127.0.0.1:{github.url.split(':')[2].strip('/')}/plain/repo",),
        ("kim/gists/aa5a315d61ae9438b18d",),
    ]
    assert site.is_idle(), site.said()
    assert len(site.slack.messages) == 2
    kept = site.rows("select size from artifacts where severity = 'critical'")
    assert all(0 < size < 20_000 for (size,) in kept), "more than the file itself was kept"


def test_limits_are_shown(acme: Site, github: fake.Github, tmp_path: Path) -> None:
    github.has_graphql = False
    github.create("acme/app")
    work = checkout(github, tmp_path, "acme/app")
    acme.start()
    acme.ready()
    looked(acme, "acme/app")
    work.commit({"a": "1\n"})
    work.push()
    settled = "select count(*) from artifacts where state = 'settled'"
    acme.until(lambda: acme.rows(settled) == [(1,)], "not inspected")
    acme.until(lambda: any(status == 304 for _, status in github.asked), "never asked again")
    figures = dict(
        line.rsplit(" ", 1)
        for line in acme.get("metrics")[1].splitlines()
        if not line.startswith("#")
    )
    labels = f'{{host="{github.url.split("/")[2]}",resource="core"}}'
    assert 0 < float(figures[f"leakmon_rate_limit_remaining{labels}"]) < 5000
    assert float(figures[f"leakmon_rate_limit_reset_timestamp_seconds{labels}"]) > 1.7e9
    assert float(figures[f"leakmon_api_requests{labels}"]) >= len(github.asked) / 2
    assert float(figures[f"leakmon_api_unchanged{labels}"]) > 0
    assert float(figures["leakmon_clone_bytes"]) > 0
