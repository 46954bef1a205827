"""The names in a source map's ``sources``: how they are shown, whose they are, where they point.

Nothing here becomes a file name. ``..``, drive letters, UNC names and percent escapes are kept as
text, so that a report shows what the map says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from monitor.archive.names import printable
from monitor.patterns import later

_MAX_NAME = 1_024

# A single letter before the colon is a Windows drive, not a scheme.
_SCHEME = later(r"([A-Za-z][A-Za-z0-9+.-]{1,30}):(/*)")
_REMOTE = later(
    r"(?:https?|ftps?|sftp|s3a?|gs|gcs|r2|oss|cos|azure|az|abfss?|wasbs?|ssh|git|git\+\w+):/"
    r"|//[^/\s]+\.[^/\s]+/|\\\\[^\\\s]+\\",
    re.IGNORECASE,
)
_BUNDLER_ROOT = later(r"^(?:\[(?:project|metro-project|root)\]/)+")

# ECMA-426 leaves it to the reader to tell an author's sources from a bundler's. These are the
# places of packages (npm, pnpm, Yarn, Bower, webpack 1's "~", Cargo, Go, rustc) and the modules
# that bundlers make up themselves.
_FOREIGN = later(
    r"""
    (?:^|/)(?:node_modules|bower_components|jspm_packages|\.pnpm|\.yarn)/
    | (?:^|/)\./~/ | ^~/
    | (?:^|/)webpack/(?:runtime|bootstrap|startup|before-startup|after-startup|buildin
        |container|sharing|universalmoduledefinition)
    | \(webpack\) | \x00 | \bvirtual: | \[(?:next|turbopack|synthetic)[\]:]
    | (?:^|/)external\s+["'a-z] | \s\(ignored\)
    | (?:^|/)(?:_virtual|\.cargo/registry|go/pkg/mod)/ | (?:^|/)rustc/[0-9a-f]{40}/
    | (?:^|/)vite/(?:preload-helper|modulepreload-polyfill|dynamic-import-helper)
    | commonjshelpers\.js
    """,
    re.VERBOSE,
)


_FOREIGN_WORDS = (
    "node_modules", "webpack", "[next", "[turbopack", "[synthetic", "~/", "virtual", "external",
    "(ignored)", ".pnpm", ".yarn", "bower_components", "jspm_packages", "\0", ".cargo", "go/pkg",
    "rustc", "vite/", "commonjshelpers",
)  # fmt: skip
"""What ``_FOREIGN`` cannot match without: looking for these first is ten times as fast."""


@lru_cache(4_096)
def is_first_party(name: str) -> bool:
    """Whether a source is the author's own work rather than a dependency's or the bundler's.

    A source without a name counts as the author's: better one finding too many.
    """
    plain = unquote(name[:_MAX_NAME]).replace("\\", "/").lower()
    return not (any(map(plain.__contains__, _FOREIGN_WORDS)) and _FOREIGN.search(plain))


def is_remote(name: str) -> bool:
    """Whether a name is an address on another host (web, object storage, file share)."""
    return _REMOTE.match(name) is not None


def joined(root: str, name: str) -> str:
    """A source's name below the map's ``sourceRoot``, which is a mere prefix (ECMA-426, 11)."""
    if not root or name.startswith("/") or _SCHEME.match(name) or is_remote(root):
        return name
    return root + name if root.endswith("/") else f"{root}/{name}"


def display(name: str, number: int) -> str:
    """A source's name for a report: no scheme, bundler root, query, or unprintable characters.

    ``webpack://ns/./src/x.ts?1a2b`` is ``src/x.ts``. ``number`` names a source that has no name.
    """
    return _shown(name) or f"(unnamed {number})"


@lru_cache(4_096)
def _shown(name: str) -> str:
    plain = name[: 4 * _MAX_NAME].split("?", 1)[0].replace("\\", "/")
    plain = _without_scheme(plain).rpartition("!")[2]
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    plain = _BUNDLER_ROOT.sub("", "/".join(parts))
    if len(plain) > _MAX_NAME:
        plain = plain[: _MAX_NAME // 2] + "..." + plain[-_MAX_NAME // 2 :]
    return printable(plain)


def _without_scheme(name: str) -> str:
    found = _SCHEME.match(name)
    if found is None:
        return name
    scheme, slashes = found.group(1).lower(), found.group(2)
    rest = name[found.end() :]
    if len(slashes) == 2 and scheme.startswith(("webpack", "turbopack", "rsc")):  # noqa: PLR2004 - "//" opens an authority
        return _without_namespace(rest)
    if not slashes and scheme not in ("file", "vite"):
        return name
    return rest


def _without_namespace(rest: str) -> str:
    """Drops webpack's ``output.devtoolNamespace``, a package name, from the front of a path."""
    before, dot, after = rest.partition("/./")
    if dot and ".." not in before:
        return after
    parts = rest.split("/")
    drop = 2 if parts[0].startswith("@") else 1
    return "/".join(parts[drop:]) if len(parts) > drop else rest
