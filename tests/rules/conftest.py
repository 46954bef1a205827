from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.rules.cache import bundled_rules_folder, matcher_of
from monitor.rules.loader import load

if TYPE_CHECKING:
    from monitor.rules import Matcher


@pytest.fixture(scope="session")
def bundled() -> Matcher:
    """A matcher of the rules as they are delivered; to compile them takes seconds."""
    rule_set = load([bundled_rules_folder()])
    return matcher_of(rule_set.rules, rule_set.known_examples)
