"""The nouns of leakmon, as plain frozen records.

Nothing here knows how a thing is found, fetched, stored or shown. Sizes are bytes, times are aware
UTC datetimes, paths inside an artifact join nested members with ``!/``
(``acme-0.9.0.tgz!/package/cli.js.map!/src/client.ts``).
"""

from __future__ import annotations

from monitor.model.findings import (
    NESTED,
    Dependency,
    Finding,
    Hazard,
    Inspection,
    Manifest,
    MemberRecord,
    Secret,
    Skipped,
    SourceMapRecord,
    SourceMapReference,
)
from monitor.model.incidents import (
    Digest,
    Incident,
    IncidentChange,
    IncidentEvent,
    IncidentState,
    Outgoing,
)
from monitor.model.packages import Artifact, NpmNames, Organisation, PypiNames, Release
from monitor.model.reports import Posture, ScanReport, TargetReport, Verdict
from monitor.model.repositories import Change, Commit, CommitMark, Place
from monitor.model.scales import Confidence, PostureValue, Severity, Status
from monitor.model.watching import Checkpoint, Gap, Notice, Ownership, Page
from monitor.model.work import PAYLOAD_VERSION, Job

__all__ = [
    "NESTED",
    "PAYLOAD_VERSION",
    "Artifact",
    "Change",
    "Checkpoint",
    "Commit",
    "CommitMark",
    "Confidence",
    "Dependency",
    "Digest",
    "Finding",
    "Gap",
    "Hazard",
    "Incident",
    "IncidentChange",
    "IncidentEvent",
    "IncidentState",
    "Inspection",
    "Job",
    "Manifest",
    "MemberRecord",
    "Notice",
    "NpmNames",
    "Organisation",
    "Outgoing",
    "Ownership",
    "Page",
    "Place",
    "Posture",
    "PostureValue",
    "PypiNames",
    "Release",
    "ScanReport",
    "Secret",
    "Severity",
    "Skipped",
    "SourceMapRecord",
    "SourceMapReference",
    "Status",
    "TargetReport",
    "Verdict",
]
