"""What the set of rules promises: breadth, and examples in surroundings that differ."""

from __future__ import annotations

import pytest

from monitor.rules.cache import bundled_rules_folder
from monitor.rules.loader import load
from tests.rules.surroundings import kind

RULES = load([bundled_rules_folder()]).rules
SECRET_RULES = {
    rule.id: rule for rule in RULES if rule.metadata.kind in {"secret", "private-key", "signed-url"}
}

FRONT_PAGES = {"https://api-docs.deepseek.com/", "https://serper.dev/"}
"""Sites whose front page is the one that speaks of the key."""


def test_the_rules_are_as_many_as_is_promised() -> None:
    assert len(SECRET_RULES) >= 400
    providers = {rule.metadata.provider for rule in RULES}
    assert len(providers - {"generic", "private-key", "jwt"}) >= 250


@pytest.mark.parametrize("name", SECRET_RULES)
def test_three_examples_stand_in_different_surroundings(name: str) -> None:
    kinds = [kind(example.text) for example in SECRET_RULES[name].metadata.match]
    assert len(set(kinds)) >= 3, kinds


@pytest.mark.parametrize("name", SECRET_RULES)
def test_a_reference_is_a_page_and_no_front_door(name: str) -> None:
    paths = [
        address.partition("://")[2].partition("/")[2].strip("/")
        for address in SECRET_RULES[name].metadata.references
    ]
    addresses = SECRET_RULES[name].metadata.references
    assert any(paths) or FRONT_PAGES.issuperset(addresses), addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('token = "x"', "assignment"),
        ('{"token": "x"}', "json"),
        ("Authorization: Bearer x", "header"),
        ("https://x@host/", "url"),
        ("export TOKEN=x", "environment"),
        ("curl -H x", "command"),
        ("a:\n  token: x\n", "yaml"),
        ("[a]\ntoken = x\n", "ini"),
        ("<a>x</a>", "xml"),
        ("connect('x')", "call"),
        ("machine x login y", "own format"),
    ],
)
def test_surroundings_are_told_apart(text: str, expected: str) -> None:
    assert kind(text) == expected
