from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from monitor.errors import RuleError
from monitor.rules import cache
from monitor.rules.cache import bundled_rules_folder, compiled
from tests.rules.writing import rule, write

if TYPE_CHECKING:
    from pathlib import Path


def kept(folder: Path) -> Path:
    [path] = folder.iterdir()
    return path


def test_a_second_start_needs_neither_yaml_nor_the_translator(tmp_path: Path) -> None:
    folder = write(tmp_path / "rules", rule("acme_[a-z]{5}"))
    compiled([str(folder)], str(tmp_path / "cache"))
    program = (
        "import sys; from monitor.rules import compiled;"
        f"m = compiled([{str(folder)!r}], {str(tmp_path / 'cache')!r});"
        "assert [x.start for x in m.scan_all(b'  acme_abcde')] == [2];"
        "slow = {'yaml', 'monitor.rules.loader', 'monitor.rules.translate', 'regex', 'asyncio',"
        " 'dataclasses', 'pathlib'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout == b"[]\n"


def test_the_file_is_private_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = write(tmp_path / "rules", rule("acme_[a-z]{5}"))
    compiled([str(folder)], str(tmp_path / "cache"))
    assert stat.S_IMODE(kept(tmp_path / "cache").stat().st_mode) == 0o600


def test_a_file_damaged_in_any_byte_is_rebuilt(tmp_path: Path) -> None:
    folder = write(tmp_path / "rules", rule("acme_[a-z]{5}"))
    store = tmp_path / "cache"
    compiled([str(folder)], str(store))
    path = kept(store)
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        assert cache._read(str(path)) is None, at
    for content in (b"", whole[:20], whole[:-1], whole + b"\0", bytes(len(whole))):
        path.write_bytes(content)
        found_by = compiled([str(folder)], str(store))
        assert [one.start for one in found_by.scan_all(b"acme_abcde")] == [0]
        assert path.read_bytes() == whole


def test_changed_rules_are_compiled_anew(tmp_path: Path) -> None:
    store = str(tmp_path / "cache")
    folder = write(tmp_path / "rules", rule("acme_[a-z]{5}"))
    first = compiled([str(folder)], store)
    write(folder, rule("acme_[a-z]{4}"))
    second = compiled([str(folder)], store)
    assert first.digest != second.digest
    assert second.scan_all(b"acme_abcd")
    (folder / "more.yml").write_text("rules: []\n")
    assert compiled([str(folder)], store).digest not in {first.digest, second.digest}


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    folder = write(tmp_path / "rules", rule("acme_[a-z]{5}"))
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    assert compiled([str(folder)], str(blocked / "cache")).scan_all(b"acme_abcde")
    (tmp_path / "cache").mkdir()
    compiled([str(folder)], str(tmp_path / "cache"))
    name = kept(tmp_path / "cache").name
    (tmp_path / "other" / name).mkdir(parents=True)  # a folder where the file should be
    assert compiled([str(folder)], str(tmp_path / "other")).scan_all(b"acme_abcde")
    assert [path.name for path in (tmp_path / "other").iterdir()] == [name]


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="there is no such folder of rules"):
        compiled([str(tmp_path / "none")])


def test_the_bundled_rules_are_found() -> None:
    assert compiled([bundled_rules_folder()]).rules
