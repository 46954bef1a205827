"""``leakmon db`` and ``leakmon evidence`` as an operator calls them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from monitor.cli import main
from monitor.evidence.keys import parse
from monitor.evidence.places import open_evidence
from monitor.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "leakmon.toml"
    path.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/leakmon.db"\n'
        f'[evidence]\nurl = "file:{tmp_path}/evidence"\n'
    )
    return str(path)


def test_the_database_is_upgraded_looked_at_and_copied(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["db", "status", "--config", config]) == 1
    assert "empty" in capsys.readouterr().out
    assert main(["db", "upgrade", "--config", config]) == 0
    assert main(["db", "upgrade", "--config", config]) == 0
    assert "up to date" in capsys.readouterr().out
    assert main(["db", "status", "--config", config]) == 0
    assert main(["db", "backup", str(tmp_path / "copy.db"), "--config", config]) == 0
    assert main(["db", "backup", str(tmp_path / "copy.db"), "--config", config]) == 2
    assert (tmp_path / "leakmon.db").stat().st_mode & 0o777 == 0o600


def test_evidence_is_handed_out_with_a_reason_on_record(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["db", "upgrade", "--config", config])
    (tmp_path / "artifact").write_bytes(b"leaky bytes")
    evidence = open_evidence(f"file:{tmp_path}/evidence", None).evidence
    kept = evidence.put_now(str(tmp_path / "artifact"))
    assert main(["evidence", "list", "--config", config]) == 0
    assert kept.sha256 in capsys.readouterr().out
    get = ["evidence", "get", kept.sha256[:12], "--output", str(tmp_path / "out")]
    assert main([*get, "--reason", " ", "--config", config]) == 2
    assert main([*get, "--reason", "ticket 7", "--config", config]) == 0
    assert (tmp_path / "out").read_bytes() == b"leaky bytes"
    assert main([*get, "--reason", "again", "--config", config]) == 2  # never over a file
    assert main(["evidence", "verify", "--config", config]) == 0
    (tmp_path / "evidence" / kept.key).write_bytes(b"LKMN")
    assert main(["evidence", "verify", kept.sha256, "--config", config]) == 1
    with closing(sqlite3.connect(tmp_path / "leakmon.db")) as file:
        log = file.execute("SELECT action, subject, reason FROM audit_log ORDER BY id").fetchall()
    assert log[0] == ("evidence-get", kept.key, "ticket 7")
    assert [action for action, _, _ in log] == ["evidence-get"] * 2 + ["evidence-verify"] * 2


def test_evidence_that_is_not_there_is_said(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["db", "upgrade", "--config", config])
    out = str(tmp_path / "out")
    get = ["evidence", "get", "ab" * 32, "--output", out, "--reason", "r", "--config", config]
    assert main(get) == 3
    assert "not among the evidence" in capsys.readouterr().err


def test_a_rotated_key_may_go_once_the_command_says_so(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = "11" * 32, "22" * 32
    ring = tmp_path / "ring"
    (tmp_path / "leakmon.toml").write_text(
        (tmp_path / "leakmon.toml").read_text() + f'key = "file:{ring}"\n'
    )
    main(["db", "upgrade", "--config", config])
    ring.write_text(old)
    (tmp_path / "artifact").write_bytes(b"leaky bytes")
    evidence = open_evidence(f"file:{tmp_path}/evidence", old).evidence
    evidence.put_now(str(tmp_path / "artifact"))
    unlocked(tmp_path, old)  # as the daemon's first start does
    before = parse(old).key_id

    ring.write_text(f"{new}\n{old}")
    assert main(["evidence", "verify", "--config", config]) == 0
    told = capsys.readouterr().out
    assert f"key {before}: needed for 1 object and the instance key of the database" in told
    assert main(["evidence", "rotate", "--config", config]) == 0
    told = capsys.readouterr().out
    assert "1 of 1 sealed anew" in told
    assert f"key {before}: no longer needed" in told
    assert f"key {parse(new).key_id}: 1 object and the instance key" in told

    ring.write_text(new)
    unlocked(tmp_path, new)  # as the daemon's next start does, without the old key
    assert main(["evidence", "verify", "--config", config]) == 0


def test_a_key_that_is_missing_from_the_ring_is_named(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["db", "upgrade", "--config", config])
    (tmp_path / "artifact").write_bytes(b"leaky bytes")
    open_evidence(f"file:{tmp_path}/evidence", "11" * 32).evidence.put_now(
        str(tmp_path / "artifact")
    )
    assert main(["evidence", "verify", "--config", config]) == 1
    assert f"key {parse('11' * 32).key_id}: needed for 1 object, and NOT in the ring" in (
        capsys.readouterr().out
    )


def test_the_audit_log_is_shown(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["db", "upgrade", "--config", config])
    (tmp_path / "artifact").write_bytes(b"leaky bytes")
    kept = open_evidence(f"file:{tmp_path}/evidence", None).evidence.put_now(
        str(tmp_path / "artifact")
    )
    get = ["evidence", "get", kept.sha256, "--output", str(tmp_path / "out"), "--config", config]
    main([*get, "--reason", "ticket 7\x1b[2J"])
    main(["evidence", "rotate", "--config", config])
    capsys.readouterr()
    assert main(["db", "audit", "--config", config]) == 0
    latest, first = capsys.readouterr().out.splitlines()
    assert "evidence-rotate" in latest
    assert kept.key in first
    assert "ticket 7" in first
    assert "\x1b" not in first
    assert main(["db", "audit", "--action", "evidence-get", "--json", "--config", config]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["subject"] == kept.key


def unlocked(folder: Path, ring: str) -> None:
    async def unlock() -> None:
        store = Store.open(f"sqlite:///{folder}/leakmon.db")
        try:
            await store.unlock(parse(ring))
        finally:
            await store.close()

    asyncio.run(unlock())
