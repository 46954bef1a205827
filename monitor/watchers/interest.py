"""What a backfill looks for: a feed can be read on from a position, the past only by name."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


def _everything(_name: str) -> bool:
    return True


class Interest(Struct, frozen=True, kw_only=True):
    """The names to look at, and how to find more of them.

    ``names`` are known (tracked, or written out in the configuration); ``scopes`` (``@acme``) and
    ``maintainers`` are searched for where the registry has a search; what fits ``globs`` is found
    by listing, and ``is_ours`` sorts that.
    """

    names: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    maintainers: frozenset[str] = frozenset()
    globs: frozenset[str] = frozenset()
    is_ours: Callable[[str], bool] = _everything
