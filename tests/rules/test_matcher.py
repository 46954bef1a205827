from __future__ import annotations

import itertools
import json
import mmap
import random
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.rules import matcher as matcher_module
from monitor.rules import work
from monitor.rules.cache import bundled_rules_folder, compiled
from monitor.rules.confirm import engine as confirming
from monitor.rules.dialect import to_python
from monitor.rules.loader import load
from tests.rules.writing import matcher, rule, write

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.rules import Match, Matcher

TOKEN = "acme_" + "k3JdfR8xQ1zPw7Lm2VbN"
ACME = r"(?<![A-Za-z0-9_])(?P<SECRET>acme_[A-Za-z0-9]{20})(?![A-Za-z0-9])"

EXPRESSIONS = (
    ACME,
    r"ab{2,5}c",
    r"a[bc]{1,3}?d",
    r"(?:a|bc)+d",
    r"^key=\w{1,8}$",
    r"(?i)secret[ :=]{1,3}(\w{3,9})",
    r"(?i:k)ey\s*=\s*['\"](?P<SECRET>[^'\"]{1,9})['\"]",
    r"\w{0,4}-end",
    r"[a-c]{3}",
    r"(a|b)\1c",
    r"x(?=ab)",
    r"(?<=b)c+",
    r"a++b",
    r"(?>ab|a)c",
    r"ab(?!c)",
    r"(?:ab)?cd?",
    r"(?:ab|)c",
    r"[^a]b$",
    r"a.{0,5}b",
    r"(?s)a.{0,5}b",
    r"-----BEGIN-----[\s\S]{1,40}?-----END-----",
    r"//[a-z]{1,8}:[^@/]{1,9}@",
    r"(?<!a|bc)d",
    r"c(?i)B|A{2}",
    r"(?P<Q>['\"])ab(?P=Q)",
    r"abab",
    r"b\Z",
    r"a(?=[\s\S]{0,3}d)",
)
FRAGMENTS = (
    "a", "b", "c", "d", "ab", "abc", "bb", " ", "\n", "\r\n", "=", "key=", "Key = ", "'", '"', "x",
    "secret: ", "SECRET=", "-end", "-----BEGIN-----", "-----END-----", "//user:", "@", "é", "A",
    TOKEN, "_", "acme_", "\0", "\xff",
)  # fmt: skip


def spans(matches: list[Match]) -> set[tuple[str, int, int]]:
    return {(one.rule.id, one.start, one.end) for one in matches if not one.decoded}


def by_force(pattern: str, text: bytes) -> set[tuple[int, int]]:
    """What the expression finds over the whole text by itself."""
    try:
        engine: Any = re.compile(to_python(pattern).encode(), re.MULTILINE)
    except re.error:
        engine = regex.compile(to_python(pattern).encode(), regex.MULTILINE)
    return {found.span() for found in engine.finditer(text)}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    rules = [rule(pattern, id=f"r{at}") for at, pattern in enumerate(EXPRESSIONS)]
    return matcher(tmp_path_factory.mktemp("rules"), *rules)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))
def test_finds_what_every_expression_finds_by_itself(many: Matcher, text: str) -> None:
    content = text.encode("latin-1")
    expected = {
        (f"r{at}", *span)
        for at, pattern in enumerate(EXPRESSIONS)
        for span in by_force(pattern, content)
    }
    assert spans(many.scan_all(content)) == expected


@pytest.mark.parametrize("seed", range(5))
def test_the_bundled_rules_find_what_their_expressions_find(bundled: Matcher, seed: int) -> None:
    randomly = random.Random(seed)
    rules = load([bundled_rules_folder()]).rules
    plain = [one for one in rules if not one.include and not one.exclude]
    fragments = [example.text for one in plain for example in one.metadata.match]
    text = _mangled(randomly.choices(fragments, k=120), randomly).encode()
    found = spans(bundled.scan_all(text))
    total = 0
    for one in plain:
        [branch, *others] = one.branches
        if others or len(branch.expressions) > 1 or branch.excluded or branch.conditions:
            continue
        expected = by_force_compiled(branch.expressions[0].pattern, text)
        if not branch.focus:
            assert {(a, b) for name, a, b in found if name == one.id} == expected, one.id
            total += len(expected)
    assert total > 50


def by_force_compiled(pattern: str, text: bytes) -> set[tuple[int, int]]:
    return {found.span() for found in confirming(pattern).finditer(text)}


