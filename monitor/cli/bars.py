"""The progress bars themselves (rich)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TransferSpeedColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAME_WIDTH = 44


class Bars:
    """One line for the inspection and one for every running download."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._inspection = Progress(
            SpinnerColumn(),
            TextColumn("inspecting"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
        )
        self._downloads = Progress(
            SpinnerColumn(),
            TextColumn("fetching {task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._inspection.add_task("", total=0)
        self._expected = 0
        group = Group(self._downloads, self._inspection)
        self._display = Live(group, console=console, transient=True)

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def fetching(self, name: str) -> Callable[[int, int | None], None]:
        """A bar for one download, gone when it is done."""
        task = self._downloads.add_task(escape(_short(name)), total=None)

        def advance(done: int, total: int | None) -> None:
            if total is not None and done >= total:
                self._downloads.update(task, visible=False)
            self._downloads.update(task, completed=done, total=total)

        return advance

    def expect(self, subjects: int) -> None:
        """So many more in the inspection's bar."""
        self._expected += subjects
        self._inspection.update(self._task, total=self._expected)

    def inspected(self, name: str) -> None:
        """One step of the inspection's bar."""
        self._inspection.update(self._task, advance=1, description=escape(_short(name)))


class Reading:
    """One line for the files that are read into an index."""

    def __init__(self, *, is_shown: bool) -> None:
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[stage]}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
            disable=not is_shown,
        )
        self._expected = 0
        self._task = self._bars.add_task("", total=0, stage="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def stage(self, text: str) -> None:
        """What is being done now."""
        self._bars.update(self._task, stage=escape(_short(text)), description="")

    def expect(self, files: int) -> None:
        """So many more in the bar."""
        self._expected += files
        self._bars.update(self._task, total=self._expected)

    def advance(self, path: str) -> None:
        """One step of the bar."""
        self._bars.update(self._task, advance=1, description=escape(_short(path)))


def _short(name: str) -> str:
    """A name that keeps its telling end within the line, without control characters."""
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return printable if len(printable) <= NAME_WIDTH else "…" + printable[1 - NAME_WIDTH :]
