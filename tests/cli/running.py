"""What the tests of ``leakmon scan`` share: the running command, its report, small archives."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any, Protocol

from jsonschema import Draft202012Validator

from monitor.report.schema import scan_schema

if TYPE_CHECKING:
    from pathlib import Path

Finished = subprocess.CompletedProcess[str]


class Leakmon(Protocol):
    """Runs the command in the test's folder."""

    def __call__(self, *arguments: str, stdin: str = "") -> Finished: ...


def report(finished: Finished) -> dict[str, Any]:
    """The JSON report on standard output, held against its schema."""
    document: dict[str, Any] = json.loads(finished.stdout)
    Draft202012Validator(scan_schema()).validate(document)
    return document


def tgz(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path
