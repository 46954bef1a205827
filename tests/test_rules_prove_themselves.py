"""Every rule that comes with leakmon finds its examples, in every surrounding, and only those."""

from __future__ import annotations

import importlib.util
import marshal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor import archive
from monitor.archive.budget import Budget, Limits
from monitor.rules.cache import bundled_rules_folder, matcher_of
from monitor.rules.examples import check, told
from monitor.rules.loader import load
from tests.rules.semgrep import spans

if TYPE_CHECKING:
    from monitor.rules import Matcher, Rule
    from monitor.rules.model import Example

FOLDER = bundled_rules_folder()
RULE_SET = load([FOLDER])
RULES = {rule.id: rule for rule in RULE_SET.rules}
KNOWN = frozenset(RULE_SET.known_examples)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return matcher_of(RULE_SET.rules, RULE_SET.known_examples)


def test_there_are_rules() -> None:
    assert len(RULES) >= 100


def test_every_rule_is_complete_and_agrees_with_its_examples() -> None:
    assert [str(problem) for problem in check([FOLDER])] == []


@pytest.mark.parametrize("name", RULES)
def test_examples_hold_inside_bytecode(name: str, matcher: Matcher) -> None:
    rule = RULES[name]
    for example in rule.metadata.match:
        assert _found_in_bytecode(matcher, rule, example), example.text
    for example in rule.metadata.ignore:
        assert not _found_in_bytecode(matcher, rule, example), example.text


def _found_in_bytecode(matcher: Matcher, rule: Rule, example: Example) -> bool:
    """Whether the rule finds an example that stands in a compiled module, among other constants."""
    source = f"VERSION = 1\ndef connect(host='localhost'):\n    return {example.text!r}, host\n"
    code = compile(source, "client.py", "exec")
    content = importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)
    budget = Budget(Limits(), clock=lambda: 0.0)
    trail = archive.Trail()
    members = archive.walk(example.path or "client.pyc", content, budget, trail)
    return any(told(matcher, rule, example, bytes(member.data), KNOWN) for member in list(members))


def test_semgrep_finds_the_same_spans(matcher: Matcher, tmp_path: Path) -> None:
    texts: dict[str, bytes] = {}
    for number, rule in enumerate(RULES.values()):
        examples = [*rule.metadata.match, *rule.metadata.ignore]
        for index, example in enumerate(examples):
            name = f"{number:04}-{index:02}/{example.path or 'example.txt'}"
            texts[name] = example.text.encode()
    theirs = spans(Path(FOLDER), texts, tmp_path)
    ours: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for name, text in texts.items():
        for match in matcher.scan_all(text, name):
            if not match.decoded:
                ours.setdefault((name, match.rule.id), set()).add((match.start, match.end))
    different = {
        key: (texts[key[0]], ours.get(key), theirs.get(key))
        for key in ours.keys() | theirs.keys()
        if ours.get(key) != theirs.get(key)
    }
    assert different == {}
    assert len(theirs) >= len(RULES)