def _mangled(fragments: list[str], randomly: random.Random) -> str:
    """Texts cut, doubled and joined at random places; without backslashes, which are read twice."""
    parts = []
    for fragment in fragments:
        cut = randomly.randrange(len(fragment)) if randomly.random() < 0.3 else len(fragment)
        parts.append(fragment[:cut] + randomly.choice(["\n", " ", "", '"', ";", fragment[cut:]]))
    return "".join(parts).replace("\\", "")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000), st.lists(st.sampled_from(["\\", "u00", '"', TOKEN, "AKIA"])))
def test_no_bytes_can_make_it_fail(bundled: Matcher, noise: bytes, parts: list[str]) -> None:
    content = noise[:1000] + "".join(parts).encode() + noise[1000:]
    for match in bundled.scan(content):
        assert 0 <= match.start <= match.secret_start <= match.secret_end <= match.end
        assert match.end <= len(content)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_token_behind_escapes_is_found_where_it_stands(tmp_path: Path, levels: int) -> None:
    found_by = matcher(tmp_path, rule(ACME))
    text = f"first\n{TOKEN}\ttail"
    for _ in range(levels):
        text = json.dumps({"sourcesContent": ["a\\b", text]})
    [found] = found_by.scan(text.encode())
    assert text[found.secret_start : found.secret_end] == TOKEN
    assert found.secret.decode() == TOKEN
    assert found.decoded == ("json-escape",) * levels


@pytest.mark.parametrize(
    ("pattern", "text", "secret"),
    [
        (r'key="(?P<SECRET>\w+)"', r"""{"a":"key=\"abc\""}""", "abc"),
        (r"sig=(?P<SECRET>[a-z/+]{6})&", r'"sig\u003dab\/c\u002Bd\u0026x"', "ab/c+d"),
        (r"sig=(?P<SECRET>[a-z/+]{6})&", r"'sig\x3dab\x2fc+d\x26x'", "ab/c+d"),
        (r"^pass\n(?P<SECRET>\w+)$", r'"a\npass\nsesame\nb"', "sesame"),
        (r"^pass=(?P<SECRET>\w+)$", '{"a":"pass=sesame"}', "sesame"),
        (r"(?P<SECRET>https://[a-z.]+/T\w{3})", r'"https:\/\/acme.example\/Tabc"', None),
    ],
)
def test_escaped_punctuation_is_undone(
    tmp_path: Path, pattern: str, text: str, secret: str | None
) -> None:
    [found] = matcher(tmp_path, rule(pattern)).scan_all(text.encode())
    assert found.secret.decode() == (secret or "https://acme.example/Tabc")
    assert found.decoded


def test_what_is_wanted_is_compiled_once_whatever_is_written_there(tmp_path: Path) -> None:
    acme, other = rule(ACME), rule(r"other_[a-z]{12}", id="other")
    tested = matcher(tmp_path, acme, other)
    assert tested.prepare() == 0
    assert [match.rule.id for match in tested.scan(f"a = '{TOKEN}'".encode())] == ["acme"]
    assert bytes(tested.wanted) == b"\1\0"
    assert tested.prepare() == 0
    tested.wanted[:] = b"\xff\x7f"
    assert tested.prepare() == 1
    assert [match.rule.id for match in tested.scan(f"a = '{TOKEN}'".encode())] == ["acme"]


def test_reads_any_buffer(tmp_path: Path) -> None:
    found_by = matcher(tmp_path, rule(ACME))
    content = f"x = '{TOKEN}'".encode()
    with mmap.mmap(-1, len(content)) as mapped:
        mapped[:] = content
        for buffer in (content, memoryview(content), memoryview(b"__" + content)[2:], mapped):
            [found] = found_by.scan(buffer)
            assert (found.start, found.secret) == (5, TOKEN.encode())
            assert isinstance(found.secret, bytes)
    assert found_by.scan(b"") == []


def test_probes_tell_where_readers_of_formats_look(many: Matcher) -> None:
    text = b'{"version":3,"mappings" :"AAAA"}\n//# sourceMappingURL=a.map\n'
    many.scan(text)
    assert many.probe_hits == {
        "map-json": [text.index(b":", 12) + 1],
        "source-map-url": [text.index(b"=") + 1],
    }
    many.scan(b"")
    assert many.probe_hits == {}


