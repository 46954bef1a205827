"""Segments against a dict: what was written is found, with everything else left out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.private_code.index import layout, merge
from monitor.private_code.index.segment import MOST_PLACES, Segment, SegmentWriter

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.private_code.prints import Hashes, Numbers

Model = dict[int, dict[int, int]]

BITS = layout.FULL_BITS
STEP = 1 << (64 - BITS)
# Few different values, so that prints repeat; and neighbours, which share their prefix.
HASH = st.one_of(
    st.integers(0, 40).map(lambda number: number * STEP),
    st.integers((1 << BITS) - 40, (1 << BITS) - 1).map(lambda number: number * STEP),
    st.integers(0, (1 << BITS) - 1).map(lambda number: number * STEP),
)
BATCH = st.lists(st.tuples(HASH, st.integers(1, 9), st.integers(1, 1000)), max_size=60)


def arrays(batch: list[tuple[int, int, int]]) -> tuple[Hashes, Numbers, Numbers]:
    return (
        np.array([one[0] for one in batch], np.uint64),
        np.array([one[1] for one in batch], np.uint32),
        np.array([one[2] for one in batch], np.uint32),
    )


def note(model: Model, batch: list[tuple[int, int, int]]) -> None:
    """A batch is given newest first: the first of equal postings counts."""
    for key, file, line in reversed(batch):
        model.setdefault(key, {})[file] = line


def find(segment: Segment, keyed: Hashes) -> tuple[Numbers, Numbers, Numbers]:
    hashes = layout.cut(keyed, segment.layout.hash_bits)
    return segment.find(hashes, layout.mask(hashes))


def found(segment: Segment, keys: list[int]) -> Model:
    model: Model = {}
    for query, file, line in zip(*find(segment, np.array(keys, np.uint64)), strict=True):
        assert int(file) not in model.setdefault(keys[int(query)], {})
        model[keys[int(query)]][int(file)] = int(line)
    return model


@settings(max_examples=60, deadline=None)
@given(batches=st.lists(BATCH, min_size=1, max_size=5), others=st.lists(HASH, max_size=30))
def test_merged_segments_answer_as_a_dict_does(
    batches: list[list[tuple[int, int, int]]],
    others: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, model = tmp_path_factory.mktemp("segments"), Model()
    segments = []
    for number, batch in enumerate(batches):
        path = str(folder / f"{number}.segment")
        own = Model()
        note(own, batch)
        note(model, batch)
        assert merge.write(path, arrays(batch), BITS) == sum(map(len, own.values()))
        segments.append(Segment(path))
        assert found(segments[-1], list({*own, *others})) == own
    path = str(folder / "whole.segment")
    assert merge.merge(path, segments[::-1], BITS) == sum(map(len, model.values()))
    assert found(Segment(path), list({*model, *others})) == model


@settings(max_examples=30, deadline=None)
@given(batch=BATCH, gone=st.sets(st.integers(1, 9), min_size=1))
def test_dropped_files_are_gone(
    batch: list[tuple[int, int, int]], gone: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, model = tmp_path_factory.mktemp("segments"), Model()
    merge.write(str(folder / "one"), arrays(batch), BITS)
    merge.merge(str(folder / "two"), [Segment(str(folder / "one"))], BITS, dropped=gone)
    note(model, [one for one in batch if one[1] not in gone])
    assert found(Segment(str(folder / "two")), list({one[0] for one in batch})) == model


WIDTHS = [(0, 1), (1, 1), (200_000, 200_000), (200_000, 1 << 22)]


@pytest.mark.parametrize(("entries", "bound"), WIDTHS)
@pytest.mark.parametrize("bits", [layout.FULL_BITS, 40])
def test_every_width_of_a_record_finds_what_it_holds(
    entries: int, bound: int, bits: int, tmp_path: Path
) -> None:
    """From four million postings on a record is narrower and the table wider."""
    rng = np.random.default_rng(entries)
    hashes = layout.cut(rng.integers(0, 1 << 63, entries, np.uint64) << np.uint64(1), bits)
    files = rng.integers(1, 1000, entries).astype(np.uint32)
    lines = rng.integers(1, 60_000, entries).astype(np.uint32)
    path = str(tmp_path / "segment")
    writer = SegmentWriter(path, bound, bits)
    writer.append(*merge.ordered(hashes, files, lines))
    assert writer.finish() == len({*zip(hashes.tolist(), files.tolist(), strict=True)})
    segment = Segment(path)
    queries, got, at = find(segment, hashes[:20_000])
    pairs = set(zip(queries.tolist(), got.tolist(), at.tolist(), strict=True))
    expected = enumerate(zip(files[:20_000].tolist(), lines[:20_000].tolist(), strict=True))
    missing = [1 for row, (file, line) in expected if (row, file, line) not in pairs]
    assert len(missing) <= entries * 20_000 / (1 << bits)  # two prints that agree in what is kept
    strangers = rng.integers(0, 1 << 63, 50_000, np.uint64) << np.uint64(1)
    assert len(find(segment, strangers)[0]) <= 5 + 50_000 * entries * 2 / (1 << bits)
    whole = np.concatenate([segment.read(*piece)[0] for piece in merge.ranges(entries, 30_000)])
    assert np.array_equal(np.unique(whole), np.unique(hashes))


def test_a_common_print_is_capped_by_its_first_files(tmp_path: Path) -> None:
    files = np.arange(1, 5 * MOST_PLACES, dtype=np.uint32)
    hashes = np.full(len(files), 7 * STEP, np.uint64)
    merge.write(str(tmp_path / "s"), (hashes, files[::-1].copy(), files), BITS)
    query, got, _ = find(
        Segment(str(tmp_path / "s")), np.array([9, 7], np.uint64) * np.uint64(STEP)
    )
    assert query.tolist() == [1] * MOST_PLACES
    assert got.tolist() == list(range(1, MOST_PLACES + 1))


@pytest.mark.parametrize("is_young", [True, False])
def test_merges_keep_a_handful_of_segments_and_rewrite_little(*, is_young: bool) -> None:
    sizes, written = [50_000], 0
    for _ in range(1000):
        sizes.insert(len(sizes) if is_young else 0, 100)
        if run := merge.due(sizes):
            merged = sum(sizes[run])
            assert len(sizes[run]) > 1
            written += merged
            sizes[run] = [merged]
        assert len(sizes) <= merge.MOST_SEGMENTS
    assert sum(sizes) == 150_000
    assert written < 8 * 100_000


@settings(max_examples=80, deadline=None)
@given(cut=st.integers(0, 4096 * 6), byte=st.integers(0, 255), is_cut=st.booleans())
def test_a_damaged_file_is_refused_or_answers_within_itself(
    *, cut: int, byte: int, is_cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("damage") / "s"
    rng = np.random.default_rng(1)
    hashes = rng.integers(0, 1 << 63, 300, np.uint64) << np.uint64(1)
    merge.write(str(path), (hashes, np.ones(300, np.uint32), np.ones(300, np.uint32)), BITS)
    whole = bytearray(path.read_bytes())
    cut %= len(whole)
    if is_cut:
        del whole[cut:]
    else:
        whole[cut] = byte
    path.write_bytes(whole)
    with contextlib.suppress(ConfigError):
        segment = Segment(str(path))
        find(segment, hashes)
        segment.read(0, 1 << 64)
