from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.archive.dependencies import UnreadableError, read

NPM = "acme.tgz!/package/"
SDIST = "acme-1.tar.gz!/acme-1/"
WHEEL = "acme-1-py3-none-any.whl!/"

Found = list[tuple[str, str, str]]


def told(path: str, content: bytes | str | dict[str, Any]) -> Found:
    if isinstance(content, dict):
        content = json.dumps(content)
    data = content.encode() if isinstance(content, str) else content
    return [(each.name, each.wanted, each.how) for each in read(path, data)]


def test_what_npm_installs_along() -> None:
    content = {
        "name": "acme",
        "dependencies": {"lodash": "^4.17.0", "fsevents": "1", "odd": 5},
        "optionalDependencies": {"fsevents": "^2.0.0"},
        "peerDependencies": {"react": ">=17", "redux": "*"},
        "peerDependenciesMeta": {"redux": {"optional": True}},
        "devDependencies": {"jest": "1.0.0"},
    }
    found = read(NPM + "package.json", json.dumps(content).encode())
    assert [(each.name, each.wanted, each.is_optional) for each in found] == [
        ("lodash", "^4.17.0", False),
        ("odd", "malformed:", False),
        ("fsevents", "^2.0.0", True),
        ("react", ">=17", False),
        ("redux", "*", True),
    ]
    assert {each.how for each in found} == {"declared"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("node_modules/lodash/package.json", "real"),
        ("node_modules/@acme/core/package.json", "real"),
        ("dist/node_modules/a/node_modules/b/package.json", "real"),
        ("node_modules/lodash/dist/esm/package.json", None),
        ("node_modules/.bin/package.json", "real"),
        ("examples/package.json", None),
    ],
)
def test_bundled_packages_are_exact(path: str, expected: str | None) -> None:
    found = told(NPM + path, {"name": "real", "version": "1.2.3", "dependencies": {"x": "1"}})
    assert found == ([(expected, "1.2.3", "bundled")] if expected else [])


def test_a_bundled_package_without_a_name_is_called_by_its_folder() -> None:
    path = NPM + "node_modules/@acme/core/package.json"
    assert told(path, {"version": "1.0.0"}) == [("@acme/core", "1.0.0", "bundled")]
    assert told(path, {"type": "module"}) == []


@pytest.mark.parametrize(
    ("name", "how"), [("package-lock.json", "locked"), ("npm-shrinkwrap.json", "shrinkwrap")]
)
def test_npm_locks_of_each_version(name: str, how: str) -> None:
    packages = {
        "": {"name": "acme", "version": "1.0.0"},
        "node_modules/a": {"version": "1.0.0"},
        "node_modules/a/node_modules/@s/b": {"version": "2.0.0", "optional": True},
        "node_modules/alias": {"name": "real", "version": "3.0.0"},
        "node_modules/dev": {"version": "9.9.9", "dev": True},
        "node_modules/here": {"link": True, "resolved": "here"},
    }
    expected = [("a", "1.0.0", how), ("@s/b", "2.0.0", how), ("real", "3.0.0", how)]
    assert told(NPM + name, {"lockfileVersion": 3, "packages": packages}) == expected
    tree = {"a": {"version": "1.0.0", "dependencies": {"@s/b": {"version": "2.0.0"}}}}
    assert told(NPM + name, {"lockfileVersion": 1, "dependencies": tree}) == expected[:2]


METADATA = """Metadata-Version: 2.4
Name: acme
Version: 1.0
Requires-Dist: requests (>=2.20,<3)
Requires-Dist: idna==2.10 ; python_version < "3.12"
Requires-Dist: tests-lib[a,b]~=1.4 ; extra == 'tests'
Requires-Dist: direct @ https://git.acme.example/direct.zip
Requires-Dist: any

Requires-Dist: not-a-header
"""


@pytest.mark.parametrize("path", [WHEEL + "acme-1.dist-info/METADATA", SDIST + "PKG-INFO"])
def test_what_a_python_release_declares(path: str) -> None:
    found = read(path, METADATA.encode())
    assert [(each.name, each.wanted, each.condition, each.is_optional) for each in found] == [
        ("requests", ">=2.20,<3", "", False),
        ("idna", "==2.10", 'python_version < "3.12"', False),
        ("tests-lib", "~=1.4", "extra tests", True),
        ("direct", "url:https://git.acme.example/direct.zip", "", False),
        ("any", "", "", False),
    ]


@pytest.mark.parametrize(
    "path",
    [
        WHEEL + "acme/_vendor/dep-2.dist-info/METADATA",
        "all.tar.gz!/all-1/acme-1.whl!/acme-1.dist-info/METADATA",
    ],
)
def test_a_vendored_distribution_is_exact(path: str) -> None:
    assert told(path, METADATA) == [("acme", "1.0", "bundled")]


def test_an_egg_info_repeats_what_is_known() -> None:
    assert told(SDIST + "acme.egg-info/PKG-INFO", METADATA) == []


REQUIREMENTS = """\ufeff# comment
--index-url https://pypi.acme.example/simple
-r other.txt
requests==2.19.0 --hash=sha256:00 \\
    --hash=sha256:11
idna>=2.5,<3  # why
Jinja2[i18n]==3.0 ; python_version < '3.9'
git+https://git.acme.example/x.git#egg=x
./local
dist/acme-1.whl
two words
"""


def test_a_requirements_file() -> None:
    assert told(SDIST + "requirements.txt", REQUIREMENTS) == [
        ("requests", "==2.19.0", "pinned"),
        ("idna", ">=2.5,<3", "pinned"),
        ("Jinja2", "==3.0", "pinned"),
        ("git+https://git.acme.example/x.git#egg=x", "url:", "pinned"),
        ("./local", "url:", "pinned"),
        ("dist/acme-1.whl", "url:", "pinned"),
        ("two words", "malformed:", "pinned"),
    ]


