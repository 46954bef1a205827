"""What the daemon says: lines for a terminal, JSON for everything else; on standard error.

Every line has ``step=`` (a verb of the way of one datum) and, for what went wrong, ``reason=`` (the
code of the error). Messages are ours and name packages; no secret is ever part of one.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_MAX_TEXT = 2_000
_FIRST = ("timestamp", "level", "step", "event")


def configure(*, is_terminal: bool | None = None) -> None:
    """Decide how everything is written from here on, also what libraries log."""
    readable = sys.stderr.isatty() if is_terminal is None else is_terminal
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if readable else "iso", utc=not readable),
        _plain,
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.ERROR, handlers=[_Bridge()], force=True)


def logger() -> Any:
    """The daemon's logger."""
    return structlog.get_logger()


def _plain(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A stranger's text must not move a terminal's cursor, nor fill a disk."""
    told: dict[str, Any] = {}
    for key in sorted(event, key=lambda each: each not in _FIRST):
        value = event[key]
        if isinstance(value, str):
            kept = "".join(each if each.isprintable() else "?" for each in value)
            value = kept[:_MAX_TEXT]
        if value not in ("", None):
            told[key] = value
    return told


class _StandardError(io.TextIOBase):
    """Whatever is standard error when a line is written, not when all began."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Bridge(logging.Handler):
    """Libraries' lines among ours, without their arguments' objects."""

    def emit(self, record: logging.LogRecord) -> None:
        logger().error(record.getMessage(), step="library", source=record.name)
