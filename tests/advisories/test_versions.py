from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.advisories.severity import base_score, rated
from monitor.advisories.versions import NotAuditableError, wanted
from monitor.model import Dependency, Severity


def dependency(ecosystem: str, text: str, how: str = "declared", name: str = "x") -> Dependency:
    return Dependency(path="p", ecosystem=ecosystem, name=name, wanted=text, how=how)


@pytest.mark.parametrize(
    ("text", "lowest", "admits"),
    [
        ("==1.5", [("1.5", True)], False),
        ("===1.5", [("1.5", True)], False),
        ("==1.5+local", [("1.5", True)], False),
        ("==1.*", [("1", True)], True),
        ("==1.5,>1", [("1.5", True)], False),
        (">=1.5", [("1.5", True)], True),
        (">=1.5,<2", [("1.5", True)], True),
        (">=1.5,<1.9", [("1.5", True)], False),
        (">=1.5,!=1.9", [("1.5", True)], True),
        ("~=1.5", [("1.5", True)], True),
        ("~=1.5.0", [("1.5.0", True)], False),
        (">1.5", [("0", False)], True),
        ("<1.9", [("0", False)], False),
        ("<=1.9", [("0", False)], True),
        (">=1.5,!=1.5", [("0", False)], True),
        ("", [("0", False)], True),
    ],
)
def test_python_ranges(text: str, lowest: list[tuple[str, bool]], admits: bool) -> None:  # noqa: FBT001 - a column of the table
    found = wanted(dependency("pypi", text))
    versions = [question.version for question in found.lowest]
    assert list(zip(versions, found.is_named, strict=True)) == lowest
    assert found.admits(["1.9"]) is admits


@pytest.mark.parametrize(
    ("text", "lowest", "admits"),
    [
        ("1.5.0", [("1.5.0", True)], False),
        ("=1.5.0", [("1.5.0", True)], False),
        ("v1.5.0", [("1.5.0", True)], False),
        ("1.5.0-rc.1", [("1.5.0-rc.1", True)], False),
        ("^1.5.0", [("1.5.0", True)], True),
        ("~1.5.0", [("1.5.0", True)], False),
        ("1.x", [("1.0.0", True)], True),
        ("1", [("1.0.0", True)], True),
        (">=1.5", [("1.5.0", True)], True),
        (">1.5.0", [("0.0.0", False)], True),
        ("<1.9.0", [("0.0.0", False)], False),
        ("1.5.0 - 1.8.0", [("1.5.0", True)], False),
        ("^0.5.0 || ^1.5.0", [("0.5.0", True), ("1.5.0", True)], True),
        ("*", [("0.0.0", False)], True),
        ("", [("0.0.0", False)], True),
        ("latest", [("0.0.0", False)], True),
        ("npm:real@^1.5.0", [("1.5.0", True)], True),
    ],
)
def test_npm_ranges(text: str, lowest: list[tuple[str, bool]], admits: bool) -> None:  # noqa: FBT001 - a column of the table
    found = wanted(dependency("npm", text))
    versions = [question.version for question in found.lowest]
    assert list(zip(versions, found.is_named, strict=True)) == lowest
    assert found.admits(["1.9.0"]) is admits


@pytest.mark.parametrize(
    ("text", "name"),
    [("npm:real@^1", "real"), ("npm:@s/real@1.0.0", "@s/real"), ("npm:real", "real")],
)
def test_an_alias_is_asked_about_by_its_real_name(text: str, name: str) -> None:
    assert wanted(dependency("npm", text)).name == name


def test_names_are_those_of_the_registry() -> None:
    assert wanted(dependency("pypi", "==1", name="Zope.Interface")).name == "zope-interface"


@pytest.mark.parametrize(
    ("ecosystem", "text", "how", "reason"),
    [
        ("npm", "git+ssh://git.acme.example/x.git", "declared", "not-from-registry"),
        ("npm", "file:../x", "declared", "not-from-registry"),
        ("npm", "workspace:^1.0.0", "declared", "not-from-registry"),
        ("npm", "acme/x#semver:^1", "declared", "not-from-registry"),
        ("npm", "^one.two", "declared", "malformed-dependency"),
        ("npm", "1.0", "bundled", "malformed-dependency"),
        ("npm", "malformed:", "declared", "malformed-dependency"),
        ("pypi", "url:https://git.acme.example/x.zip", "declared", "not-from-registry"),
        ("pypi", "=>1", "declared", "malformed-dependency"),
        ("pypi", "==one", "declared", "malformed-dependency"),
        ("pypi", "one", "bundled", "malformed-dependency"),
        ("pypi", "overlong:1", "declared", "malformed-dependency"),
    ],
)
def test_what_no_database_can_know(ecosystem: str, text: str, how: str, reason: str) -> None:
    with pytest.raises(NotAuditableError) as caught:
        wanted(dependency(ecosystem, text, how))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "name", ["", "a b", "-r /etc/passwd", "x\n--index-url=y", "../x", "a" * 300]
)
@pytest.mark.parametrize("ecosystem", ["npm", "pypi"])
def test_a_name_is_never_an_option_or_a_path(ecosystem: str, name: str) -> None:
    with pytest.raises(NotAuditableError):
        wanted(dependency(ecosystem, "1.0.0", "bundled", name))


@given(st.sampled_from(["npm", "pypi"]), st.text(max_size=60), st.text(max_size=60))
def test_no_text_raises_anything_else(ecosystem: str, name: str, text: str) -> None:
    for how in ("declared", "bundled"):
        try:
            found = wanted(dependency(ecosystem, text, how, name))
        except NotAuditableError:
            continue
        assert "\n" not in found.name + "".join(each.version for each in found.lowest)
        found.admits(["1.0.0", "rubbish"])


@pytest.mark.parametrize(
    ("vector", "score"),
    [  # the examples of the specification's companion document, and of well-known advisories
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", 7.2),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5),
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:R/S:U/C:H/I:N/A:N", 4.2),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.6),
        ("CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N", None),
        ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", None),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", None),
        ("", None),
    ],
)
def test_cvss_base_scores(vector: str, score: float | None) -> None:
    assert base_score(vector) == score


def test_the_vector_counts_before_the_word() -> None:
    critical, four = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:4.0/AV:N"
    assert rated([critical], "LOW") is Severity.CRITICAL
    assert rated([four], "MODERATE") is Severity.MEDIUM
    assert rated([], "high") is Severity.HIGH
    assert rated([], {}) is None
    assert rated([], None) is None