def test_the_more_specific_rule_wins(tmp_path: Path) -> None:
    found_by = matcher(
        tmp_path,
        rule(r"url=(?P<SECRET>\w+)", id="unsure", metadata={"confidence": "low"}),
        rule(r"url=(?P<SECRET>[a-z]\w+);", id="sure", metadata={"confidence": "high"}),
        rule(r"\w+=(?P<SECRET>\w+);?", id="any", metadata={"confidence": "high", "generic": True}),
        rule(r"(?P<SECRET>=se\w+)", id="around", metadata={"generic": True}),
    )
    everything = {one.rule.id for one in found_by.scan_all(b"url=sesame;")}
    assert everything == {"any", "sure", "unsure", "around"}
    assert [one.rule.id for one in found_by.scan(b"url=sesame;")] == ["sure"]
    assert [one.rule.id for one in found_by.scan(b"uri=sesame;")] == ["any", "around"]


def test_paths_choose_members(tmp_path: Path) -> None:
    found_by = matcher(
        tmp_path, rule(ACME, paths={"include": ["*.env", "/conf/**/*.ini"], "exclude": ["b.env"]})
    )
    text = TOKEN.encode()
    for path in (".env", "a.tgz!/package/x/a.env", "conf/a.ini", "a.zip!/package/conf/x/y/a.ini"):
        assert found_by.scan(text, path), path
    for path in ("", "b.env", "a.env!/package/a.js", "x/y/conf/a.ini", "a.envy"):
        assert not found_by.scan(text, path), path


def test_known_examples_and_dull_values_are_quiet(tmp_path: Path) -> None:
    known = {"known_examples": [TOKEN], "entropy": 3.0}
    found_by = matcher(tmp_path, rule(ACME, metadata=known))
    other = "acme_" + "Zk9q2XbN7cT5yH0gS4uA"
    dull = "acme_" + "abababaabbababaababa"
    text = f"{TOKEN} {other} {dull}".encode()
    assert [one.secret.decode() for one in found_by.scan(text)] == [other]
    assert len(found_by.scan_all(text)) == 3


def test_too_many_matches_are_said(tmp_path: Path) -> None:
    found_by = matcher(tmp_path, rule(ACME))
    text = b" ".join(b"acme_%020d" % number for number in range(1500))
    assert len(found_by.scan_all(text)) == work.MAX_MATCHES
    assert found_by.capped == {"acme": "over-matches"}
    found_by.scan_all(b"")
    assert found_by.capped == {}


def test_more_hits_than_are_kept_at_once_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_by = matcher(tmp_path, rule(r"[ab]{3}c"), rule(r"x[0-9]{2,9}y", id="other"))
    text = "".join(random.Random(7).choices("abcxy0123", k=30_000)).encode()
    monkeypatch.setattr(work, "MAX_MATCHES", 10**6)
    whole = spans(found_by.scan_all(text))
    assert len(whole) > 100
    monkeypatch.setattr(matcher_module, "MAX_HITS", 20)
    monkeypatch.setattr(matcher_module, "TINY", 64)
    assert spans(found_by.scan_all(text)) == whole


HOSTILE = {
    "one byte": b"a" * (4 << 20),
    "backslashes": b"\\" * (4 << 20),
    "almost tokens": (b"acme_" + b"a" * 20 + b"b ") * 150_000,
    "tokens behind escapes": (b"\\nacme_" + b"a" * 20 + b"b ") * 100_000,
    "openings": b"-----BEGIN RSA PRIVATE KEY-----\\n" * 120_000,
    "quotes": b'password="' * 400_000,
    "addresses": b"postgres://u:p" * 300_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_bounded_work(bundled: Matcher, name: str) -> None:
    before = time.process_time()
    bundled.scan(HOSTILE[name])
    assert time.process_time() - before < 20


def test_an_open_expression_cannot_read_the_member_again_and_again(tmp_path: Path) -> None:
    found_by = matcher(tmp_path, rule(r"begin(?=[\s\S]*end)"))
    before = time.process_time()
    found_by.scan(b"begin " * 200_000)
    assert time.process_time() - before < 20
    assert found_by.capped == {"acme": "over-work"}


def test_compiled_rules_are_the_written_ones(tmp_path: Path) -> None:
    folder = write(tmp_path / "rules", rule(ACME))
    found_by = compiled([str(folder)])
    assert [one.id for one in found_by.rules] == ["acme"]
    assert [one.end for one in found_by.scan(TOKEN.encode())] == [25]


def test_many_alternatives_are_one_rule(tmp_path: Path) -> None:
    found_by = matcher(
        tmp_path,
        rule(
            pattern_either=[{"pattern-regex": f"{a}{b}x"} for a, b in itertools.product("ab", "cd")]
        ),
    )
    assert [one.start for one in found_by.scan(b"acx bdx adx")] == [0, 4, 8]
