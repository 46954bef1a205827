"""What may be done to an index: add, update, remove, make anew. One process at a time.

A store is made under the first key of the ring and one way of making prints. Where either has
changed, a new store is made beside it from all sources and put in force when it is complete.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from msgspec import Struct, structs

from monitor.errors import ConfigError, LeakmonError, UsageError
from monitor.private_code.index import manifest
from monitor.private_code.index.catalogue import Source
from monitor.private_code.index.faults import missing, other_format, wrong_key
from monitor.private_code.index.folder import Folder
from monitor.private_code.index.reader import FULL
from monitor.private_code.index.repository import Repository
from monitor.private_code.index.store import Store
from monitor.private_code.index.walk import Walk, Walked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.private_code.index.keys import Keys
    from monitor.private_code.index.making import Making
    from monitor.private_code.index.walk import Progress

Open = Callable[[Source], Repository | Folder]
"""Gives the reader of a source, up to date. Raises LeakmonError where it cannot be had."""

_STORE = re.compile(r"store-(\d+)")


class Told(Struct, frozen=True):
    """What became of one source: what was read, or the error that kept it from being read."""

    source: Source
    walked: Walked | None = None
    error: LeakmonError | None = None


class Builder:
    """Holds the lock of an index's folder for the length of a block.

    ``keys`` is the organisation's ring, ``now`` gives Unix time in seconds.
    """

    def __init__(
        self,
        folder: str,
        organisation: str,
        keys: Sequence[Keys],
        making: Making,
        *,
        now: Callable[[], float],
        workers: int = 1,
    ) -> None:
        self.folder = folder
        self.organisation = organisation
        self._keys = keys
        self._making = making
        self._now = now
        self._workers = workers
        self._stack = ExitStack()
        self._store: Store | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(manifest.locked(self.folder))
            self._store = self._opened()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        if self._store is not None:
            self._store.close()
        self._stack.close()

    @property
    def sources(self) -> list[Source]:
        """What is read, in the order in which it came."""
        return self._current.catalogue.sources()

    @property
    def is_current(self) -> bool:
        """Whether the store was made with the first key and as prints are made now."""
        return self._current.is_current and self._current.keys is self._keys[0]

    @property
    def canonicaliser(self) -> str:
        """What the store's JavaScript was brought into one form with, empty for nothing."""
        return self._current.catalogue.fact("canonicaliser")

    def add(self, source: Source) -> Source:
        """Remember a source to be read; of a known address the wishes are changed.

        Raises UsageError if another source has the name.
        """
        for known in self.sources:
            if known.address == source.address:
                source = structs.replace(
                    known,
                    refs=source.refs or known.refs,
                    has_history=source.has_history or known.has_history,
                )
            elif known.name == source.name:
                raise UsageError(
                    f"{source.name} is the name of {known.address} already: give another with "
                    "--name"
                )
        return structs.replace(source, id=self._current.catalogue.put_source(source))

    def update(self, sources: Sequence[Source], open_: Open, progress: Progress) -> Iterator[Told]:
        """Read sources and put each one's new state in force; one that fails stops no other."""
        for source in sources:
            yield self._read(self._current, source, open_, progress)
            progress.stage("writing")
            self._publish(self._current)

    def remove(self, source: Source) -> int:
        """Forget a source; gives how many files of others must be read again."""
        store = self._current
        numbers = set(store.catalogue.numbers(source.id))
        others = store.catalogue.forget(source.id, lambda: store.without(numbers))
        self._publish(store)
        return others

    def remake(self, open_: Open, progress: Progress) -> Iterator[Told]:
        """Make the index anew, with the first key: all sources are read again.

        Until the new one is complete the old one answers. If a source cannot be read the old one
        stays in force, and the next call goes on.
        """
        old = self._current
        new = self._begun(old)
        is_whole = True
        known = {source.address: source for source in new.catalogue.sources()}
        for source in old.catalogue.sources():
            wish = structs.replace(source, id=0, heads=[], updated_at=0)
            if source.address not in known:
                wish = structs.replace(wish, id=new.catalogue.put_source(wish))
            told = self._read(new, known.get(source.address, wish), open_, progress)
            is_whole &= told.error is None
            yield told
        if not is_whole:
            new.close()
            return
        progress.stage("writing")
        self._publish(new)
        self._store = new
        old.close()
        shutil.rmtree(old.path)

    def _read(self, store: Store, source: Source, open_: Open, progress: Progress) -> Told:
        try:
            progress.stage(f"opening {source.name}")
            opened = open_(source)
            walk = Walk(
                store, source, workers=self._workers, progress=progress, now=int(self._now())
            )
            if isinstance(opened, Folder):
                return Told(source, walked=walk.folder(opened))
            return Told(source, walked=walk.repository(opened))
        except ConfigError:
            raise
        except LeakmonError as error:
            return Told(source, error=error)

    def _publish(self, store: Store) -> None:
        store.publish(self.organisation, int(self._now()))

    @property
    def _current(self) -> Store:
        if self._store is None:
            raise missing(self.folder)
        return self._store

    def _opened(self) -> Store:
        """The store in force, or a first one."""
        if not manifest.exists(self.folder):
            names = sorted(filter(_STORE.fullmatch, os.listdir(self.folder)))
            return Store(self.folder, names[0] if names else "store-1", self._keys[0], self._making)
        told = manifest.read(self.folder)
        if told.kind != FULL:
            raise UsageError(
                f"{self.folder} holds a sketch, which is made by leakmon index export on the host "
                "of the full index: import a newer one"
            )
        if not _STORE.fullmatch(told.store):
            raise other_format(os.path.join(self.folder, manifest.NAME), told.store)
        for keys in self._keys:
            if keys.key_id == told.key_id:
                return Store(self.folder, told.store, keys, self._making)
        raise wrong_key(self.folder, told.key_id)

    def _begun(self, old: Store) -> Store:
        """The store that is being made: one that was begun the same way, or a new one."""
        number = int(old.name.rpartition("-")[2])
        for name in os.listdir(self.folder):
            found = _STORE.fullmatch(name)
            if found is None or name == old.name:
                continue
            number = max(number, int(found[1]))
            try:
                begun = Store(self.folder, name, self._keys[0], self._making)
            except ConfigError:
                shutil.rmtree(os.path.join(self.folder, name))
                continue
            if begun.is_current:
                return begun
            begun.close()
            shutil.rmtree(os.path.join(self.folder, name))
        return Store(self.folder, f"store-{number + 1}", self._keys[0], self._making)
