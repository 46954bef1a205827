"""``make bench-matching``: recall, precision, false alarms and speed of matching private code.

See ``matching.md`` beside this folder for what is measured and how. ``--quick`` takes a quarter of
the files and packages.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from monitor.private_code import partly
from monitor.private_code.canonical import Canonicaliser
from monitor.private_code.fingerprint import fingerprint, fingerprints
from monitor.private_code.languages import language
from monitor.private_code.matches import Level
from monitor.private_code.matching import Matcher
from monitor.private_code.memory import MemoryIndex
from monitor.private_code.prints import Text
from tests.bench.matching import learnt, material

if TYPE_CHECKING:
    from monitor.private_code.gate import Gate
    from monitor.private_code.prints import FilePrints
    from tests.bench.matching.material import Made, Source

MIB = 1 << 20
POSTING = 16
"""Bytes of a posting as the index on disk has them: hash, file and line."""


class Built(NamedTuple):
    """An index, each private file's prints, and what making it cost."""

    private: MemoryIndex
    prints: list[FilePrints | None]
    seconds: float
    canonical_seconds: float


def build(sources: list[Source], canonicaliser: Canonicaliser | None) -> Built:
    """Fingerprints the private files as an index does. Seconds are CPU time."""
    index = MemoryIndex("private")
    begun = _children()
    files = [(one.path, one.content) for one in sources]
    nothing: list[bytes | None] = [None] * len(files)
    texts, older = nothing, nothing
    if canonicaliser:
        texts = canonicaliser.texts(files)
        older = Canonicaliser(canonicaliser.program, is_augmented=True).texts(files)
    canonical_seconds = _children() - begun
    started = time.process_time()
    batch = [
        Text(one.path, one.content, text, augmented)
        for one, text, augmented in zip(sources, texts, older, strict=True)
    ]
    prints = fingerprints(batch, for_index=True)
    seconds = time.process_time() - started
    for source, one in zip(sources, prints, strict=True):
        if one is not None:
            index.add(source.project, source.path, one)
    return Built(index, prints, seconds, canonical_seconds)


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


class Reading(NamedTuple):
    """How an artifact's files are read: through which gate, and with what the second time."""

    matcher: Matcher
    canonicaliser: Canonicaliser | None = None
    gate: Gate | None = None


def read(texts: list[Text], reading: Reading) -> list[FilePrints | None]:
    """The prints of an artifact's files as a scan has them: what is near is read again."""
    matcher, canonicaliser, gate = reading
    found = partly.read(texts, gate)
    if canonicaliser is None:
        return found
    near = [
        number
        for number, prints in enumerate(found)
        if prints is not None
        and prints.language == "javascript"
        and len(texts[number].content) <= canonicaliser.limits.file_bytes
        and matcher.nearness(prints, len(texts[number].content))
    ]
    files = [(texts[number].path, texts[number].content) for number in near]
    for number, text in zip(near, canonicaliser.texts(files), strict=True):
        if text is not None:
            path, content = texts[number].path, texts[number].content
            found[number] = fingerprint(path, content, canonical=text)
    return found


def recall(
    sources: list[Source], made: list[Made], reading: Reading
) -> dict[tuple[str, str, str], list[int]]:
    """By split, language and transform, the best level of each text against its own source."""
    kept = [one for one in made if one.text]
    names = [_name(sources[one.source], one) for one in kept]
    texts = [Text(name, one.text or b"") for name, one in zip(names, kept, strict=True)]
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    taken = read(texts, reading)
    for one, name, prints in zip(kept, names, taken, strict=True):
        source = sources[one.source]
        levels = [0]
        if prints is not None:
            levels += [
                match.level
                for match in reading.matcher.match(name, prints)
                if (match.repository, match.path) == (source.project, source.path)
            ]
        kind = language(source.path, source.content)
        found[source.split, kind, one.transform].append(max(levels))
    return found


def _name(source: Source, made: Made) -> str:
    """A file name as the tool would give it."""
    if made.transform.startswith(".pyc"):
        return "a.pyc"
    if source.path.endswith((".py", ".pyi")):
        return "a.py"
    is_typed = made.transform in ("verbatim", "prettier") or (
        made.transform.startswith("copy") and not made.transform.endswith("minified")
    )
    return "a." + source.path.rpartition(".")[2] if is_typed else "a.js"


