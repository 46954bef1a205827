"""Where reports go: standard output or files, several at once, whole or not at all."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from monitor.cli import streams
from monitor.errors import UsageError
from monitor.report import FORMATS, RenderOptions, render, stream_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.model import ScanReport


class Output(Struct, frozen=True):
    """One report: its format and its file (None: standard output)."""

    format: str
    path: str | None

    def write(self, report: ScanReport, options: RenderOptions, environ: Mapping[str, str]) -> None:
        """Render and write. A file appears only when it is complete."""
        if self.path is None:
            width, colour, encoding = stream_options(sys.stdout, environ)
            options = structs.replace(options, width=width, colour=colour, encoding=encoding)
            _print(render(self.format, report, options))
            return
        text = render(self.format, report, options)
        try:
            _replace(self.path, text)
        except OSError as error:
            raise UsageError(
                f"--output {self.path}: cannot be written ({error.strerror})"
            ) from error


def _print(text: str) -> None:
    """Onto standard output. That its reader has gone (head, less) changes nothing of the answer."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        streams.detach()
    except OSError as error:
        streams.detach()
        raise UsageError(f"standard output: cannot be written ({error.strerror})") from error


def planned(formats: Sequence[str] | None, paths: Sequence[str] | None) -> list[Output]:
    """Formats and files paired by position, told wrong before any work is done.

    One format more than files goes to standard output; with files alone their endings decide.
    """
    names, files = list(formats or ()), list(paths or ())
    if not names:
        names = [_by_ending(path) for path in files] or ["table"]
    # The README's example: `--format table --format sarif --output x.sarif` shows the table.
    places: list[str | None] = [None] * (len(names) - len(files)) + [*files]
    if len(files) > len(names):
        raise UsageError("--output: more files than --format; name a format for each")
    if places.count(None) + places.count("-") > 1:
        raise UsageError("--format: only one report can go to standard output; add --output FILE")
    for path in files:
        folder = os.path.dirname(path) or "."
        if path != "-" and not os.path.isdir(folder):
            raise UsageError(f"--output {path}: there is no folder {folder}")
    _check_distinct([path for path in files if path != "-"])
    return [
        Output(name, None if path in {None, "-"} else path)
        for name, path in zip(names, places, strict=True)
    ]


def _check_distinct(files: Sequence[str]) -> None:
    """UsageError where a later report would be written over an earlier one."""
    seen: set[str] = set()
    for path in files:
        real = os.path.realpath(path)
        if real in seen and (not os.path.exists(real) or os.path.isfile(real)):
            raise UsageError(f"--output {path}: is named twice; each report needs its own file")
        seen.add(real)


def _by_ending(path: str) -> str:
    ending = os.path.splitext(path)[1].lower()
    known = {each.suffix: name for name, each in FORMATS.items()}
    if path != "-" and ending not in known:
        raise UsageError(f"--output {path}: its ending names no format; add --format")
    return known.get(ending, "table")


def _replace(path: str, text: str) -> None:
    if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe is written as it is
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return
    folder = os.path.dirname(path) or "."
    part = os.path.join(folder, f".leakmon-{os.urandom(8).hex()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
