"""``leakmon rules``: list, explain, prove and import detection rules."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING

from monitor.errors import UsageError
from monitor.rules import bundled_rules_folder, load
from monitor.rules import check as prove

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from monitor.rules import Rule

PAGE_WIDTH = 88


def list_rules(call: argparse.Namespace) -> int:
    """Print the rules that hold every given word, one a line."""
    rules = [rule for rule in _loaded(call.rules) if _holds(rule, call.words)]
    if call.json:
        print(json.dumps([_summary(rule) for rule in rules], indent=2))
        return 0
    width = max((len(rule.id) for rule in rules), default=0)
    for rule in rules:
        print(f"{rule.id:<{width}}  {rule.severity.value:<8}  {rule.metadata.kind}")
    providers = {rule.metadata.provider for rule in rules}
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
        print(json.dumps(_summary(rule), indent=2))
        return 0
    print("\n".join(_page(rule)))
    return 0


def check(call: argparse.Namespace) -> int:
    """Prove every rule by its own examples; 1 if any fails."""
    folders = call.rules or [bundled_rules_folder()]
    problems = prove(folders)
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problems", file=sys.stderr)
        return 1
    count = len(load(folders).rules)
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


def _loaded(folders: Iterable[str]) -> list[Rule]:
    return sorted(load([bundled_rules_folder(), *folders]).rules, key=lambda rule: rule.id)


def _holds(rule: Rule, words: Iterable[str]) -> bool:
    text = f"{rule.id} {rule.metadata.provider} {rule.metadata.kind} {rule.message}".lower()
    return all(word.lower() in text for word in words)


def _summary(rule: Rule) -> dict[str, object]:
    about = rule.metadata
    return {
        "id": rule.id,
        "severity": rule.severity.value,
        "confidence": about.confidence.value,
        "kind": about.kind,
        "provider": about.provider,
        "message": rule.message,
        "description": about.description,
        "references": list(about.references),
        "revoke": about.revoke,
        "patterns": [each.pattern for branch in rule.branches for each in branch.expressions],
    }


def _page(rule: Rule) -> Iterable[str]:
    about = rule.metadata
    yield rule.id
    yield "=" * len(rule.id)
    yield f"{rule.severity.value} · {about.kind} · confidence {about.confidence.value}"
    yield from _section("What it finds", _wrapped(rule.message))
    yield from _section("Why it matters", _wrapped(about.description))
    examples = [line for each in about.match[:4] for line in _veiled(each.text).splitlines()]
    yield from _section("What it looks like", [f"    {line}" for line in examples])
    yield from _section("What to do", _wrapped(about.revoke))
    if about.checksum:
        yield from _section("Checked offline", [f"  {about.checksum}"])
    patterns = [each.pattern for branch in rule.branches for each in branch.expressions]
    yield from _section("Pattern", [f"    {pattern}" for pattern in patterns])
    yield from _section("References", [f"  {address}" for address in about.references])


def _section(title: str, lines: list[str]) -> Iterable[str]:
    if lines:
        yield ""
        yield title
        yield from lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, PAGE_WIDTH, initial_indent="  ", subsequent_indent="  ")


def _veiled(text: str) -> str:
    """An example as it may be printed: loaded ones have lost the mark that kept them harmless."""
    words = [
        word[:12] + "…" + word[-4:] if len(word) > 28 and not word.startswith("http") else word  # noqa: PLR2004 - shorter than any token worth hiding
        for word in text.split(" ")
    ]
    return " ".join(words)
