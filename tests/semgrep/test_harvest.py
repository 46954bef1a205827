"""Code on its way out of the sandbox, and what a literal's secret is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.archive import Member
from monitor.harvest import MAX_PATHS, Gatherer, Wish
from monitor.sandbox import Job, Sandbox, Settings, run_all
from monitor.semgrep.values import secret_of

if TYPE_CHECKING:
    from pathlib import Path

WISH = Wish(endings={".js": ".js", ".mjs": ".js", "dockerfile": ".dockerfile", ".py": ".py"})

RULE = """\
rules:
  - {id: acme-word, languages: [regex], severity: LOW, message: A word., pattern-regex: acmeword}
"""


def gathered(*members: Member, wish: Wish = WISH) -> Gatherer:
    gatherer = Gatherer(wish)
    for member in members:
        gatherer.take(member)
    return gatherer


def small(**limits: int) -> Wish:
    return Wish(endings=WISH.endings, **limits)


@pytest.mark.parametrize(
    ("path", "content", "ending"),
    [
        ("a.js", b"1", ".js"),
        ("x.tgz!/p/A.MJS", b"1", ".js"),
        ("a.map!/src/app.js?6f1d", b"1", ".js"),
        ("p/Dockerfile", b"FROM x", ".dockerfile"),
        ("p/bin/run", b"#!/usr/bin/python3.12 -I\nx", ".py"),
        ("p/bin/run", b"#!/usr/bin/env node", ".js"),
        ("p/bin/run", b"#!/usr/bin/perl\n", None),
        ("p/.js", b"1", None),
        ("p/a.txt", b"1", None),
        ("p/empty.js", b"", None),
    ],
)
def test_what_is_code(path: str, content: bytes, ending: str | None) -> None:
    code = gathered(Member(path, content)).harvest.code
    assert [each.ending for each in code] == ([ending] if ending else [])


def test_the_same_bytes_leave_once() -> None:
    members = [Member(f"{at}.js", b"same") for at in range(MAX_PATHS + 5)]
    (code,) = gathered(*members).harvest.code
    assert len(code.paths) == MAX_PATHS
    assert code.more == 5


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (small(max_file_bytes=3), "semgrep-over-size"),
        (small(max_files=1), "semgrep-over-files"),
        (small(max_bytes=6), "semgrep-over-bytes"),
    ],
)
def test_what_a_limit_keeps_back_is_said(wish: Wish, reason: str) -> None:
    gatherer = gathered(Member("a.js", b"one"), Member("b.js", b"three"), wish=wish)
    assert [code.paths for code in gatherer.harvest.code] == [["a.js"]]
    assert [(each.path, each.reason) for each in gatherer.harvest.skipped] == [("b.js", reason)]


def test_windows_of_a_giant_are_said_once() -> None:
    first = Member("a.js", b"one", is_last=False)
    gatherer = gathered(first, Member("a.js", b"two", offset=3))
    assert gatherer.harvest.code == []
    assert [each.reason for each in gatherer.harvest.skipped] == ["semgrep-over-size"]


def test_a_child_brings_code_only_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    job = Job(tuple((str(tmp_path / name), name) for name in ("a.js", "b.txt")))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "one.yaml").write_text(RULE)
    brought = []
    for wish in (None, WISH):
        settings = Settings(
            rule_folders=(str(tmp_path / "rules"),), cache_folder=str(tmp_path), code=wish
        )
        with Sandbox(settings) as sandbox:
            (outcome,) = run_all(sandbox, [job], 1)
        assert outcome.inspection is not None
        assert len(outcome.inspection.members) == 2
        brought.append(outcome.code)
    assert brought[0] is None
    assert brought[1] is not None
    assert [(code.paths, code.content) for code in brought[1].code] == [(["a.js"], b"one")]


@pytest.mark.parametrize(
    ("literal", "secret"),
    [
        ("plain-value-1", "plain-value-1"),
        ('"quoted\\"value"', 'quoted\\"value'),
        ("Bearer abc.def", "abc.def"),
        ("postgres://app:p4ss@db.acme.example/crm", "p4ss"),
        ("redis://:p4ss@cache.acme.example", "p4ss"),
        ("app:p4ss@tcp(db.acme.example:3306)/crm", "p4ss"),
        ("Server=db;User Id=app;Password=p4ss;Encrypt=true", "p4ss"),
        ("host=db user=app password=p4ss sslmode=disable", "p4ss"),
        ("AccountName=acme;AccountKey=a2V5==;EndpointSuffix=x", "a2V5=="),
        ("a:b@c", "a:b@c"),
    ],
)
def test_the_secret_in_a_literal(literal: str, secret: str) -> None:
    assert secret_of(literal) == secret
