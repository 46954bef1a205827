"""``leakmon config``: what the configuration says, and what is wrong with it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from monitor import config

if TYPE_CHECKING:
    import argparse


def check(call: argparse.Namespace) -> int:
    """Load the configuration and say where it came from; errors are the caller's to tell."""
    found = config.find(call.config, config.environment())
    settings = config.load(call.config)
    print(f"{found}: in order" if found else f"no {config.FILE_NAME} found: the defaults hold")
    url = settings.database.url
    is_cluster = isinstance(url, config.SecretRef) or url.startswith("postgresql")
    if is_cluster and settings.jobs.engine != "embedded" and settings.evidence.url[:5] == "file:":
        print(
            "evidence.url: a folder: every machine with a leakmon worker must have the same shared "
            "folder there, and evidence.key; s3://bucket/prefix needs no shared folder"
        )
    return 0


def show(call: argparse.Namespace) -> int:
    """Print the settings in force as JSON, secrets as the references that they are."""
    found = config.find(call.config, config.environment())
    print(f"# {found or 'defaults'}", file=sys.stderr)
    text = msgspec.json.encode(config.load(call.config), enc_hook=_reference)
    print(msgspec.json.format(text, indent=2).decode())
    return 0


def _reference(value: Any) -> str:
    if isinstance(value, config.SecretRef):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
