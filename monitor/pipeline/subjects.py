"""What is inspected as one unit: a file or a folder on this machine, and what is known of it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from msgspec import Struct, field

from monitor.archive.names import printable
from monitor.errors import NotFoundError, TargetError
from monitor.model import Artifact, Finding, Release, Skipped
from monitor.model.provenance import Provenance
from monitor.pipeline.trail import Trail
from monitor.sandbox import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.detectors import Context
    from monitor.errors import LeakmonError
    from monitor.sandbox import Outcome

    Ended = tuple["Subject", list[Outcome] | LeakmonError]
    """A subject and its jobs' outcomes, or the error that kept it from being inspected."""

MAX_BATCH_BYTES = 24 << 20
MAX_BATCH_FILES = 2000
MAX_FOLDER_FILES = 2_000_000

EXPECTED_GAPS = frozenset(
    {"internal-name", "link", "not-from-registry", "not-read-twice", "semgrep-partly-parsed"}
    | {"submodule", "version-control"}
)
"""Reasons that do not make an inspection partial: what is left out is no part of the target.

Of a file that Semgrep could not parse to the end it still matches the rest; a script that is not
read a second time, in the form of a private code's index, was read as it is.
"""

UNANSWERED = frozenset(
    {"advisory-unread", "malformed-dependency", "not-audited", "over-dependencies", "over-prints"}
    | {"over-second-reading"}
    | {"semgrep-crashed", "semgrep-failed", "semgrep-killed", "semgrep-memory"}
    | {"semgrep-over-bytes", "semgrep-over-files", "semgrep-over-findings", "semgrep-over-size"}
    | {"semgrep-over-time", "semgrep-skipped", "semgrep-syntax"}
)
"""Reasons that make the answer partial, but hide none of the artifact's bytes: no finding."""


class Subject(Struct, kw_only=True):
    """One unit of inspection. ``jobs`` open it; their answers together are its inspection.

    ``folder`` is the operator's own folder where that is the target: only there may a comment in a
    file silence a finding. ``temporary`` is a fetched file that goes when the subject is done.
    ``findings`` and ``skipped`` are what was told of it outside the sandbox. ``history`` is set
    where the files come from a repository's commits. ``provenance`` is what its registry's
    attestations prove; ``organisation`` whose it is on record by an earlier proof.
    """

    target: str
    jobs: list[Job]
    filename: str | None = None
    release: Release | None = None
    artifact: Artifact | None = None
    skipped: list[Skipped] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    folder: str | None = None
    temporary: str | None = None
    history: Trail | None = None
    provenance: Provenance | None = None
    organisation: str = ""

    @property
    def purl(self) -> str | None:
        """The package URL, where the target is a package."""
        return self.artifact.purl if self.artifact else None

    def discard(self) -> None:
        """Remove the fetched file, if there is one."""
        if self.temporary is not None:
            os.unlink(self.temporary)
            self.temporary = None


def local(target: str, context: Context) -> Subject:
    """The subject for a path on this machine. Raises ``TargetError`` if there is none to read."""
    shown = printable(target)
    try:
        status = os.stat(target)
    except OSError as error:
        raise NotFoundError(f"{shown}: there is no such file or folder") from error
    if stat.S_ISDIR(status.st_mode):
        return _folder(target, context)
    if not stat.S_ISREG(status.st_mode):
        raise TargetError(f"{shown}: is neither a file nor a folder", reason="not-a-file")
    path = os.path.realpath(target)
    name = printable(os.path.basename(target))
    return Subject(target=shown, jobs=[Job(((path, name),), context)], filename=name)


def _folder(target: str, context: Context) -> Subject:
    subject = Subject(target=printable(target), jobs=[], folder=target)
    batch: list[tuple[str, str]] = []
    batch_bytes = 0
    for path, shown, size in _files(target, subject.skipped):
        if batch and (batch_bytes + size > MAX_BATCH_BYTES or len(batch) >= MAX_BATCH_FILES):
            subject.jobs.append(Job(tuple(batch), context))
            batch, batch_bytes = [], 0
        batch.append((path, shown))
        batch_bytes += size
    if batch or not subject.jobs:
        subject.jobs.append(Job(tuple(batch), context))
    return subject


def _files(top: str, skipped: list[Skipped]) -> Iterator[tuple[str, str, int]]:
    """Every regular file below ``top`` in a stable order, links not followed.

    Gives the path to open, the printable path below ``top`` and the size.
    """
    pending = [""]
    count = 0
    while pending:
        below = pending.pop()
        entries = _entries(os.path.join(top, below), printable(below), skipped)
        for entry in reversed(entries):
            path = below + entry.name
            shown = printable(path)
            if entry.is_dir(follow_symlinks=False):
                if path == ".git":
                    skipped.append(Skipped(shown, "version-control"))
                else:
                    pending.append(path + "/")
            elif entry.is_file(follow_symlinks=False):
                count += 1
                yield entry.path, shown, entry.stat(follow_symlinks=False).st_size
            else:
                skipped.append(Skipped(shown, "link" if entry.is_symlink() else "not-a-file"))
            if count > MAX_FOLDER_FILES:
                skipped.append(Skipped(shown, "over-members"))
                return


def _entries(folder: str, below: str, skipped: list[Skipped]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name, reverse=True)
    except OSError:
        skipped.append(Skipped(below or ".", "unreadable"))
        return []
