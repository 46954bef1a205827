"""A scan's result as text: one module a format, all behind one signature.

Every format module has ``render(report, options) -> str``. Importing this package loads none of
them: a format (and with it rich or Jinja2) is imported when it is first asked for. Whatever comes
from a scanned package (paths, messages, evidence) is untrusted, and leaves here either escaped or
with its control and bidirectional characters made visible.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from msgspec import Struct

from monitor.errors import UsageError
from monitor.model import ScanReport, Severity
from monitor.suppress import Hidden

if TYPE_CHECKING:
    from collections.abc import Mapping


class RenderOptions(Struct, frozen=True, kw_only=True):
    """How a report is to be told.

    ``min_severity`` leaves out findings below it and says how many. ``hidden[i]`` are the findings
    of ``report.targets[i]`` that a baseline or an ignore took away. ``notes`` are lines the caller
    wants said (an expired ignore). ``generated_at`` is now, in UTC. The rest serves the table:
    ``width`` in cells of the terminal, None when there is none (then nothing is wrapped);
    ``encoding`` of the stream it goes to; ``max_places`` shown for each finding.
    """

    show_secrets: bool = False
    min_severity: Severity = Severity.NONE
    hidden: tuple[tuple[Hidden, ...], ...] = ()
    notes: tuple[str, ...] = ()
    generated_at: datetime | None = None
    width: int | None = None
    colour: bool = False
    encoding: str = "utf-8"
    max_places: int = 3


class Format(Struct, frozen=True):
    """One report format: where it is implemented and what its output is."""

    module: str
    media_type: str
    suffix: str


class _Renderer(Protocol):
    def render(self, report: ScanReport, options: RenderOptions) -> str: ...


FORMATS: dict[str, Format] = {
    "table": Format("monitor.report.table", "text/plain", ".txt"),
    "json": Format("monitor.report.json_report", "application/json", ".json"),
    "jsonl": Format("monitor.report.jsonl", "application/x-ndjson", ".jsonl"),
    "sarif": Format("monitor.report.sarif", "application/sarif+json", ".sarif"),
    "html": Format("monitor.report.html", "text/html", ".html"),
}
"""Every format by the name that ``--format`` takes."""


def render(name: str, report: ScanReport, options: RenderOptions | None = None) -> str:
    """The report in the named format, ending in a line break; UsageError for an unknown name."""
    if name not in FORMATS:
        raise UsageError(f"--format: {name!r} is none of {', '.join(FORMATS)}")
    renderer = cast("_Renderer", import_module(FORMATS[name].module))
    return renderer.render(report, options or RenderOptions())


def stream_options(stream: TextIO, environ: Mapping[str, str]) -> tuple[int | None, bool, str]:
    """Width, colour and encoding for a table on this stream: ``RenderOptions`` takes them as named.

    Colours only on a terminal that is not ``dumb``, never with a non-empty ``NO_COLOR``, and off a
    terminal only with ``FORCE_COLOR``.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    is_terminal = stream.isatty()
    is_forced = environ.get("FORCE_COLOR", "") not in {"", "0"}
    is_capable = is_terminal and environ.get("TERM", "") != "dumb"
    colour = not environ.get("NO_COLOR") and (is_capable or is_forced)
    if not is_terminal:
        return None, colour, encoding
    return _columns(stream, environ), colour, encoding


def _columns(stream: TextIO, environ: Mapping[str, str]) -> int:
    """The terminal's width, 80 when it does not tell."""
    import os

    if environ.get("COLUMNS", "").isdecimal() and int(environ["COLUMNS"]) > 0:
        return int(environ["COLUMNS"])
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
