"""The gate: what it lets pass is matched as if all had been read; nothing else is read."""

from __future__ import annotations

import py_compile
import select
import shutil
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from monitor.errors import ConfigError
from monitor.private_code import gate as gate_module
from monitor.private_code.fingerprint import fingerprints
from monitor.private_code.gate import LEAST, MORE_FROM, Gate
from monitor.private_code.index.keys import KEY_BYTES
from monitor.private_code.index.public import Package, PublicPrints
from monitor.private_code.index.word_index import WordIndex
from monitor.private_code.matches import Level
from monitor.private_code.matching import Matcher
from monitor.private_code.partly import read
from monitor.private_code.prints import Channel, Text
from monitor.private_code.taking import Taken
from monitor.private_code.words import pairs
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox, Settings
from monitor.sandbox.protocol import Job, WordsOf
from tests.private_code.keeping import (
    KEYS,
    OTHER_KEYS,
    build,
    commit,
    opened,
    prints_and_words,
    source,
)

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.private_code.index.reader import OpenIndex


def code(seed: str, functions: int = 12) -> str:
    """Some Python, each of whose words has the seed in it."""
    return "".join(
        f"def {seed}settles{number}(first{seed}, {seed}limits):\n"
        f"    total = first{seed}.weigh{seed}{number}({seed}limits, '{seed} message{number}')\n"
        f"    for item in total.rows{seed}{number}:\n"
        f"        item.apply{seed}(limit={number * 37}, ratio{seed}{number}=total)\n"
        f"    return total.sums{seed}() + {seed}limits.offset{seed}{number}\n"
        for number in range(functions)
    )


STRANGER = "".join(code(f"stranger{number}") for number in range(60))
OURS = code("alpha")


@pytest.fixture
def index(tmp_path: Path) -> OpenIndex:
    commit(tmp_path / "app", {"a.py": OURS, "b.py": code("beta")})
    build(tmp_path / "index", source(tmp_path / "app"))
    return opened(tmp_path / "index")


def word_index(index: OpenIndex) -> WordIndex:
    assert index.words_key is not None
    return WordIndex(index.folder, index.words_key, index.told.key_id, index.told.parameters)


def passed(index: OpenIndex, *texts: str) -> list[bool]:
    found = Gate([word_index(index)]).passed([text.encode() for text in texts])
    return [one is not None for one in found]


def test_only_texts_with_something_of_ours_pass(index: OpenIndex) -> None:
    mixed = STRANGER + OURS + STRANGER
    assert passed(index, OURS, STRANGER, "", mixed, code("gamma")) == [
        True, False, False, True, False,
    ]  # fmt: skip


def test_of_a_large_text_the_stretch_around_ours_is_read(index: OpenIndex) -> None:
    text = (STRANGER + OURS + STRANGER).encode()
    (found,) = Gate([word_index(index)]).passed([text])
    assert found is not None
    ((low, high),) = found.stretches
    at = text.index(OURS.encode())
    assert low <= at
    assert at + len(OURS) <= high
    assert high - low < len(text) / 4
    assert text[low - 1 : low] == b"\n"


def test_what_is_read_in_part_is_matched_as_what_is_read_whole(index: OpenIndex) -> None:
    text = Text("bundle.py", (STRANGER + OURS + STRANGER).encode())
    matcher = Matcher([index])
    (whole,) = read([text], None)
    (part,) = read([text], Gate([word_index(index)]))
    assert whole is not None
    assert part is not None
    assert part.coverage < 0.25
    (expected,) = matcher.match(text.path, whole)
    (found,) = matcher.match(text.path, part)
    assert found.level is expected.level is Level.ALERT
    assert (found.path, found.lines) == (expected.path, expected.lines)
    assert found.private_lines == expected.private_lines
    assert found.evidence[Channel.TOKENS] == expected.evidence[Channel.TOKENS]
    assert found.share == pytest.approx(expected.share, abs=0.02)
    assert part.content == part.normal == b""  # identical to nothing


