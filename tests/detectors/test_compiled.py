"""Bytecode against the source beside it: what a deletion left behind, and no false alarm."""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.archive import Budget, Limits, Trail, walk
from monitor.detectors.packaging.compiled import Compiled, module

PATH = "acme.whl!/acme/__pycache__/settings.cpython-311.pyc"
SOURCE = "acme.whl!/acme/settings.py"


def compiled(python: str, path: str = PATH) -> Compiled:
    code = compile(python, "/build/acme-product-internal/acme/settings.py", "exec")
    raw = importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)
    found = Compiled()
    for member in walk(path, raw, Budget(Limits()), Trail()):
        found.take(member)
    return found


def differs(python: str, source: str, path: str = PATH) -> bool:
    found = compiled(python, path)
    for member in walk(SOURCE, source.encode(), Budget(Limits()), Trail()):
        found.compare(member)
    return bool(found.differing)


TOKEN = hashlib.sha1(b"a made-up token", usedforsecurity=False).hexdigest()
BEFORE = f'''
"""Settings."""
def login(client):
    access_token = "{TOKEN}"
    return client.connect(access_token)
'''
AFTER = '''
"""Settings."""
def login(client):
    access_token = client.environment()
    return client.connect(access_token)
'''
MORE = "def legacy_upload(): pass\ndef send_ledger(): pass\ndef sync_accounts(): pass\n"

STRANGE = r'''
from __future__ import annotations
class Account:
    __private_settings_name = "one_very_long_constant_of_" "several_pieces_of_text"
    joined_by_operator = "a_token_like_literal_that_" + "goes_on_in_the_next_one"
    escaped = "\x61_hexadecimal_\151n_the_middle_of_it\tand_a_tabulator_before"
    raw = r"a_raw_literal_with_\n_and_\x41_inside"
    mixed = f"a_formatted_literal_{escaped}_with_a_tail_" rf"and_a_raw_one_behind_it_{raw}"
    repeated = "abcd" * 8
    folded = ("one_line_of_many_that_"
              # a comment between them
              "belong_to_each_other")
    def method(self, value: dict[str, "Account | None"]) -> list[int]:
        """A docstring

            indented_far_to_the_right_of_it
        """
        return [len(each_and_every_one) for each_and_every_one in value]
'''


def test_a_deleted_token_is_still_in_the_bytecode() -> None:
    assert differs(BEFORE, AFTER)
    assert not differs(BEFORE, BEFORE)
    assert not differs(AFTER, BEFORE), "what the source has besides is no leak of the bytecode"


def test_deleted_functions_are_still_in_the_bytecode() -> None:
    assert differs(AFTER + MORE, AFTER)
    assert not differs(AFTER + "def one_more(): pass\n", AFTER), "one short name proves nothing"


@pytest.mark.parametrize("optimised", ["settings.cpython-312.opt-2.pyc", "settings.cpython-39.pyc"])
def test_every_name_of_bytecode_finds_its_source(optimised: str) -> None:
    assert differs(BEFORE, AFTER, f"acme.whl!/acme/__pycache__/{optimised}")
    assert differs(BEFORE, AFTER, "acme.whl!/acme/settings.pyc")


@pytest.mark.parametrize("tool", ["settings.cpython-311-pytest-8.3.4.pyc", "settings.abc.pyc"])
def test_tools_that_change_code_on_purpose_do_not_count(tool: str) -> None:
    assert not differs(BEFORE, AFTER, f"acme.whl!/acme/__pycache__/{tool}")


def test_whatever_the_compiler_makes_of_text_is_accounted_for() -> None:
    assert not differs(STRANGE, STRANGE)


def test_the_standard_library_differs_nowhere() -> None:
    library = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(library.glob("*.py")) + sorted(library.glob("email/*.py"))
    assert len(files) > 150
    text = {path: path.read_text(encoding="utf-8", errors="replace") for path in files[::3]}
    assert [path.name for path, python in text.items() if differs(python, python)] == []


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_raise(python: bytes, source: bytes) -> None:
    found = Compiled()
    for member in walk("a.pyc", b"\xa7\r\r\n" + bytes(12) + python, Budget(Limits()), Trail()):
        found.take(member)
    for member in walk("a.py", source, Budget(Limits()), Trail()):
        found.compare(member)


def test_a_module_s_path() -> None:
    assert module("a/__pycache__/b.cpython-311.opt-1.pyc") == "a/b"
    assert module("__pycache__/b.cpython-311.pyc") == "b"
    assert module("a/b.pyc") == "a/b"
