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


def test_from_the_push_to_the_end_of_the_repository(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    """A key is pushed: one message. Its commit is pushed away, the repository removed: replies."""
    github.create("acme/app")
    work = checkout(github, tmp_path, "acme/app")
    acme.start()
    acme.ready()
    looked(acme, "acme/app")
    clean = work.git("rev-parse", "HEAD")
    secret = token("push")
    commit = work.commit({"conf/prod.env": f"GITHUB_TOKEN={secret}\n"}, "prod")
    work.push()
    acme.until(lambda: acme.slack.messages, "no message came")
    idle(acme)
    (message,) = acme.slack.messages
    text = json.dumps(message, ensure_ascii=False)
    for expected in ("acme/app", "conf/prod.env", commit[:12], "on main", "2026-01-02"):
        assert expected in text, expected
    for place in (text, acme.said(), (acme.folder / "leakmon.db").read_bytes().decode("latin-1")):
        assert secret not in place
    assert acme.rows("select severity from incidents") == [("critical",)]
    work.commit({"README.md": "more\n"}, "more")
    work.push()
    acme.until(lambda: acme.rows("select count(*) from artifacts") == [(2,)], "not looked at")
    idle(acme)
    assert len(acme.slack.messages) == 1
    work.git("reset", "-q", "--hard", clean)
    work.push("--force", "origin", "HEAD:main")
    acme.until(lambda: len(acme.slack.messages) == 2, "nothing was added to the thread")
    reply = acme.slack.messages[1]
    assert reply["thread_ts"] == message["ts"]
    assert "can still read it" in json.dumps(reply)
    assert acme.rows("select state from incidents") == [("open",)]
    github.delete("acme/app")
    gone = "select kind from incident_events where kind = 'gone'"
    acme.until(lambda: acme.rows(gone), "its end was not told")
    assert acme.rows("select is_present from incidents") == [(0,)]
    assert acme.stop() == 0


def test_a_key_in_a_commit_that_was_force_pushed_away(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    github.has_graphql = False
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
    github.asked.clear()
    acme.start()
    acme.until(lambda: acme.slack.messages, "no message came")
    idle(acme)
    (message,) = acme.slack.messages
    text = json.dumps(message)
    assert lost[:12] in text
    assert "force-pushed away" in text
    assert acme.rows("select severity, versions from incidents") == [("critical", f'["{lost}"]')]
    acme.until(lambda: any(status == 304 for _, status in github.asked), "never asked again")
    limits_are_shown(acme, github)


def limits_are_shown(site: Site, github: fake.Github) -> None:
    figures = dict(
        line.rsplit(" ", 1)
        for line in site.get("metrics")[1].splitlines()
        if not line.startswith("#")
    )
    labels = f'{{host="{github.url.split("/")[2]}",resource="core"}}'
    assert 0 < float(figures[f"leakmon_rate_limit_remaining{labels}"]) < 5000
    assert float(figures[f"leakmon_rate_limit_reset_timestamp_seconds{labels}"]) > 1.7e9
    assert float(figures[f"leakmon_api_requests{labels}"]) >= 3
    assert float(figures[f"leakmon_api_unchanged{labels}"]) > 0
    assert float(figures["leakmon_clone_bytes"]) > 0


def test_a_repository_made_public_and_the_assets_of_a_release(
    acme: Site, github: fake.Github, tmp_path: Path
) -> None:
    """All of a history that was private counts; assets come from the API's own host alone."""
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
    leaky = zipped({"app/.env": f"GITHUB_TOKEN={token('asset')}\n"})
    github.release("acme/app", "v1", {"app.zip": leaky})
    github.repos["acme/inside"].is_private = False
    acme.until(lambda: len(acme.slack.messages) == 2, "no message came")
    idle(acme)
    text = json.dumps(acme.slack.messages)
    for expected in ("deploy/.env", "no longer in HEAD", "app.zip"):
        assert expected in text, expected
    assert "evil.example" not in acme.said()
    urls = acme.rows("select url from artifacts where filename = 'app.zip'")
    assert urls == [(github.repos["acme/app"].releases[0]["assets"][0]["url"],)]


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


def zipped(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()
