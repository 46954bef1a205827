"""A known-leaky package, made afresh: whatever does not alert on it does not work.

Its token is assembled here with a valid checksum, belongs to nobody and opens nothing.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from typing import Final

FILENAME: Final = "leakmon-canary-1.0.0.tgz"
EXPECTED_DETECTORS: Final = frozenset({"secrets", "source-maps", "carriers"})
"""Each of these must report the canary, and its verdict must be critical."""

_NPM_MTIME = 499_162_500  # what every npm tarball carries: 1985-10-26T08:15Z
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def token() -> str:
    """A token in the shape of a GitHub classic one, with the checksum that such tokens end in."""
    body = "".join(_BASE62[(17 * place + 5) % 62] for place in range(30))
    rest, digits = zlib.crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return "gh" + "p_" + body + digits.rjust(6, "0")


def package() -> bytes:
    """The canary as an npm tarball: a ``.env`` with a token, and a bundle with its source map."""
    source = "export const canary = () => 'first-party source that was not meant to ship';\n"
    source_map = {
        "version": 3,
        "sources": ["../src/canary.ts"],
        "sourcesContent": [source],
        "mappings": "AAAA",
    }
    manifest = {"name": "leakmon-canary", "version": "1.0.0", "license": "UNLICENSED"}
    members = {
        "package/package.json": json.dumps(manifest),
        "package/cli.js": "let c=()=>0;export{c as canary};\n//# sourceMappingURL=cli.js.map\n",
        "package/cli.js.map": json.dumps(source_map),
        "package/.env": f"GITHUB_TOKEN={token()}\n",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in members.items():
            content = text.encode()
            header = tarfile.TarInfo(name)
            header.size, header.mtime = len(content), _NPM_MTIME
            tar.addfile(header, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)
