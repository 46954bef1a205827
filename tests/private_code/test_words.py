"""Pairs of words: as a regular expression finds them, however texts are put together and cut."""

from __future__ import annotations

import py_compile
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.private_code import words
from monitor.private_code.fingerprint import fingerprints
from monitor.private_code.prints import Channel, Text
from monitor.private_code.words import pairs, with_words

if TYPE_CHECKING:
    import pytest

_WORD = re.compile(rb"[A-Za-z0-9]{6,}")
_TEXT = st.lists(
    st.sampled_from(
        [b"account", b"ledger7", b"beacon", b"short", b" ", b".", b"\n", b"\0", b"\xff", b"_"]
    ),
    max_size=40,
).map(b"".join)


def plain(text: bytes) -> list[tuple[int, bytes]]:
    """Every word, with where it begins; none of these is too common to count."""
    return [(found.start(), found.group()) for found in _WORD.finditer(text)]


@given(st.lists(_TEXT, max_size=6))
def test_they_are_the_neighbouring_words_of_each_text(texts: list[bytes]) -> None:
    found = pairs(texts)
    assert len(found.counts) == len(texts)
    edges = np.concatenate([[0], np.cumsum(found.counts)]).tolist()
    assert edges[-1] == len(found.hashes) == len(found.starts)
    for number, text in enumerate(texts):
        own = slice(edges[number], edges[number + 1])
        assert found.starts[own].tolist() == [start for start, _ in plain(text)[:-1]]
        assert found.hashes[own].tolist() == pairs([text]).hashes.tolist()


@given(st.binary(max_size=300))
def test_any_bytes_have_some(content: bytes) -> None:
    found = pairs([content, b"", content])
    assert found.counts[0] == found.counts[2]
    assert found.counts[0] <= max(0, len(plain(content)) - 1)


def test_other_words_another_order_and_another_length_are_other_pairs() -> None:
    texts = [b"account ledger", b"ledger account", b"account ledgers", b"accounts ledger"]
    texts += [b"ledger " + b"isObservableMap"[:size] for size in range(6, 15)]
    texts += [b"ledger isObservableSet", b"ledger isObservAbleMap"]
    assert len(set(pairs(texts).hashes.tolist())) == len(texts)
    assert pairs([b"account.ledger"]).hashes.tolist() == pairs([b"account ledger"]).hashes.tolist()


def test_what_every_text_has_stands_between_words_and_is_none() -> None:
    between = b"account function return ledger"
    assert pairs([between]).hashes.tolist() == pairs([b"account ledger"]).hashes.tolist()


def test_a_large_text_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    line = b"account.ledger(balance)\n"
    text = line * 100
    whole = pairs([text])
    monkeypatch.setattr(words, "_AT_ONCE", 10 * len(line))
    cut = pairs([b"before words", text, b"behind words"])
    assert cut.counts.tolist() == [0, len(whole.hashes), 0]
    assert cut.hashes.tolist() == whole.hashes.tolist()
    assert cut.starts.tolist() == whole.starts.tolist()


def test_an_index_has_the_words_of_all_forms_and_none_of_bytecode(tmp_path: Path) -> None:
    forms = (b"let account = ledger1.balance()", b"let a=ledger1.balance(extra2)")
    text = Text("a.js", *forms)
    compiled = Text("a.pyc", marshalled(tmp_path))
    plainly, other, nothing = with_words(
        [text, compiled, text], [*fingerprints([text, compiled]), None]
    )
    assert plainly is not None
    assert other is not None
    kept = plainly.channels[Channel.WORDS].hashes.tolist()
    assert kept == list(dict.fromkeys(pairs(forms).hashes.tolist()))
    assert Channel.WORDS not in other.channels
    assert nothing is None


def marshalled(folder: Path) -> bytes:
    """Real bytecode, whose names are words."""
    (folder / "a.py").write_text("def balance(account, ledger1):\n    return account.balance\n")
    return Path(py_compile.compile(str(folder / "a.py"), doraise=True) or "").read_bytes()
