"""Who may touch what: addresses, the environment, unlocked dependencies."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from tests.house.tree import files, syntax, text

# Spelled so that this line does not name what it looks for.
REGISTRY_HOSTS = re.compile(rb"py[p]i\.(org|io)|pytho[n]hosted|npm[j]s\.(org|com)|debia[n]\.org")
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "unsetenv", "expandvars"}
LOCKS = (
    "requirements.lock",
    "requirements-build.lock",
    "requirements-dev.lock",
    "deploy/requirements.lock",
)


def test_no_registry_host_is_named_anywhere() -> None:
    root = Path(__file__).parents[2]
    assert REGISTRY_HOSTS.search(b"https://registry.npm" + b"js.org/")
    named = [
        f"{path}:{number}"
        for path in files()
        for number, line in enumerate((root / path).read_bytes().splitlines(), 1)
        if REGISTRY_HOSTS.search(line)
    ]
    assert named == []


def test_only_the_configuration_reads_the_environment() -> None:
    readers = [
        f"{path}:{getattr(node, 'lineno', 0)}"
        for path in files(".py", "monitor")
        if path.parts[1] != "config"
        for node in ast.walk(syntax(path))
        if _reads_environment(node)
    ]
    assert readers == []


def _reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        is_os = isinstance(node.value, ast.Name) and node.value.id in {"os", "path"}
        return node.attr in ENVIRONMENT and (is_os or isinstance(node.value, ast.Attribute))
    if isinstance(node, ast.ImportFrom):
        return node.module in {"os", "os.path"} and bool(
            ENVIRONMENT & {alias.name for alias in node.names}
        )
    return False


def test_every_dependency_is_locked_with_hashes() -> None:
    for name in LOCKS:
        lines = text(Path(name)).splitlines()
        pins = [line for line in lines if re.match(r"[a-z0-9]", line)]
        assert len(pins) > 5
        for pin in pins:
            assert re.match(r"[a-z0-9.-]+==[^ ]+ (; .+ )?\\$", pin), f"{name}: {pin}"
        assert not [line for line in lines if "://" in line or line.startswith("-")], name
        assert sum("--hash=sha256:" in line for line in lines) >= len(pins)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    asked = tomllib.loads(text(Path("pyproject.toml")))
    groups = asked["dependency-groups"]
    wanted = {
        "requirements.lock": asked["project"]["dependencies"],
        "requirements-build.lock": groups["build"],
        "deploy/requirements.lock": [
            *asked["project"]["dependencies"],
            *asked["project"]["optional-dependencies"]["cluster"],
        ],
        "requirements-dev.lock": [
            *asked["project"]["dependencies"],
            *groups["build"],
            *[entry for entry in groups["dev"] if isinstance(entry, str)],
        ],
    }
    for lock, requirements in wanted.items():
        pinned = set(re.findall(r"(?m)^([a-z0-9.-]+)==", text(Path(lock))))
        names = {_name(requirement) for requirement in requirements}
        assert names <= pinned, f"{lock}: run make lock"


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_the_locks_agree_with_each_other() -> None:
    """Of a package that differs between Pythons, every lock holds the same versions."""
    versions: dict[str, dict[Path, set[str]]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"(?m)^([a-z0-9.-]+)==([^ ]+)", text(Path(lock))):
            versions.setdefault(name, {}).setdefault(Path(lock), set()).add(version)
    agreed = {name: list(found.values()) for name, found in versions.items()}
    assert {n: found for n, found in agreed.items() if any(f != found[0] for f in found)} == {}
