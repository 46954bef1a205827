from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from monitor.errors import RuleError
from monitor.model import Confidence, Severity
from monitor.rules import check, load
from tests.rules.writing import matcher, rule, write

if TYPE_CHECKING:
    from pathlib import Path

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": (rule("a", colour="red"), "colour: is not a key of a rule"),
    "no severity": (rule("a", severity="BAD"), "severity: 'BAD' is none of"),
    "no message": (rule("a", message=" "), "message: is missing"),
    "no language": (rule("a", languages=[]), "languages: is missing"),
    "an unknown key of metadata": (
        rule("a", metadata={"kin": "x"}),
        "metadata.kin: is not a key of metadata",
    ),
    "an unknown kind": (rule("a", metadata={"kind": "x"}), "metadata.kind: 'x' is none of secret"),
    "an unknown check": (
        rule("a", metadata={"checksum": "x"}),
        "metadata.checksum: 'x' is none of",
    ),
    "too much entropy": (rule("a", metadata={"entropy": 9}), "metadata.entropy: must be a number"),
    "a flag that is none": (rule("a", metadata={"generic": 1}), "metadata.generic: must be true"),
    "an example of numbers": (
        rule("a", metadata={"examples": {"match": [1]}}),
        "metadata.examples.match[0]: must be a text",
    ),
    "an unknown key of paths": (rule("a", paths={"only": []}), "paths.only: is not a key of paths"),
    "no pattern": (rule(), "exactly one of pattern-regex"),
    "two patterns": (rule("a", patterns=[]), "exactly one of pattern-regex"),
    "an empty list": (rule(patterns=[]), "patterns: must be a list of patterns"),
    "only exclusions": (rule(patterns=[{"pattern-not-regex": "a"}]), "needs a pattern-regex"),
    "a broken expression": (rule("a("), "pattern-regex: is not a regular expression"),
    "an empty match": (rule("a*"), "pattern-regex: matches the empty text"),
    "recursion": (rule("a(?R)?b"), "(recursion or a verb) is not supported"),
    "an unknown operator": (
        rule(patterns=[{"pattern-regex": "a"}, {"pattern-inside": "b"}]),
        "patterns[1].pattern-inside: pattern-inside is not supported",
    ),
    "a bad metavariable": (
        rule(patterns=[{"pattern-regex": "a"}, {"focus-metavariable": "SECRET"}]),
        "'SECRET' is not a metavariable",
    ),
    "a comparison that calls": (
        rule(
            patterns=[
                {"pattern-regex": "(?P<A>a)"},
                {"metavariable-comparison": {"metavariable": "$A", "comparison": "open($A)"}},
            ]
        ),
        "is not supported",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_names_file_rule_and_key(name: str, tmp_path: Path) -> None:
    source, message = MISTAKES[name]
    folder = write(tmp_path, source)
    with pytest.raises(RuleError) as error:
        load([str(folder)])
    assert f"{folder}/rules.yaml: acme: " in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["[", "a: 1", "rules: 1", "rules: [1]", "rules: []\nmore: 1", "\0"]
)
def test_what_is_no_rule_file_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(RuleError, match=r"a\.yaml"):
        load([str(tmp_path)])


def test_an_id_occurs_once(tmp_path: Path) -> None:
    folder = write(tmp_path, rule("a"), rule("b"))
    with pytest.raises(RuleError, match="acme: id: is already used in"):
        load([str(folder)])


def test_a_rule_says_what_was_written(tmp_path: Path) -> None:
    metadata = {
        "kind": "private-key",
        "confidence": "HIGH",
        "provider": "acme",
        "examples": {"match": ["a{}b"], "ignore": [{"text": "x{}y", "path": "a.env"}]},
        "cwe": "CWE-798",
    }
    written = rule("a", severity="WARNING", metadata=metadata, paths={"include": ["*.env"]})
    [loaded] = load([str(write(tmp_path, written))]).rules
    assert (loaded.severity, loaded.metadata.confidence) == (Severity.MEDIUM, Confidence.HIGH)
    assert (loaded.metadata.kind, loaded.include) == ("private-key", ("*.env",))
    assert [one.text for one in loaded.metadata.match + loaded.metadata.ignore] == ["ab", "xy"]
    assert loaded.metadata.ignore[0].path == "a.env"


def test_structural_rules_are_kept_aside(tmp_path: Path) -> None:
    structural = {"id": "py", "languages": ["python"], "pattern": "eval(...)"}
    rule_set = load([str(write(tmp_path, structural, rule("a")))])
    assert [one.id for one in rule_set.structural] == ["py"]
    assert [one.id for one in rule_set.rules] == ["acme"]


def test_known_examples_are_read_from_their_file(tmp_path: Path) -> None:
    (tmp_path / "known-examples.txt").write_text(f"# ours\n{'0' * 64}  # acme\n\n")
    assert load([str(tmp_path)]).known_examples == ["0" * 64]
    (tmp_path / "known-examples.txt").write_text("AKIA\n")
    with pytest.raises(RuleError, match="line 1: 'AKIA' is not a SHA-256 digest"):
        load([str(tmp_path)])


def test_check_lists_everything_at_once(tmp_path: Path) -> None:
    metadata = {
        "description": "d",
        "references": ["http://acme.example"],
        "revoke": "r",
        "examples": {
            "match": ["acme_abcde", "acme_abc", {"text": "acme_fghij", "secret": "x"}],
            "ignore": ["acme_klmno"],
        },
    }
    folder = write(
        tmp_path,
        rule("(?P<SECRET>acme_[a-z]{5})", metadata=metadata),
        rule("b(", id="broken"),
        rule("(?P<SECRET>a+)b(c+)+", id="bare"),
    )
    said = [str(problem).removeprefix(f"{folder}/rules.yaml: ") for problem in check([str(folder)])]
    for part in (
        "broken: pattern-regex: is not a regular expression",
        "bare: metadata.description: is missing",
        "bare: metadata.revoke: is missing",
        "bare: metadata.examples.match: at least 3",
        "bare: has an open repeat inside an open repeat",
        "acme: metadata.references: 'http://acme.example' is not an https:// address",
        "acme: examples.match[1] is not found in plain text",
        "acme: examples.match[2] in a JSON string: the secret found is 'acme_fghij'",
        "acme: examples.ignore[0] is found in a JSON string twice escaped: 'acme_klmno'",
    ):
        assert any(one.startswith(part) for one in said), part
    assert [str(one) for one in check([str(tmp_path / "none")])]


def test_an_expression_too_large_for_one_database_is_shortened(tmp_path: Path) -> None:
    pattern = "|".join(f"{a}[^x]{{3,400}}{b}[a-f0-9]{{300}}z" for a in "abcdefgh" for b in "ghij")
    found_by = matcher(tmp_path, rule(pattern))
    text = "a" + "q" * 200 + "g" + "0f" * 150 + "z"
    assert [(one.start, one.end) for one in found_by.scan_all(text.encode())] == [(0, len(text))]
