"""What the source maps of an artifact give away (signals SM1-SM8).

A map with the text of first-party sources is a copy of the source; one with their paths only tells
the shape of the code base; one of dependencies only tells nothing new. A map is judged by what it
carries, never by its name and never by its own ``ignoreList``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.detectors.context import NOTHING_KNOWN, Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Finding, Inspection


def conclude(inspection: Inspection, context: Context = NOTHING_KNOWN) -> Sequence[Finding]:
    """Findings over all maps and references of one artifact."""
    if not inspection.source_maps and not inspection.map_references:
        return ()
    from monitor.detectors.source_maps import signals

    return signals.findings(inspection, context)
