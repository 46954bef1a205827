"""``--semgrep`` and users' own rules of both kinds, on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.errors import RuleError, UsageError
from monitor.harvest import Code, Harvest
from monitor.semgrep import Engine, command, load
from tests.semgrep.packages import JS_LEAK

LEAKMON = Path(sys.executable).with_name("leakmon")
BOTH_KINDS = """\
rules:
  - id: acme-word
    languages: [regex]
    severity: LOW
    message: A word.
    pattern-regex: (?P<SECRET>acmeword[0-9]{4})
    metadata: {kind: marker}
  - id: acme-call
    languages: [js]
    severity: WARNING
    message: A call with $X.
    pattern: launch($X)
    paths: {include: ["/src/*.js"], exclude: ["old.js"]}
    metadata:
      category: security
      technology: [acme]
      confidence: HIGH
      something-of-theirs: {a: 1}
"""


def scan(*arguments: str | Path, expected: int) -> tuple[dict[str, Any], str]:
    done = subprocess.run(
        [LEAKMON, "scan", "--format", "json", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == expected, done.stderr
    return (json.loads(done.stdout) if done.stdout else {}), done.stderr


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "acme.yaml").write_text(BOTH_KINDS)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    for name in ("src/new.js", "src/old.js", "top.js"):
        (folder / name).write_text(f"// {name} acme" + "word1234\nlaunch(1);\n")
    return folder


def test_users_rules_of_both_kinds(rules: Path, project: Path) -> None:
    report, told = scan("--semgrep", "--rules", rules, project, expected=1)
    found = {(each["rule"], each["path"]) for each in report["targets"][0]["findings"]}
    assert {path for rule, path in found if rule == "acme-call"} == {"src/new.js"}
    assert {path for rule, path in found if rule == "acme-word"} == {
        "src/new.js",
        "src/old.js",
        "top.js",
    }
    (call,) = [e for e in report["targets"][0]["findings"] if e["rule"] == "acme-call"]
    assert (call["detector"], call["kind"], call["severity"]) == ("semgrep", "weakness", "medium")
    assert (call["confidence"], call["line"], call["column"]) == ("high", 2, 1)
    assert told == ""


def test_structural_rules_that_did_not_run_are_said_once(rules: Path, project: Path) -> None:
    report, told = scan("--rules", rules, project, project, expected=0)
    assert told == "leakmon: 1 structural rule needs --semgrep and did not run\n"
    assert {each["rule"] for each in report["targets"][0]["findings"]} == {"acme-word"}
    assert scan("--quiet", "--rules", rules, project, expected=0)[1] == ""


def test_a_rule_that_semgrep_cannot_use_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        "rules:\n- {id: acme-bad, languages: [py], severity: INFO, message: m, pattern: 'f((('}\n"
    )
    (tmp_path / "private").mkdir()
    engine = Engine(load([str(file)]), str(tmp_path / "private"))
    engine.take(0, Harvest([Code(".py", b"f(1)", ["a.py"])]))
    with pytest.raises(RuleError, match=f"{file}: acme-bad: Semgrep cannot use it"):
        engine.run()


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ("languages: [klingon]", "acme-bad: languages: Semgrep has no language 'klingon'"),
        ("severity: AWFUL", "acme-bad: severity: 'AWFUL' is not a severity"),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: str, complaint: str
) -> None:
    keys = {"id": "acme-bad", "languages": "[js]", "severity": "INFO", "pattern": "f"}
    keys |= dict([changed.split(": ")])
    text = ", ".join(f"{key}: {value}" for key, value in keys.items())
    (tmp_path / "bad.yaml").write_text(f"rules:\n- {{{text}, message: m}}\n")
    assert main(["scan", "--semgrep", "--rules", str(tmp_path), str(tmp_path)]) == 2
    assert complaint in capsys.readouterr().err


def test_semgrep_is_off_by_default(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(JS_LEAK)
    report, _ = scan(tmp_path / "a.js", expected=0)
    assert report["targets"][0]["findings"] == []


def test_without_semgrep_the_option_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.js").write_text(JS_LEAK)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError):
        command.program()
    assert main(["scan", "--semgrep", str(tmp_path / "a.js")]) == 2
    assert "pip install 'leakmon[semgrep]'" in capsys.readouterr().err


def test_nothing_of_the_callers_environment_reaches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMGREP_APP_TOKEN", "token")
    monkeypatch.setenv("SEMGREP_RULES", "p/ci")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.acme.example")
    environment = command._environment(str(tmp_path))
    assert environment["HOME"] == str(tmp_path)
    assert not {"SEMGREP_APP_TOKEN", "SEMGREP_RULES", "HTTPS_PROXY"} & environment.keys()