@pytest.mark.parametrize(
    ("path", "is_read"),
    [
        ("requirements.txt", True),
        ("requirements-prod.txt", True),
        ("requirements/prod.txt", True),
        ("requirements-dev.txt", False),
        ("requirements_test.txt", False),
        ("requirements/docs.txt", False),
        ("docs/api/requirements.txt", False),
        ("notes.txt", False),
    ],
)
def test_requirements_for_developers_do_not_count(path: str, is_read: bool) -> None:  # noqa: FBT001 - a column of the table
    assert bool(told(SDIST + path, "a==1")) is is_read


@pytest.mark.parametrize("name", ["poetry.lock", "uv.lock", "pdm.lock", "pylock.toml"])
def test_python_locks_in_toml(name: str) -> None:
    key = "packages" if name == "pylock.toml" else "package"
    content = f"""
[[{key}]]
name = "requests"
version = "2.19.0"
[[{key}]]
name = "acme"
version = "1.0"
source = {{ editable = "." }}
[[{key}]]
name = "unnumbered"
"""
    assert told(SDIST + name, content) == [("requests", "2.19.0", "locked")]


def test_a_pipfile_lock() -> None:
    content = {"default": {"idna": {"version": "==2.10"}, "x": {"git": "y"}}, "develop": {"z": {}}}
    assert told(SDIST + "Pipfile.lock", content) == [("idna", "2.10", "locked")]


PYPROJECT = """
[project]
name = "acme"
dependencies = ["django==3.2.0", "requests>=2; python_version<'4'"]
dynamic = ["version"]
[project.optional-dependencies]
fast = ["uvloop>=0.1"]
[tool.poetry.dependencies]
python = "^3.11"
caret = "^1.2.3"
small = "^0.2.3"
tilde = "~1.4"
exact = "2.0.1"
any = "*"
both = ">=1,<2"
there = {git = "https://git.acme.example/x.git"}
table = {version = "^2", optional = true}
odd = 5
"""


def test_what_a_folders_python_project_asks_for() -> None:
    assert told("pyproject.toml", PYPROJECT) == [
        ("django", "==3.2.0", "declared"),
        ("requests", ">=2", "declared"),
        ("uvloop", ">=0.1", "declared"),
        ("caret", ">=1.2.3,<2", "declared"),
        ("small", ">=0.2.3,<0.3", "declared"),
        ("tilde", ">=1.4,<1.5", "declared"),
        ("exact", "==2.0.1", "declared"),
        ("any", "", "declared"),
        ("both", ">=1,<2", "declared"),
        ("there", "url:", "declared"),
        ("table", ">=2,<3", "declared"),
        ("odd", "malformed:", "declared"),
    ]
    found = read("pyproject.toml", PYPROJECT.encode())
    assert [each.name for each in found if each.is_optional] == ["uvloop", "table"]
    assert told("Pipfile", '[packages]\nflask = "==1.0"\nany = "*"\n') == [
        ("flask", "==1.0", "declared"),
        ("any", "", "declared"),
    ]
    dynamic = '[project]\nname = "a"\ndynamic = ["dependencies"]\n'
    assert told("pyproject.toml", dynamic) == [("(dynamic dependencies)", "malformed:", "declared")]
    assert told(SDIST + "pyproject.toml", PYPROJECT) == []  # its PKG-INFO says it
    assert told("vendor/x/pyproject.toml", PYPROJECT) == []


def test_overlong_texts_are_cut_and_said() -> None:
    ((name, wanted, _),) = told(NPM + "package.json", {"dependencies": {"a" * 500: "1" * 500}})
    assert (len(name), wanted[:10]) == (256, "overlong:1")


def test_a_huge_file_is_not_read() -> None:
    with pytest.raises(UnreadableError) as caught:
        read(SDIST + "uv.lock", memoryview(bytes(33 << 20)))
    assert caught.value.reason == "over-dependencies"


@pytest.mark.parametrize("filler", [" ", "\t", ".", "[", "a.", "a ", "; extra "])
def test_an_endless_line_takes_no_time(filler: str) -> None:
    """Each took minutes with an expression that backs over white space."""
    line = f"a{filler * 200_000}x"
    for content in (f"{line}\n{line}", f"Name: a\nRequires-Dist: {line}\n"):
        read(SDIST + ("PKG-INFO" if "Name" in content else "requirements.txt"), content.encode())


KINDS = (
    "package.json",
    "package-lock.json",
    "PKG-INFO",
    "uv.lock",
    "Pipfile.lock",
    "requirements.txt",
)


@pytest.mark.parametrize("name", KINDS[:2])
@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, '{"packages": 5'])
def test_a_broken_file_says_so(name: str, content: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(NPM + name, content.encode())
    assert caught.value.reason == "malformed-dependency"


@given(st.sampled_from(KINDS), st.binary(max_size=300))
def test_no_content_raises_anything_else(name: str, content: bytes) -> None:
    try:
        found = read(SDIST + name, content)
    except UnreadableError:
        return
    assert isinstance(found, list)


@given(
    st.sampled_from(KINDS),
    st.dictionaries(
        st.sampled_from(["dependencies", "packages", "default", "peerDependenciesMeta"]),
        st.recursive(
            st.none() | st.text() | st.integers(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        ),
    ),
)
def test_no_shape_raises_anything_else(name: str, content: dict[str, Any]) -> None:
    with contextlib.suppress(UnreadableError):
        read(SDIST + name, json.dumps(content).encode())
