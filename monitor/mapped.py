"""One file of an artifact, mapped where it is large; its pages are given back as it is read."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat

RELEASE_EVERY_BYTES = 4 << 20
_SMALL = 64 << 10  # such a file is read sooner than it is mapped


class File:
    """The ``content`` of a regular file; ``size`` is what the file system says of it, in bytes."""

    def __init__(self, content: bytes | mmap.mmap, size: int) -> None:
        self.content = content
        self.size = size
        self._used = 0

    def sha256(self) -> str:
        """The digest of the content, in hex digits."""
        digest = hashlib.sha256()
        view = memoryview(self.content)
        for start in range(0, len(view), RELEASE_EVERY_BYTES):
            digest.update(view[start : start + RELEASE_EVERY_BYTES])
            self.use(RELEASE_EVERY_BYTES)
        return digest.hexdigest()

    def use(self, size: int) -> None:
        """Counts bytes that were inspected.

        Mapped pages are given back now and then: they count as resident though the kernel can drop
        them.
        """
        self._used += size
        if self._used >= RELEASE_EVERY_BYTES:
            self._used = 0
            if isinstance(self.content, mmap.mmap):
                self.content.madvise(mmap.MADV_DONTNEED)


def opened(path: str) -> File | None:
    """The file; None for what is no regular one. OSError when it cannot be read."""
    # O_NONBLOCK: a fifo in a scanned folder must not hold the child until its wall limit.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size <= _SMALL:
            return File(os.read(descriptor, status.st_size), status.st_size)
        return File(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ), status.st_size)
    finally:
        os.close(descriptor)
