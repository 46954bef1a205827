"""``leakmon rules``: list, explain, prove and import detection rules."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from monitor.cli.rule_page import Page, structured, textual
from monitor.errors import UsageError
from monitor.rules import bundled_rules_folder, load
from monitor.rules import check as prove

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from monitor.rules import Problem


def list_rules(call: argparse.Namespace) -> int:
    """Print the rules that hold every given word, one a line."""
    rules = [page for page in _loaded(call.rules) if page.holds(call.words)]
    if call.json:
        print(json.dumps([page.summary() for page in rules], indent=2))
        return 0
    width = max((len(page.id) for page in rules), default=0)
    for page in rules:
        engine = f"  {page.engine}" if page.engine else ""
        print(f"{page.id:<{width}}  {page.severity:<8}  {page.kind}{engine}")
    providers = {page.provider for page in rules}
    sys.stdout.flush()  # a list that could not be written has no summary
    print(f"{len(rules)} rules, {len(providers)} providers", file=sys.stderr)
    return 0


def show(call: argparse.Namespace) -> int:
    """Print one rule as a page: what it finds, why it matters, examples, what to do."""
    rules = {rule.id: rule for rule in _loaded(call.rules)}
    rule = rules.get(call.rule)
    if rule is None:
        import difflib

        near = difflib.get_close_matches(call.rule, rules, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"rules show: there is no rule {call.rule!r}{hint}")
    if call.json:
        print(json.dumps(rule.summary(), indent=2))
        return 0
    print("\n".join(rule.lines()))
    return 0


def check(call: argparse.Namespace) -> int:
    """Prove every rule by its own examples; 1 if any fails."""
    folders = call.rules or [bundled_rules_folder()]
    problems = prove(folders)
    if all(map(os.path.exists, folders)):
        problems += _prove_structural(folders)
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problems", file=sys.stderr)
        return 1
    rule_set = load(folders)
    count = len(rule_set.rules) + len(rule_set.structural)
    print(f"{count} rules: each finds its examples, and none of what it must ignore")
    return 0


def import_rules(call: argparse.Namespace) -> int:
    """Convert another scanner's rule file; what could not be carried over goes to stderr."""
    try:
        with open(call.file, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UsageError(f"rules import: {call.file}: {error.strerror}") from error
    text, left = _importer(call.file)(content)
    if call.output:
        with open(call.output, "w", encoding="utf-8") as out:
            out.write(text)
    else:
        sys.stdout.write(text)
    for line in left:
        print(f"not carried over: {line}", file=sys.stderr)
    return 0


def _importer(name: str) -> Callable[[bytes], tuple[str, list[str]]]:
    """The converter for this file, told by its ending: Gitleaks has TOML, Kingfisher YAML."""
    ending = os.path.splitext(name)[1].lower()
    if ending == ".toml":
        from monitor.rules.importers.gitleaks import import_gitleaks

        return import_gitleaks
    if ending in {".yml", ".yaml"}:
        from monitor.rules.importers.kingfisher import import_kingfisher

        return import_kingfisher
    raise UsageError(f"rules import: {name}: neither .toml (Gitleaks) nor .yml (Kingfisher)")


def _prove_structural(folders: list[str]) -> list[Problem]:
    from monitor.semgrep.examples import check as prove_structural

    try:
        return prove_structural(folders)
    except UsageError as missing:
        message = str(missing).removeprefix("--semgrep: ")
        print(f"leakmon: structural rules are not proven: {message}", file=sys.stderr)
        return []


def _loaded(folders: Iterable[str]) -> list[Page]:
    from monitor.semgrep.rules import structural

    rule_set = load([bundled_rules_folder(), *folders])
    pages = [textual(rule) for rule in rule_set.rules]
    pages += [structured(structural(rule)) for rule in rule_set.structural]
    return sorted(pages, key=lambda page: page.id)
