"""The files of rule folders: found, read whole and digested. Without yaml, for warm starts."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from monitor.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KNOWN_EXAMPLES = "known-examples.txt"
_MAX_FILE = 16 << 20


def read_files(folders: Sequence[str]) -> list[tuple[str, bytes]]:
    """Path and content of every rule file and list of known examples below the folders."""
    paths = [path for folder in folders for path in _paths(folder)]
    contents = []
    for path in dict.fromkeys(paths):
        try:
            with open(path, "rb") as file:
                content = file.read(_MAX_FILE + 1)
        except OSError as error:
            raise RuleError(f"{path}: cannot be read: {error.strerror}") from error
        if len(content) > _MAX_FILE:
            raise RuleError(f"{path}: is larger than {_MAX_FILE} bytes")
        contents.append((path, content))
    return contents


def _paths(folder: str) -> Iterator[str]:
    if os.path.isfile(folder):
        yield folder
        return
    if not os.path.isdir(folder):
        raise RuleError(f"{folder}: there is no such folder of rules")
    for where, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            is_rules = name.endswith((".yaml", ".yml")) and not name.startswith(".")
            if is_rules or name == KNOWN_EXAMPLES:
                yield os.path.join(where, name)


def digest_of(contents: Sequence[tuple[str, bytes]]) -> str:
    """A digest of names and contents, wherever the folders lie."""
    digest = hashlib.blake2b(digest_size=16)
    for path, content in contents:
        name = os.path.basename(path).encode("utf-8", "surrogateescape")
        digest.update(b"%d %d " % (len(name), len(content)) + name + content)
    return digest.hexdigest()
