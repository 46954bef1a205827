"""Matches, their levels and labels, against real files in an index in memory."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from monitor.private_code.fingerprint import fingerprint
from monitor.private_code.matches import MOST_OF_FILE, THRESHOLDS, FileMatch, Label, Level
from monitor.private_code.matching import Matcher
from monitor.private_code.memory import MemoryIndex
from monitor.private_code.prints import Channel, FilePrints, Prints
from monitor.private_code.suffixes import suffix

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "tests" / "servers" / "node_modules"
PRIVATE = sorted((MODULES / "uglify-js" / "lib").glob("*.js"))
OWN = sorted((ROOT / "monitor" / "archive").glob("*.py"))


def told(path: str, content: bytes) -> FilePrints:
    found = fingerprint(path, content)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def index() -> MemoryIndex:
    made = MemoryIndex("acme")
    for path in PRIVATE + OWN:
        prints = fingerprint(path.name, path.read_bytes(), for_index=True)
        assert prints is not None
        made.add("git:acme/app", str(path.relative_to(ROOT)), prints)
    assert len(made) > 20
    return made


def best(index: MemoryIndex, path: str, content: bytes) -> FileMatch | None:
    return next(iter(Matcher([index]).match(path, told(path, content))), None)


def test_every_private_file_is_found_as_it_is(index: MemoryIndex) -> None:
    for path in PRIVATE + OWN:
        match = best(index, "x/copy", path.read_bytes())
        if match is None:
            assert path.stat().st_size < 4000  # a table of numbers, a list of imports
            continue
        assert match.level is Level.ALERT
        assert match.label is Label.COPY
        assert match.path.endswith(path.name)
        assert match.is_identical
        assert match.private_share > 0.95


def test_a_partial_copy_names_lines_on_both_sides(index: MemoryIndex) -> None:
    lines = (MODULES / "uglify-js" / "lib" / "parse.js").read_bytes().split(b"\n")
    other = (MODULES / "argparse" / "argparse.js").read_bytes().split(b"\n")
    mixed = b"\n".join(other[:300] + lines[800:860] + other[300:])
    match = best(index, "a.js", mixed)
    assert match is not None
    assert match.level is Level.ALERT
    assert match.path.endswith("parse.js")
    (((first, last),), ((private_first, private_last),)) = match.lines, match.private_lines
    assert 301 <= first < last <= 361
    assert 801 <= private_first < private_last <= 861
    assert abs((first - private_first) + 500) <= 1
    assert 0.01 < match.private_share < 0.2
    assert match.share < 0.5


def test_renamed_and_squeezed_python(index: MemoryIndex) -> None:
    text = (ROOT / "monitor" / "archive" / "source_maps.py").read_bytes()
    text = re.sub(rb"(?m)^\s*#.*\n", b"", text).replace(b"    ", b"\t")
    match = best(index, "a.py", re.sub(rb"\bfound\b", b"seen", text))
    assert match is not None
    assert match.level is Level.ALERT
    assert match.path.endswith("source_maps.py")


def test_other_projects_raise_nothing(index: MemoryIndex) -> None:
    paths = [path for path in sorted(MODULES.rglob("*.js")) if path.is_file()]
    paths = [path for path in paths if "uglify" not in str(path)][::23]
    assert len(paths) > 100
    matcher = Matcher([index])
    alerts = [
        match
        for path in paths
        for match in matcher.match(str(path), told(path.name, path.read_bytes()))
        if match.level is Level.ALERT
    ]
    assert alerts == []


def test_what_is_public_is_left_out() -> None:
    path = PRIVATE[0]
    quiet = MemoryIndex("acme")
    prints = told(path.name, path.read_bytes())
    quiet.add("git:acme/app", path.name, prints)
    assert best(quiet, "x.js", path.read_bytes()) is not None
    for one in prints.channels.values():
        quiet.learn(one.hashes)
    assert best(quiet, "x.js", path.read_bytes()) is None
    assert quiet.public(prints.channels[Channel.TOKENS].hashes).all()


def test_a_fork_of_what_is_public_is_asked_about() -> None:
    text = (MODULES / "uglify-js" / "lib" / "parse.js").read_bytes()
    prints = told("parse.js", text)
    tokens = prints.channels[Channel.TOKENS].hashes
    forked = MemoryIndex("acme")
    forked.add("git:acme/app", "vendored/parse.js", prints)
    for channel in prints.channels:
        forked.learn(prints.channels[channel].hashes[: len(tokens) * 9 // 10])
    forked.learn(tokens[::2])
    match = best(forked, "x.js", text)
    assert match is not None
    assert match.label is Label.ANCESTRY
    assert match.level is Level.NOTIFY


def test_literals_alone_never_alert() -> None:
    table = [b"the literal number %d of a long list" % number for number in range(40)]
    one = b"x = [" + b", ".join(b'"%s"' % text for text in table) + b"]\n"
    other = b"".join(b"f%d(a.b%d, '%s');\n" % (n, n, text) for n, text in enumerate(table))
    made = MemoryIndex("acme")
    made.add("git:acme/app", "table.js", told("table.js", one))
    match = best(made, "x.js", other)
    assert match is not None
    assert match.label is Label.LITERALS
    assert match.level is Level.NOTIFY


def test_a_marker_makes_a_weak_match_strong(index: MemoryIndex) -> None:
    lines = (MODULES / "uglify-js" / "lib" / "parse.js").read_bytes().split(b"\n")
    matcher = Matcher([index])
    for count in range(2, 40):
        content = b"\n".join(lines[800 : 800 + count])
        matches = matcher.match("x.js", told("x.js", content))
        if matches and matches[0].level is Level.WEAK:
            break
    else:
        pytest.fail("no weak match")
    assert max(matches[0].evidence.values()) >= 3
    assert matcher.conclude(matches).files == ()
    (backed,) = matcher.conclude(matches, marked=["acme"]).files
    assert backed.level is Level.ALERT
    assert matcher.conclude(matches, marked=["another"]).files == ()


def lines_of(name: str, first: int, count: int) -> bytes:
    lines = (MODULES / "uglify-js" / "lib" / name).read_bytes().split(b"\n")
    return b"\n".join(lines[first : first + count])


def test_two_views_together_are_enough(index: MemoryIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces too small for either channel are alerts only where these are pooled."""
    matcher = Matcher([index])

    def strongest(first: int) -> FileMatch | None:
        prints = told("x.js", lines_of("ast.js", first, 14))
        return next(iter(matcher.match("x.js", prints)), None)

    found = [(first, match) for first in range(0, 2200, 14) if (match := strongest(first))]
    pooled = [
        first
        for first, match in found
        if match.level is Level.ALERT
        and not match.is_identical
        and match.private_share < MOST_OF_FILE
        and all(count < THRESHOLDS[one].alert for one, count in match.evidence.items())
    ]
    assert len(pooled) > 2
    monkeypatch.setattr("monitor.private_code.pairs.POOLED_CHANNELS", ())
    for first in pooled:
        match = strongest(first)
        assert match is not None
        assert match.level < Level.ALERT


