"""What the pipeline tells of long work, to whoever wants to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Progress(Protocol):
    """Told by the pipeline as it goes."""

    def fetching(self, name: str) -> Callable[[int, int | None], None]:
        """A download begins; call the result with bytes done and bytes in all (None: unknown)."""

    def expect(self, subjects: int) -> None:
        """So many more subjects are to be inspected."""

    def inspected(self, name: str) -> None:
        """One subject is done."""


class Silent:
    """Nobody looks."""

    def fetching(self, name: str) -> Callable[[int, int | None], None]:
        """As Progress."""
        del name
        return lambda _done, _total: None

    def expect(self, subjects: int) -> None:
        """As Progress."""

    def inspected(self, name: str) -> None:
        """As Progress."""
