"""From a git push to one message: a GitHub on loopback, the real daemon, a Slack."""

from __future__ import annotations

import json
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
    query = (
        f"select 1 from packages p join repositories r on r.package_id = p.id and p.name='{name}'"
    )
    site.until(lambda: site.rows(query), f"{name} was not looked at")


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
