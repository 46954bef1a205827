"""The operator's marks: found where they stand, in any surroundings, and nowhere else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.model import NpmNames, Organisation
from monitor.rules import compiled, owners

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.rules import Matcher

ACME = Organisation(
    name="acme",
    npm=NpmNames(scopes=["@acme"]),
    domains=["acme.example"],
    internal_hosts=["*.corp.acme.example", "vault-?.acme.example", "build[0-9].lan"],
    internal_names=["acme-console-app", "@acme/internal-*"],
    code_names=["bluefin", "Red Herring"],
    canaries=["zx-canary-81724 (do not remove)"],
    monorepo_paths=["packages/billing"],
)


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    path = tmp_path_factory.mktemp("marks") / "marks.yaml"
    path.write_text(owners.document([ACME]))
    return compiled([str(path)])


def found(matcher: Matcher, text: str, path: str = "package/a.js") -> set[tuple[str, str]]:
    matches = matcher.scan(text.encode(), path)
    return {
        (each.rule.id.removeprefix("owner-").removesuffix("-acme"), each.secret.decode())
        for each in matches
    }


HITS = [
    ("https://db1.corp.acme.example:5432/x", "internal-host", "db1.corp.acme.example"),
    ("host = corp.acme.example", "internal-host", "corp.acme.example"),
    ("DB1.EU.CORP.ACME.EXAMPLE", "internal-host", "DB1.EU.CORP.ACME.EXAMPLE"),
    ("vault-3.acme.example", "internal-host", "vault-3.acme.example"),
    ("ssh://git@build7.lan/x.git", "internal-host", "build7.lan"),
    ('{"project":"Bluefin"}', "code-name", "Bluefin"),
    ("class BluefinClient {}", "code-name", "Bluefin"),
    ("BLUEFIN_URL=1", "code-name", "BLUEFIN"),
    ("red-herring and red_herring", "code-name", "red-herring"),
    ("redHerring()", "code-name", "redHerring"),
    ('"acme-console-app": "^1"', "internal-package", "acme-console-app"),
    ("from '@acme/internal-auth'", "internal-package", "@acme/internal-auth"),
    ("// Acme Inc. - Confidential", "confidential", "Acme Inc. - Confidential"),
    ("# INTERNAL USE ONLY (acme billing)", "confidential", "INTERNAL USE ONLY (acme"),
    ("mail kim.lee@eu.acme.example now", "mail", "kim.lee@eu.acme.example"),
    ("x zx-canary-81724 (do not remove) y", "canary", "zx-canary-81724 (do not remove)"),
    ("at packages/billing/src/tax.ts:3", "monorepo-path", "packages/billing/src/tax.ts"),
]


@pytest.mark.parametrize(("text", "kind", "value"), HITS, ids=[text for text, _, _ in HITS])
def test_a_mark_is_found_as_it_stands(matcher: Matcher, text: str, kind: str, value: str) -> None:
    assert (kind, value) in found(matcher, text)
    escaped = json.dumps({"sourcesContent": [text]})
    assert kind in {each for each, _ in found(matcher, escaped)}
    assert kind in {each for each, _ in found(matcher, f"\x00\x15{text}\x00\x07")}


MISSES = [
    "https://www.acme.example/corp",
    "notcorp.acme.example.org evil-corp.acme.example.net",
    "xcorp.acme.example",
    "build77.lan buildx.lan",
    "bluefinch and yellowbluefin",
    "acme-console-app-tools @acme/internalized x/acme-console-app",
    "confidential clients of OAuth",
    "acme is not confidentially",
    "kim@acme.example.org kim@notacme.example",
    "packages/billings/src old-packages/billing/x",
]


@pytest.mark.parametrize("text", MISSES)
def test_what_only_looks_alike_is_no_mark(matcher: Matcher, text: str) -> None:
    kinds = {kind for kind, _ in found(matcher, text)}
    assert kinds <= ({"confidential"} if "confidentially" in text else set())


def test_an_author_may_have_a_mail_address(matcher: Matcher) -> None:
    text = '{"author": "Kim <kim@acme.example>"}'
    assert found(matcher, text, "package/package.json") == set()
    assert found(matcher, text, "package/src/x.json") == {("mail", "kim@acme.example")}


def test_without_marks_there_is_a_notice_rule_alone() -> None:
    assert owners.document([]) == ""
    (rule,) = json.loads(owners.document([Organisation(name="acme")]))["rules"]
    assert rule["id"] == "owner-confidential-acme"
    assert rule["metadata"]["tags"] == ["organisation=acme"]


def test_two_organisations_with_names_alike_have_rules_of_their_own() -> None:
    names = ["acme", "Acme", "a c-m_e", "ACME!"]
    rules = json.loads(owners.document([Organisation(name=name) for name in names]))["rules"]
    assert len({rule["id"] for rule in rules}) == len(names)


QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Each try compiles a database: to shrink a failure would take minutes."""

_names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=3).filter(
    lambda name: name.strip() == name and len(re.sub(r"[\s_-]", "", name)) >= 3
)


@given(_names, _names)
@settings(max_examples=25, deadline=None, phases=QUICK)
def test_any_name_makes_rules_that_compile(
    tmp_path_factory: pytest.TempPathFactory, name: str, canary: str
) -> None:
    organisation = Organisation(
        name=name, code_names=[name], canaries=[canary], monorepo_paths=[f"x/{name}"]
    )
    path: Path = tmp_path_factory.mktemp("marks") / "marks.yaml"
    path.write_text(owners.document([organisation]))
    matcher = compiled([str(path)])
    hits = matcher.scan(f"<<{canary}>>".encode(), "a.js")
    assert any(each.secret == canary.encode() for each in hits)
