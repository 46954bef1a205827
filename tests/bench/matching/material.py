"""What ``make bench-matching`` works on: projects taken as private, packages that are not, tools.

Names and versions alone stand in the repository; archives, tools and transformed texts are kept in
the benchmarks' cache.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from monitor.private_code.fingerprint import fingerprints
from monitor.private_code.hygiene import hygiene
from monitor.private_code.languages import language
from monitor.private_code.prints import Text
from tests.bench import corpus

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
CACHE = corpus.CACHE / "matching"
SLICES = (20, 40, 80)
LEAST_TOKENS = 150
_LISTS = re.compile(rb"(?m)^(?:import|export)\b[^;'\"]{0,20000}?\bfrom\s*['\"][^'\"\n]*['\"];?")
PYTHON_TOOLS = ("black==25.9.0", "python-minifier==3.1.0", "copydetect==0.5.0")
PEER_TOOLS = ("scanoss==1.54.3", "py-tlsh==5.0.0")


class Source(NamedTuple):
    """A file of a project that is taken as private."""

    project: str
    split: str
    path: str
    content: bytes


class Made(NamedTuple):
    """A text that a tool made of a private file; None where the tool failed."""

    source: int
    transform: str
    text: bytes | None


def _lines(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def archives(name: str) -> list[tuple[Path, list[str]]]:
    """Every archive of a list, with its line's words."""
    rows = _lines(name)
    return list(zip(_fetched(rows), rows, strict=True))


def _fetched(rows: list[list[str]]) -> list[Path]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(corpus.archive, [corpus.Package(*row[:3]) for row in rows]))


