"""Each option of ``leakmon scan`` does what its help says."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest

from monitor import canary
from tests.cli.running import Leakmon, report, tgz
from tests.scenarios.builders import package_json

if TYPE_CHECKING:
    from pathlib import Path

MIXED = {"package.json": package_json(), "a.js~": b"", "app.log": b"x"}


def test_min_severity_leaves_out_of_the_reports_and_not_of_the_status(
    leakmon: Leakmon, place: Path
) -> None:
    tgz(place / "a.tgz", {f"package/{name}": content for name, content in MIXED.items()})
    whole = report(leakmon("scan", "a.tgz", "--format", "json"))["targets"][0]["findings"]
    assert {finding["severity"] for finding in whole} == {"low", "medium"}
    cut = leakmon("scan", "a.tgz", "--format", "json", "--min-severity", "medium")
    document = report(cut)
    assert {finding["severity"] for finding in document["targets"][0]["findings"]} == {"medium"}
    assert document["summary"]["hidden"] == {"min-severity": 1}
    assert cut.returncode == 1
    none = leakmon("scan", "a.tgz", "--min-severity", "critical")
    assert none.returncode == 1, "what is not shown still fails"
    assert "2 findings below --min-severity not shown" in none.stdout


def test_quiet_prints_the_reports_only(leakmon: Leakmon, place: Path) -> None:
    loud = leakmon("scan", canary.FILENAME, "--format", "json", "--output", "a.json")
    quiet = leakmon("scan", canary.FILENAME, "--format", "json", "--output", "b.json", "--quiet")
    assert loud.stderr == "leakmon: json report written to a.json\n"
    assert (quiet.stdout, quiet.stderr, quiet.returncode) == ("", "", 1)
    assert (place / "b.json").stat().st_size > 500
    assert "CRITICAL" in leakmon("scan", canary.FILENAME, "-q").stdout


def test_ignores_are_read_from_the_file_that_is_named(leakmon: Leakmon, place: Path) -> None:
    found = report(leakmon("scan", canary.FILENAME, "--format", "json"))["targets"][0]["findings"]
    entry = '[[ignore]]\nfingerprint = "{}"\nreason = "the canary"\n'
    (place / "own.toml").write_text("".join(entry.format(one["fingerprint"]) for one in found[1:]))
    (place / "other.toml").write_text(entry.format(found[0]["fingerprint"]))
    (place / "leakmon-ignore.toml").write_text("nonsense")
    one = leakmon("scan", canary.FILENAME, "--ignores", "own.toml", "--format", "json")
    assert [each["fingerprint"] for each in report(one)["targets"][0]["findings"]] == [
        found[0]["fingerprint"]
    ], "the default file does not count where another is named"
    both = leakmon("scan", canary.FILENAME, "--ignores", "own.toml", "--ignores", "other.toml")
    assert both.returncode == 0
    gone = leakmon("scan", canary.FILENAME, "--ignores", "gone.toml")
    assert (gone.returncode, gone.stdout) == (2, "")
    assert "gone.toml" in gone.stderr


def test_no_inline_ignores_heeds_no_comment(leakmon: Leakmon, place: Path) -> None:
    found = report(leakmon("scan", canary.FILENAME, "--format", "json"))["targets"][0]["findings"]
    (secret,) = (each["secret"] for each in found if "secret" in each)
    (place / "own").mkdir()
    comment = f"# leakmon:ignore {secret['fingerprint']} the canary"
    (place / "own" / "a.py").write_text(f"t = '{canary.token()}'  {comment}\n")
    assert leakmon("scan", "own").returncode == 0
    assert leakmon("scan", "own", "--no-inline-ignores").returncode == 1


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_the_number_of_jobs_changes_nothing_of_the_answer(
    leakmon: Leakmon, place: Path, jobs: str
) -> None:
    names = [f"{number}.tgz" for number in range(6)]
    for name in names:
        (place / name).write_bytes(canary.package())
    document = report(leakmon("scan", *names, "--jobs", jobs, "--format", "json"))
    assert [target["target"] for target in document["targets"]] == names
    assert {target["verdict"]["severity"] for target in document["targets"]} == {"critical"}


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1.5", ""])
def test_a_number_of_jobs_is_a_number(leakmon: Leakmon, jobs: str) -> None:
    finished = leakmon("scan", "clean.txt", f"--jobs={jobs}")
    assert finished.returncode == 2
    assert f"--jobs/-j: {jobs} is not a whole number, 1 or more" in finished.stderr


@pytest.mark.parametrize("command", [("scan", "clean.txt"), ("rules", "list"), ("doctor",)])
def test_an_unknown_option_shows_the_command_s_own_usage(
    leakmon: Leakmon, command: tuple[str, ...]
) -> None:
    finished = leakmon(*command, "--frobnicate")
    assert finished.returncode == 2
    name = " ".join(word for word in command if "." not in word)
    assert finished.stderr.startswith(f"usage: leakmon {name} ")
    assert finished.stderr.endswith("error: unrecognized arguments: --frobnicate\n")


def test_the_help_shows_targets_as_they_are_typed(leakmon: Leakmon) -> None:
    shown = leakmon("scan", "--help").stdout
    assert "pkg:npm/%40acme/cli@1.2.0  " in shown
    assert "%%" not in shown


def test_progress_is_drawn_on_a_terminal_and_wiped(
    place: Path, surroundings: dict[str, str]
) -> None:
    """On a terminal of its own: bars while it works, nothing of them left, the report elsewhere."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with (place / "out.txt").open("w") as out:
        started = subprocess.Popen(
            [sys.executable, "-m", "monitor", "scan", canary.FILENAME],
            cwd=place,
            env=surroundings | {"TERM": "xterm-256color"},
            stdout=out,
            stderr=theirs,
        )
    os.close(theirs)
    shown = _all_of(ours)
    assert started.wait(timeout=300) == 1
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert "inspecting" in text
    assert "\x1b[2K" in shown[shown.rindex("inspecting") :], "the bars are wiped"
    assert "CRITICAL" in (place / "out.txt").read_text()


@pytest.mark.parametrize("option", ["--no-progress", "--quiet"])
def test_no_progress_where_none_is_wanted(
    place: Path, surroundings: dict[str, str], option: str
) -> None:
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "monitor", "scan", canary.FILENAME, option],
        cwd=place,
        env=surroundings | {"TERM": "xterm-256color"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    assert _all_of(ours) == ""
    assert started.wait(timeout=300) == 1


def _all_of(terminal: int) -> str:
    """What a terminal was sent until its last writer closed it (Linux says EIO then)."""
    sent = b""
    try:
        while piece := os.read(terminal, 65536):
            sent += piece
    except OSError:
        pass
    os.close(terminal)
    return sent.decode()
