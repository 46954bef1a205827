"""Names that can be mistaken for ours: each transformation found, and nothing that is far off."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import NpmNames, Organisation, PypiNames
from monitor.watchers.perimeter import Perimeter, Target, confusable
from monitor.watchers.perimeter.confusable import Confusables, bare, edit
from monitor.watchers.perimeter.facts import of_npm, of_pypi
from tests.watchers.edits import distance

OURS = ("acme-billing", "@acme/cli", "acme", "claude-code", "@acme/internal-tools", "zx", "acme-v1")
FOUND = [
    ("acmebilling", "acme-billing", confusable.SEPARATORS),
    ("acme.billing", "acme-billing", confusable.SEPARATORS),
    ("ac-mebilling", "acme-billing", confusable.SEPARATORS),
    ("acme-cli", "@acme/cli", confusable.SCOPE_DROPPED),
    ("acmecli", "@acme/cli", confusable.SCOPE_DROPPED),
    ("acme-internal-tools", "@acme/internal-tools", confusable.SCOPE_DROPPED),
    ("acrne", "acme", confusable.LOOKALIKE_CHARACTERS),
    ("acme-b1lling", "acme-billing", confusable.LOOKALIKE_CHARACTERS),
    ("acrne-bil1ing", "acme-billing", confusable.LOOKALIKE_CHARACTERS),
    ("claude-c0de", "claude-code", confusable.LOOKALIKE_CHARACTERS),
    ("acme-bililng", "acme-billing", confusable.TRANSPOSITION),
    ("acme-biling", "acme-billing", confusable.LEFT_OUT),
    ("acme-billlling", "acme-billing", ""),
    ("acme-billling", "acme-billing", confusable.PUT_IN),
    ("acme-killing", "acme-billing", confusable.REPLACED),
    ("@acmr/cli", "@acme/cli", confusable.REPLACED),
    ("acme-billing-js", "acme-billing", confusable.AFFIX_ADDED),
    ("node-acme-billing", "acme-billing", confusable.AFFIX_ADDED),
    ("node-acme-billing-sdk", "acme-billing", confusable.AFFIX_ADDED),
    ("pyclaude-code", "claude-code", confusable.AFFIX_ADDED),
    ("acme-sdk", "acme", confusable.AFFIX_ADDED),
    ("acme-internal", "@acme/internal-tools", confusable.AFFIX_DROPPED),
    ("acme-billing-2024", "acme-billing", confusable.NUMBER_ADDED),
    ("acme2", "acme", confusable.NUMBER_ADDED),
    ("billing-acme", "acme-billing", confusable.WORD_ORDER),
    ("code-claude", "claude-code", confusable.WORD_ORDER),
    ("acmf", "acme", ""),
    ("acmes", "acme", ""),
    ("zy", "zx", ""),
    ("acme-v2", "acme-v1", ""),
    ("@someone/acme-billing", "acme-billing", ""),
    ("@types/claude-code", "claude-code", ""),
    ("left-pad", "", ""),
    ("acme-billing", "", ""),
    ("billing", "", ""),
    ("-", "", ""),
    ("", "", ""),
]
INDEX = Confusables(Target(name=name, organisation="acme") for name in OURS)


def test_the_table_is_not_empty() -> None:
    assert FOUND


@pytest.mark.parametrize(("name", "ours", "how"), FOUND)
def test_each_transformation_is_found_and_named(name: str, ours: str, how: str) -> None:
    found = INDEX.find(name)
    if not how:
        assert found is None or found.target.name != ours
        return
    assert found is not None
    assert (found.target.name, found.how) == (ours, how)


NAMES = st.text(string.ascii_lowercase + string.digits + "-._", min_size=1, max_size=24)
LONG = st.text(string.ascii_lowercase, min_size=8, max_size=24)


@given(LONG, st.data())
def test_every_swap_of_neighbours_is_found(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 2))
    swapped = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
    found = Confusables([Target(name=name, organisation="acme")]).find(swapped)
    assert (found is None) == (swapped == name)


@given(LONG, st.data())
def test_every_lookalike_character_is_found(name: str, data: st.DataObject) -> None:
    pairs = [("o", "0"), ("l", "1"), ("i", "1"), ("l", "i"), ("e", "3"), ("s", "5")]
    wide = [("m", "rn"), ("w", "vv")]
    one, other = data.draw(st.sampled_from(pairs + wide))
    place = data.draw(st.integers(0, len(name)))
    name = name[:place] + one + name[place:]
    changed = name[:place] + other + name[place + 1 :]
    index = Confusables([Target(name=name, organisation="acme")])
    assert index.find(changed) is not None


@given(st.lists(LONG, min_size=2, max_size=3), st.sampled_from(["", ".", "_", "--"]))
def test_every_other_separator_is_found(words: list[str], separator: str) -> None:
    index = Confusables([Target(name="-".join(words), organisation="acme")])
    found = index.find(separator.join(words))
    assert found is not None
    assert found.how == confusable.SEPARATORS


@given(st.lists(st.text("abc-", min_size=4, max_size=9), min_size=1, max_size=5), st.data())
def test_the_index_finds_what_comparing_all_pairs_finds(
    ours: list[str], data: st.DataObject
) -> None:
    name = data.draw(st.text("abc-", min_size=4, max_size=9))
    index = Confusables(Target(name=each, organisation="acme") for each in ours)
    near = [each for each in ours if _is_near(bare(name), bare(each))]
    found = index.find(name)
    is_edit = found is not None and found.how in EDITS
    assert is_edit == (bool(near) and name not in ours)
    if found is not None and is_edit:
        assert found.target.name in near


EDITS = {
    confusable.SEPARATORS,
    confusable.TRANSPOSITION,
    confusable.LEFT_OUT,
    confusable.PUT_IN,
    confusable.REPLACED,
}


def _is_near(word: str, other: str) -> bool:
    away = distance(word, other)
    if away == 0:
        return len(other) >= confusable.MIN_SAME
    if away > 1:
        return False
    is_swap = len(word) == len(other) and sorted(word) == sorted(other)
    least = confusable.MIN_SWAPPED if is_swap else confusable.MIN_EDITED
    return len(other) >= least


@given(st.text("ab1", max_size=7), st.text("ab1", max_size=7))
def test_an_edit_is_one_of_the_definition(word: str, other: str) -> None:
    how = edit(word, other)
    assert not how or distance(word, other) == (how != confusable.SEPARATORS)
    if not how:
        changed = [pair for pair in zip(word, other, strict=False) if pair[0] != pair[1]]
        assert distance(word, other) > 1 or all(a.isdigit() and b.isdigit() for a, b in changed)


@given(st.text(string.ascii_lowercase, min_size=14, max_size=24))
def test_names_far_from_ours_resemble_nothing(name: str) -> None:
    words = [bare(each) for each in OURS]
    found = INDEX.find(name)
    if found is not None:  # with characters and affixes taken away it must be near after all
        rest = [
            confusable.folded(bare(name)),
            *map(confusable.folded, confusable._stripped([name], name)),
        ]
        assert any(distance(one, confusable.folded(word)) <= 1 for one in rest for word in words)


@given(st.text(max_size=300))
def test_no_name_of_a_feed_breaks_it(name: str) -> None:
    INDEX.find(name)
    perimeter = Perimeter([ACME]).lookalikes()
    for ecosystem in ("npm", "pypi", "github", "crates"):
        perimeter.find(ecosystem, name)
        perimeter.internal(ecosystem, name)


ACME = Organisation(
    name="acme",
    npm=NpmNames(scopes=["@acmecorp"], packages=["acme-billing", "acmex-*"]),
    pypi=PypiNames(packages=["acme_billing"]),
    internal_names=["acme-console-app", "@acmecorp/internal-*", "@acme-private/*"],
    allowed_lookalikes=["acme-billing-js", "@acmecorps/*"],
)


def test_what_is_ours_or_allowed_resembles_nothing() -> None:
    index = Perimeter([ACME]).lookalikes()
    for name in ("acme-billing", "acmex-billing", "@acmecorp/bill", "acme-billing-js"):
        assert index.find("npm", name) is None, name
    assert index.find("npm", "@acmecorps/anything") is None
    assert index.find("pypi", "Acme.Billing") is None
    for ecosystem, name in (
        ("npm", "acme-biling"),
        ("pypi", "acme_biling"),
        ("npm", "@acmecorq/x"),
    ):
        assert index.find(ecosystem, name) is not None, name
    assert index.find("github", "acme-biling") is None


def test_packages_on_record_are_imitated_too_where_their_organisation_asks() -> None:
    perimeter = Perimeter([ACME])
    tracked = [
        ("npm", Target(name="@acmecorp/quartz", organisation="acme")),
        ("npm", Target(name="somebodys-quartz", organisation="others")),
    ]
    index = perimeter.lookalikes(tracked)
    assert index.find("npm", "acmecorp-quartz") is not None
    assert index.find("npm", "somebodys-quarzt") is None


def test_internal_names_are_those_that_anybody_can_publish() -> None:
    index = Perimeter([ACME]).lookalikes()
    assert index.internal("npm", "acme-console-app") is not None
    assert index.internal("pypi", "Acme_Console.App") is not None
    assert index.internal("npm", "@acme-private/tool") is not None
    assert index.internal("npm", "@acmecorp/internal-tool") is None, "a scope of ours"
    assert index.internal("npm", "acme-billing") is None
    assert index.internal("github", "acme-console-app") is None


SCRIPTS = [
    ({"scripts": {"postinstall": "node x.js"}}, True),
    ({"scripts": {"preinstall": " "}}, False),
    ({"scripts": {"test": "jest", "prepare": "tsc"}}, False),
    ({"hasInstallScript": True}, True),
    ({"gypfile": True}, True),
    ({"scripts": ["postinstall"]}, False),
    ({}, False),
]


@pytest.mark.parametrize(("manifest", "runs"), SCRIPTS)
def test_what_runs_where_it_is_installed(manifest: dict[str, object], runs: bool) -> None:  # noqa: FBT001 - a table's column
    assert SCRIPTS
    assert of_npm("x", {"version": "1.0.0", **manifest}).runs_at_install is runs
    assert of_npm("x", {"version": "1.0.0"}).version == "1.0.0"


def test_a_project_without_a_wheel_is_built_where_it_is_installed() -> None:
    def files(*kinds: str) -> dict[str, object]:
        return {"info": {"version": "1"}, "urls": [{"packagetype": each} for each in kinds]}

    assert of_pypi("x", files("sdist")).runs_at_install
    assert not of_pypi("x", files("sdist", "bdist_wheel")).runs_at_install
    assert not of_pypi("x", files()).runs_at_install
