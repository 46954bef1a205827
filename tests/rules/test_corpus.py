"""The benchmark's corpus holds every kind of secret that there is a rule for."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from monitor.rules import bundled_rules_folder
from monitor.rules.loader import load
from tests.bench import formats, surroundings
from tests.bench.kinds.covered import NOT_PLANTED, NOT_SECRET, STANDS_FOR
from tests.bench.kinds.index import KINDS

if TYPE_CHECKING:
    from monitor.rules import Matcher
    from tests.bench.shapes import Provider

RULES = {rule.id: rule for rule in load([bundled_rules_folder()]).rules}
BY_NAME = {provider.name: provider for provider in formats.PROVIDERS}
FORMAT_OF = {provider.name: provider.name for provider in KINDS} | STANDS_FOR
PLAIN = ("assignment", "JSON", "YAML", "environment", "header", "URL", "source map")


def test_every_rule_for_a_secret_has_a_format_or_a_reason() -> None:
    secret = {id_ for id_, rule in RULES.items() if rule.metadata.kind not in NOT_SECRET}
    assert len(secret) > 500
    assert sorted(secret - FORMAT_OF.keys() - NOT_PLANTED.keys()) == []


def test_nothing_is_listed_that_is_not_there() -> None:
    assert sorted(FORMAT_OF.keys() - RULES.keys()) == []
    assert sorted(NOT_PLANTED.keys() - RULES.keys()) == []
    assert sorted(NOT_PLANTED.keys() & FORMAT_OF.keys()) == []
    assert sorted(set(STANDS_FOR.values()) - BY_NAME.keys()) == []
    assert {rule.metadata.kind for rule in RULES.values()} >= NOT_SECRET.keys()


def test_every_format_has_its_own_name_and_makes_new_tokens() -> None:
    times = Counter(provider.name for provider in formats.PROVIDERS)
    assert [name for name, often in times.items() if often > 1] == []
    chance = random.Random(7)
    for provider in KINDS:
        assert formats.token(provider, chance) != formats.token(provider, chance), provider.name


def test_half_of_the_formats_are_held_out() -> None:
    assert len(formats.HELD_OUT) == (len(formats.PROVIDERS) + 1) // 2


def test_formats_are_found_by_the_rules_that_they_stand_for(bundled: Matcher) -> None:
    """Nearly all: which are not is left unsaid, as half of them are held out."""
    chance = random.Random(11)
    found = [
        rule in found_in(bundled, BY_NAME[name], chance) for rule, name in sorted(FORMAT_OF.items())
    ]
    assert len(found) > 500
    assert sum(found) >= 0.97 * len(found)


def found_in(matcher: Matcher, provider: Provider, chance: random.Random) -> set[str]:
    """Ids of the rules that match in any plain surrounding of a format."""
    found: set[str] = set()
    for name in PLAIN:
        if name not in surroundings.UNFIT.get(provider.shape, ()):
            token = formats.token(provider, chance)
            file, body = surroundings.SURROUNDINGS[name](provider, token, chance)
            found |= {match.rule.id for match in matcher.scan_all(body, file)}
    return found
