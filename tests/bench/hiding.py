"""Hides a token in each way of ``tests/decoders/ways.py`` and has ``leakmon scan`` look for it.

    python tests/bench/hiding.py

Prints a table: the way, whether the token was found, what was undone, whether the place is right.
"""

from __future__ import annotations

import binascii
import json
import random
import string
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from monitor.rules.checksums import base62
from tests.decoders.ways import WAYS, Way

RULE = "github-personal-access-token"


class Row(NamedTuple):
    """What one scan told of one hidden token."""

    way: str
    is_found: bool
    chain: str
    is_placed: bool


def token(seed: int) -> bytes:
    """A made-up token of the right form and checksum."""
    body = "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=30))
    return b"ghp_" + body.encode() + base62(binascii.crc32(body.encode()), 6)


def scan(folder: Path) -> list[dict[str, Any]]:
    """Every finding of a real scan of a folder, with the values."""
    call = [sys.executable, "-m", "monitor", "scan", str(folder), "--format", "json"]
    done = subprocess.run([*call, "--show-secrets", "--quiet"], stdout=subprocess.PIPE, check=False)
    findings: list[dict[str, Any]] = json.loads(done.stdout)["targets"][0]["findings"]
    return findings


def rows() -> list[Row]:
    """The table: all ways in one scan, each in a folder and with a token of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        contents = []
        for number, way in enumerate(WAYS):
            secret = token(number)
            content = way.hide(secret)
            contents.append((way, secret, content))
            folder = Path(scratch) / f"way{number:02}"
            folder.mkdir()
            (folder / way.file).write_bytes(content)
        findings = scan(Path(scratch))
    return [_row(way, secret, content, findings) for way, secret, content in contents]


def _row(way: Way, secret: bytes, content: bytes, findings: list[dict[str, Any]]) -> Row:
    found = [
        each
        for each in findings
        if each["rule"] == RULE and each["secret"]["value"] == secret.decode()
    ]
    if not found:
        return Row(way.name, is_found=False, chain="", is_placed=False)
    first = found[0]
    chain = " > ".join(first["decoded"]) or first["path"].partition("!/")[2] or "plain"
    is_placed = True
    if way.mark is not None:
        is_placed = first["byte_offset"] == content.find(way.mark(secret))
    if len(found) > 1:
        chain += f" (told {len(found)} times)"
    return Row(way.name, is_found=True, chain=chain, is_placed=is_placed)


def main() -> None:
    print("| way | found | undone | place |\n| --- | --- | --- | --- |")
    table = rows()
    for row in table:
        found, placed = ("yes" if each else "**no**" for each in (row.is_found, row.is_placed))
        print(f"| {row.way.replace('|', ' ')} | {found} | {row.chain} | {placed} |")
    print(f"\n{sum(row.is_found for row in table)} of {len(table)} found.")


if __name__ == "__main__":
    main()
