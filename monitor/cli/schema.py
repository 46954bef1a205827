"""``leakmon schema``: the promise that the JSON report keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from monitor.report.schema import scan_schema

if TYPE_CHECKING:
    import argparse


def run(call: argparse.Namespace) -> int:
    """Print the JSON Schema of the named document."""
    assert call.name == "scan"
    print(json.dumps(scan_schema(), indent=2))
    return 0
