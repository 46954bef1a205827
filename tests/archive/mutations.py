"""Sound files made hostile, and what a walk over them gives."""

from __future__ import annotations

from hypothesis import strategies as st

from monitor.archive import Budget, Limits, Trail, walk

Opened = tuple[dict[str, bytes], Trail]

_EXTREMES = (b"", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(8))
LIMITS = Limits(max_bytes=64 << 20, ratio_grace_bytes=4 << 20)


def opened(path: str, raw: bytes) -> Opened:
    """Every member by path, and the trail."""
    trail = Trail()
    members: dict[str, bytes] = {}
    for member in walk(path, raw, Budget(LIMITS), trail):
        members[member.path] = members.get(member.path, b"") + bytes(member.data)
    return members, trail


def mutated(whole: bytes) -> st.SearchStrategy[bytes]:
    """``whole`` with some bytes changed, a number blown up, a piece cut out, or cut short."""
    size = len(whole)
    places = st.integers(0, size - 1)
    return st.builds(
        _mutate,
        st.just(whole),
        patches=st.lists(st.tuples(places, st.integers(0, 255)), max_size=5),
        extreme=st.tuples(places, st.sampled_from(_EXTREMES)),
        cut=st.tuples(places, st.integers(0, 40) | st.just(0)),
        end=st.integers(0, size) | st.just(size),
    )


def _mutate(
    whole: bytes,
    *,
    patches: list[tuple[int, int]],
    extreme: tuple[int, bytes],
    cut: tuple[int, int],
    end: int,
) -> bytes:
    raw = bytearray(whole)
    for at, byte in patches:
        raw[at] = byte
    at, blown = extreme
    raw[at : at + len(blown)] = blown
    del raw[cut[0] : cut[0] + cut[1]]
    return bytes(raw[:end])
