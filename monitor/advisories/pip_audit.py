"""pip-audit as a subprocess: exact versions of Python packages in, the advisories on each out.

It reads every requirements file that it is given as one list, in which a package may stand once: so
versions of one package go to different calls. A call costs the same for one package as for forty.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import site
import sys
import tempfile
from typing import TYPE_CHECKING

import msgspec

from monitor.advisories.records import Hit, Question
from monitor.errors import LeakmonError, TargetError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.advisories.cache import Cache

PROGRAM = "pip-audit"
CALL_SECONDS = 180.0
MAX_SECONDS_A_REQUEST = 15
_MAX_OUTPUT = 64 << 20
_MAX_ERRORS = 64 << 10
_MAX_TOLD = 300
_SAID = re.compile(r"(?:[\w.]+Error|ERROR:\S*):? (\S.*)")
_MAX_CALLS = 24
_MAX_A_CALL = 500  # it asks for one after the other
_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT"),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)

Answers = dict[Question, list[Hit] | LeakmonError]


class _Vulnerability(msgspec.Struct):
    id: str
    fix_versions: list[str] = msgspec.field(default_factory=list)
    aliases: list[str] = msgspec.field(default_factory=list)


class _Audited(msgspec.Struct):
    """``skip_reason`` stands in the place of ``version`` where pip-audit asked nobody."""

    name: str
    version: str = ""
    skip_reason: str = ""
    vulns: list[_Vulnerability] = msgspec.field(default_factory=list)


class _Report(msgspec.Struct):
    dependencies: list[_Audited]


def find(environ: Mapping[str, str]) -> str:
    """The program: beside this Python, else on PATH. Raises UsageError if it is not installed."""
    beside = os.path.join(os.path.dirname(sys.executable), PROGRAM)
    found = (
        beside if os.access(beside, os.X_OK) else shutil.which(PROGRAM, path=environ.get("PATH"))
    )
    if found is None:
        raise UsageError(
            "--advisories: pip-audit is not installed: pip install 'leakmon[advisories]'",
            reason="missing-program",
        )
    return found


class PipAudit:
    """``program`` asked about Python packages, its answers remembered in ``cache``.

    ``address`` is an OSV API's query address, ``environ`` the environment whose search path,
    proxies and certificates it may use; nothing else of it is passed on.
    """

    def __init__(
        self, program: str, address: str, cache: Cache, environ: Mapping[str, str]
    ) -> None:
        self._program = program
        self._address = address
        self._cache = cache
        self._environ = environ
        self._calls = 0
        self._is_down: TargetError | None = None

    async def hits(self, questions: Iterable[Question]) -> Answers:
        """For each question the advisories that apply, or why there is no answer."""
        answers: Answers = {}
        calls: list[list[Question]] = []
        placed: dict[str, int] = {}
        for question in dict.fromkeys(questions):
            known = self._cache.get(list[Hit], PROGRAM, self._address, *question)
            if known is not None:
                answers[question] = known
                continue
            number = placed.get(question.name, -1) + 1
            while number < len(calls) and len(calls[number]) >= _MAX_A_CALL:
                number += 1
            placed[question.name] = number
            calls += [[]] if number == len(calls) else []
            calls[number].append(question)
        for call in calls:
            answers |= await self._audited(call)
        return answers

    async def _audited(self, questions: Sequence[Question]) -> Answers:
        try:
            if self._is_down is None and self._calls < _MAX_CALLS:
                return await self._called(questions)
            error = self._is_down or TargetError(f"{PROGRAM} was called too often")
        except TargetError as failed:
            return await self._halved(questions, failed)
        return dict.fromkeys(questions, error)

    async def _halved(self, questions: Sequence[Question], error: TargetError) -> Answers:
        """Two calls for what failed as one, so that one package cannot keep all from being audited.

        If both fail too it is the server that does not answer, and the matter rests.
        """
        if len(questions) == 1 or self._calls + 2 > _MAX_CALLS:
            return dict.fromkeys(questions, error)
        middle = len(questions) // 2
        answers: Answers = {}
        failed: list[tuple[Sequence[Question], TargetError]] = []
        for half in (questions[:middle], questions[middle:]):
            try:
                answers |= await self._called(half)
            except TargetError as again:
                answers |= dict.fromkeys(half, again)
                failed.append((half, again))
        if len(failed) == 1:
            answers |= await self._halved(*failed[0])
        elif failed:
            self._is_down = error
        return answers

    async def _called(self, questions: Sequence[Question]) -> Answers:
        """One run of the program; TargetError unless its report can be read."""
        self._calls += 1
        with tempfile.TemporaryDirectory(prefix="leakmon-audit-") as folder:
            _write(os.path.join(folder, "requirements.txt"), questions)
            said = await self._run(folder)
            report = _report(os.path.join(folder, "report.json"), said)
        return self._answers(questions, report)

    def _answers(self, questions: Sequence[Question], report: _Report) -> Answers:
        by_name = {each.name: each for each in report.dependencies}
        answers: Answers = {}
        for question in questions:
            audited = by_name.get(question.name)
            if audited is None or audited.skip_reason:
                why = audited.skip_reason if audited else "it is not in the report"
                answers[question] = TargetError(f"{PROGRAM} skipped it: {why[:_MAX_TOLD]}")
                continue
            found = [
                Hit(id=each.id, aliases=each.aliases, fixed=each.fix_versions)
                for each in audited.vulns
            ]
            self._cache.put(found, PROGRAM, self._address, *question)
            answers[question] = found
        return answers

    async def _run(self, folder: str) -> str:
        """Run it to its end; gives what went wrong by its own words, if it did."""
        command = [
            *(self._program, "-r", "requirements.txt", "--no-deps", "--disable-pip"),
            *("-s", "osv", "--osv-url", self._address, "--timeout", str(MAX_SECONDS_A_REQUEST)),
            *("-f", "json", "--desc", "off", "--aliases", "on", "--progress-spinner", "off"),
            *("--cache-dir", "cache"),
            *("-o", "report.json"),
        ]
        with tempfile.TemporaryFile(dir=folder) as errors:
            running = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env=self._environment(folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            try:
                await asyncio.wait_for(running.wait(), CALL_SECONDS)
            except TimeoutError as error:
                raise TargetError(f"{PROGRAM} took too long", reason="over-time") from error
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
                await running.wait()
            errors.seek(max(0, errors.tell() - _MAX_ERRORS))
            return _cause(errors.read().decode("utf-8", "replace"))

    def _environment(self, folder: str) -> dict[str, str]:
        passed = {name: self._environ[name] for name in _PASSED_ON if name in self._environ}
        return passed | {"HOME": folder, "PYTHONUSERBASE": site.getuserbase()}


def _write(path: str, questions: Iterable[Question]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{each.name}=={each.version}\n" for each in questions)


def _cause(said: str) -> str:
    """The last line that tells an error with a reason, else the last line."""
    lines = said.strip().splitlines()
    told = [line for line in lines if _SAID.match(line)]
    return (told or lines or ["it said nothing"])[-1][:_MAX_TOLD]


def _report(path: str, said: str) -> _Report:
    """The report, if one was written: exit 1 is both "found something" and "went wrong"."""
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(_MAX_OUTPUT), type=_Report)
    except FileNotFoundError:
        raise TargetError(f"{PROGRAM} failed: {said}", reason="not-audited") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TargetError(f"{PROGRAM} gave no report: {error}", reason="not-audited") from error
