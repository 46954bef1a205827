"""The command as a user runs it: a real process, real files, its exit status and what it prints."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import canary
from monitor.report.schema import scan_schema
from tests.cli.running import Leakmon, report, tgz

TEXT = b"".join(b"%06d: all is well in line %d of the log\n" % (n, n * n) for n in range(24000))
TEXT = TEXT[: 1 << 20].ljust(1 << 20)


def test_a_leak_is_told_with_its_place_and_fails(leakmon: Leakmon) -> None:
    finished = leakmon("scan", canary.FILENAME)
    assert finished.returncode == 1
    assert "CRITICAL" in finished.stdout
    assert f"{canary.FILENAME}!/package/.env:1" in finished.stdout
    assert canary.token() not in finished.stdout
    assert finished.stderr == ""


def test_nothing_found_is_said_and_passes(leakmon: Leakmon) -> None:
    finished = leakmon("scan", "clean.txt")
    assert finished.returncode == 0
    assert "Nothing found" in finished.stdout


def test_json_keeps_the_contract(leakmon: Leakmon) -> None:
    document = report(leakmon("scan", canary.FILENAME, "--format", "json"))
    (target,) = document["targets"]
    assert target["status"] == "complete"
    assert len(target["sha256"]) == 64
    assert target["verdict"]["severity"] == "critical"
    detectors = {finding["detector"] for finding in target["findings"]}
    assert detectors >= canary.EXPECTED_DETECTORS
    assert not any("value" in finding.get("secret", {}) for finding in target["findings"])


def test_secrets_are_shown_only_on_demand(leakmon: Leakmon) -> None:
    hidden = leakmon("scan", canary.FILENAME, "--format", "json")
    shown = leakmon("scan", canary.FILENAME, "--format", "json", "--show-secrets")
    assert canary.token() not in hidden.stdout
    assert canary.token() in shown.stdout


def test_several_reports_at_once(leakmon: Leakmon, place: Path) -> None:
    names = ("json", "jsonl", "sarif", "html")
    outputs = [word for name in names for word in ("--format", name, "--output", f"out.{name}")]
    finished = leakmon("scan", canary.FILENAME, "--format", "table", *outputs)
    assert finished.returncode == 1
    assert "CRITICAL" in finished.stdout
    assert finished.stderr.count("report written to") == len(names)
    for name in names:
        assert (place / f"out.{name}").stat().st_size > 500
    assert not list(place.glob(".leakmon-*"))


def test_the_baseline_silences_only_what_is_known(leakmon: Leakmon, place: Path) -> None:
    leakmon("scan", canary.FILENAME, "--format", "json", "--output", "known.json")
    again = leakmon("scan", canary.FILENAME, "--baseline", "known.json")
    assert again.returncode == 0
    assert "baseline" in again.stdout
    tgz(place / "new.tgz", {"package/id_rsa.txt": b"token = '" + canary.token()[::-1].encode()})
    tgz(
        place / "new.tgz",
        {"package/.npmrc": b"//registry.example/:_authToken=" + b"a1B2c3D4e5" * 4},
    )
    assert leakmon("scan", "new.tgz", "--baseline", "known.json").returncode == 1


def test_an_ignore_needs_a_reason_and_expires(leakmon: Leakmon, place: Path) -> None:
    document = report(leakmon("scan", canary.FILENAME, "--format", "json"))
    entries = [
        f'[[ignore]]\nfingerprint = "{finding["fingerprint"]}"\nreason = "the canary"\n'
        for finding in document["targets"][0]["findings"]
    ]
    (place / "leakmon-ignore.toml").write_text("".join(entries))
    assert leakmon("scan", canary.FILENAME).returncode == 0
    old = [entry + "expires = 2020-01-01\n" for entry in entries]
    (place / "leakmon-ignore.toml").write_text("".join(old))
    expired = leakmon("scan", canary.FILENAME)
    assert expired.returncode == 1
    assert "expired on 2020-01-01" in expired.stdout
    (place / "leakmon-ignore.toml").write_text(entries[0].replace('reason = "the canary"\n', ""))
    assert leakmon("scan", canary.FILENAME).returncode == 2


def test_a_comment_silences_in_ones_own_folder_only(leakmon: Leakmon, place: Path) -> None:
    document = report(leakmon("scan", canary.FILENAME, "--format", "json"))
    (secret,) = (f for f in document["targets"][0]["findings"] if f["detector"] == "secrets")
    line = f"t = '{canary.token()}'  # leakmon:ignore {secret['secret']['fingerprint']} canary\n"
    (place / "own").mkdir()
    (place / "own" / "a.py").write_text(line)
    assert leakmon("scan", "own").returncode == 0
    tgz(place / "strange.tgz", {"package/a.py": line.encode()})
    assert leakmon("scan", "strange.tgz").returncode == 1


def test_a_partial_inspection_is_never_a_silent_pass(leakmon: Leakmon, place: Path) -> None:
    whole = canary.package()
    clean = tgz(place / "cut.tgz", {"package/a.txt": os.urandom(100_000)}).read_bytes()
    (place / "cut.tgz").write_bytes(clean[: len(clean) // 2])
    finished = leakmon("scan", "cut.tgz", "--fail-on", "high", "--format", "json")
    assert finished.returncode == 3
    (target,) = report(finished)["targets"]
    assert target["status"] == "partial"
    assert {gap["reason"] for gap in target["skipped"]} == {"truncated"}
    (place / "cut.tgz").write_bytes(whole[:-20])
    assert leakmon("scan", "cut.tgz", "--fail-on", "high").returncode == 1


def test_one_bad_target_does_not_stop_the_others(leakmon: Leakmon) -> None:
    finished = leakmon("scan", "./gone.tgz", "clean.txt", "--format", "json")
    assert finished.returncode == 3
    first, second = report(finished)["targets"]
    assert (first["target"], first["status"]) == ("./gone.tgz", "failed")
    assert (second["target"], second["status"]) == ("clean.txt", "complete")
    assert leakmon("scan", "./gone.tgz", canary.FILENAME).returncode == 1


def test_a_folder_is_walked_without_following_links(leakmon: Leakmon, place: Path) -> None:
    inside = place / "tree" / "deep"
    inside.mkdir(parents=True)
    (inside / "token.txt").write_text(canary.token())
    (place / "tree" / "loop").symlink_to(place / "tree")
    (place / "tree" / ".git").mkdir()
    (place / "tree" / ".git" / "HEAD").write_text(canary.token())
    finished = leakmon("scan", "tree", "--format", "json")
    (target,) = report(finished)["targets"]
    assert target["status"] == "complete"
    places = {finding["path"] for finding in target["findings"] if finding["detector"] == "secrets"}
    assert places == {"deep/token.txt"}
    assert {(gap["path"], gap["reason"]) for gap in target["skipped"]} == {
        (".git", "version-control"),
        ("loop", "link"),
    }


def test_a_list_on_standard_input(leakmon: Leakmon) -> None:
    listed = f"# what we ship\n{canary.FILENAME}\n\nclean.txt  # plain\n"
    finished = leakmon("scan", "-", "--format", "json", stdin=listed)
    assert [each["target"] for each in report(finished)["targets"]] == [
        canary.FILENAME,
        "clean.txt",
    ]


def test_the_last_window_of_a_huge_member_is_searched(leakmon: Leakmon, place: Path) -> None:
    with gzip.open(place / "huge.txt.gz", "wb", compresslevel=1) as file:
        for _ in range(140):  # repeats too little to be taken for a bomb
            file.write(TEXT)
        file.write(b"\n\ntoken: " + canary.token().encode())
    finished = leakmon("scan", "huge.txt.gz", "--format", "json")
    (found,) = [
        finding
        for finding in report(finished)["targets"][0]["findings"]
        if finding["detector"] == "secrets"
    ]
    assert found["byte_offset"] == 140 * (1 << 20) + 9


WRONG = [
    (("scan",), "TARGET"),
    (("scan", "nonsense that is no target"), "understood"),
    (("scan", "clean.txt", "--format", "yaml"), "yaml"),
    (("scan", "clean.txt", "--output", "no/such/x.json"), "no folder"),
    (("scan", "clean.txt", "--format", "json", "--format", "sarif"), "--output"),
    (("scan", "clean.txt", "--rules", "no-rules"), "no-rules"),
    (("scan", "clean.txt", "--baseline", "gone.json"), "gone.json"),
    (("scan", "clean.txt", "--config", "gone.toml"), "gone.toml"),
    (("scan", "clean.txt", "--jobs", "0"), "1 or more"),
    (("rules", "show", "github-personal-acess-token"), "did you mean"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG)
def test_a_wrong_call_is_one_clear_line(
    leakmon: Leakmon, arguments: tuple[str, ...], told: str
) -> None:
    finished = leakmon(*arguments)
    assert finished.returncode == 2
    assert told in finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""


def test_an_interrupt_leaves_nothing_behind(
    leakmon: Leakmon, place: Path, surroundings: dict[str, str]
) -> None:
    leakmon("scan", "clean.txt")
    member = gzip.compress(bytes(64 << 20), 9)
    (place / "endless.gz").write_bytes(member * 400)
    started = subprocess.Popen(
        [sys.executable, "-m", "monitor", "scan", "endless.gz", "--output", "out.json"],
        cwd=place,
        stderr=subprocess.PIPE,
        text=True,
        env=surroundings,
    )
    listing = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    while not (zygote := listing.read_text(encoding="ascii").split()):
        os.sched_yield()
    below = Path(f"/proc/{zygote[0]}/task/{zygote[0]}/children")
    while not below.read_text(encoding="ascii").split():
        os.sched_yield()
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=20)
    assert started.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told
    assert not (place / "out.json").exists()
    assert not Path(f"/proc/{zygote[0]}").exists()


def test_doctor_proves_the_whole_path_with_its_canary(leakmon: Leakmon) -> None:
    finished = leakmon("doctor", "--json")
    assert finished.returncode == 0, finished.stdout
    checks = {check["name"]: check for check in json.loads(finished.stdout)}
    assert checks["canary"]["state"] == "ok"
    assert checks["provenance"]["state"] == "ok"
    assert "database" not in checks


def test_doctor_says_how_the_database_stands_and_who_hands_out_its_jobs(
    leakmon: Leakmon, place: Path
) -> None:
    def told() -> str:
        checks = json.loads(leakmon("doctor", "--config", "leakmon.toml", "--json").stdout)
        return next(str(each["detail"]) for each in checks if each["name"] == "database")

    (place / "leakmon.toml").write_text('[database]\nurl = "sqlite:///leakmon.db"\n')
    assert told() == "sqlite, jobs by embedded: empty: leakmon watch upgrades it"
    assert not (place / "leakmon.db").exists()
    assert leakmon("db", "upgrade", "--config", "leakmon.toml").returncode == 0
    assert told() == "sqlite, jobs by embedded: current"


def test_rules_can_be_listed_shown_and_filtered(leakmon: Leakmon) -> None:
    listed = leakmon("rules", "list", "--json")
    names = [rule["id"] for rule in json.loads(listed.stdout)]
    assert len(names) >= 100
    assert len(names) == len(set(names))
    page = leakmon("rules", "show", "github-personal-access-token").stdout
    for heading in ("What it finds and why", "How it is rec", "What it looks like", "What to do"):
        assert heading in page


def test_an_example_is_shown_with_its_name_and_without_the_middle_of_its_secret(
    leakmon: Leakmon,
) -> None:
    page = leakmon("rules", "show", "generic-environment-secret").stdout
    shown = [line.strip() for line in page.splitlines() if "…" in line]
    assert shown
    veiled = r"(?:export |ENV )?[A-Z_]+[= ]\S{12}…\S{4}"
    assert all(re.fullmatch(veiled, line) for line in shown), shown
    assert "NODE_ENV=production" in page
    key = leakmon("rules", "show", "private-key-pkcs8").stdout
    assert "-----BEGIN PRIVATE KEY-----\n    …\n    -----END PRIVATE KEY-----" in key


def test_the_schema_is_printed(leakmon: Leakmon) -> None:
    assert json.loads(leakmon("schema", "scan").stdout) == scan_schema()
