"""What the operator writes, and what is understood by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import UsageError
from monitor.registries.targets import (
    GithubTarget,
    GitTarget,
    LocalTarget,
    PackageTarget,
    Target,
    expand,
    parse,
)


def nothing(_path: str) -> bool:
    return False


def package(text: str, ecosystem: str, name: str, spec: str = "", file: str = "") -> PackageTarget:
    return PackageTarget(text=text, ecosystem=ecosystem, name=name, spec=spec, filename=file)


def github(text: str, ref: str = "", *, release: bool = False, file: str = "") -> GithubTarget:
    return GithubTarget(
        text=text, repository="acme/repo", ref=ref, is_release=release, filename=file
    )


UNDERSTOOD: list[Target] = [
    package("pkg:npm/%40acme/cli@1.2.0", "npm", "@acme/cli", "1.2.0"),
    package("pkg:npm/left-pad", "npm", "left-pad"),
    package("pkg:pypi/Acme@2.0", "pypi", "acme", "==2.0"),
    package("pkg:pypi/acme@2.0?file_name=a.whl", "pypi", "acme", "==2.0", "a.whl"),
    github("pkg:github/acme/repo@main", "main"),
    github("pkg:github/acme/repo"),
    package("npm:@acme/cli@1.2.0", "npm", "@acme/cli", "1.2.0"),
    package("npm:@acme/cli", "npm", "@acme/cli"),
    package("npm:left-pad", "npm", "left-pad"),
    package("NPM:left-pad", "npm", "left-pad"),
    package("npm:x@next", "npm", "x", "next"),
    package("npm:x@^1", "npm", "x", "^1"),
    package("npm:x@>=1 <2 || 3.x", "npm", "x", ">=1 <2 || 3.x"),
    package("pypi:acme", "pypi", "acme"),
    package("pypi:acme==2.0", "pypi", "acme", "==2.0"),
    package("pypi:acme@2.0", "pypi", "acme", "==2.0"),
    package("pypi:acme[cli]>=2,<3", "pypi", "acme", ">=2,<3"),
    package("pypi:acme==2.0#acme-2.0-py3-none-any.whl", "pypi", "acme", "==2.0",
            "acme-2.0-py3-none-any.whl"),
    package("pypi:acme?file_name=acme-2.0.tar.gz", "pypi", "acme", "", "acme-2.0.tar.gz"),
    github("github:acme/repo"),
    github("github:acme/repo@v1.0", "v1.0"),
    github("github:acme/repo@feature/x", "feature/x"),
    github("github:acme/repo#releases", release=True),
    github("github:acme/repo@v1#releases", "v1", release=True),
    github("github:acme/repo@v1#releases/a.tgz", "v1", release=True, file="a.tgz"),
    GitTarget(text="https://h.example/a.git", address="https://h.example/a.git"),
    GitTarget(text="https://h.example/a.git@v1", address="https://h.example/a.git", ref="v1"),
    GitTarget(text="https://h.example/a.git#f/x", address="https://h.example/a.git", ref="f/x"),
    GitTarget(text="git+https://h.example/a@v1", address="https://h.example/a", ref="v1"),
    GitTarget(text="ssh://git@h.example:22/a.git", address="ssh://git@h.example:22/a.git"),
    GitTarget(text="git+ssh://git@h.example/a@v1", address="ssh://git@h.example/a", ref="v1"),
    GitTarget(text="git@h.example:a/b.git", address="git@h.example:a/b.git"),
    GitTarget(text="git@h.example:a/b.git@v1", address="git@h.example:a/b.git", ref="v1"),
    GitTarget(text="git@h.example:a/b.git#v1", address="git@h.example:a/b.git", ref="v1"),
    GitTarget(text="file:///srv/a.git", address="file:///srv/a.git"),
    LocalTarget(text="./npm:x", path="./npm:x"),
    LocalTarget(text="../x", path="../x"),
    LocalTarget(text="/x/y.tgz", path="/x/y.tgz"),
    LocalTarget(text=".", path="."),
]  # fmt: skip


def test_every_form_is_understood() -> None:
    assert UNDERSTOOD
    for expected in UNDERSTOOD:
        assert parse(expected.text, exists=nothing) == expected


REFUSED = [
    ("", "no target"),
    ("left-pad", r"did you mean npm:left-pad or pypi:left-pad\?"),
    ("a\nb", "control characters"),
    ("npm:", "not the name of an npm package"),
    ("npm:x@", "nothing follows"),
    ("npm:../x", "not the name of an npm package"),
    ("npm:x@https://h.example/x.tgz", "neither a version"),
    ("pypi:", "not a PyPI package"),
    ("pypi:a==", "not a version specifier"),
    ("pypi:a==1#", "file's name is empty"),
    ("pypi:a==1#../x", "not a PyPI package or file name"),
    ("pypi:a?x=1", "only file_name="),
    ("github:acme", "not owner/name"),
    ("github:acme/..", "not owner/name"),
    ("github:acme/repo@", "nothing follows"),
    ("github:acme/repo@-x", "not a branch"),
    ("github:acme/repo@a..b", "not a branch"),
    ("github:acme/repo#main", "only #releases"),
    ("https://h.example/a", r"write git\+https://"),
    ("git://h.example/a.git", "not allowed"),
    ("git+https://h.example/a@--upload-pack=x", "not a branch"),
    ("git+https:///a.git", "needs a host"),
    ("https://h.example:99999/a.git", "not an address"),
    ("ssh://-oProxyCommand=x/a.git", "not a host"),
    ("ssh://u:p@h.example/a.git", "no password"),
    ("pkg:npm", "not a package URL"),
    ("pkg:cargo/x@1", "type 'cargo'"),
    ("ext::sh -c x", "neither a file nor a target"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_not_understood_is_named_with_the_forms(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse(text, exists=nothing)
    assert "\n" not in str(caught.value)


def test_what_exists_is_local() -> None:
    assert parse("left-pad", exists=lambda _path: True) == LocalTarget(
        text="left-pad", path="left-pad"
    )


def test_a_login_is_kept_apart_and_never_shown() -> None:
    secret = "s3" + "cret"
    target = parse(f"https://robot:{secret}@h.example/a.git@v1", exists=nothing)
    assert isinstance(target, GitTarget)
    assert (target.address, target.ref) == ("https://h.example/a.git", "v1")
    assert target.login == f"robot:{secret}"
    assert secret not in repr(target) + target.text
    with pytest.raises(UsageError) as caught:
        parse(f"https://robot:{secret}@h.example/a", exists=nothing)
    assert secret not in str(caught.value)


def test_a_list_on_standard_input() -> None:
    lines = ["# all of ours\n", "\n", "npm:a  # the first\n", "  github:acme/repo#releases\n"]
    assert expand(["npm:z", "-"], lambda: lines) == [
        "npm:z",
        "npm:a",
        "github:acme/repo#releases",
    ]
    with pytest.raises(UsageError, match="only once"):
        expand(["-", "-"], lambda: lines)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_a_usage_error(text: str) -> None:
    for prefix in ("", "npm:", "pypi:", "github:", "pkg:", "git+https://", "ssh://", "git@h:"):
        said = ""
        try:
            said = parse(prefix + text, exists=nothing).text
        except UsageError as error:
            said = str(error)
        assert said.isprintable()


_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
_VERSIONS = st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True)


@given(_NAMES, _NAMES, _VERSIONS)
def test_short_form_and_package_url_mean_the_same(scope: str, name: str, version: str) -> None:
    short = parse(f"npm:@{scope}/{name}@{version}", exists=nothing)
    long = parse(f"pkg:npm/%40{scope}/{name}@{version}", exists=nothing)
    assert isinstance(short, PackageTarget)
    assert isinstance(long, PackageTarget)
    assert (short.ecosystem, short.name, short.spec) == (long.ecosystem, long.name, long.spec)
    assert (short.name, short.spec) == (f"@{scope}/{name}", version)
