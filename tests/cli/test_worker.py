"""``leakmon worker`` says what it lacks, and works beside a watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.cli import main
from monitor.jobs import choice

if TYPE_CHECKING:
    from pathlib import Path

POSTGRESQL = "[database]\nurl = 'postgresql://db.acme.example/leakmon'\n"
REFUSALS = [
    ("", "leakmon worker shares a PostgreSQL database with leakmon watch"),
    (f"{POSTGRESQL}[jobs]\nengine = 'embedded'\n", "jobs.engine: embedded is for one process"),
]


def said(folder: Path, text: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    config = folder / "leakmon.toml"
    config.write_text(text, encoding="utf-8")
    assert main(["worker", "--config", str(config), *more]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(("text", "refusal"), REFUSALS)
def test_what_cannot_be_shared_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, refusal: str
) -> None:
    assert refusal in said(tmp_path, text, capsys)


def test_without_procrastinate_it_says_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda _: None)
    assert "pip install 'leakmon[cluster]'" in said(tmp_path, POSTGRESQL, capsys)


def test_a_bad_address_for_its_health_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "service.listen: no address" in said(tmp_path, "", capsys, "--listen", "9464")


def test_the_check_says_what_a_folder_of_evidence_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "leakmon.toml"
    config.write_text(POSTGRESQL, encoding="utf-8")
    assert main(["config", "check", "--config", str(config)]) == 0
    assert "must have the same shared folder" in capsys.readouterr().out
    config.write_text("", encoding="utf-8")
    assert main(["config", "check", "--config", str(config)]) == 0
    assert "shared" not in capsys.readouterr().out
