from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.licences import Family, contradicts, family

FAMILIES = {
    Family.OPEN: [
        "MIT", "mit", "MIT OR Apache-2.0", "(MIT OR UNLICENSED-x)", "Apache-2.0", "BSD-3-Clause",
        "GPL-3.0-or-later WITH Classpath-exception-2.0", "GPL-2.0+", "LGPL-2.1-only", "0BSD",
        "MIT License", "Apache Software License", "BSD", "Apache License, Version 2.0",
        "GNU General Public License v3 (GPLv3)", "MPL-2.0 AND MIT", "Python Software Foundation",
        "Permission is hereby granted, free of charge, to any person obtaining a copy of this " * 2,
    ],
    Family.SOURCE_AVAILABLE: [
        "BUSL-1.1", "Elastic-2.0", "SSPL-1.0", "PolyForm-Noncommercial-1.0.0", "FSL-1.1-MIT",
        "MIT AND BUSL-1.1", "Business Source License 1.1",
    ],
    Family.PROPRIETARY: [
        "UNLICENSED", "SEE LICENSE IN LICENSE.md", "Proprietary", "Other/Proprietary License",
        "LicenseRef-Acme-Proprietary", "Commercial", "© Acme. All rights reserved.",
    ],
    Family.ABSENT: ["", "  "],
    Family.UNRECOGNISED: ["Acme 1.0", "custom"],
}  # fmt: skip
CASES = [(text, expected) for expected, texts in FAMILIES.items() for text in texts]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_the_family_of_a_licence(text: str, expected: Family) -> None:
    assert family(text) is expected


@pytest.mark.parametrize(
    ("declared", "expected", "is_wrong"),
    [
        ("MIT", "BUSL-1.1", True),
        ("MIT", "UNLICENSED", True),
        ("MIT", "Apache-2.0", True),
        ("MIT License", "MIT", False),
        ("mit", "MIT", False),
        ("Apache License 2.0", "Apache-2.0", False),
        ("Apache-2.0 OR MIT", "MIT OR Apache-2.0", False),
        ("SEE LICENSE IN LICENSE", "UNLICENSED", False),
        ("", "UNLICENSED", False),
        ("", "MIT", True),
        ("UNLICENSED", "MIT", True),
        ("anything", "", False),
    ],
)
def test_contradictions(declared: str, expected: str, *, is_wrong: bool) -> None:
    assert contradicts(declared, expected) is is_wrong


@given(st.text(max_size=600))
def test_any_text_has_a_family(text: str) -> None:
    assert family(text) in Family
    assert not contradicts(text, text)
