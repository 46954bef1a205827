"""Children with limits: what one hostile file can do to a scan is to lose itself."""

from __future__ import annotations

import asyncio
import gc
import gzip
import os
import signal
import threading
from pathlib import Path

import pytest

from monitor import canary
from monitor.archive.budget import Limits
from monitor.errors import LeakmonError, RuleError
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Job, Outcome, Sandbox, Settings, events, run_all
from monitor.sandbox.child import Engine, run
from monitor.sandbox.protocol import MIB

RULE = """\
rules:
  - id: test-token
    languages: [regex]
    severity: HIGH
    message: A test token.
    pattern-regex: (?P<SECRET>test_tok_[a-z]{12})
    metadata:
      kind: secret
      confidence: high
      provider: test
      description: A token of these tests.
      references: [https://docs.test.example/]
      revoke: Nothing to do.
      examples:
        match: ['a = "test_tok_{}qwhzmkvbxtrp"', '{"a":"test_tok_{}qwhzmkvbxtrp"}', 'A=test_tok_{}qwhzmkvbxtrp']
        ignore: ['test_tok_{}Q']
"""  # noqa: E501 - one example a line


@pytest.fixture
def rules(tmp_path: Path) -> str:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "test.yaml").write_text(RULE)
    return str(folder)


def settings(
    rules: str,
    tmp_path: Path,
    *,
    memory_bytes: int = 448 * MIB,
    cpu_seconds: int = 60,
    wall_seconds: int = 60,
) -> Settings:
    return Settings(
        rule_folders=(rules,),
        cache_folder=str(tmp_path / "cache"),
        memory_bytes=memory_bytes,
        cpu_seconds=cpu_seconds,
        wall_seconds=wall_seconds,
        grace_seconds=2,
        limits=Limits(max_ratio=1 << 30, max_seconds=1e6, max_bytes=1 << 50),
    )


def one(sandbox: Sandbox, path: Path) -> Outcome:
    (outcome,) = run_all(sandbox, [Job(((str(path), path.name),))], 1)
    return outcome


def endless(path: Path) -> Path:
    """A gzip file that inflates to 64 GiB, made of one small member repeated."""
    member = gzip.compress(bytes(64 * MIB), 9)
    with path.open("wb") as file:
        for _ in range(1024):
            file.write(member)
    return path


