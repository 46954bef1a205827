"""Keys: published vectors, what a ring takes, what never shows."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.private_code.index import keys
from monitor.private_code.index.keys import Keys, PrintKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ZERO = "00" * 32
# NIST, "The Advanced Encryption Standard Algorithm Validation Suite" (2002), AES-256: KeySbox, and
# VarTxt as far as the last half of the plain text is zero.
VECTORS = [
    ("c47b0294dbbbee0fec4757f22ffeee3587ca4730c3d33b691df38bab076bc558", 0, "46f2fb342d6f0ab4"),
    ("28d46cffa158533194214a91e712fc2b45b518076675affd910edeca5f41ac64", 0, "4bf3b0a69aeb6657"),
    ("c1cc358b449909a19436cfbb3f852ef8bcb5ed12ac7058325f56e6099aab1a1c", 0, "352065272169abf9"),
    (ZERO, 0x80, "ddc6bf790c15760d"),
    (ZERO, 0xC0, "0a6bdc6d4c1e6280"),
]


@pytest.mark.parametrize(("key", "plain", "sealed"), VECTORS)
def test_a_print_is_keyed_by_one_block_of_aes_256(key: str, plain: int, sealed: str) -> None:
    found = PrintKey(bytes.fromhex(key)).apply(np.array([plain], np.uint64))
    assert found.astype("<u8").tobytes().hex() == sealed


@given(prints=st.lists(st.integers(0, (1 << 64) - 1), max_size=50))
def test_a_print_is_keyed_alike_wherever_it_stands(prints: list[int]) -> None:
    key = PrintKey(b"k" * 32)
    whole = key.apply(np.array(prints, np.uint64))
    alone = [int(key.apply(np.array([one], np.uint64))[0]) for one in prints]
    assert whole.tolist() == alone
    assert len(set(alone)) == len(set(prints))


def test_more_prints_than_are_keyed_at_once() -> None:
    prints = np.arange(100_000, dtype=np.uint64)
    found = PrintKey(b"k" * 32).apply(prints)
    assert len(np.unique(found)) == 100_000
    assert np.array_equal(found[70_000:70_010], PrintKey(b"k" * 32).apply(prints[70_000:70_010]))
    assert len(PrintKey(b"k" * 32).apply(prints[::7])) == len(prints[::7])


@given(number=st.integers(0, (1 << 32) - 1))
def test_an_opaque_number_leads_back_with_the_key(number: int) -> None:
    one, other = Keys(b"k" * 32), Keys(b"o" * 32)
    assert one.unblock(one.block(number)) == number
    assert 0 <= one.block(number) < 1 << 32
    assert one.block(number) != other.block(number) or one.block(number + 1) != other.block(
        number + 1
    )


def test_opaque_numbers_tell_no_order() -> None:
    blocks = [Keys(b"k" * 32).block(number) for number in range(1, 400)]
    assert len(set(blocks)) == len(blocks)
    rising = sum(later > before for before, later in itertools.pairwise(blocks))
    assert 150 < rising < 250


def test_each_purpose_and_key_gives_another() -> None:
    one, other = Keys(b"k" * 32), Keys(b"o" * 32)
    assert one.digest(b"d") != other.digest(b"d")
    assert one.suffix("a/b/c") != other.suffix("a/b/c")
    assert one.digest(b"a/b/c") != one.suffix("a/b/c")
    assert one.key_id != other.key_id
    assert one.key_id not in repr(one.prints)
    assert one.prints.secret != b"k" * 32


BAD: Sequence[str] = ("", "  \n", "ab" * 31, "zz" * 32, "not a key", ZERO + "0")


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        keys.parse(text, "private_code.keys.acme")
    assert str(caught.value).startswith("private_code.keys.acme: ")
    assert not text.strip() or text.strip() not in str(caught.value)
    assert caught.value.reason == "index-key"


def test_a_ring_in_both_notations() -> None:
    ring = keys.parse(f"{ZERO}\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\n", "test")
    assert ring[0].key_id == Keys(bytes(32)).key_id
    assert ring[1].key_id == Keys(bytes(31) + b"\x01").key_id


def test_a_key_file_is_for_its_owner_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "acme.key"
    assert keys.make(str(path))
    text = path.read_text(encoding="ascii")
    assert not keys.make(str(path))
    assert path.read_text(encoding="ascii") == text
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(keys.parse(text, "test")) == 1
    assert [file.name for file in path.parent.iterdir()] == ["acme.key"]
    assert keys.read(str(tmp_path / "none")) is None
    (tmp_path / "bad").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="no index key"):
        keys.read(str(tmp_path / "bad"))