def test_one_table_is_no_alert_however_many_see_it(index: MemoryIndex) -> None:
    """recast and uglify-js have the operators of JavaScript in one order."""
    printer = MODULES / "recast" / "lib" / "fast-path.js"
    match = best(index, "x.js", printer.read_bytes())
    assert match is None or match.level < Level.ALERT


def test_what_else_a_bundle_has_of_a_repository_is_told(index: MemoryIndex) -> None:
    matcher = Matcher([index])
    for count in range(2, 40):
        small = lines_of("parse.js", 800, count)
        alone = matcher.match("x.js", told("x.js", small))
        if alone and alone[0].level is Level.WEAK:
            break
    else:
        pytest.fail("no weak match")
    assert matcher.conclude(alone).files == ()
    bundle = b"\n".join(
        [*(lines_of(name, 40, 160) for name in ("scope.js", "output.js", "compress.js")), small]
    )
    told_of = matcher.conclude(matcher.match("x.js", told("x.js", bundle))).files
    levels = {one.path.rpartition("/")[2]: one.level for one in told_of}
    assert levels["parse.js"] is Level.NOTIFY
    assert levels["scope.js"] is levels["output.js"] is levels["compress.js"] is Level.ALERT


def test_of_a_bundle_s_repository_a_trace_is_enough(index: MemoryIndex) -> None:
    matcher = Matcher([index])
    bundle = b"\n".join(
        lines_of(name, 40, 160) for name in ("scope.js", "output.js", "compress.js")
    )
    for start in range(200, 1500, 25):
        small = lines_of("parse.js", start, 5)
        found = matcher.match("x.js", told("x.js", bundle + b"\n" + small))
        levels = {one.path.rpartition("/")[2]: one for one in found}
        if "parse.js" in levels and not matcher.match("x.js", told("x.js", small)):
            break
    else:
        pytest.fail("nothing that says something in a bundle alone")
    trace = levels["parse.js"]
    assert trace.level is Level.WEAK
    assert 2 <= max(trace.evidence.values()) <= max(one.weak for one in THRESHOLDS.values())
    told_of = matcher.conclude(found).files
    assert {one.path: one.level for one in told_of}[trace.path] is Level.NOTIFY
    assert {one.path.rpartition("/")[2] for one in told_of} == {
        "scope.js", "output.js", "compress.js", "parse.js",
    }  # fmt: skip


def test_paths_of_a_map_tell(index: MemoryIndex) -> None:
    matcher = Matcher([index])
    named = {suffix(f"webpack://app/./{path.relative_to(ROOT)}") for path in OWN}
    assert len(named) > 10
    (match,) = matcher.conclude([], suffixes=named).paths
    assert match.repository == "git:acme/app"
    assert match.level is Level.ALERT
    assert match.share == 1.0
    strange = {f"src/{number}/index.ts" for number in range(40)}
    assert matcher.conclude([], suffixes=strange | set(list(named)[:3])).paths == ()


def test_a_script_full_of_our_words_is_near_whatever_prints_it_has() -> None:
    words = Prints(np.arange(10, dtype=np.uint64), np.zeros(10, np.uint32))
    prints = FilePrints(
        language="javascript", lines=1, tokens=200, content=b"", normal=b"",
        channels={Channel.WORDS: words},
    )  # fmt: skip
    matcher = Matcher([])
    assert matcher.nearness(prints, 800) > matcher.nearness(prints, 801) == 0
    assert matcher.nearness(prints, 0) == 0


def test_every_channel_has_thresholds() -> None:
    assert set(THRESHOLDS) == set(Channel) - {Channel.WORDS}
    for one in THRESHOLDS.values():
        assert 0 < one.weak < one.notify < one.alert
