"""Many findings of one rule told as few: a build with 3,000 maps is one mistake, not 3,000."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from monitor.detectors import fingerprints
from monitor.model.wording import count

if TYPE_CHECKING:
    from monitor.model import Finding

MAX_ALONE = 50
MAX_PATHS = 20


class Fold:
    """The findings of one rule: ``MAX_ALONE`` stand alone, the rest are counted together."""

    def __init__(self) -> None:
        self.more = 0
        self._alone = 0
        self._worst: Finding | None = None
        self._files = 0
        self._bytes = 0
        self._paths: list[str] = []

    def takes(self, finding: Finding) -> bool:
        """Whether the finding stands alone; else it is counted with the others."""
        if self._alone < MAX_ALONE:
            self._alone += 1
            return True
        self.more += 1
        self._files += finding.evidence.get("first_party_files", 0)
        self._bytes += finding.evidence.get("first_party_bytes", 0)
        if len(self._paths) < MAX_PATHS:
            self._paths.append(finding.path)
        if self._worst is None or finding.severity > self._worst.severity:
            self._worst = finding
        return False

    def finding(self) -> Finding:
        """The one finding that stands for all those that were counted; the worst of them leads."""
        assert self._worst is not None
        held = f", {count(self._files, 'first-party file')} in all" if self._files else ""
        return structs.replace(
            self._worst,
            fingerprint=fingerprints.of_finding(self._worst.rule, "further places"),
            message=f"The same in {count(self.more, 'further place')}{held}: {self._worst.message}",
            evidence={
                "places": self.more,
                "first_party_files": self._files,
                "first_party_bytes": self._bytes,
                "paths": self._paths,
            },
        )