def bundles(
    sources: list[Source], tokens: list[int], reading: Reading
) -> list[tuple[str, int, int, int]]:
    """By published bundle: private files that its map names, those found, and strangers found."""
    known = {(one.project, _within(one.path)): number for number, one in enumerate(sources)}
    rows = []
    for project, folder in material.artifacts().items():
        for path in sorted(folder.rglob("*.js.map")):
            bundle = path.with_suffix("")
            if not bundle.is_file():
                continue
            names = json.loads(path.read_bytes()).get("sources", [])
            named = {one for name in names if (one := _named(known, project, name)) is not None}
            truth = {sources[one].path for one in named if tokens[one] >= material.LEAST_TOKENS}
            if len(truth) < 5:
                continue
            content = bundle.read_bytes()
            (prints,) = read([Text(bundle.name, content)], reading)
            assert prints is not None
            matches = [
                (match.repository, match.path)
                for match in reading.matcher.conclude(
                    reading.matcher.match(bundle.name, prints)
                ).files
            ]
            own = {name for repository, name in matches if repository == project}
            strange = own - {sources[one].path for one in named}
            wrong = len(strange) + sum(repo != project for repo, _ in matches)
            rows.append((f"{project} {bundle.name}", len(truth), len(own & truth), wrong))
    return rows


def _named(known: dict[tuple[str, str], int], project: str, name: str) -> int | None:
    """The private file that a map means: the one with most of the name's end."""
    parts = _bare(name).split("/")
    ends = ("/".join(parts[first:]) for first in range(len(parts)))
    return next((known[project, end] for end in ends if (project, end) in known), None)


def _within(path: str) -> str:
    """A private file's place below the root of its sources."""
    return _bare(path).partition("/")[2]


def _bare(path: str) -> str:
    return path.rsplit(".", 1)[0] if path.endswith((".ts", ".js", ".tsx", ".jsx")) else path


