"""Rules proven by their own examples, as ``leakmon rules check`` and the test suite do it.

A rule must find each of ``examples.match`` and none of ``examples.ignore``: as plain text, inside a
JSON string, and inside a JSON string inside a JSON string.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from monitor.errors import RuleError
from monitor.rules.cache import matcher_of
from monitor.rules.compile import build_all, usable
from monitor.rules.files import read_files
from monitor.rules.loader import load_leniently
from monitor.rules.model import SECRET, Problem, Rule
from monitor.rules.settle import is_worth
from monitor.rules.syntax import Repeat, Set, parse, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.rules.matcher import Matcher
    from monitor.rules.model import Example, Match
    from monitor.rules.syntax import Node

LEAST_MATCHES = 3
LEAST_IGNORES = 1
_REVOCABLE = frozenset({"secret", "private-key", "signed-url"})


class Surrounding(NamedTuple):
    """A way in which an example's text can stand in a file; ``levels`` of escapes around it."""

    name: str
    levels: int

    def around(self, text: str) -> bytes:
        """The text in this surrounding."""
        for _ in range(self.levels):
            text = json.dumps({"version": 3, "sourcesContent": ["const a = 1;\n", text, "\n"]})
        return text.encode()


SURROUNDINGS = (
    Surrounding("plain text", 0),
    Surrounding("a JSON string", 1),
    Surrounding("a JSON string twice escaped", 2),
)


def check(folders: Sequence[str]) -> list[Problem]:
    """Everything that is wrong with the rules in the folders; empty when all is well."""
    try:
        contents = read_files(folders)
    except RuleError as error:
        return [Problem(" ".join(folders), "", str(error))]
    rule_set, problems = load_leniently(contents)
    for rule in rule_set.rules:
        problems += [Problem(rule.file, rule.id, message) for message in _shortcomings(rule)]
    sound, refused = _compilable(rule_set.rules)
    problems += refused
    if sound:
        matcher = matcher_of(sound, rule_set.known_examples)
        known = frozenset(rule_set.known_examples)
        for rule in sound:
            problems += [
                Problem(rule.file, rule.id, message) for message in disproofs(matcher, rule, known)
            ]
    return problems


def _compilable(rules: list[Rule]) -> tuple[list[Rule], list[Problem]]:
    """The rules that Hyperscan takes, and what is wrong with the others."""
    try:
        return build_all(rules)[0], []
    except RuleError:
        pass
    sound: list[Rule] = []
    refused: list[Problem] = []
    for rule in rules:
        try:
            sound.append(usable(rule))
        except RuleError as error:
            refused.append(Problem(rule.file, rule.id, str(error)))
    return sound, refused


def disproofs(matcher: Matcher, rule: Rule, known: frozenset[str] = frozenset()) -> Iterator[str]:
    """What the examples of a rule disprove, in words; ``matcher`` holds the rule among others."""
    for surrounding in SURROUNDINGS:
        for at, example in enumerate(rule.metadata.match):
            found = list(told(matcher, rule, example, surrounding.around(example.text), known))
            if not found:
                yield f"examples.match[{at}] is not found in {surrounding.name}"
            elif example.secret and example.secret.encode() not in {one.secret for one in found}:
                values = b" ".join(one.secret for one in found).decode("utf-8", "replace")
                yield f"examples.match[{at}] in {surrounding.name}: the secret found is {values!r}"
        for at, example in enumerate(rule.metadata.ignore):
            for one in told(matcher, rule, example, surrounding.around(example.text), known):
                value = one.secret.decode("utf-8", "replace")
                yield f"examples.ignore[{at}] is found in {surrounding.name}: {value!r}"


def told(
    matcher: Matcher, rule: Rule, example: Example, content: bytes, known: frozenset[str]
) -> Iterable[Match]:
    """The matches of this rule that would be told, were it alone."""
    found = matcher.scan_all(content, example.path)
    return [one for one in found if one.rule.id == rule.id and is_worth(one, known)]


def _shortcomings(rule: Rule) -> Iterator[str]:
    """What a rule must say and how it must be written, beyond what loading asks."""
    metadata = rule.metadata
    if not metadata.description:
        yield "metadata.description: is missing"
    if not metadata.references:
        yield "metadata.references: at least one address is needed"
    for address in metadata.references:
        if not address.startswith("https://"):
            yield f"metadata.references: {address!r} is not an https:// address"
    if metadata.kind in _REVOCABLE and not metadata.revoke:
        yield "metadata.revoke: is missing"
    if len(metadata.match) < LEAST_MATCHES:
        yield f"metadata.examples.match: at least {LEAST_MATCHES} are needed"
    if len(metadata.ignore) < LEAST_IGNORES:
        yield f"metadata.examples.ignore: at least {LEAST_IGNORES} is needed"
    yield from _unfit_expressions(rule)


def _unfit_expressions(rule: Rule) -> Iterator[str]:
    for branch in rule.branches:
        for expression in branch.expressions:
            if rule.metadata.kind in _REVOCABLE and f"(?P<{SECRET}>" not in expression.pattern:
                yield f"names no group {SECRET}: {expression.pattern}"
            if nested_open_repeat(expression.pattern):
                yield f"has an open repeat inside an open repeat: {expression.pattern}"


def nested_open_repeat(pattern: str) -> bool:
    """Whether a repeat without end holds another: such an expression can take exponential time."""
    return _nests(parse(pattern)[0], is_inside=False)


def _nests(node: Node, *, is_inside: bool) -> bool:
    if isinstance(node, Set):
        return False
    if not isinstance(node, Repeat):
        return any(_nests(item, is_inside=is_inside) for item in node.items)
    is_open = node.most is None
    if is_open and is_inside and width(node.body)[1] != 0:
        return True
    return _nests(node.body, is_inside=is_inside or is_open)
