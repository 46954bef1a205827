"""A plain folder as a source: its files as they are now, named by the git id of their content."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from monitor.private_code.index.repository import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILES = 2_000_000


class Folder:
    """Reads the files below ``top``; links are not followed, version control is left out."""

    def __init__(self, top: str) -> None:
        self._top = top

    def tree(self) -> Iterator[Entry]:
        """Every file, without its blob id: that is the content's, which ``content`` gives."""
        pending, count = [""], 0
        while pending:
            below = pending.pop()
            for entry in _listed(os.path.join(self._top, below)):
                path = below + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in {".git", ".hg", ".svn"}:
                        pending.append(f"{below}{entry.name}/")
                    continue
                count += 1
                if count > MAX_FILES:
                    yield Entry(path, "", 0, "over-files")
                    return
                is_file = entry.is_file(follow_symlinks=False)
                reason = "" if is_file else "link" if entry.is_symlink() else "not-a-file"
                size = entry.stat(follow_symlinks=False).st_size if is_file else 0
                yield Entry(path, "", size, reason)

    def content(self, path: str, max_bytes: int) -> bytes | None:
        """A file's bytes; None where it cannot be read, is gone or has grown."""
        try:
            number = os.open(os.path.join(self._top, path), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(number, "rb") as stream:
            content = stream.read(max_bytes + 1)
        return content if len(content) <= max_bytes else None


def blob_id(content: bytes) -> str:
    """The name that git gives to this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return []
