"""Findings of a history: at their commits, each thing in each file once, whatever its name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.archive.names import printable
from monitor.model import Confidence, Finding, Inspection, MemberRecord, Place, Severity, Skipped
from monitor.pipeline.trail import Trail

OLD, NEW = "a" * 40, "b" * 40
NAME = "app.git"


def place(commit: str, path: str, *, is_in_head: bool | None = False) -> Place:
    return Place(
        commit=commit, path=path, blob=commit, ref="refs/heads/main", is_in_head=is_in_head
    )


def finding(path: str, fingerprint: str = "f") -> Finding:
    return Finding(
        rule="r", detector="secrets", kind="secret", severity=Severity.HIGH,
        confidence=Confidence.HIGH, message="m", path=path, fingerprint=fingerprint,
    )  # fmt: skip


def members(*paths: str) -> Inspection:
    return Inspection(members=[MemberRecord(path, 1) for path in paths])


def test_the_oldest_commit_speaks_for_the_later_ones() -> None:
    trail = Trail(NAME)
    names = {OLD[:12]: place(OLD, "x"), NEW[:12]: place(NEW, "x", is_in_head=True)}
    paths = [f"{NAME}!/{short}/x" for short in names]
    # The parts may be done in any order.
    trail.keep({f"{NEW[:12]}/x": names[NEW[:12]]}, members(paths[1]), 2)
    trail.keep({f"{OLD[:12]}/x": names[OLD[:12]]}, members(paths[0]), 1)
    (told,) = trail.findings([finding(paths[1]), finding(paths[0])])
    assert told.path == f"{NAME}!/{OLD[:12]}:x"
    assert told.evidence["commit"] == OLD
    assert told.evidence["later_commits"] == [NEW]
    assert told.evidence["is_in_head"] is True, "a later file of the same name still holds it"


def test_two_files_are_told_apart() -> None:
    trail = Trail(NAME)
    names = {f"{OLD[:12]}/x": place(OLD, "x"), f"{OLD[:12]}/y": place(OLD, "y")}
    paths = [f"{NAME}!/{name}" for name in names]
    trail.keep(names, members(*paths), 1)
    told = trail.findings([finding(path) for path in paths] + [finding(paths[0], "g")])
    assert [each.path.partition(":")[2] for each in told] == ["x", "y", "x"]


def test_what_lies_in_a_nested_archive_belongs_to_the_file() -> None:
    trail = Trail(NAME)
    name = f"{OLD[:12]}/odd!/name.zip"
    inner = f"{NAME}!/{name}!/inner/.env"
    trail.keep({name: place(OLD, "odd!/name.zip")}, members(inner), 1)
    (told,) = trail.findings([finding(inner)])
    assert told.path == f"{NAME}!/{OLD[:12]}:odd!/name.zip!/inner/.env"
    assert told.evidence["commit"] == OLD
    assert trail.offending({name: place(OLD, "x")}, [inner, inner]) == [name]


def test_what_is_of_no_commit_keeps_its_path() -> None:
    trail = Trail(NAME)
    (told,) = trail.findings([finding(NAME)])
    assert (told.path, told.evidence) == (NAME, {})
    gaps = trail.gaps([Skipped(f"{NAME}!/{OLD[:12]}/x", "r"), Skipped(NAME, "r")] * 2)
    assert gaps == [Skipped(f"{NAME}!/{OLD[:12]}:x", "r"), Skipped(NAME, "r")]


PATHS = st.binary(min_size=1, max_size=30).filter(lambda raw: b"\0" not in raw)


@given(st.lists(PATHS, min_size=1, max_size=6, unique=True))
def test_any_path_is_found_again(raw: list[bytes]) -> None:
    names = {
        f"{OLD[:12]}/{each.decode('utf-8', 'surrogateescape')}": place(
            OLD, each.decode("utf-8", "surrogateescape")
        )
        for each in raw
    }
    shown = {printable(name) for name in names}
    trail = Trail(NAME)
    paths = [f"{NAME}!/{printable(name)}" for name in names]
    trail.keep(names, members(*paths), 1)
    told = trail.findings([finding(path, str(number)) for number, path in enumerate(paths)])
    assert len(told) == len(names)
    assert all(each.evidence["commit"] == OLD for each in told)
    assert len(trail.offending(names, paths)) == len(shown)
