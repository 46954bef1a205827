"""What hides a finding, and what it says when it does."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Confidence, Finding, Secret, Severity
from monitor.suppress import Baseline, Ignore, Suppressions, apply, covers_path, expired

_TODAY = date(2026, 11, 23)
_FINDING = "a" * 32
_VALUE = "b" * 32


def finding(**changes: object) -> Finding:
    fields: dict[str, object] = {
        "rule": "some-rule",
        "detector": "secrets",
        "kind": "secret",
        "severity": Severity.HIGH,
        "confidence": Confidence.HIGH,
        "message": "m",
        "path": "acme-1.0.tgz!/package/src/a.js",
        "fingerprint": _FINDING,
        "line": 3,
        "secret": Secret(redacted="x", fingerprint=_VALUE),
    }
    return Finding(**{**fields, **changes})  # type: ignore[arg-type] # a test's shorthand


def test_a_baseline_hides_what_it_knows() -> None:
    known, new = finding(), finding(fingerprint="c" * 32)
    baseline = Baseline("known.json", frozenset({_FINDING}))
    kept, hidden = apply([known, new], Suppressions(baselines=(baseline,)), _TODAY)
    assert kept == [new]
    assert [(h.finding, h.by) for h in hidden] == [(known, "baseline")]
    assert hidden[0].explanation == "known: it stands in known.json"


@pytest.mark.parametrize("fingerprint", [_FINDING, _VALUE])
def test_an_ignore_takes_either_fingerprint(fingerprint: str) -> None:
    ignore = Ignore(origin="f: ignore[1]", reason="revoked", fingerprint=fingerprint)
    kept, hidden = apply([finding()], Suppressions(ignores=(ignore,)), _TODAY)
    assert kept == []
    assert (hidden[0].by, hidden[0].explanation) == ("ignore", "revoked (f: ignore[1])")


def test_an_ignore_of_a_value_does_not_hide_another_value() -> None:
    ignore = Ignore(origin="f", reason="r", fingerprint=_VALUE)
    other = finding(secret=Secret(redacted="x", fingerprint="d" * 32))
    bare = finding(secret=None)
    assert apply([other, bare], Suppressions(ignores=(ignore,)), _TODAY) == ([other, bare], [])


def test_an_ignore_holds_through_its_last_day_and_then_says_so() -> None:
    ignore = Ignore(origin="f: ignore[1]", reason="r", fingerprint=_VALUE, expires=_TODAY)
    suppressions = Suppressions(ignores=(ignore,))
    kept, hidden = apply([finding()], suppressions, _TODAY)
    assert (len(kept), hidden[0].explanation) == (0, "r (f: ignore[1], until 2026-11-23)")
    assert expired([finding()], suppressions, _TODAY) == []
    later = date(2026, 11, 24)
    assert apply([finding()], suppressions, later) == ([finding()], [])
    assert expired([finding(), finding(secret=None)], suppressions, later) == [
        "f: ignore[1]: expired on 2026-11-23; it no longer hides 1 finding"
    ]


def test_an_expired_ignore_leaves_the_baseline_in_force() -> None:
    ignore = Ignore(origin="f", reason="r", fingerprint=_VALUE, expires=date(2020, 1, 1))
    baseline = Baseline("b", frozenset({_FINDING}))
    suppressions = Suppressions(baselines=(baseline,), ignores=(ignore,))
    assert [h.by for h in apply([finding()], suppressions, _TODAY)[1]] == ["baseline"]


def test_a_rule_is_ignored_only_where_the_glob_says() -> None:
    ignore = Ignore(origin="f", reason="r", rule="some-rule", path="package/src/**")
    suppressions = Suppressions(ignores=(ignore,))
    here = finding()
    other_rule, elsewhere = finding(rule="other"), finding(path="acme-1.0.tgz!/package/a.js")
    kept, hidden = apply([here, other_rule, elsewhere], suppressions, _TODAY)
    assert kept == [other_rule, elsewhere]
    assert [h.finding for h in hidden] == [here]


_GLOBS = [
    ("package/*.env", "acme-1.tgz!/package/a.env", True),
    ("package/*.env", "acme-1.tgz!/package/x/a.env", False),
    ("package/**/*.env", "acme-1.tgz!/package/a.env", True),
    ("package/**/*.env", "acme-1.tgz!/package/x/y/a.env", True),
    ("acme-*.tgz!/package/**", "acme-1.tgz!/package/x", True),
    ("**", "anything!/at/all", True),
    ("*", "one", True),
    ("*", "one/two", False),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("a.c", "abc", False),
    ("[ab]", "a", False),
    ("[ab]", "[ab]", True),
    ("src/client.ts", "a.tgz!/cli.js.map!/src/client.ts", False),
    ("cli.js.map!/src/*", "a.tgz!/cli.js.map!/src/client.ts", True),
    ("package/a\nb", "x!/package/a\nb", True),
    ("**/end", "x\ny/end", True),
]


@pytest.mark.parametrize(("glob", "path", "is_covered"), _GLOBS)
def test_globs(glob: str, path: str, is_covered: bool) -> None:  # noqa: FBT001 - a table's column
    assert _GLOBS
    assert covers_path(glob, path) is is_covered


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("de")), max_size=20))
def test_every_finding_is_either_kept_or_hidden(pairs: list[tuple[str, str]]) -> None:
    findings = [
        finding(fingerprint=f * 32, secret=Secret(redacted="", fingerprint=v * 32))
        for f, v in pairs
    ]
    ignore = Ignore(origin="f", reason="r", fingerprint="d" * 32)
    baseline = Baseline("b", frozenset({"a" * 32}))
    suppressions = Suppressions(baselines=(baseline,), ignores=(ignore,))
    kept, hidden = apply(findings, suppressions, _TODAY)
    assert len(kept) + len(hidden) == len(findings)
    assert all(h.explanation for h in hidden)
    assert apply(kept, suppressions, _TODAY) == (kept, [])
