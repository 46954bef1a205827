"""Each table names what its folder holds, and the folder holds nothing that the table forgot."""

from __future__ import annotations

import argparse
import inspect
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from monitor.alerts import CHANNELS
from monitor.archive.formats import BROTLI
from monitor.archive.formats import FORMATS as CONTAINERS
from monitor.cli.arguments import parser
from monitor.cli.scanning import FORMATS as FORMAT_OPTIONS
from monitor.detectors import ARTIFACT_DETECTORS, MEMBER_DETECTORS
from monitor.report import FORMATS as REPORTS
from monitor.watchers import WATCHERS
from tests.house.tree import files, text, top_level_functions

CONTAINER_READER = ["path", "data", "budget", "trail"]


def _modules(room: str) -> dict[str, Path]:
    """The modules and packages that stand directly in a room, by dotted name."""
    found = {}
    for path in files(".py", "monitor"):
        if path.parts[1] != room:
            continue
        if len(path.parts) == 3 and path.stem != "__init__":
            found[f"monitor.{room}.{path.stem}"] = path
        if len(path.parts) == 4 and path.stem == "__init__":
            found[f"monitor.{room}.{path.parts[2]}"] = path
    assert found
    return found


def test_the_detectors_table_is_the_folder() -> None:
    for table, function in ((MEMBER_DETECTORS, "inspect"), (ARTIFACT_DETECTORS, "conclude")):
        listed = [detector.__module__ for detector in table]
        written = [
            name
            for name, path in _modules("detectors").items()
            if function in top_level_functions(path)
        ]
        assert sorted(listed) == sorted(written)


@pytest.mark.parametrize(
    ("contract", "table"),
    [
        ("Watchers do not know their siblings", {f"monitor.watchers.{name}" for name in WATCHERS}),
        ("Channels do not know their siblings", set(CHANNELS.values())),
    ],
)
def test_the_contract_on_siblings_names_the_whole_table(contract: str, table: set[str]) -> None:
    settings = tomllib.loads(text(Path("pyproject.toml")))["tool"]["importlinter"]
    (found,) = (each for each in settings["contracts"] if each["name"] == contract)
    assert table
    assert set(found["modules"]) == table


def test_the_report_formats_table_is_the_folder() -> None:
    written = [
        name
        for name, path in _modules("report").items()
        if top_level_functions(path).get("render") == ["report", "options"]
    ]
    assert sorted(entry.module for entry in REPORTS.values()) == sorted(written)
    assert tuple(REPORTS) == FORMAT_OPTIONS


def test_the_containers_table_is_the_folder() -> None:
    written = [
        f"{name}:{function}"
        for name, path in _modules("archive").items()
        for function, parameters in top_level_functions(path).items()
        if [name.lstrip("_") for name in parameters] == CONTAINER_READER
        and function.startswith("read")
    ]
    # Brotli has no magic bytes: it is known by the name of its file, beside the table.
    assert {entry.reader for entry in (*CONTAINERS, BROTLI)} == set(written)


def test_every_container_can_be_read() -> None:
    for entry in CONTAINERS:
        assert callable(entry.load()), entry.name


def test_every_command_of_the_grammar_is_there() -> None:
    targets = _targets(parser())
    assert len(targets) > 5
    for target in targets:
        module, _, function = target.partition(":")
        assert callable(getattr(import_module(f"monitor.cli.{module}"), function)), target


def _targets(grammar: argparse.ArgumentParser) -> list[str]:
    found = []
    for action in grammar._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                found += _targets(command)
    run = grammar.get_default("run")
    return [*found, inspect.getclosurevars(run).nonlocals["target"]] if run else found
