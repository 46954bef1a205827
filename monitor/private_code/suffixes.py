"""The last three components of a path, however a repository or a source map writes it."""

from __future__ import annotations

import re

from monitor.archive.map_names import display

COMPONENTS = 3
_SHORTEST = 2  # components: a bare file name says nothing
_NAMED_ROOT = re.compile(r"^\[[a-z-]+\](?:/|$)")


def suffix(path: str) -> str:
    r"""``src/net/client.ts`` of any path that ends so; empty for a path of one component.

    Understands ``webpack://name/./src/a.ts?1a2b``, ``turbopack:///[project]/src/a.ts``,
    ``../../src/a.ts``, ``\\`` as a separator, and ``!/`` between nested archives.
    """
    plain = path.rpartition("!/")[2]
    if "://" in plain or "?" in plain or plain.startswith(("webpack:", "[")):
        plain = display(plain, 0)
    plain = _NAMED_ROOT.sub("", plain.replace("\\", "/"))
    parts = [part for part in plain.split("/") if part not in ("", ".", "..")]
    return "/".join(parts[-COMPONENTS:]) if len(parts) >= _SHORTEST else ""
