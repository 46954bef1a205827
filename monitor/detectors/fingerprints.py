"""Identities of findings that outlive a new version, a moved line and a rebuilt bundle."""

from __future__ import annotations

import hashlib

from monitor.patterns import later

_FINDING = b"leakmon/finding/1\0"
_SECRET = b"leakmon/secret/1\0"
_CONTENT = b"leakmon/content/1\0"
_LENGTH = 32

# What bundlers and packers put into names and change with every build, longest form first.
_HASHED_NAME = later(
    r"(?<=[-._])(?=[A-Za-z_-]{0,20}\d|[a-z_-]{0,20}[A-Z])[A-Za-z0-9_-]{8,20}(?=\.[a-z])"
)
_HEX = later(r"(?i)(?<![0-9a-z])(?=[a-f]{0,64}[0-9])[0-9a-f]{7,64}(?![0-9a-z])")
_VERSION = later(r"\d+(?:\.\d+)*(?:[-.+_]?(?:alpha|beta|a|b|rc|dev|post|next|canary)(?:\.?\d+)*)?")


def of_secret(value: bytes) -> str:
    """The identity of a secret value: 32 hex digits that do not give it away."""
    return hashlib.sha256(_SECRET + value).hexdigest()[:_LENGTH]


def of_finding(rule: str, *subject: str) -> str:
    """The identity of a finding: 32 hex digits over its rule and what it is about."""
    joined = "\0".join((rule, *subject)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(_FINDING + joined).hexdigest()[:_LENGTH]


def of_content(content: bytes | memoryview) -> str:
    """The identity of a file's content: 32 hex digits."""
    return hashlib.sha256(_CONTENT + content).hexdigest()[:_LENGTH]


def stable_path(path: str) -> str:
    """A member's path without what differs from build to build: versions, hashes, counters."""
    for pattern in (_HASHED_NAME, _HEX, _VERSION):
        path = pattern.sub("#", path)
    return path
