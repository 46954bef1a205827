"""An index of real git repositories in a folder of the test, with small ways to ask it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import numpy as np

from monitor.private_code.fingerprint import fingerprints
from monitor.private_code.hygiene import hygiene
from monitor.private_code.index.builder import Builder
from monitor.private_code.index.catalogue import Source
from monitor.private_code.index.folder import Folder
from monitor.private_code.index.keys import Keys
from monitor.private_code.index.making import Making
from monitor.private_code.index.reader import OpenIndex
from monitor.private_code.index.repository import Repository, is_repository
from monitor.private_code.prints import FORMAT, Text
from monitor.private_code.suffixes import suffix
from monitor.private_code.words import with_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from monitor.private_code.index.builder import Told
    from monitor.private_code.index.walk import Progress
    from monitor.private_code.prints import FilePrints, Hashes

KEYS = Keys(b"k" * 32)
OTHER_KEYS = Keys(b"o" * 32)
NOW = 1_790_000_000


def prints_of(files: Sequence[tuple[str, bytes]]) -> list[FilePrints | None]:
    return fingerprints([Text(path, content) for path, content in files], for_index=True)


def prints_and_words(files: Sequence[tuple[str, bytes]]) -> list[FilePrints | None]:
    texts = [Text(path, content) for path, content in files]
    return list(with_words(texts, prints_of(files)))


MAKING = Making(fingerprints=prints_and_words, hygiene=hygiene, suffix=suffix, parameters=FORMAT)


class Quiet:
    """Progress that only counts."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.expected = 0

    def stage(self, text: str) -> None:
        del text

    def expect(self, files: int) -> None:
        self.expected += files

    def advance(self, path: str) -> None:
        self.paths.append(path)


def environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def git(folder: Path, *arguments: str, at: int = NOW) -> str:
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "n"), ("EMAIL", "e@acme.example"), ("DATE", f"{at} +0000"))
    }
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=environment() | identity,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def commit(folder: Path, files: dict[str, str | None], at: int = NOW) -> str:
    """Write files (None removes one) and commit them."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", "-b", "main")
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change", at=at)
    return git(folder, "rev-parse", "HEAD")


def code(seed: str, functions: int = 6) -> str:
    """Some Python that is like nothing else with another seed."""
    return "\n".join(
        f"def {seed}_step_{number}(first_{seed}, second):\n"
        f"    total_{seed} = first_{seed}.weigh_{seed}_{number}(second, '{seed} text {number}')\n"
        f"    for item in total_{seed}.rows_{number}:\n"
        f"        item.apply_{seed}(second.ratio_{number}, limit={number * 37 + len(seed)})\n"
        f"    return total_{seed}.sum_{seed}() + second.offset_{number}\n"
        for number in range(functions)
    )


def opener(source: Source) -> Repository | Folder:
    if is_repository(source.address):
        return Repository(source.address, environment())
    return Folder(source.address)


def source(folder: Path, *, has_history: bool = False, name: str = "") -> Source:
    return Source(
        name=name or folder.name, address=str(folder), kind="git", has_history=has_history
    )


def build(
    folder: Path,
    *sources: Source,
    keys: Sequence[Keys] = (KEYS,),
    making: Making = MAKING,
    progress: Progress | None = None,
    workers: int = 1,
    open_: Callable[[Source], Repository | Folder] = opener,
) -> list[Told]:
    """Add sources and update all that the index has."""
    with builder(folder, keys=keys, making=making, workers=workers) as made:
        for one in sources:
            made.add(one)
        return list(made.update(made.sources, open_, progress or Quiet()))


def builder(
    folder: Path,
    *,
    keys: Sequence[Keys] = (KEYS,),
    making: Making = MAKING,
    workers: int = 1,
) -> Builder:
    return Builder(str(folder), "acme", keys, making, now=lambda: NOW, workers=workers)


def opened(folder: Path, *keys: Keys) -> OpenIndex:
    return OpenIndex(str(folder), lambda _kind: keys or (KEYS,))


def hashes(text: str, path: str = "any.py") -> Hashes:
    (prints,) = prints_of([(path, text.encode())])
    assert prints is not None
    return np.concatenate([one.hashes for one in prints.channels.values()])


def matched(index: OpenIndex, text: str) -> dict[str, float]:
    """For each private path the share of the text's prints that stand in it."""
    asked = hashes(text)
    hits = index.lookup(asked)
    found: dict[str, set[int]] = {}
    for query, file in zip(hits.query.tolist(), hits.files.tolist(), strict=True):
        one = index.file(file)
        found.setdefault(f"{one.repository}:{one.path}", set()).add(query)
    return {name: len(rows) / len(asked) for name, rows in found.items()}
