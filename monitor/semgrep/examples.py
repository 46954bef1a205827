"""Structural rules proven by their own examples: one run of Semgrep over all of them."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from monitor.errors import RuleError
from monitor.harvest import Code, Harvest
from monitor.rules.files import read_files
from monitor.rules.loader import load_leniently
from monitor.rules.model import Problem
from monitor.semgrep import languages
from monitor.semgrep.engine import Engine
from monitor.semgrep.rules import shortcomings, structural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.semgrep.engine import Told
    from monitor.semgrep.rules import Sample, StructuralRule


def check(folders: Sequence[str]) -> list[Problem]:
    """What is wrong with the structural rules of the folders, beyond what keeps one from loading.

    UsageError where there are such rules and Semgrep is not installed.
    """
    rules: list[StructuralRule] = []
    problems: list[Problem] = []
    for written in load_leniently(read_files(folders))[0].structural:
        try:
            rules.append(structural(written))
        except RuleError as error:
            problems.append(Problem(written.file, written.id, str(error)))
    problems += [
        Problem(rule.file, rule.id, message) for rule in rules for message in shortcomings(rule)
    ]
    if not rules:
        return problems
    try:
        told = _run(rules)
    except RuleError as error:
        return [*problems, Problem(" ".join(folders), "", str(error))]
    for (rule, key, at, sample), one in zip(_cases(rules), told, strict=True):
        problems += [
            Problem(rule.file, rule.id, f"examples.{key}[{at}] {message}")
            for message in _disproofs(rule, sample, one, is_match=key == "match")
        ]
    return problems


def _cases(rules: Sequence[StructuralRule]) -> Iterator[tuple[StructuralRule, str, int, Sample]]:
    for rule in rules:
        for key, samples in (("match", rule.match), ("ignore", rule.ignore)):
            for at, sample in enumerate(samples):
                yield rule, key, at, sample


def _run(rules: Sequence[StructuralRule]) -> list[Told]:
    with tempfile.TemporaryDirectory(prefix="leakmon-") as folder:
        engine = Engine(rules, folder, has_secrets=True)
        cases = list(_cases(rules))
        for number, (_, _, _, sample) in enumerate(cases):
            ending = languages.samples(sample.language)[0]
            code = Code(ending, sample.text.encode(), [f"example{ending}"])
            engine.take(number, Harvest([code]))
        told = engine.run()
    return [told[number] for number in range(len(cases))]


def _disproofs(
    rule: StructuralRule, sample: Sample, told: Told, *, is_match: bool
) -> Iterator[str]:
    found, gaps = told
    for gap in gaps:
        yield f"could not be read by Semgrep: {gap.reason}"
    values = [each.secret.value if each.secret else "" for each in found if each.rule == rule.id]
    if is_match and not values:
        yield "is not found"
    elif is_match and sample.secret and sample.secret not in values:
        yield f"the secret found is {values!r}"
    elif not is_match and values:
        yield f"is found: {values!r}"