def test_pairs_are_looked_up_a_stretch_at_a_time(
    index: OpenIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate([word_index(index)])
    texts = [(STRANGER + OURS + STRANGER).encode(), code("beta").encode(), STRANGER.encode()]
    large, small, _ = gate.passed(texts)
    monkeypatch.setattr(gate_module, "_AT_ONCE", 40)
    cut = gate.passed(texts)
    assert cut[2] is None
    for before, after in ((large, cut[0]), (small, cut[1])):
        assert before is not None
        assert after is not None
        assert after.words.tolist() == before.words.tolist()
        ((first, last),), ((low, high),) = before.stretches, after.stretches
        assert low <= first < last <= high
        assert high - low < 1.1 * (last - first)


def test_several_stretches_keep_their_lines(index: OpenIndex) -> None:
    text = (STRANGER + OURS + STRANGER + code("beta") + STRANGER).encode()
    (part,) = read([Text("bundle.py", text)], Gate([word_index(index)]))
    assert part is not None
    found = {one.path: one.lines for one in Matcher([index]).match("bundle.py", part)}
    for name, seed in (("a.py", "alpha"), ("b.py", "beta")):
        first = text[: text.index(code(seed).encode())].count(b"\n") + 1
        assert first <= found[name][0][0] <= first + 3


def test_a_small_text_passes_with_half_of_its_few_words(index: OpenIndex) -> None:
    some = "firstalpha.weighalpha1, stranger7, another7, further7"
    assert pairs([some.encode()]).counts.tolist() == [4]
    assert passed(index, "firstalpha.weighalpha1", some) == [True, False]


def test_a_pair_that_is_repeated_counts_once(index: OpenIndex) -> None:
    again = "firstalpha.weighalpha1; strange7 "
    assert passed(index, again * 20) == [False]


def test_what_everybody_has_opens_no_gate(index: OpenIndex) -> None:
    learn(index, OURS)
    assert passed(index, OURS, code("beta")) == [False, True]


def learn(index: OpenIndex, text: str) -> None:
    """Everybody has this: two publishers that know nothing of each other published it."""
    with PublicPrints(index) as public:
        for name in ("one", "two"):
            prints = [one for one in prints_and_words([("x.py", text.encode())]) if one]
            public.learn(Package(name=f"npm:{name}", publishers=frozenset({name})), prints)
        public.publish()


def test_in_a_small_text_what_others_have_stands_behind_one_pair_of_ours(index: OpenIndex) -> None:
    words = OURS.split("\n    for ")[1]
    learn(index, words)
    gap = " ".join(f"stranger{number}7" for number in range(40))
    single = f"{gap} firstalpha.weighalpha11 {gap} "
    assert passed(index, words, single, single + words) == [False, False, True]
    large = " ".join(f"stranger{number}7" for number in range(MORE_FROM[0]))
    assert passed(index, single + words + large) == [False]


@pytest.mark.parametrize("more", range(len(MORE_FROM) + 1))
def test_the_larger_a_text_the_more_has_to_be_ours(index: OpenIndex, more: int) -> None:
    size = (0, *MORE_FROM)[more]
    around = " ".join(f"stranger{number}7" for number in range(size + 50))
    starts = pairs([OURS.encode()]).starts.tolist()
    for count in (LEAST + more - 1, LEAST + more):
        # So many pairs of ours are in so many words and one.
        part = OURS[starts[3] : starts[3 + count + 1]].rstrip()
        found = pairs([part.encode()]).counts.tolist()
        assert found == [count]
        assert passed(index, f"{around} {part} {around}") == [count == LEAST + more]


def test_an_open_gate_takes_up_what_is_put_in_force(tmp_path: Path, index: OpenIndex) -> None:
    gate = Gate([word_index(index)])
    text = code("delta").encode()
    assert gate.passed([text]) == [None]
    commit(tmp_path / "app", {"d.py": code("delta")})
    build(tmp_path / "index")
    gate.refresh()
    assert gate.passed([text])[0] is not None


def test_an_index_that_was_made_otherwise_is_not_asked(tmp_path: Path, index: OpenIndex) -> None:
    asked = word_index(index)
    shutil.rmtree(tmp_path / "index")
    build(tmp_path / "index", source(tmp_path / "app"), keys=(OTHER_KEYS,))
    with pytest.raises(ConfigError) as caught:
        asked.refresh()
    assert caught.value.reason == "index-key"


def test_without_its_index_the_sandbox_reads_all(tmp_path: Path, index: OpenIndex) -> None:
    words = index.words_key
    assert words is not None
    told = index.told
    settings = Settings(
        rule_folders=(bundled_rules_folder(),),
        cache_folder=str(tmp_path / "cache"),
        has_prints=True,
        words=(WordsOf(index.folder, words, told.key_id, told.parameters),),
    )
    (tmp_path / "ours.py").write_text(OURS)
    (tmp_path / "theirs.py").write_text(code("theirs"))
    files = [(str(tmp_path / name), name) for name in ("ours.py", "theirs.py")]

    def taken(sandbox: Sandbox) -> list[str]:
        run = sandbox.submit(Job(tuple(files)))
        while (outcome := run.advance()) is None:
            select.select([run], [], [])
        assert outcome.prints is not None
        return [one.path for one in msgspec.msgpack.decode(outcome.prints, type=Taken).files]

    with Sandbox(settings) as sandbox:
        assert taken(sandbox) == ["ours.py"]
        shutil.rmtree(tmp_path / "index")
        assert taken(sandbox) == ["ours.py", "theirs.py"]


def test_the_key_of_the_words_opens_nothing_else(index: OpenIndex) -> None:
    asked = word_index(index)
    (prints,) = prints_and_words([("a.py", OURS.encode())])
    assert prints is not None
    assert len(asked.words(prints.channels[Channel.WORDS].hashes).query)
    for channel, one in prints.channels.items():
        if channel is not Channel.WORDS:
            assert not len(asked.words(one.hashes).query)
            assert len(index.lookup(one.hashes).query)
    assert not len(index.lookup(prints.channels[Channel.WORDS].hashes).query)
    other = WordIndex(index.folder, b"x" * KEY_BYTES, index.told.key_id, index.told.parameters)
    assert not len(other.words(prints.channels[Channel.WORDS].hashes).query)
    assert KEYS.words.secret not in (KEYS.prints.secret, b"k" * KEY_BYTES)
    shown = repr(WordsOf("/index", KEYS.words.secret, KEYS.key_id, "made"))
    assert shown == "WordsOf(/index)"


def test_without_a_gate_all_is_read_and_bytecode_always(tmp_path: Path, index: OpenIndex) -> None:
    (tmp_path / "s.py").write_text(code("stranger0"))
    compiled = py_compile.compile(str(tmp_path / "s.py"), cfile=str(tmp_path / "s.pyc"))
    assert compiled
    texts = [Text("s.pyc", (tmp_path / "s.pyc").read_bytes()), Text("s.py", code("s").encode())]
    assert [_shown(one) for one in read(texts, None)] == [_shown(x) for x in fingerprints(texts)]
    gated = read(texts, Gate([word_index(index)]))
    assert gated[1] is None
    assert _shown(gated[0]) == _shown(fingerprints(texts)[0])


def _shown(prints: object) -> str:
    with np.printoptions(threshold=100_000):
        return repr(prints)
