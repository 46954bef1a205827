"""Files as they are opened for inspection: read, mapped, or none."""

from __future__ import annotations

import hashlib
import mmap
import os
from typing import TYPE_CHECKING

import pytest

from monitor import mapped

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", [0, 1, 64 << 10, (64 << 10) + 1, (9 << 20) + 3])
def test_a_file_is_the_same_read_or_mapped(tmp_path: Path, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    path = tmp_path / "a"
    path.write_bytes(content[:size])
    file = mapped.opened(str(path))
    assert file is not None
    assert file.size == size
    assert file.sha256() == hashlib.sha256(content[:size]).hexdigest()
    assert bytes(file.content) == content[:size], "pages that were given back are read again"
    assert isinstance(file.content, mmap.mmap) == (size > 64 << 10)


def test_what_is_no_regular_file_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert mapped.opened(str(tmp_path / "pipe")) is None
    assert mapped.opened(str(tmp_path)) is None
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with pytest.raises(OSError, match="symbolic links"):
        mapped.opened(str(tmp_path / "link"))
