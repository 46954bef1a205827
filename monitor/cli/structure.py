"""``--semgrep``: the structural engine of one call, or a word on what is left out without it."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from monitor.pipeline.structure import Structure


@contextlib.contextmanager
def opened(call: argparse.Namespace) -> Iterator[Structure | None]:
    """The engine; None without ``--semgrep``.

    UsageError where Semgrep is missing, RuleError where a rule cannot be used.
    """
    if not call.semgrep:
        if call.rules and not call.quiet:
            _say_what_is_left_out(call.rules)
        yield None
        return
    import tempfile

    from monitor import semgrep
    from monitor.pipeline.structure import Structure

    rules = semgrep.load([semgrep.bundled(), *call.rules])
    with tempfile.TemporaryDirectory(prefix="leakmon-") as folder:
        engine = semgrep.Engine(
            rules, folder, jobs=call.jobs or os.cpu_count() or 1, has_secrets=call.show_secrets
        )
        yield Structure(engine)


def _say_what_is_left_out(folders: list[str]) -> None:
    from monitor.rules import load

    count = len(load(folders).structural)
    if count:
        rules = "1 structural rule needs" if count == 1 else f"{count:,} structural rules need"
        print(f"leakmon: {rules} --semgrep and did not run", file=sys.stderr)
