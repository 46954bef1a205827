"""``leakmon index add | update | remove | rekey``: what changes an index."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from monitor import config
from monitor.cli.network import machine
from monitor.config import private_code
from monitor.errors import UsageError
from monitor.model.wording import count
from monitor.pipeline.indexing import Sources, making
from monitor.private_code.index import keys as key_files
from monitor.private_code.index import manifest
from monitor.private_code.index.builder import Builder
from monitor.private_code.index.faults import missing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.private_code.index.builder import Told
    from monitor.private_code.index.catalogue import Source
    from monitor.private_code.index.keys import Keys
    from monitor.private_code.index.walk import Progress

FAILED, INTERRUPTED = 3, 130


def add(call: argparse.Namespace) -> int:
    """Fingerprint what is named, and remember it for ``update``; 3 if one could not be read."""
    if call.name and len(call.targets) > 1:
        raise UsageError("--name: names one target, not several")
    errand = Errand(call)
    named = [
        errand.sources.named(text, name=call.name, refs=call.refs, has_history=call.history)
        for text in call.targets
    ]
    with errand.builder() as builder:
        wanted = [builder.add(source) for source in named]
        return errand.update(builder, wanted)


def update(call: argparse.Namespace) -> int:
    """Read what is new; 3 if a source could not be read."""
    errand = Errand(call, must_exist=True)
    with errand.builder() as builder:
        return errand.update(builder, chosen(builder.sources, call.names))


def remove(call: argparse.Namespace) -> int:
    """Forget sources with everything that is known of them."""
    errand = Errand(call, must_exist=True)
    with errand.builder() as builder:
        for source in chosen(builder.sources, call.names):
            others = builder.remove(source)
            errand.sources.forget(source)
            print(f"{source.name}: removed")
            if others:
                print(
                    f"  {others:,} files of other repositories have the same content and were "
                    "known through it: run leakmon index update to read them"
                )
    return 0


def rekey(call: argparse.Namespace) -> int:
    """Make the index anew with a new key, or with the first of a ring that the operator keeps."""
    errand = Errand(call, must_exist=True)
    place, environ = errand.place, config.environment()
    told = manifest.read(place.folder)
    ring = errand.keys()
    if ring[0].key_id == told.key_id:
        if place.key is not None:
            raise UsageError(
                f"{place.key.key}: put the new key in front of the one in use, separated by white "
                "space, and run this again"
            )
        old = place.text(environ).split()
        key_files.write(place.key_file, [key_files.fresh(), *old], is_new=False)
    with errand.builder() as builder:
        status = errand.show(builder.remake(errand.sources.open, errand.progress()))
    if status:
        print("the old index stays in force; run leakmon index rekey again to go on")
        return status
    if place.key is None:
        key_files.write(place.key_file, place.text(environ).split()[:1], is_new=False)
        print(f"the key in {place.key_file} is new: keep a copy of it")
    else:
        print(f"{place.key.key}: the old key may go now")
    print("what was known to be public must be learnt again: leakmon index background")
    return 0


class Errand:
    """One call: the organisation's place, its keys, and what it reads from."""

    def __init__(self, call: argparse.Namespace, *, must_exist: bool = False) -> None:
        self._call = call
        settings = config.load(call.config)
        environ = config.environment()
        self.place = private_code.place(settings, environ, call.organisation)
        if must_exist and not manifest.is_begun(self.place.folder):
            raise missing(self.place.folder)
        cache = config.cache_folder(environ)
        self.sources = Sources(settings, machine(), cache)
        self._making = making(settings, environ, cache)
        self._bars = contextlib.ExitStack()

    def keys(self) -> Sequence[Keys]:
        """The ring; a first key is made, and said so."""
        place = self.place
        is_new = place.key is None and not manifest.exists(place.folder)
        if is_new and key_files.make(place.key_file):
            _note(f"made a key in {place.key_file}: keep a copy of it elsewhere")
        return key_files.parse(place.text(config.environment()), place.source)

    def builder(self) -> Builder:
        """The index, to be changed."""
        jobs = getattr(self._call, "jobs", None) or os.cpu_count() or 1
        return Builder(
            self.place.folder, self.place.organisation, self.keys(), self._making,
            now=time.time, workers=jobs,
        )  # fmt: skip

    def progress(self) -> Progress:
        """Bars on a terminal, else nothing."""
        from monitor.cli.bars import Reading

        is_wanted = not self._call.no_progress and sys.stderr.isatty()
        return self._bars.enter_context(Reading(is_shown=is_wanted))

    def update(self, builder: Builder, sources: Sequence[Source]) -> int:
        """Read sources, or everything where the index was made another way."""
        if builder.is_current:
            return self.show(builder.update(sources, self.sources.open, self.progress()))
        if builder.canonicaliser and not self._making.canonicaliser:
            raise UsageError(
                f"the index was made with {builder.canonicaliser}, which is not here: run leakmon "
                "index setup"
            )
        _note("the index was made another way than it would be now: everything is read again")
        return self.show(builder.remake(self.sources.open, self.progress()))

    def show(self, told: Iterable[Told]) -> int:
        """Say what became of each source, as it comes."""
        failed = False
        try:
            with self._bars:
                for line, is_failure in _lines(told):
                    failed |= is_failure
                    print(line, flush=True)
        except KeyboardInterrupt:
            _note("interrupted; what was read is kept: run the same again to go on")
            return INTERRUPTED
        return FAILED if failed else 0


def chosen(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    """The sources of these names or addresses, all if none is named. Raises UsageError."""
    found = []
    for name in names:
        match = [source for source in sources if name in (source.name, source.address)]
        if not match:
            known = ", ".join(source.name for source in sources) or "none"
            raise UsageError(f"{name}: not in the index; known: {known}")
        found += match
    return found if names else list(sources)


def _lines(told: Iterable[Told]) -> Iterator[tuple[str, bool]]:
    for one in told:
        if one.error is not None:
            yield f"{one.source.name}: not read: {one.error}", True
            continue
        walked = one.walked
        assert walked is not None
        if not (walked.files or walked.skipped):
            yield f"{one.source.name}: nothing new", False
            continue
        left_out = f", {walked.skipped:,} left out" if walked.skipped else ""
        prints = count(walked.prints, "fingerprint")
        yield f"{one.source.name}: {count(walked.files, 'file')}, {prints}{left_out}", False


def _note(text: str) -> None:
    print(f"leakmon: {text}", file=sys.stderr)
