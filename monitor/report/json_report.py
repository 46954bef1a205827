"""The JSON report: one indented document of the schema ``leakmon/scan/1``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.report import wire

if TYPE_CHECKING:
    from monitor.model import ScanReport
    from monitor.report import RenderOptions


def render(report: ScanReport, options: RenderOptions) -> str:
    """The whole report as one JSON document."""
    return wire.encoded(wire.report_object(report, options), indent=2) + "\n"
