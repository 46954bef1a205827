"""The archives that the benchmarks run on, fetched with the ordinary clients.

Only names and versions stand in the repository (``packages.txt``, ``popular.txt``); npm and pip
find the registry in their own configuration. What was fetched stays in ``LEAKMON_BENCH_CACHE``
(default: ``.cache/bench``), so that a second run needs no network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("LEAKMON_BENCH_CACHE", ".cache/bench")).absolute()
# what "a wheel" means on every machine, so that figures are comparable
PLATFORM = [
    *("--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp"),
    *("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"),
]


class Package(NamedTuple):
    """One line of a list: ``kind`` is ``npm``, ``wheel`` or ``sdist``."""

    kind: str
    name: str
    version: str


def listed(filename: str) -> list[Package]:
    """The packages of a list beside this module."""
    lines = (HERE / filename).read_text("utf-8").splitlines()
    return [Package(*line.split()) for line in lines if line and not line.startswith("#")]


def fetched(filename: str) -> list[Path]:
    """The archives of a list, in its order; fetches what the cache lacks."""
    return [archive(package) for package in listed(filename)]


def archive(package: Package) -> Path:
    """A package's archive; fetched where the cache lacks it."""
    name = package.name.replace("/", "+")
    folder = CACHE / "archives" / f"{package.kind}-{name}-{package.version}"
    if not folder.is_dir():
        print(f"fetching {package.kind} {package.name} {package.version}", file=sys.stderr)
        scratch = folder.with_name(folder.name + ".part")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        subprocess.run(_client(package, scratch), check=True, stdout=subprocess.DEVNULL)
        scratch.rename(folder)
    (found,) = folder.iterdir()
    return found


def _client(package: Package, folder: Path) -> list[str]:
    if package.kind == "npm":
        wanted = f"{package.name}@{package.version}"
        return [
            "npm",
            "pack",
            wanted,
            "--ignore-scripts",
            "--silent",
            f"--pack-destination={folder}",
        ]
    binary = PLATFORM if package.kind == "wheel" else ["--no-binary", ":all:"]
    pip = [sys.executable, "-m", "pip", "download", "-qqq", "--no-deps", "--no-input"]
    return [*pip, *binary, f"--dest={folder}", f"{package.name}=={package.version}"]


def unpacked(archives: list[Path], folder: Path) -> Path:
    """A folder with every archive unpacked in a folder of its own; made anew only when missing."""
    for archive in archives:
        place = folder / archive.name
        if place.is_dir():
            continue
        scratch = folder / f"{archive.name}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(scratch)  # noqa: S202 - known packages, into a folder of their own
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(scratch, filter="data")
        scratch.rename(place)
    return folder


def installed(package: str, command: str) -> Path:
    """The path of a peer's command, installed from PyPI into an environment of its own."""
    folder = CACHE / "environments" / package
    found = folder / "bin" / command
    if not found.exists():
        print(f"installing {package} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "-qqq", "--no-input", package],
            check=True,
        )
    return found


def version(package: str) -> str:
    """The version of a peer as installed by ``installed``."""
    python = CACHE / "environments" / package / "bin" / "python"
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run(
        [python, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def main() -> None:
    """Fetch both lists and say what they weigh."""
    for filename in ("packages.txt", "popular.txt"):
        archives = fetched(filename)
        total = sum(archive.stat().st_size for archive in archives)
        print(f"{filename}: {len(archives)} archives, {total / 2**20:.1f} MiB packed")


if __name__ == "__main__":
    main()
