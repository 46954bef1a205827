"""Structural rules, run by Semgrep itself beside the matcher, off the hot path.

``load`` gives the structural rules of some folders; an ``Engine`` stages the code of all subjects
of a call, runs Semgrep over it in batches and gives findings and gaps back to each subject. Semgrep
is a program of its own (``pip install 'leakmon[semgrep]'``); nothing here imports it.
"""

from __future__ import annotations

from monitor.semgrep.command import Limits, program
from monitor.semgrep.engine import Engine
from monitor.semgrep.rules import StructuralRule, bundled, load

__all__ = ["Engine", "Limits", "StructuralRule", "bundled", "load", "program"]
