"""SM5: maps and comments that point to a place on a network. Nothing is ever fetched.

Only host names are repeated: a query string may carry a signature that opens the door.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitor.archive.map_names import is_remote
from monitor.detectors import fingerprints
from monitor.model import Confidence, Finding, Severity
from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.model import Inspection, SourceMapRecord

_RULE = "source-map-remote"
_MAX_HOSTS = 20
_MAX_REFERENCES = 10_000
_SIGNED = later(
    r"[?&](?:X-Amz-Signature|X-Goog-Signature|AWSAccessKeyId|Signature|sig|sv|token|"
    r"access_token|Key-Pair-Id)=[^&#]{4}",
    re.IGNORECASE,
)
_ARCHIVE = later(r"\.(?:zip|tar|tgz|tar\.\w{2,4}|7z|rar)(?:[?#]|$)", re.IGNORECASE)
_STORAGE = later(
    r"^(?:s3|gs|r2|wasbs?|abfss?)://|amazonaws\.|storage\.googleapis|r2\.cloudflarestorage|"
    r"\.r2\.dev|blob\.core\.windows|digitaloceanspaces|backblazeb2|wasabisys|aliyuncs|oss-",
    re.IGNORECASE,
)
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "0.0.0.0", "::1"}  # noqa: S104 - compared, never bound
_ADVICE = (
    "Close the address to the public, replace anything signed, and build with relative "
    "source roots or without maps."
)


class _Address:
    """What may be told of one remote address."""

    def __init__(self, url: str) -> None:
        try:
            self.host = (urlsplit(url.replace("\\", "/")).hostname or "")[:200]
        except ValueError:
            self.host = "(unreadable address)"
        self.is_signed = bool(_SIGNED.search(url))
        self.is_archive = bool(_ARCHIVE.search(url))
        self.is_storage = bool(_STORAGE.search(url))

    @property
    def severity(self) -> Severity:
        if self.is_signed:
            return Severity.CRITICAL
        return Severity.LOW if self.host in _LOCAL_HOSTS else Severity.HIGH


def of_map(record: SourceMapRecord) -> Iterator[Finding]:
    """At most one finding for everything remote that a map names."""
    addresses = [_Address(each) for each in record.remote]
    if addresses:
        yield _finding(record.path, addresses, "The source map")


def of_references(inspection: Inspection) -> Iterator[Finding]:
    """One finding for each member whose comments point to a network."""
    by_path: dict[str, list[_Address]] = {}
    places: dict[str, tuple[int, int, int]] = {}
    for each in inspection.map_references[:_MAX_REFERENCES]:
        if is_remote(each.url):
            by_path.setdefault(each.path, []).append(_Address(each.url))
            places.setdefault(each.path, (each.line, each.column, each.byte_offset))
    for path, addresses in by_path.items():
        yield _finding(path, addresses, "A sourceMappingURL", places[path])


def _finding(
    path: str,
    addresses: list[_Address],
    subject: str,
    place: tuple[int, int, int] = (0, 0, 0),
) -> Finding:
    severity = max(each.severity for each in addresses)
    worst = next(each for each in addresses if each.severity is severity)
    hosts = _hosts(addresses)
    is_signed = severity is Severity.CRITICAL
    what = "a signed address at" if is_signed else "a place on"
    evidence: dict[str, Any] = {"signal": "SM5", "hosts": hosts, "signed": is_signed}
    evidence |= {
        key: True
        for key in ("archive", "storage")
        if any(getattr(each, f"is_{key}") for each in addresses)
    }
    return Finding(
        rule=_RULE,
        detector="source-maps",
        kind="signed-url" if is_signed else "source",
        severity=severity,
        confidence=Confidence.HIGH if is_signed else Confidence.MEDIUM,
        message=f"{subject} points to {what} {worst.host}; it was not fetched.",
        path=path,
        fingerprint=fingerprints.of_finding(_RULE, fingerprints.stable_path(path), *hosts),
        line=place[0],
        column=place[1],
        byte_offset=place[2],
        evidence=evidence,
        references=["https://tc39.es/ecma426/"],
        advice=_ADVICE,
    )


def _hosts(addresses: Iterable[_Address]) -> list[str]:
    return sorted({each.host for each in addresses})[:_MAX_HOSTS]
