from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.decoders.unfold import Unfolded, unfold
from monitor.rules import Matcher, bundled_rules_folder, compiled

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    return compiled([bundled_rules_folder()], str(tmp_path_factory.mktemp("rules")))


@pytest.fixture(scope="session")
def unfolded(matcher: Matcher) -> Callable[[bytes], Unfolded]:
    """Scans a text and unfolds it."""

    def run(text: bytes) -> Unfolded:
        plain = matcher.scan(text, "a.js")
        return unfold(matcher, text, matcher.probe_hits, "a.js", plain)

    return run
