"""The organisations' marks as a rule file in the cache: named by content, for its owner only."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.config.settings import Settings


def rule_files(settings: Settings, cache_folder: str) -> tuple[str, ...]:
    """The file of the configured marks, written if it is not there yet; nothing for no marks.

    Raises ConfigError where the cache cannot be written.
    """
    if not settings.organisations:
        return ()
    from monitor.rules import owners

    text = owners.document(settings.organisations).encode()
    if not text:
        return ()
    folder = os.path.join(cache_folder, "marks")
    path = os.path.join(folder, f"{hashlib.sha256(text).hexdigest()[:32]}.yaml")
    try:
        if not _holds(path, text):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            _write(folder, path, text)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror})") from None
    return (path,)


def _holds(path: str, text: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(text) + 1) == text
    except FileNotFoundError:
        return False


def _write(folder: str, path: str, text: bytes) -> None:
    import tempfile

    descriptor, part = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
