"""The sandbox in use, started while there is one thread, and another when it has died."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.config.marks import rule_files
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox
from monitor.sandbox import Settings as SandboxSettings
from monitor.service.logs import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.config import Settings
    from monitor.pipeline.private_code import PrivateCode

_log = logger()


class Sandboxes:
    """The sandbox in use, and a way to another when it has died."""

    def __init__(
        self, settings: Settings, cache_folder: str, private_code: PrivateCode | None
    ) -> None:
        self.private_code = private_code
        folders = (bundled_rules_folder(), *rule_files(settings, cache_folder))
        self._settings = SandboxSettings(
            rule_folders=folders,
            cache_folder=cache_folder,
            has_prints=private_code is not None or settings.copies.follow,
            max_script_bytes=private_code.max_script_bytes if private_code is not None else 0,
            # Copies of an incident's sources are looked for in every text.
            words=() if private_code is None or settings.copies.follow else private_code.words,
        )
        self.now = self._made()

    def another(self, lost: Sandbox) -> Sandbox:
        """A new one in the place of the lost one. Waits: not for the loop's own thread."""
        lost.close()
        self.now = self._made()
        return self.now

    def _made(self) -> Sandbox:
        made = Sandbox(self._settings)
        rules = made.hello.rules  # waits for them; what is wrong with them is said here
        _log.info(f"rules are ready: {rules}", step="start")
        return made


@contextmanager
def sandboxes(
    settings: Settings, cache_folder: str, private: PrivateCode | None
) -> Iterator[Sandboxes]:
    """Started while there is one thread; Ctrl-C is the daemon's to hear, not the sandbox's."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    made = Sandboxes(settings, cache_folder, private)
    try:
        signal.signal(signal.SIGINT, before)
        yield made
    finally:
        made.now.close()
