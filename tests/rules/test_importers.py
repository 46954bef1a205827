from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.errors import RuleError
from monitor.rules.cache import compiled
from monitor.rules.importers.gitleaks import import_gitleaks
from monitor.rules.importers.kingfisher import import_kingfisher

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.rules import Matcher

GITLEAKS = rb'''
title = "acme"
[extend]
useDefault = true
[[rules]]
id = "acme token"
description = "An Acme token."
regex = """(?i)(acme|acm)[\\s:=]{1,3}([a-z0-9]{12})\\b"""
secretGroup = 2
entropy = 3.1
keywords = ["acme"]
tags = ["vendor"]
path = """\\.ini$"""
[[rules.allowlists]]
regexes = ["^0000", "zzz"]
stopwords = ["sample"]
paths = ["vendor/"]
[[rules]]
id = "whole"
regex = "wh_[0-9a-f]{8}"
[rules.allowlist]
regexTarget = "match"
regexes = ["ffff"]
[[rules]]
id = "only-path"
path = "x"
[[rules]]
id = "bad"
regex = "\\p{L}{3}"
'''
KINGFISHER = rb"""
rules:
  - name: Acme Token
    id: kingfisher.acme.1
    pattern: |
      (?xi)
      acme             # the vendor
      [\s:=]{1,3}
      (?P<TOKEN> [a-z0-9]{12} )
    min_entropy: 3.0
    confidence: medium
    examples: ['acme = a1b2c3d4e5f6']
    references: [https://acme.example/tokens]
    pattern_requirements: {min_digits: 2, ignore_if_contains: [test], checksum: {}}
    validation: {type: Http}
  - name: Helper
    id: kingfisher.acme.2
    visible: false
    pattern: x
"""


def imported(folder: Path, text: str) -> Matcher:
    (folder / "rules.yaml").write_text(text)
    return compiled([str(folder)])


def secrets(found_by: Matcher, text: str) -> list[str]:
    return [one.secret.decode() for one in found_by.scan(text.encode())]


def test_gitleaks_rules_find_what_they_say(tmp_path: Path) -> None:
    text, left_out = import_gitleaks(GITLEAKS)
    found_by = imported(tmp_path, text)
    assert secrets(found_by, "ACME: k3jdfr8xq1zp") == ["k3jdfr8xq1zp"]
    for quiet in ("0000fr8xq1zp", "k3zzzr8xq1zp", "k3SAMPLEq1zp", "aaaabbbbaaaa", "k3jdfr8xq1z"):
        assert secrets(found_by, f"acme={quiet}") == [], quiet
    assert secrets(found_by, "wh_3f9a1c7e wh_ffff1c7e") == ["wh_3f9a1c7e"]
    assert left_out == [
        "extend: is not carried over",
        "acme-token: path: an expression on paths is not carried over",
        "acme-token: allowlist.paths: is not carried over",
        "only-path: has no regex: rules on paths alone are not carried over",
        "bad: pattern-regex: \\p is not supported",
    ]


def test_kingfisher_rules_find_what_they_say(tmp_path: Path) -> None:
    text, left_out = import_kingfisher(KINGFISHER)
    found_by = imported(tmp_path, text)
    assert secrets(found_by, "Acme = k3jdfr8xq1zp") == ["k3jdfr8xq1zp"]
    for quiet in ("k3jdfrxxqqzp"[:11] + "p", "k3jdtestq1zp"):
        assert secrets(found_by, f"acme={quiet.replace('3', 'a')}") == [], quiet
    assert "a1b2c3{}d4e5f6" in text
    assert left_out == [
        "kingfisher.acme.1: validation: is not carried over",
        "kingfisher.acme.1: pattern_requirements.checksum: is not carried over",
        "kingfisher.acme.2: is there for other rules only (visible: false)",
    ]


@pytest.mark.parametrize("content", [b"\xff", b"[[rules", b"rules = 3"])
def test_what_is_no_gitleaks_file_is_refused(content: bytes) -> None:
    with pytest.raises(RuleError):
        import_gitleaks(content)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[", b"3", b"rules: 3"])
def test_what_is_no_kingfisher_file_is_refused(content: bytes) -> None:
    with pytest.raises(RuleError):
        import_kingfisher(content)