def peers(
    sources: list[Source], made: list[Made]
) -> dict[tuple[str, str], dict[str, tuple[float, int]]]:
    """Recall of each peer by language and transform, where one unrelated pair in 200 is above."""
    stage = material.CACHE / "pairs"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    tasks = []
    originals = {}
    for number, one in enumerate(made):
        source = sources[one.source]
        if not one.text or source.split != "test" or one.transform.startswith(".pyc"):
            continue
        end = source.path.rpartition(".")[2]
        original = stage / f"{one.source}.{end}"
        original.write_bytes(source.content)
        originals[one.source] = str(original)
        other = stage / f"{one.source}-{number}.{_name(source, one).rpartition('.')[2]}"
        other.write_bytes(one.text)
        kind = language(source.path, source.content)
        tasks.append([f"{kind}\t{one.transform}", str(original), str(other)])
    paths = list(originals.values())
    tasks += [
        [f"{path.rpartition('.')[2]}\tunrelated", path, paths[(at + step) % len(paths)]]
        for at, path in enumerate(paths)
        for step in (1, 2, 3, 5, 8, 13)
        if paths[(at + step) % len(paths)].rpartition(".")[2] == path.rpartition(".")[2]
    ]
    python = material.python(material.PYTHON_TOOLS + material.PEER_TOOLS)
    done = subprocess.run(
        [python, material.HERE / "peers.py"],
        input="\n".join(map(json.dumps, tasks)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    scores: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    strange: dict[str, list[float]] = defaultdict(list)
    for line in done.stdout.splitlines():
        name, peer, score = json.loads(line)
        kind, transform = name.split("\t")
        if transform == "unrelated":
            strange[peer].append(score)
        else:
            scores[kind, transform][peer].append(score)
    limits = {peer: sorted(values)[-1 - len(values) // 200] for peer, values in strange.items()}
    return {
        key: {
            peer: (sum(one > limits[peer] for one in values) / len(values), len(values))
            for peer, values in by_peer.items()
        }
        for key, by_peer in scores.items()
    }


PARTS = ("recall", "peers", "bundles")


def main() -> None:
    """Measures all of it and prints the tables as they stand in ``matching.md``."""
    parser = argparse.ArgumentParser(prog="make bench-matching")
    parser.add_argument("--quick", action="store_true", help="a quarter of the files and packages")
    parser.add_argument("--files", type=int, default=24, help="files taken of each project")
    parser.add_argument("--parts", default=",".join(PARTS), help="what is measured")
    options = parser.parse_args()
    parts = options.parts.split(",")
    sources = material.private()
    tokens = material.code_tokens(sources)
    count = options.files // 4 if options.quick else options.files
    numbers = material.chosen(sources, tokens, count)
    made = material.transformed(sources, numbers) + material.compiled(sources, numbers)
    canonicaliser = Canonicaliser(str(material.esbuild()))
    built = build(sources, canonicaliser)
    index = learnt.opened(learnt.home(has_learnt=True))
    product = Reading(Matcher([index]), canonicaliser, learnt.gate(index))
    unlearnt = Reading(Matcher([built.private]), canonicaliser)
    _say_head(sources, built, numbers, made)
    if "recall" in parts:
        bare = Matcher([build(sources, None).private])
        rivals = peers(sources, made) if "peers" in parts else {}
        compared = {
            "nothing learnt": recall(sources, made, unlearnt),
            "and read once": recall(sources, made, Reading(unlearnt.matcher)),
            "no esbuild": recall(sources, made, Reading(bare)),
        }
        _say_recall(recall(sources, made, product), compared, rivals)
    if "bundles" in parts:
        _say_bundles(bundles(sources, tokens, product), bundles(sources, tokens, unlearnt))


def _say_head(sources: list[Source], built: Built, numbers: list[int], made: list[Made]) -> None:
    size = sum(len(one.content) for one in sources) / MIB
    lines = sum(one.lines for one in built.prints if one)
    prints = sum(len(part.hashes) for one in built.prints if one for part in one.channels.values())
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    command = " ".join(["make bench-matching", *sys.argv[1:]])
    print(f"{time.strftime('%Y-%m-%d', time.gmtime())}; `{command}`\n")
    print(f"Private: {len(sources)} files, {lines} lines, {size:.1f} MiB of ", end="")
    print(f"{len({one.project for one in sources})} projects; {len(numbers)} of them transformed, ")
    print(f"{len(made)} texts. Index side {size / built.seconds:.1f} MiB/s a core, ", end="")
    print(f"esbuild {size / built.canonical_seconds:.1f}; {prints / lines:.2f} prints and ", end="")
    print(f"{POSTING * prints / lines:.0f} bytes a line before the index packs them.\n")


def _say_recall(
    rows: dict[tuple[str, str, str], list[int]],
    compared: dict[str, dict[tuple[str, str, str], list[int]]],
    rivals: dict[tuple[str, str], dict[str, tuple[float, int]]],
) -> None:
    names = sorted({peer for one in rivals.values() for peer in one})
    print("| transform (test projects) | n | alert | notify | tune: alert |", end="")
    print("".join(f" alert, {name} | notify, {name} |" for name in compared), end="")
    print("".join(f" {name} |" for name in names))
    print("| --- " * (5 + 2 * len(compared) + len(names)) + "|")
    for (split, kind, transform), levels in rows.items():
        if split != "test":
            continue
        cells = [
            f"{kind}: {transform}",
            str(len(levels)),
            _share(levels, Level.ALERT),
            _share(levels, Level.NOTIFY),
            _share(rows.get(("tune", kind, transform), []), Level.ALERT),
        ]
        for other in compared.values():
            again = other[split, kind, transform]
            cells += [_share(again, Level.ALERT), _share(again, Level.NOTIFY)]
        scores = rivals.get((kind, transform), {})
        cells += [f"{scores[name][0]:.2f}" if name in scores else "-" for name in names]
        print("| " + " | ".join(cells) + " |")
    print()


def _share(levels: list[int], least: Level) -> str:
    if not levels:
        return "-"
    return f"{sum(one >= least for one in levels) / len(levels):.2f}"


def _say_bundles(
    rows: list[tuple[str, int, int, int]], once: list[tuple[str, int, int, int]]
) -> None:
    print("| published bundle | files of >= 150 tokens | found | wrong |", end="")
    print(" found, nothing learnt | wrong, nothing learnt |")
    print("| --- " * 6 + "|")
    rows = [*rows, ("all", *_summed(rows))]
    once = [*once, ("all", *_summed(once))]
    for (name, truth, found, wrong), (_, _, fewer, less_wrong) in zip(rows, once, strict=True):
        whole = max(1, truth)
        print(f"| {name} | {truth} | {found / whole:.2f} | {wrong} |", end="")
        print(f" {fewer / whole:.2f} | {less_wrong} |")
    print()


def _summed(rows: list[tuple[str, int, int, int]]) -> tuple[int, int, int]:
    return sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows)


if __name__ == "__main__":
    main()