def judged() -> Callable[[str], str]:
    """What ``judged.txt`` says of an alert, or of all alerts of a package and a project of ours."""
    known = dict(
        line.rsplit(" = ", 1)
        for line in (HERE / "judged.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    )

    def label(alert: str) -> str:
        outside, _, inside = alert.partition(" <- ")
        whole = f"{outside.partition(' ')[0]} * <- {inside.partition(':')[0]}:*"
        return known.get(alert) or known.get(whole, "unjudged")

    return label


def environment(home: Path) -> dict[str, str]:
    """For a leakmon of this source with a private home: its indexes, its cache of rules."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(HERE.parents[2])}


def _folders(rows: list[list[str]]) -> list[Path]:
    packages = [corpus.Package(*row[:3]) for row in rows]
    archives = _fetched(rows)
    names = [f"{package.kind}-{package.name.replace('/', '+')}" for package in packages]
    return [
        corpus.unpacked([archive], CACHE / "trees" / name) / archive.name
        for archive, name in zip(archives, names, strict=True)
    ]


def private() -> list[Source]:
    """Every file of the private projects that is their owners' writing."""
    rows = _lines("private.txt")
    found = []
    for row, folder in zip(rows, _folders(rows), strict=True):
        (root,) = (path for path in folder.glob("*/" + row[4]) if path.is_dir())
        for path in sorted(root.rglob("*")):
            if not path.is_file() or path.name.endswith((".map", ".d.ts")):
                continue
            content = path.read_bytes()
            relative = str(path.relative_to(root.parent))
            if hygiene(relative, content) is None:
                found.append(Source(row[1], row[3], relative, content))
    return found


def artifacts() -> dict[str, Path]:
    """By private project, the folder of the published package with its bundles."""
    rows = [row for row in _lines("private.txt") if row[0] == "npm"]
    return {row[1]: folder for row, folder in zip(rows, _folders(rows), strict=True)}


def negatives(name: str) -> dict[str, Path]:
    """By package of a list, its unpacked folder."""
    rows = _lines(name)
    folders = _folders(rows)
    return {f"{row[0]}:{row[1]}": folder for row, folder in zip(rows, folders, strict=True)}


def node_modules() -> Path:
    """The folder with the JavaScript tools, installed once."""
    folder = CACHE / "node"
    wanted = (HERE / "package.json").read_text("utf-8")
    kept = folder / "package.json"
    if not (folder / "done").exists() or kept.read_text("utf-8") != wanted:
        print(f"installing JavaScript tools into {folder}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(wanted, "utf-8")
        options = ["--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        subprocess.run(["npm", "install", *options], cwd=folder, check=True)
        (folder / "done").touch()
    return folder


def esbuild() -> Path:
    """The canonicaliser."""
    (program,) = node_modules().glob("node_modules/@esbuild/*/bin/esbuild")
    return program


def python(tools: tuple[str, ...]) -> Path:
    """A Python with tools from PyPI, in an environment of its own."""
    digest = hashlib.sha256(" ".join(tools).encode()).hexdigest()[:8]
    folder = CACHE / f"python-{digest}"
    if not (folder / "done").exists():
        print(f"installing {' '.join(tools)}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        pip: list[str | Path] = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "install",
            "-qqq",
            "--no-input",
        ]
        subprocess.run([*pip, *tools], check=True)
        (folder / "done").touch()
    return folder / "bin" / "python"


def chosen(sources: list[Source], tokens: list[int], per_project: int) -> list[int]:
    """Numbers of the files that are transformed: the same each time, evenly over each project."""
    found = []
    for project in dict.fromkeys(source.project for source in sources):
        own = [
            number
            for number, source in enumerate(sources)
            if source.project == project
            and tokens[number] >= LEAST_TOKENS
            and language(source.path, source.content) in ("javascript", "python")
        ]
        step = max(1, len(own) // per_project)
        found += own[::step][:per_project]
    return found


def code_tokens(sources: list[Source]) -> list[int]:
    """How many tokens of code each file has: without its types, which nobody publishes, and without
    its lists of what comes from other files.
    """
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(_without_types, sources))
    named = zip(sources, texts, strict=True)
    own = [Text(_published(one.path), _LISTS.sub(b"", text)) for one, text in named]
    prints = fingerprints(own)
    return [one.tokens if one else 0 for one in prints]


def _published(path: str) -> str:
    return path.rpartition(".")[0] + ".js" if path.endswith((".ts", ".tsx")) else path


def _without_types(source: Source) -> bytes:
    if not source.path.endswith((".ts", ".tsx")):
        return source.content
    loader = f"--loader={source.path.rpartition('.')[2]}"
    command: list[str | Path] = [esbuild(), loader, "--log-level=silent"]
    return subprocess.run(command, input=source.content, stdout=subprocess.PIPE, check=False).stdout


def transformed(sources: list[Source], numbers: list[int]) -> list[Made]:
    """What the tools make of files; kept, as it takes minutes."""
    digest = hashlib.sha256(
        b"".join(
            [path.read_bytes() for path in sorted(HERE.glob("transforms.*"))]
            + [sources[number].content for number in numbers]
        )
    )
    kept = CACHE / "made" / f"{digest.hexdigest()[:16]}.jsonl"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        rows = _made(sources, numbers)
        partial = kept.with_suffix(".part")
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        partial.rename(kept)
    rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    return [
        Made(int(row["name"]), row["transform"], row["text"].encode() if row["text"] else None)
        for row in rows
    ]


def _made(sources: list[Source], numbers: list[int]) -> list[dict[str, str]]:
    stage = CACHE / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    tasks: dict[str, list[str]] = {"javascript": [], "python": []}
    hosts = {kind: _host(kind, stage) for kind in tasks}
    for number in numbers:
        source = sources[number]
        kind = language(source.path, source.content)
        path = stage / str(number) / Path(source.path).name
        path.parent.mkdir(parents=True)
        path.write_bytes(source.content)
        task = {"path": str(path), "name": str(number), "slices": SLICES, "host": hosts[kind]}
        tasks[kind].append(json.dumps(task))
    node: list[str | Path] = ["node", HERE / "transforms.mjs", node_modules()]
    rows = _answers(node, tasks["javascript"])
    rows += _answers([python(PYTHON_TOOLS), HERE / "transforms.py"], tasks["python"])
    return rows


def _answers(command: list[str | Path], tasks: list[str]) -> list[dict[str, str]]:
    done = subprocess.run(
        command, input="\n".join(tasks), stdout=subprocess.PIPE, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _host(kind: str, stage: Path) -> list[str]:
    """Two files that have nothing to do with any project: a copy is put between them."""
    texts = {
        "javascript": [
            f"export function host{side}(list) {{\n  const seen = new Set();\n"
            + "".join(
                f"  if (list.value{number} > {number * 7 + side}) seen.add('{side}-{number}');\n"
                for number in range(150)
            )
            + "  return seen;\n}\n"
            for side in range(2)
        ],
        "python": [
            f"def host{side}(given):\n    seen = set()\n"
            + "".join(
                f"    if given.value{number} > {number * 7 + side}: seen.add('{side}-{number}')\n"
                for number in range(150)
            )
            + "    return seen\n"
            for side in range(2)
        ],
    }[kind]
    stage.mkdir(parents=True, exist_ok=True)
    paths = []
    for side, text in enumerate(texts):
        path = stage / f"host{side}.{'js' if kind == 'javascript' else 'py'}"
        path.write_text(text, "utf-8")
        paths.append(str(path))
    return paths


def compiled(sources: list[Source], numbers: list[int]) -> list[Made]:
    """Bytecode of Python files by every CPython from 3.8 on that is installed here."""
    found = []
    stage = CACHE / "bytecode"
    shutil.rmtree(stage, ignore_errors=True)
    for number in numbers:
        if sources[number].path.endswith(".py"):
            path = stage / "in" / f"{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sources[number].content)
    for interpreter in interpreters():
        name = interpreter.parents[1].name
        code = (
            "import py_compile, sys, pathlib\n"
            "for path in pathlib.Path(sys.argv[1]).glob('*.py'):\n"
            "    try: py_compile.compile(path, sys.argv[2] + '/' + path.stem, doraise=True)\n"
            "    except Exception: pass\n"
        )
        out = stage / name
        out.mkdir()
        subprocess.run([interpreter, "-W", "ignore", "-c", code, stage / "in", out], check=True)
        version = ".".join(name.split(".")[:2])
        found += [
            Made(int(path.name), f".pyc of {version}", path.read_bytes())
            for path in sorted(out.iterdir())
        ]
    return found + _compiled_by_newest(sources, numbers)


def _compiled_by_newest(sources: list[Source], numbers: list[int]) -> list[Made]:
    """Bytecode of CPython 3.14, which npm has as WebAssembly."""
    tasks = [
        json.dumps({"name": str(number), "text": sources[number].content.decode()})
        for number in numbers
        if sources[number].path.endswith(".py")
    ]
    rows = _answers(["node", HERE / "bytecode.mjs", node_modules()], tasks)
    return [
        Made(int(row["name"]), ".pyc of 3.14", base64.b64decode(row["pyc"]) if row["pyc"] else None)
        for row in rows
    ]


def interpreters() -> list[Path]:
    """CPythons from 3.8 on, the ones that pyenv keeps."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [path for path in root.glob("3.*/bin/python") if _minor(path) >= 8]
    return sorted(found, key=_minor)


def _minor(path: Path) -> int:
    return int(path.parents[1].name.split(".")[1])
