"""Drift: the shape of a version held against those before it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detectors import drift
from monitor.detectors.context import Context
from monitor.detectors.drift.profiling import profile
from monitor.model import Inspection, Manifest, MemberRecord, Severity, SourceMapRecord
from monitor.model.profiles import Profile
from tests.semgrep.packages import archive

NPM = 499_162_500
LEAKMON = Path(sys.executable).with_name("leakmon")


def member(path: str, size: int = 1000, *, lines: int = 1, mtime: int = NPM) -> MemberRecord:
    return MemberRecord(f"one-1.0.0.tgz!/package/{path}", size, "tar", mtime, "", lines)


def usual(**changes: Any) -> Inspection:
    """A small minified package; ``more`` members beside, ``licence`` and ``maps`` as they are."""
    members = [
        member("package.json"),
        member("dist/cli.js", 400_000, lines=20, mtime=changes.get("mtime", NPM)),
        *changes.get("more", []),
    ]
    licence = changes.get("licence", "UNLICENSED")
    manifest = Manifest(
        path=members[0].path, ecosystem="npm", name="@acme/one", version="1", licence=licence
    )
    return Inspection(
        members=members, manifests=[manifest], source_maps=list(changes.get("maps", []))
    )


def history(number: int = 5, publisher: str = "acme-bot") -> tuple[Profile, ...]:
    return tuple(profile(usual(), version=f"1.0.{n}", publisher=publisher) for n in range(number))


def found(inspection: Inspection, **context: Any) -> dict[str, Severity]:
    told = {"history": history(), "publisher": "acme-bot"} | context
    return {each.rule: each.severity for each in drift.conclude(inspection, Context(**told))}


MAP = SourceMapRecord(path="x", origin="file", sources=[("../src/a.ts", 9, 1, True, True)])


def test_the_same_again_is_nothing() -> None:
    assert found(usual()) == {}
    assert found(usual(more=[member("dist/cli.js.map")], maps=[MAP]), history=()) == {}


CASES: list[tuple[str, dict[str, Any], dict[str, Severity]]] = [
    ("first map", {"maps": [MAP]}, {"drift-first-map": Severity.HIGH}),
    (
        "much larger",
        {"more": [member("dist/more.json", 3_000_000)]},
        {"drift-size": Severity.MEDIUM},
    ),
    (
        "a native binary",
        {"more": [member("dist/addon.node", 3_000_000)]},
        {"drift-size": Severity.LOW},
    ),
    (
        "many files",
        {"more": [member(f"dist/{n}.json") for n in range(40)]},
        {"drift-files": Severity.MEDIUM},
    ),
    ("hidden folder", {"more": [member(".claude/x")]}, {"drift-hidden-folder": Severity.MEDIUM}),
    ("sources", {"more": [member("src/a.js")]}, {"drift-source-folder": Severity.MEDIUM}),
    ("folder", {"more": [member("docs/a.json")]}, {"drift-folder": Severity.LOW}),
    ("kind", {"more": [member("dist/a.ts")]}, {"drift-kind": Severity.LOW}),
    ("licence", {"licence": "MIT"}, {"drift-licence": Severity.MEDIUM}),
    ("packer", {"mtime": 1_700_000_000}, {"drift-packer": Severity.MEDIUM}),
]


@pytest.mark.parametrize(("changes", "told"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_each_sign_is_told(changes: dict[str, Any], told: dict[str, Severity]) -> None:
    assert found(usual(**changes)) == told


def test_what_was_minified_can_be_read() -> None:
    readable = usual()
    readable.members[1] = member("dist/cli.js", 400_000, lines=12_000)
    assert found(readable) == {"drift-readable": Severity.HIGH}


def test_a_new_publisher_is_told_and_one_version_is_no_habit() -> None:
    assert found(usual(), publisher="eve") == {"drift-publisher": Severity.LOW}
    assert found(usual(more=[member("docs/a.json")]), history=history(1)) == {}
    assert found(usual(maps=[MAP]), history=history(1)) == {"drift-first-map": Severity.HIGH}


def test_other_kinds_of_files_are_no_history() -> None:
    wheels = tuple(msgspec.structs.replace(each, filename_kind=".whl") for each in history())
    assert found(usual(maps=[MAP]), history=wheels) == {}


_profiles = st.builds(
    Profile,
    filename_kind=st.just(".tar.gz"),
    bytes=st.integers(0, 10**12),
    files=st.integers(0, 10**6),
    binary_bytes=st.integers(0, 10**12),
    script_bytes=st.integers(0, 10**12),
    script_lines=st.integers(0, 10**9),
    maps=st.integers(0, 100),
    folders=st.lists(st.text(max_size=10), max_size=5),
    kinds=st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=5),
    publisher=st.text(max_size=5),
    licence=st.text(max_size=200),
)


@given(st.lists(_profiles, max_size=12), st.text(max_size=200))
def test_any_history_is_survived(past: list[Profile], licence: str) -> None:
    for each in drift.conclude(usual(licence=licence), Context(history=tuple(past))):
        assert "\n" not in each.message or "\n" in licence
        assert len(each.message) < 1000


def test_a_profile_outlives_the_database() -> None:
    made = profile(usual(more=[member("src/a.js")]), version="1.0.0", publisher="x")
    assert msgspec.convert(msgspec.to_builtins(made), Profile) == made


def test_scan_tells_what_is_new_against_previous_versions(tmp_path: Path) -> None:
    manifest = b'{"name": "@acme/one", "version": "1.0.0", "license": "UNLICENSED"}'
    bundle = b"x=1;" * 4000
    document = {"version": 3, "sources": ["../a.ts"], "sourcesContent": ["a"], "mappings": "A"}
    files = {"package/package.json": manifest, "package/cli.js": bundle}
    archive(tmp_path / "one-1.0.0.tgz", files)
    leaking = files | {"package/cli.js.map": json.dumps(document).encode()}
    archive(tmp_path / "one-1.0.1.tgz", leaking)
    done = subprocess.run(
        [LEAKMON, "scan", "one-1.0.1.tgz", "--previous", "one-1.0.0.tgz", "--format", "json"],
        check=False, capture_output=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (target,) = json.loads(done.stdout)["targets"]
    told = {each["rule"]: each for each in target["findings"]}
    assert told["drift-first-map"]["evidence"]["signal"] == "SM7"
    assert told["source-map-first-party-content"]["evidence"]["first_of"] == 1
    missing = subprocess.run(
        [LEAKMON, "scan", "one-1.0.1.tgz", "--previous", "none.tgz"],
        check=False, capture_output=True, cwd=tmp_path, text=True,
    )  # fmt: skip
    assert missing.returncode in {2, 3}
    assert "none.tgz" in missing.stderr
    assert "Traceback" not in missing.stderr


def proven(*states: str, builder: str = "github:acme/cli") -> tuple[Profile, ...]:
    """Versions before with these states of provenance, the newest first."""
    return tuple(
        msgspec.structs.replace(
            each, provenance=state, builder=builder if state == "verified" else ""
        )
        for each, state in zip(history(len(states)), states, strict=True)
    )


PROOFS: list[tuple[tuple[str, ...], str, bool]] = [
    (("verified",), "absent", True),
    (("declared", ""), "absent", True),
    (("absent", "verified"), "absent", True),  # gone before, and still
    (("absent", "absent"), "absent", False),
    (("", ""), "absent", False),  # profiles of before anybody looked
    (("verified",), "", False),  # nobody could look: an outage
    (("verified",), "declared", False),
    (("verified",), "verified", False),
    (("verified",), "invalid", False),  # that is a finding of its own
]


def test_provenance_that_is_gone_is_told_once_somebody_looked() -> None:
    assert PROOFS
    for before, now, is_told in PROOFS:
        told = found(usual(), history=proven(*before), provenance=now)
        expected = {"drift-provenance-gone": Severity.MEDIUM} if is_told else {}
        assert told == expected, (before, now)


def test_another_builder_is_told() -> None:
    past = proven("verified", "verified")
    context = {"history": past, "provenance": "verified"}
    assert found(usual(), builder="github:acme/cli", **context) == {}
    assert found(usual(), builder="github:evil/cli", **context) == {
        "drift-builder": Severity.MEDIUM
    }


def test_a_profile_of_before_has_no_provenance() -> None:
    old = msgspec.to_builtins(profile(usual(), version="1.0.0"))
    assert "provenance" not in old
    assert msgspec.convert(old, Profile).provenance == ""
