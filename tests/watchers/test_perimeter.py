"""What is ours: by name, by what a registry says; and what it costs to ask."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import main
from monitor.model import NpmNames, Organisation, PypiNames, Release
from monitor.watchers.perimeter import PackageFacts, Perimeter, of_release, repositories
from monitor.watchers.perimeter.facts import domains, of_npm, of_pypi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.watch_servers.npm import NpmServer

ACME = Organisation(
    name="acme",
    npm=NpmNames(
        scopes=["@acme", "@acme-*"], packages=["acme-*", "Plain"], maintainers=["acme-bot"]
    ),
    pypi=PypiNames(packages=["acme", "acme_*"], owners=["acme", "alice"]),
    repositories=["github:acme", "https://git.acme.example/team"],
    domains=["acme.example"],
    internal_names=["bluefin-*"],
)
OTHER = Organisation(name="other", npm=NpmNames(scopes=["@acme"]), domains=["*.other.example"])
PERIMETER = Perimeter([ACME, OTHER])

BY_NAME = [
    ("npm", "@acme/cli", "npm scope @acme"),
    ("npm", "@ACME/Cli", "npm scope @acme"),
    ("npm", "@acme-labs/x", "npm scope @acme-*"),
    ("npm", "acme-tool", "npm package acme-*"),
    ("npm", "plain", "npm package Plain"),
    ("npm", "bluefin-core", "internal name bluefin-*"),
    ("npm", "@acmes/cli", None),
    ("npm", "@other/acme-tool", None),
    ("npm", "acme", None),
    ("pypi", "Acme", "PyPI package acme"),
    ("pypi", "Acme.Tools", "PyPI package acme_*"),
    ("pypi", "bluefin_core", "internal name bluefin-*"),
    ("pypi", "acmetools", None),
    ("crates", "acme", None),
]


def test_names_are_ours_for_a_reason() -> None:
    assert BY_NAME
    found = []
    for ecosystem, name, _ in BY_NAME:
        ownership = PERIMETER.by_name(ecosystem, name)
        found.append((ecosystem, name, ownership.reason if ownership else None))
        assert ownership is None or ownership.organisation == "acme"
    assert found == BY_NAME


BY_METADATA: list[tuple[dict[str, Any], str | None]] = [
    ({"maintainers": ["stranger", "Acme-Bot"]}, "npm maintainer acme-bot"),
    ({"repositories": ["git+https://git.acme.example/team/x.git"]},
     "repository https://git.acme.example/team (git+https://git.acme.example/team/x.git)"),
    ({"repositories": ["github:acme/x"]}, "repository github:acme (github:acme/x)"),
    ({"repositories": ["acme/x"]}, "repository github:acme (acme/x)"),
    ({"repositories": ["github:acmes/x"]}, None),
    ({"repositories": ["https://git.acme.example/teams/x"]}, None),
    ({"mail_domains": ["dev.acme.example"]}, "mail domain acme.example (dev.acme.example)"),
    ({"mail_domains": ["notacme.example"]}, None),
    ({"owners": ["acme"]}, None),  # PyPI's users are not npm's
    ({}, None),
]  # fmt: skip


def test_metadata_is_ours_for_a_reason() -> None:
    assert BY_METADATA
    found = []
    for keys, _ in BY_METADATA:
        ownership = PERIMETER.by_metadata(PackageFacts(ecosystem="npm", name="x", **keys))
        found.append((keys, ownership.reason if ownership else None))
    assert found == BY_METADATA


def test_the_first_organisation_that_fits_owns_it() -> None:
    facts = PackageFacts(ecosystem="npm", name="x", mail_domains=["a.other.example"])
    ownership = PERIMETER.by_metadata(facts)
    assert ownership is not None
    assert ownership.organisation == "other"


def test_metadata_is_needed_only_where_a_key_asks_for_it() -> None:
    by_scope = Perimeter([Organisation(name="a", npm=NpmNames(scopes=["@a"]))])
    assert PERIMETER.needs_metadata("npm")
    assert not by_scope.needs_metadata("npm")


def test_one_place_is_one_place_however_it_is_written() -> None:
    written = [
        "https://git.example/Acme/Cli.git",
        "git+https://git.example/acme/cli",
        "git://git.example/acme/cli/",
        "git@git.example:acme/cli.git",
        "ssh://git@git.example:2222/acme/cli.git",
    ]
    assert {repositories.place(each) for each in written} == {"git.example/acme/cli"}
    assert repositories.place("gitlab:acme/cli") == "gitlab:acme/cli"
    assert repositories.place("not an address") == ""


def test_what_registries_say_becomes_facts() -> None:
    npm = of_npm(
        "x",
        {
            "_npmUser": {"name": "bot", "email": "bot@ci.acme.example"},
            "maintainers": [{"name": "bot"}, "old <old@mail.example>", 7],
            "author": "A <a@Acme.example>",
            "repository": {"url": "git+https://git.example/a/b.git"},
        },
    )
    assert npm.maintainers == ["bot", "old"]
    assert npm.mail_domains == ["ci.acme.example", "mail.example", "acme.example"]
    project = of_pypi(
        "x",
        {
            "info": {
                "author_email": "A B <a@one.example>, b@two.example",
                "project_urls": {"Source": "https://git.example/a/b", "Odd": 3},
                "home_page": None,
            },
            "ownership": {"organization": "acme", "roles": [{"role": "Owner", "user": "alice"}]},
        },
    )
    assert (project.organisation, project.owners) == ("acme", ["alice"])
    assert project.mail_domains == ["one.example", "two.example"]
    assert project.repositories == ["https://git.example/a/b"]


def test_a_release_is_facts_too() -> None:
    release = Release(
        ecosystem="npm", name="x", version="1", artifacts=[], maintainers=["acme-bot"]
    )
    ownership = PERIMETER.by_metadata(of_release(release))
    assert ownership is not None
    assert ownership.reason == "npm maintainer acme-bot"


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(JSON, JSON)
def test_no_metadata_breaks_the_perimeter(one: Any, other: Any) -> None:
    manifest = {"_npmUser": one, "maintainers": other, "author": other, "repository": one}
    PERIMETER.by_metadata(of_npm("x", manifest))
    PERIMETER.by_metadata(of_pypi("x", {"info": one, "ownership": other}))
    PERIMETER.by_metadata(
        of_pypi("x", {"info": {"author_email": one}, "ownership": {"roles": other}})
    )


@given(st.text())
def test_no_text_breaks_mail_domains_or_places(text: str) -> None:
    domains(text)
    repositories.place(text)
    PERIMETER.by_name("pypi", text)


def test_asking_ten_times_the_worlds_rate_costs_next_to_nothing() -> None:
    """1,500 rows a second with a hundred organisations: under 5% of a processor."""
    many = [
        Organisation(name=f"o{n}", npm=NpmNames(scopes=[f"@o{n}"], packages=[f"o{n}-*", f"*-o{n}"]))
        for n in range(100)
    ]
    perimeter = Perimeter(many)
    names = [f"some-package-{n}" for n in range(750)] + [f"@s{n}/tool" for n in range(750)]
    started = time.process_time()
    for name in names:
        perimeter.by_name("npm", name)
    assert time.process_time() - started < 0.15


CONFIG = """
[http]
allow_private = ["127.0.0.1"]
[registries.npm]
url = "{url}"
changes = "{url}-/feed/registry/"
token = "env:NPM_TOKEN_OF_THE_TEST"
[[organisations]]
name = "acme"
npm.scopes = ["@acme"]
npm.maintainers = ["nobody-at-all"]
domains = ["acme.example"]
"""


@pytest.fixture
def config(tmp_path: Path, npm: NpmServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NPM_TOKEN_OF_THE_TEST", npm.registry.token)
    path = tmp_path / "leakmon.toml"
    path.write_text(CONFIG.format(url=npm.url), encoding="utf-8")
    return str(path)


def explain(*arguments: str) -> int:
    return main(["perimeter", "explain", *arguments])


def test_explain_says_why_by_name(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("@acme/cli", "--config", config) == 0
    assert "npm:@acme/cli belongs to acme: npm scope @acme" in capsys.readouterr().out


def test_explain_asks_the_registry_where_the_name_does_not_tell(
    config: str, npm: NpmServer, capsys: pytest.CaptureFixture[str]
) -> None:
    npm.put("told-by-mail", "1.0.0", author={"name": "A", "email": "a@acme.example"})
    npm.put("of-a-stranger", "1.0.0", author={"name": "B", "email": "b@else.example"})
    assert explain("npm:told-by-mail", "--config", config) == 0
    assert explain("npm:of-a-stranger", "--config", config, "--json") == 1
    first, _, rest = capsys.readouterr().out.partition("\n")
    assert first == "npm:told-by-mail belongs to acme: mail domain acme.example"
    [answer] = json.loads(rest[rest.index("[\n") :])
    tried = {one["key"]: (one["found"], one["is_match"]) for one in answer["tried"]}
    assert answer["ownership"] is None
    assert tried["domains"] == (["else.example"], False)


def test_explain_says_that_there_is_no_such_package(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain("npm:never-was", "--config", config) == 1
    assert "npm has no such package" in capsys.readouterr().out


def test_explain_refuses_what_is_no_name(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("npm:", "--config", config) == 2
    assert "names no package" in capsys.readouterr().err


REPOSITORIES = [
    ("github", "acme/cli", True),
    ("github", "ACME/Cli", True),
    ("github", "acme-evil/cli", False),
    ("github", "stranger/one", True),
    ("github", "stranger/two", False),
    ("gitlab", "group/sub/deep/project", True),
    ("gitlab", "group/sub", True),
    ("gitlab", "group/other", False),
    ("gitlab", "acme/cli", False),
    ("git", "git.acme.example/team/x", True),
    ("git", "git.acme.example/team/y", False),
    ("git", "acme/cli", False),
]


@pytest.mark.parametrize(("ecosystem", "name", "is_ours"), REPOSITORIES)
def test_repositories_are_ours_by_where_they_are(
    ecosystem: str,
    name: str,
    is_ours: bool,  # noqa: FBT001 - a case
) -> None:
    entries = [
        "github:acme", "https://github.com/stranger/one.git", "gitlab:group/sub",
        "https://git.acme.example/team/x.git",
    ]  # fmt: skip
    perimeter = Perimeter([Organisation(name="acme", repositories=entries)])
    owner = perimeter.by_name(ecosystem, name)
    assert (owner is not None) is is_ours
    assert not perimeter.needs_metadata(ecosystem)
    (tried,) = perimeter.explain(ecosystem, name)
    assert tried.is_match is is_ours


def test_what_was_found_through_a_place_belongs_to_its_organisation() -> None:
    owner = PERIMETER.by_place("github:acme")
    assert owner is not None
    assert (owner.organisation, owner.reason) == ("acme", "found through github:acme")
    assert PERIMETER.by_place("github:stranger") is None
