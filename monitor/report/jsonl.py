"""The JSON Lines report: a line for each target, then for each of its findings, then a summary.

Every line is an object with a ``type``: ``target``, ``finding``, ``hidden`` or ``summary``; the
last line, and only it, is the summary, so a cut file shows. Findings repeat what identifies their
target, so that each line can be read alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.report import wire
from monitor.report.fold import Shown, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import ScanReport
    from monitor.report import RenderOptions

_identity = ("target", "purl", "filename", "sha256")


def render(report: ScanReport, options: RenderOptions) -> str:
    """The report as one JSON object a line."""
    return "".join(f"{wire.encoded(line)}\n" for line in _lines(report, options))


def _lines(report: ScanReport, options: RenderOptions) -> Iterator[dict[str, Any]]:
    told = shown(report, options)
    for one in told:
        yield from _target_lines(one)
    yield {
        "type": "summary",
        "schema": wire.SCHEMA,
        "tool": wire.tool_object(report),
        **wire.summary_object(report, told, options),
    }


def _target_lines(one: Shown) -> Iterator[dict[str, Any]]:
    target = wire.target_object(one)
    identity = {key: target[key] for key in _identity if key in target}
    yield {"type": "target", "schema": wire.SCHEMA, **target}
    for finding in one.findings:
        yield {"type": "finding", **identity, **wire.finding_object(finding)}
    for hidden in one.hidden:
        yield {"type": "hidden", **identity, **wire.hidden_object(hidden)}
