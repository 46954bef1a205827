"""The real pip-audit against the OSV API on loopback."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.advisories import pip_audit as engine
from monitor.advisories.pip_audit import PipAudit, find
from monitor.advisories.records import Hit, Question
from monitor.errors import LeakmonError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.advisories.osv import Osv
    from tests.advisories.osv_server import OsvServer

FIXED = [{"introduced": "0"}, {"fixed": "2.32.0"}]


def python(name: str, version: str = "1.0") -> Question:
    return Question("pypi", name, version)


async def ids(pip_audit: PipAudit, *questions: Question) -> list[list[str] | str]:
    answers = await pip_audit.hits(questions)
    return [
        answer.reason if isinstance(answer, LeakmonError) else [hit.id for hit in answer]
        for answer in (answers[question] for question in questions)
    ]


async def test_one_call_for_all_and_none_for_what_is_known(
    pip_audit: PipAudit, server: OsvServer
) -> None:
    server.add("GHSA-9wx4", ("PyPI", "requests"), events=FIXED, aliases=["CVE-2024-35195"])
    questions = [python(f"clean-{number}") for number in range(39)]
    questions.append(python("requests", "2.31.0"))
    answers = await pip_audit.hits(questions)
    hit = Hit(id="CVE-2024-35195", aliases=["GHSA-9wx4"], fixed=["2.32.0"])
    assert answers[questions[-1]] == [hit]
    assert [answers[each] for each in questions[:-1]] == [[]] * 39
    assert pip_audit._calls == 1
    assert server.paths() == ["/v1/query"] * 40
    assert await pip_audit.hits(questions) == answers
    assert pip_audit._calls == 1


async def test_versions_of_one_package_are_told_apart(
    pip_audit: PipAudit, server: OsvServer
) -> None:
    server.add("GHSA-9wx4", ("PyPI", "requests"), events=FIXED)
    old, new = python("requests", "2.31.0"), python("requests", "2.32.3")
    assert await ids(pip_audit, old, new, python("idna")) == [["GHSA-9wx4"], [], []]
    assert pip_audit._calls == 2


async def test_one_package_cannot_keep_the_others_from_being_audited(
    pip_audit: PipAudit, server: OsvServer
) -> None:
    server.add("GHSA-9wx4", ("PyPI", "requests"), events=FIXED)
    server.broken["spoiler"] = lambda: web.Response(status=500)
    asked = [python("aaa"), python("spoiler"), python("requests", "2.31.0"), python("zzz")]
    assert await ids(pip_audit, *asked) == [[], "not-audited", ["GHSA-9wx4"], []]


async def test_a_server_that_is_down_is_left_alone_soon(
    osv: Osv, pip_audit: PipAudit, server: OsvServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    del osv
    monkeypatch.setattr(engine, "_MAX_A_CALL", 4)
    server.faults = [lambda: web.Response(status=503)] * 100
    asked = [python(f"p{number}") for number in range(12)]
    assert await ids(pip_audit, *asked) == ["not-audited"] * 12
    assert pip_audit._calls == 3
    answers = await pip_audit.hits(asked[:1])
    error = answers[asked[0]]
    assert isinstance(error, LeakmonError)
    assert "503" in str(error)


def test_a_skipped_package_was_not_audited(pip_audit: PipAudit) -> None:
    skipped = engine._Audited(name="secret", skip_reason="Dependency not found")
    known = engine._Audited(name="known", version="1.0")
    asked = [python("secret"), python("known"), python("lost")]
    answers = pip_audit._answers(asked, engine._Report([skipped, known]))
    assert answers[asked[1]] == []
    assert [str(answers[asked[0]]), str(answers[asked[2]])] == [
        "pip-audit skipped it: Dependency not found",
        "pip-audit skipped it: it is not in the report",
    ]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"dependencies": [{}]}', '{"dependencies": 1}']
)
def test_a_report_that_is_none_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(LeakmonError) as caught:
        engine._report(str(path), "")
    assert caught.value.reason == "not-audited"


async def test_a_program_that_hangs_is_ended(
    tmp_path: Path, pip_audit: PipAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pip-audit"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o700)
    monkeypatch.setattr(engine, "CALL_SECONDS", 0.05)
    hanging = PipAudit(str(program), pip_audit._address, pip_audit._cache, os.environ)
    assert await ids(hanging, python("a")) == ["over-time"]


def test_its_absence_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(UsageError, match=r"pip install 'leakmon\[advisories\]'"):
        find({"PATH": str(tmp_path)})
