"""The structural rules that come with leakmon, proven by one run of Semgrep over their examples."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING

from monitor.cli import main
from monitor.semgrep import bundled, languages, load
from monitor.semgrep.examples import check
from tests.semgrep.packages import PASSWORD

if TYPE_CHECKING:
    import pytest

RULES = load([bundled()])


def test_every_rule_is_complete_and_agrees_with_its_examples() -> None:
    assert [str(problem) for problem in check([bundled()])] == []


def test_each_language_has_rules() -> None:
    assert len(RULES) >= 60
    count = Counter(name for rule in RULES for name in rule.languages)
    for name in ("javascript", "typescript", "python", "go", "java"):
        assert count[name] >= 10, name


def test_ids_tell_the_language() -> None:
    for rule in RULES:
        if not {"javascript", "yaml"} & set(rule.languages) and not rule.id.endswith("-django"):
            assert rule.id.endswith("-" + rule.languages[0]), rule.id


def test_the_table_of_languages_is_semgreps_own() -> None:
    text = files("semgrep.semgrep_interfaces").joinpath("lang.json").read_text()
    known = json.loads(text)
    keys = {key for entry in known if entry["is_target_language"] for key in entry["keys"]}
    assert keys == set(languages.ENDINGS)
    for entry in known:
        if entry["is_target_language"]:
            endings = {ending.lower() for ending in entry["exts"]}
            staged = set(languages.ENDINGS[entry["keys"][0]].values())
            assert staged <= endings, entry["id"]


def test_rules_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list", "semgrep", "tls"]) == 0
    assert main(["rules", "show", "jwt-literal-secret-go"]) == 0
    printed = capsys.readouterr().out
    assert "tls-verification-off-go " in printed
    assert "runs with --semgrep, on go" in printed
    assert PASSWORD not in printed
