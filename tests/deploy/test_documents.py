"""What the documents show of ``leakmon.toml`` is accepted by leakmon, and complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from monitor.config import parse
from monitor.config.secrets import SecretRef
from monitor.config.settings import Settings
from monitor.suppress.files import parse_ignores

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = ("README.md", "deploy/RUNBOOK.md")
EXAMPLE = Path("deploy/leakmon.example.toml")
INVENTED = {"url", "api", "index", "changes", "cache", "folder", "esbuild"}
"""Addresses and folders: their default is to be looked for elsewhere."""


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for document in DOCUMENTS:
        text = Path(document).read_text(encoding="utf-8")
        found += [
            (document, each) for each in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
        ]
    return found


def uncommented() -> str:
    """The example with every key that it offers set."""
    return re.sub(r"(?m)^#(?! )", "", EXAMPLE.read_text(encoding="utf-8"))


def test_examples_of_the_configuration_are_accepted() -> None:
    shown = [(name, each) for name, each in blocks("toml") if "[[ignore]]" not in each]
    assert len(shown) >= 2
    for _, text in shown:
        # A channel without an organisation is no whole configuration: the example's comes along.
        parse(text if "[[organisations]]" in text else f'{text}\n[[organisations]]\nname = "a"\n')


def test_examples_of_ignores_are_accepted() -> None:
    shown = [each for _, each in blocks("toml") if "[[ignore]]" in each]
    assert shown
    for text in shown:
        assert parse_ignores(text, "README.md")


def test_the_example_is_accepted_with_every_key_that_it_offers() -> None:
    assert parse(EXAMPLE.read_text(encoding="utf-8")).organisations
    settings = parse(uncommented())
    assert settings.alerts.slack is not None
    assert settings.alerts.routes


def fields(kind: Any, path: str = "") -> Iterator[str]:
    """Every key below a struct of the configuration, as ``registries.npm.url``."""
    for field in msgspec.structs.fields(kind):
        inner = structs(field.type)
        name = f"{path}{field.encode_name}"
        if not inner:
            yield name
        for each in inner:
            yield from fields(each, f"{name}.")


def structs(kind: Any) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [] if kind is SecretRef else [kind]
    return [found for each in getattr(kind, "__args__", ()) for found in structs(each)]


def named(table: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        is_list = isinstance(value, list) and value and isinstance(value[0], dict)
        inner = value[0] if is_list else value
        if isinstance(inner, dict) and f"{path}{key}" != "private_code.keys":
            yield from named(inner, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def test_the_example_names_every_key_that_there_is() -> None:
    known = set(fields(Settings))
    assert len(known) > 80
    assert {name for name, _ in named(tomllib.loads(uncommented()))} == known


@pytest.mark.parametrize("table", ["service", "http", "registries", "advisories", "jobs"])
def test_what_the_example_shows_as_a_default_is_one(table: str) -> None:
    shown = dict(named(tomllib.loads(uncommented())[table]))
    defaults = dict(named(msgspec.to_builtins(getattr(Settings(), table))))
    compared = [
        (name, shown[name], default)
        for name, default in defaults.items()
        if default not in ("", None, []) and name.rpartition(".")[2] not in INVENTED
    ]
    assert compared
    assert [each for each in compared if each[1] != each[2]] == []
