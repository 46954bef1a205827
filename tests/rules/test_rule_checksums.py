"""Examples of rules with a checksum pass it: who reads them sees what the rule's tokens are."""

from __future__ import annotations

import pytest

from monitor.rules.cache import bundled_rules_folder, matcher_of
from monitor.rules.checksums import UNKNOWN, Checked, check
from monitor.rules.loader import load

RULE_SET = load([bundled_rules_folder()])
CHECKED = {rule.id: rule for rule in RULE_SET.rules if rule.metadata.checksum}


@pytest.mark.parametrize("name", CHECKED)
def test_every_example_of_a_rule_passes_its_checksum(name: str) -> None:
    rule = CHECKED[name]
    matcher = matcher_of([rule], ())
    for example in rule.metadata.match:
        found = matcher.scan_all(example.text.encode(), example.path)
        answers = [check(rule.metadata.checksum, match.secret) for match in found]
        assert answers, example.text
        assert all(_is_sound(name, answer) for answer in answers), example.text


def _is_sound(name: str, answer: Checked) -> bool:
    """An AWS key id has no checksum: there the account that it holds is the answer.

    Of GitLab's tokens the longer ones have one.
    """
    if name == "gitlab-personal-access-token" and answer == UNKNOWN:
        return True
    return answer.word == "valid" or "aws_account" in answer.evidence


def test_a_private_key_tells_its_type_and_that_it_is_in_the_clear() -> None:
    rule = CHECKED["private-key-openssh"]
    matcher = matcher_of([rule], ())
    (found,) = matcher.scan_all(rule.metadata.match[0].text.encode())
    evidence = check("private-key", found.secret).evidence
    assert evidence == {
        "key_type": "openssh private key", "key_algorithm": "ed25519", "encrypted": False
    }  # fmt: skip


def test_a_package_index_token_tells_its_scope() -> None:
    rule = CHECKED["pypi-api-token"]
    matcher = matcher_of([rule], ())
    scopes = [
        check("pypi-macaroon", match.secret).evidence["pypi_scope"]
        for example in rule.metadata.match
        for match in matcher.scan_all(example.text.encode())
    ]
    assert "user" in scopes
    assert "projects acme-cli" in scopes
    assert "expires 1767225600, user" in scopes
