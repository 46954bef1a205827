"""What an artifact may hold to make matching expensive: time and memory stay bounded.

CPU seconds and resident bytes are counted, of the whole command with its children; the bounds are
generous, for slow machines: what they rule out is growth, in the square or without end.
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.private_code.code import CLIENT, minified, other
from tests.private_code.projects import ESBUILD
from tests.private_code.test_scan import CONFIG, Machine, committed

if TYPE_CHECKING:
    from collections.abc import Callable

CPU_SECONDS = 60.0
RESIDENT_BYTES = 1_500 << 20


def _tiny_functions() -> bytes:
    return b"".join(b"function f%d(){}\n" % number for number in range(1_000_000))


def _one_line() -> bytes:
    return b"a(1);" * 2_000_000


def _distinct_line() -> bytes:
    return b"".join(b"x.p%d(q%d,'s%d');" % (n, n * 7, n) for n in range(200_000))


def _ours_again_and_again() -> bytes:
    return CLIENT.encode() * 2_000


def _ours_in_pieces() -> bytes:
    """Every line of ours, each time in another order: prints everywhere, no copy anywhere."""
    lines = CLIENT.splitlines(keepends=True)
    return "".join(lines[at % len(lines)] for at in range(0, 7 * 100_000, 7)).encode()


def _ours_minified_in_much() -> bytes:
    return (minified(CLIENT) + other(3)).encode() * 60


def _deep() -> bytes:
    return b"f(" * 500_000 + CLIENT.encode()


MAKERS: list[tuple[str, Callable[[], bytes]]] = [
    ("one-line.js", _one_line),
    ("distinct-line.js", _distinct_line),
    ("tiny.js", _tiny_functions),
    ("again.ts", _ours_again_and_again),
    ("pieces.ts", _ours_in_pieces),
    ("much.js", _ours_minified_in_much),
    ("deep.js", _deep),
    ("same.py", lambda: b"x = [1, 2, 3]\n" * 400_000),
    ("quote.js", lambda: b"`${`${`" * 200_000),
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    made = Machine(tmp_path_factory.mktemp("hostile"))
    named = 'folder = "index"\n'
    config = CONFIG.replace(named, f'{named}esbuild = "{ESBUILD}"\n')
    (made.folder / "leakmon.toml").write_text(config)
    committed(made.folder / "billing", {"src/client.ts": CLIENT, "src/twice.ts": CLIENT * 3})
    assert made.run("index", "add", "billing").returncode == 0
    return made


@pytest.mark.parametrize(("name", "make"), MAKERS, ids=[name for name, _ in MAKERS])
def test_time_and_memory_are_bounded(
    name: str, make: Callable[[], bytes], machine: Machine
) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _, found = machine.scan({f"package/{name}": make(), "package/index.ts": CLIENT.encode()})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert cpu < CPU_SECONDS
    assert after.ru_maxrss * 1024 < RESIDENT_BYTES
    critical = [each["path"] for each in found if each["severity"] == "critical"]
    assert any(path.endswith("package/index.ts") for path in critical), "what is beside is found"
