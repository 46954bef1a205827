"""Names under which what leaked from a package may be published again by others. Pure.

The name stands in them, with its words in any order, or its own word beside one that people put on
copies: ``claude-code-source``, ``code-claude``, ``open-claude``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .confusable import bare, folded, words

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_NAME = 6
"""Letters and digits that a package's last part must have to be looked for without its scope."""
MIN_WORD = 5
"""The same for a single word of it beside a word of copies."""

_MAX_NAME = 200
# fmt: off
_COPIED = frozenset({
    "leak", "leaked", "leaks", "source", "sources", "src", "open", "opensource", "oss",
    "unofficial", "clone", "cloned", "fork", "copy", "mirror", "backup", "archive", "recovered",
    "restored", "decompiled", "deobfuscated", "unminified", "reverse", "reversed", "cracked",
    "free", "dump", "original", "reconstructed", "extracted", "unpacked", "sourcemap", "community",
})
_COMMON = frozenset({
    "agent", "client", "console", "engine", "plugin", "server", "service", "tools", "types",
    "shared", "utils", "helpers", "library", "python", "internal", "package", "module", "react",
    "components", "common", "config", "frontend", "backend", "website", "models", "study",
})
# fmt: on


class Wanted:
    """The names of some packages, ready to be looked for in those of a feed."""

    def __init__(self, packages: Iterable[str]) -> None:
        self._keys: list[tuple[str, str, frozenset[str], frozenset[str]]] = []
        for package in packages:
            last = package.rpartition("/")[2]
            own = last if len(bare(last)) >= MIN_NAME else package
            key, parts = folded(bare(own)), words(own)
            telling = frozenset(
                one for one in words(package) if len(one) >= MIN_WORD and one not in _COMMON
            )
            if len(key) >= MIN_NAME:
                several = frozenset(parts) if len(parts) > 1 else frozenset()
                self._keys.append((package, key, several, telling))

    def find(self, name: str) -> list[str]:
        """The packages that a name speaks of; nothing for most. Microseconds for each package."""
        if not self._keys or len(name) > _MAX_NAME:
            return []
        lower = name.lower()
        word, parts = folded(bare(lower)), frozenset(words(lower))
        is_copied = not parts.isdisjoint(_COPIED)
        return [
            package
            for package, key, several, telling in self._keys
            if key in word
            or (several and several <= parts)
            or (is_copied and not telling.isdisjoint(parts))
        ]
