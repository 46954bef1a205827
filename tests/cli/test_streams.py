"""The exit status stays right whatever becomes of the streams, and names need not be UTF-8."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor import canary
from tests.cli.running import Finished, Leakmon, report

SCAN = f'"{sys.executable}" -m monitor scan {canary.FILENAME}'
Shell = Callable[[str], Finished]
ODD = b"acme-\xff\n1.tgz"
SHOWN = r"acme-\xff\x0a1.tgz"


@pytest.fixture
def shell(place: Path, surroundings: dict[str, str]) -> Shell:
    def run(script: str) -> Finished:
        return subprocess.run(
            ["bash", "-c", script],
            cwd=place,
            env=surroundings,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def test_a_reader_that_goes_changes_neither_status_nor_files(shell: Shell, place: Path) -> None:
    done = shell(
        f"{SCAN} --format table --format json --output out.json | true; echo ${{PIPESTATUS[0]}}"
    )
    assert done.stdout == "1\n"
    assert done.stderr == "leakmon: json report written to out.json\n"
    assert (place / "out.json").stat().st_size > 500
    assert shell(f"{SCAN} --fail-on critical | true; exit ${{PIPESTATUS[0]}}").returncode == 1
    quiet = shell(f'"{sys.executable}" -m monitor scan clean.txt | true; exit ${{PIPESTATUS[0]}}')
    assert (quiet.returncode, quiet.stderr) == (0, "")


@pytest.mark.parametrize("command", [SCAN, f'"{sys.executable}" -m monitor rules list'])
def test_a_full_disk_is_one_clear_line(shell: Shell, place: Path, command: str) -> None:
    shell(SCAN)  # the rules are compiled and kept
    done = shell(f"ulimit -f 0; {command} > out.txt")
    assert done.returncode == 2
    assert done.stderr == "leakmon: standard output: cannot be written (File too large)\n"
    assert (place / "out.txt").read_bytes() == b""


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_never_were(shell: Shell, place: Path, closed: str) -> None:
    before = (place / canary.FILENAME).read_bytes()
    done = shell(f"{SCAN} {closed}; echo $?")
    assert done.stdout == "1\n"
    assert "Traceback" not in done.stderr
    assert (place / canary.FILENAME).read_bytes() == before


def test_one_file_cannot_take_two_reports(leakmon: Leakmon, place: Path) -> None:
    (place / "sub").mkdir()
    outputs = ("--format", "json", "--output", "out", "--format", "sarif", "--output", "sub/../out")
    finished = leakmon("scan", canary.FILENAME, *outputs)
    assert finished.returncode == 2
    assert "named twice" in finished.stderr
    assert not (place / "out").exists()
    twice = ("--format", "json", "--output", "/dev/null")
    assert leakmon("scan", canary.FILENAME, *twice, *twice).returncode == 1


def test_a_name_that_is_no_text_is_inspected_and_shown_escaped(
    leakmon: Leakmon, place: Path
) -> None:
    odd = os.fsencode(place) + b"/" + ODD
    Path(os.fsdecode(odd)).write_bytes(canary.package())
    finished = leakmon("scan", os.fsdecode(ODD), "--format", "json")
    assert finished.returncode == 1
    (target,) = report(finished)["targets"]
    assert (target["target"], target["filename"]) == (SHOWN, SHOWN)
    assert target["findings"][0]["path"].startswith(f"{SHOWN}!/package/")


def test_names_that_are_no_text_in_a_folder_and_in_a_list(
    shell: Shell, leakmon: Leakmon, place: Path
) -> None:
    folder = Path(os.fsdecode(os.fsencode(place) + b"/tree/\xfe"))
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"\xff.tgz")).write_bytes(canary.package())
    finished = leakmon("scan", "tree", "--format", "json")
    assert finished.returncode == 1
    (target,) = report(finished)["targets"]
    assert target["status"] == "complete"
    assert target["findings"][0]["path"].startswith(r"\xfe/\xff.tgz!/package/")
    done = shell(f'printf "tree/\\xfe/\\xff.tgz" | "{sys.executable}" -m monitor scan -')
    assert done.returncode == 1
    assert r"tree/\xfe/\xff.tgz" in done.stdout
