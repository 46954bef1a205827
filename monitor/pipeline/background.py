"""Learns from packages of others what of the private code everybody has.

Each package is resolved, fetched and opened in the sandbox as in a scan; its code is fingerprinted
in other processes, and only prints that the index has are kept.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.errors import LeakmonError
from monitor.harvest import Wish
from monitor.pipeline.publishers import is_ours, publishers_of
from monitor.pipeline.remote import inspect
from monitor.private_code.fingerprint import fingerprints
from monitor.private_code.index.batch import Version
from monitor.private_code.index.making import Making
from monitor.private_code.index.public import Package
from monitor.private_code.index.reading import Reader
from monitor.private_code.prints import Text
from monitor.private_code.words import with_words
from monitor.registries.network import connect
from monitor.registries.targets import parse
from monitor.watchers.perimeter import Perimeter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from monitor.detectors import Context
    from monitor.harvest import Harvest
    from monitor.model import Organisation
    from monitor.pipeline.progress import Progress
    from monitor.pipeline.subjects import Subject
    from monitor.private_code.index.public import PublicPrints
    from monitor.private_code.prints import FilePrints
    from monitor.registries.client_config import Machine
    from monitor.registries.settings import NetworkSettings
    from monitor.sandbox import Outcome, Sandbox

ENDINGS = (
    *("js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "vue", "svelte", "py", "pyi", "pyx"),
    *("go", "java", "rs", "c", "h", "cc", "cpp", "hpp", "cs", "kt", "swift", "scala", "php"),
    *("proto", "sql", "sh", "rb", "lua", "css", "scss", "less", "html", "graphql", "pyc"),
)
WISH = Wish(endings={f".{ending}": f".{ending}" for ending in ENDINGS}, max_file_bytes=16 << 20)
"""What the sandbox is to bring of a package."""

_AT_ONCE = 8  # packages on their way at a time


class Learnt(Struct, frozen=True):
    """What came of one package: how many of our prints it has, or why it was not learnt from."""

    package: str
    shared: int = 0
    reason: str = ""


class Background:
    """Learns from packages into ``public``. ``avoided`` are those with an open incident.

    What belongs to an organisation of ours is never learnt from.
    """

    def __init__(
        self,
        public: PublicPrints,
        sandbox: Sandbox,
        organisations: Sequence[Organisation],
        *,
        avoided: Collection[str],
        avoided_publishers: Collection[str] = (),
        context: Context,
        workers: int,
    ) -> None:
        self._public = public
        self._sandbox = sandbox
        self._perimeter = Perimeter(organisations)
        self._avoided = {name.lower() for name in avoided}
        self._avoided_publishers = {name.lower() for name in avoided_publishers}
        self._context = context
        self._workers = workers

    async def run(
        self,
        packages: Sequence[str],
        settings: NetworkSettings,
        machine: Machine,
        progress: Progress,
    ) -> AsyncIterator[Learnt]:
        """Learn from each package (``npm:react``)."""
        wanted = list(dict.fromkeys(packages))
        with Reader(_MAKING, self._workers) as reader:
            for start in range(0, len(wanted), _AT_ONCE):
                names = wanted[start : start + _AT_ONCE]
                async for learnt in self._some(names, settings, machine, progress, reader):
                    yield learnt

    async def _some(
        self,
        names: Sequence[str],
        settings: NetworkSettings,
        machine: Machine,
        progress: Progress,
        reader: Reader,
    ) -> AsyncIterator[Learnt]:
        targets = [parse(name, exists=lambda _path: False) for name in names]
        kept: dict[int, Harvest] = {}

        def keep(subject: Subject, outcome: Outcome) -> Outcome:
            if outcome.code is not None:
                kept[id(subject)] = outcome.code
            return outcome._replace(code=None)

        with tempfile.TemporaryDirectory(prefix="leakmon-") as folder:
            async with connect(settings, machine) as network:
                async for subject, outcomes in inspect(
                    self._sandbox, targets, network, folder, context=self._context,
                    at_once=os.cpu_count() or 1, progress=progress, keep=keep,
                ):  # fmt: skip
                    if isinstance(outcomes, LeakmonError):
                        yield Learnt(subject.target, reason=outcomes.reason)
                        continue
                    yield await self._learnt(subject, kept.pop(id(subject), None), reader)

    async def _learnt(self, subject: Subject, harvest: Harvest | None, reader: Reader) -> Learnt:
        release = subject.release
        assert release is not None
        name = f"{release.ecosystem}:{release.name}".lower()
        publishers = publishers_of(release)
        if is_ours(release, self._perimeter):
            return Learnt(name, reason="ours")
        if name in self._avoided or publishers & self._avoided_publishers:
            return Learnt(name, reason="open-incident")
        if harvest is None:
            return Learnt(name, reason="not-inspected")
        prints = await asyncio.to_thread(_read, harvest, reader)
        package = Package(
            name=name,
            # The operator named this package as one that everybody knows: where its registry
            # tells no publisher, it is a publisher of its own.
            publishers=publishers or frozenset({name}),
            published_at=release.published_at
            or (subject.artifact.published_at if subject.artifact else None),
        )
        return Learnt(name, shared=self._public.learn(package, prints))


def _read(harvest: Harvest, reader: Reader) -> list[FilePrints]:
    files = (
        (Version(path=code.paths[0] if code.paths else code.ending, blob=""), code.content)
        for code in harvest.code
    )
    return [one.prints for one in reader.read(files) if one.prints is not None]


def _prints_of(files: Sequence[tuple[str, bytes]]) -> list[FilePrints | None]:
    texts = [Text(path, content) for path, content in files]
    return list(with_words(texts, fingerprints(texts)))


def _everything(_path: str, _content: bytes) -> None:
    return None


_MAKING = Making(
    fingerprints=_prints_of, hygiene=_everything, suffix=str, parameters="", canonicaliser=""
)