def test_a_child_reports_what_it_found(rules: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("key = test_tok_" + "qwhzmkvbxtrp")
    with Sandbox(settings(rules, tmp_path)) as sandbox:
        assert sandbox.hello.rules == 1
        outcome = one(sandbox, tmp_path / "a.txt")
    assert outcome.inspection is not None
    assert [finding.rule for finding in outcome.inspection.findings] == ["test-token"]
    assert outcome.max_rss_bytes > MIB


def test_a_process_with_threads_starts_a_fresh_interpreter(rules: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("key = test_tok_" + "qwhzmkvbxtrp")
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with Sandbox(settings(rules, tmp_path)) as sandbox:
            outcome = one(sandbox, tmp_path / "a.txt")
    finally:
        stop.set()
        thread.join()
    assert outcome.inspection is not None
    assert len(outcome.inspection.findings) == 1


def test_what_a_child_compiles_is_compiled_for_the_next(rules: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("key = test_tok_" + "qwhzmkvbxtrp")
    job = Job(((str(tmp_path / "a.txt"), "a.txt"),))
    limits = settings(rules, tmp_path)
    engine = Engine(limits)
    try:
        assert engine.warm() == 0
        pid = os.fork()
        if pid == 0:
            try:
                run(engine, job, os.open(os.devnull, os.O_WRONLY), limits)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        assert engine.warm() == 1
        assert engine.warm() == 0
    finally:
        gc.unfreeze()


def test_many_jobs_at_once_each_get_their_own_answer(rules: str, tmp_path: Path) -> None:
    jobs = []
    for number in range(40):
        path = tmp_path / f"{number}.txt"
        path.write_text("x" * number)
        jobs.append(Job(((str(path), path.name),)))
    with Sandbox(settings(rules, tmp_path)) as sandbox:
        outcomes = list(run_all(sandbox, jobs, 4))
    sizes = {
        outcome.job.files[0][1]: outcome.inspection.bytes
        for outcome in outcomes
        if outcome.inspection is not None
    }
    assert sizes == {f"{number}.txt": number for number in range(40)}


def test_cpu_time_runs_out_and_what_was_found_before_is_kept(rules: str, tmp_path: Path) -> None:
    first = tmp_path / "a.txt"
    first.write_text("key = test_tok_" + "qwhzmkvbxtrp")
    job = Job(((str(first), "a.txt"), (str(endless(tmp_path / "b.gz")), "b.gz")))
    with Sandbox(settings(rules, tmp_path, cpu_seconds=1), is_fresh=True) as sandbox:
        (outcome,) = run_all(sandbox, [job], 1)
    assert outcome.inspection is not None
    assert [finding.rule for finding in outcome.inspection.findings] == ["test-token"]
    assert {"over-cpu-time"} == {gap.reason for gap in outcome.inspection.skipped}
    assert outcome.max_rss_bytes < 512 * MIB


def test_wall_time_runs_out(rules: str, tmp_path: Path) -> None:
    with Sandbox(settings(rules, tmp_path, wall_seconds=1)) as sandbox:
        outcome = one(sandbox, endless(tmp_path / "b.gz"))
    assert outcome.inspection is not None
    assert {"over-time"} == {gap.reason for gap in outcome.inspection.skipped}


def test_memory_runs_out_and_is_said(rules: str, tmp_path: Path) -> None:
    path = tmp_path / "big.gz"
    path.write_bytes(gzip.compress(bytes(120 * MIB), 1))
    with Sandbox(settings(rules, tmp_path, memory_bytes=60 * MIB), is_fresh=True) as sandbox:
        outcome = one(sandbox, path)
    reasons = {gap.reason for gap in outcome.inspection.skipped} if outcome.inspection else set()
    assert reasons == {"memory"} or (outcome.error and outcome.error.reason == "memory")
    assert outcome.max_rss_bytes < 160 * MIB


def children(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in listing.split()]


def started(sandbox: Sandbox) -> int:
    """The child that inspects now; submit returns before the zygote has forked."""
    while not (found := children(sandbox._pid)):
        os.sched_yield()
    return found[0]


def test_a_child_that_is_killed_is_one_failed_target(rules: str, tmp_path: Path) -> None:
    path = endless(tmp_path / "b.gz")
    with Sandbox(settings(rules, tmp_path)) as sandbox:
        run = sandbox.submit(Job(((str(path), "b.gz"),)))
        os.kill(started(sandbox), signal.SIGKILL)
        os.set_blocking(run.fileno(), True)
        while (outcome := run.advance()) is None:
            pass
        assert outcome.error is not None
        assert outcome.error.reason == "killed"
        (tmp_path / "a.txt").write_text("after")
        assert one(sandbox, tmp_path / "a.txt").inspection is not None


def test_closing_ends_running_children(rules: str, tmp_path: Path) -> None:
    path = endless(tmp_path / "b.gz")
    sandbox = Sandbox(settings(rules, tmp_path))
    run = sandbox.submit(Job(((str(path), "b.gz"),)))
    child = started(sandbox)
    sandbox.close()
    run.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_lost_zygote_is_an_error_and_not_a_hang(rules: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    sandbox = Sandbox(settings(rules, tmp_path))
    assert sandbox.hello.error is None
    os.kill(sandbox._pid, signal.SIGKILL)
    os.waitid(os.P_PID, sandbox._pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(LeakmonError) as caught:
        sandbox.submit(Job(((str(tmp_path / "a.txt"), "a.txt"),)))
    assert caught.value.reason == "sandbox-lost"
    sandbox.close()


def test_a_broken_rule_is_told_by_the_first_word(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "bad.yaml").write_text(RULE.replace("severity: HIGH", "severity: AWFUL"))
    with Sandbox(settings(str(folder), tmp_path)) as sandbox, pytest.raises(RuleError) as caught:
        _ = sandbox.hello
    assert "test-token" in str(caught.value)


async def test_the_event_loop_way_gives_the_same_answer(tmp_path: Path) -> None:
    path = tmp_path / canary.FILENAME
    path.write_bytes(canary.package())
    job = Job(((str(path), path.name),))
    with Sandbox(settings(bundled_rules_folder(), tmp_path)) as sandbox:
        first, second = await asyncio.gather(events.run(sandbox, job), events.run(sandbox, job))
    assert first.inspection is not None
    assert second.inspection is not None
    assert first.inspection.findings == second.inspection.findings
    detectors = {finding.detector for finding in first.inspection.findings}
    assert {"secrets", "carriers"} <= detectors


def test_nothing_but_a_regular_file_is_opened(rules: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    files = tuple((str(tmp_path / name), name) for name in ("pipe", "link", "gone"))
    with Sandbox(settings(rules, tmp_path)) as sandbox:
        (outcome,) = run_all(sandbox, [Job(files)], 1)
    assert outcome.inspection is not None
    assert [(gap.path, gap.reason) for gap in outcome.inspection.skipped] == [
        ("pipe", "not-a-file"),
        ("link", "unreadable"),
        ("gone", "vanished"),
    ]
