"""The page: closed to the outside, whatever stands in a package."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor.report import RenderOptions, render
from monitor.report.html import MAX_GROUPS_PER_RULE
from tests.report.samples import clean_target, full_report, noisy_findings, report, secret_finding

if TYPE_CHECKING:
    from monitor.model import Finding


class Page(HTMLParser):
    """Collects every element with its attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    page = Page(render("html", full_report()))
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "iframe", "img", "link", "object", "embed", "form", "base", "svg"}
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in {"style", "src"} for name in attributes)


def test_the_policy_allows_its_one_style_sheet() -> None:
    text = render("html", full_report())
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(a["content"] for t, a in Page(text).elements if a.get("http-equiv"))
    assert policy == (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    )
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_only_web_addresses_become_links() -> None:
    references = ["javascript:alert(1)", 'https://x.example/"><b>', "HTTP://y.example", "RFC 1"]
    finding = replace(secret_finding(), references=references)
    page = Page(render("html", report(replace(clean_target(), findings=[finding]))))
    links = [a["href"] for tag, a in page.elements if tag == "a"]
    assert links == ['https://x.example/"><b>', "HTTP://y.example"]
    assert "javascript:alert(1)" in "".join(page.words)
    assert not any(tag == "b" and a for tag, a in page.elements)


def test_backticks_make_code_and_nothing_else() -> None:
    messages = ["leave `<b>a</b>` out", "an odd ` one"]
    findings = [replace(secret_finding(), message=text, secret=None) for text in messages]
    text = render("html", report(replace(clean_target(), findings=findings)))
    assert "<h3>leave <code>&lt;b&gt;a&lt;/b&gt;</code> out</h3>" in text
    assert "<h3>an odd ` one</h3>" in text


def test_many_findings_are_folded_and_then_counted() -> None:
    many = [
        replace(finding, message=f"{finding.message} {round_}")
        for round_ in range(10)
        for finding in noisy_findings()
    ]
    text = render("html", report(replace(clean_target(), findings=many)))
    assert text.count("<article") == MAX_GROUPS_PER_RULE
    assert f"and {len(many) - 5} more findings of rule" in text
    assert f"and {len(many) - MAX_GROUPS_PER_RULE} more findings; --format json" in text


def test_many_places_are_folded_and_then_counted() -> None:
    places: list[Finding] = [secret_finding(number) for number in range(500)]
    text = render("html", report(replace(clean_target(), findings=places)))
    assert text.count("<article") == 1
    assert "and 497 more places" in text
    assert "and 300 more places, listed by --format json" in text


def test_the_time_is_told_when_known() -> None:
    assert "<time" not in render("html", full_report(), RenderOptions())
