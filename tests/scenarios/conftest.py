from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from monitor.archive import Limits
from monitor.detectors import Context
from monitor.inspection import Inspector
from monitor.judge import judge
from monitor.pipeline.conclude import conclude
from monitor.rules import Matcher, bundled_rules_folder, compiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor.model import Finding, Inspection, Organisation, Posture, Severity, Verdict


class Outcome(NamedTuple):
    """What one scan of one artifact gave, judged."""

    inspection: Inspection
    posture: Posture
    verdict: Verdict
    findings: list[Finding]

    @property
    def severity(self) -> Severity:
        return self.verdict.severity

    def of(self, *rules: str) -> list[Finding]:
        return [each for each in self.findings if each.rule in rules]

    def by(self, detector: str) -> list[Finding]:
        return [each for each in self.findings if each.detector == detector]


@pytest.fixture(scope="session")
def rules_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the compiled rules lie: compiling takes longer than any test."""
    return str(tmp_path_factory.mktemp("rules"))


@pytest.fixture(scope="session")
def matcher(rules_cache: str) -> Matcher:
    return compiled([bundled_rules_folder()], rules_cache)


@pytest.fixture
def scan(matcher: Matcher, tmp_path: Path) -> Callable[..., Outcome]:
    """Inspects and judges one artifact as the product does, in this process."""

    def run(
        content: bytes,
        name: str = "acme-cli-1.2.0.tgz",
        *,
        organisation: Organisation | None = None,
        context: Context | None = None,
        limits: Limits | None = None,
        target: str = "",
    ) -> Outcome:
        path = tmp_path / name
        path.write_bytes(content)
        known = context or Context(organisation=organisation)
        inspector = Inspector(matcher, limits or Limits(), clock=time.monotonic)
        inspection = inspector.inspect_files([(str(path), name)], known)
        conclude(inspection, known)
        posture, verdict, found = judge(
            inspection, target=target or name, organisation=organisation
        )
        return Outcome(inspection, posture, verdict, found)

    return run
