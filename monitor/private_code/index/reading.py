"""Contents to prints, in as many processes as it is worth; a bad file costs itself and no more."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from multiprocessing import connection
from typing import TYPE_CHECKING, Self

from monitor.private_code.index.batch import Ended, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from monitor.private_code.index.making import Making

    Item = Ended | tuple[Version, bytes]
    """A version with its content, or one of which is known already what becomes of it."""

    Task = list[Item]

WORTH_BYTES = 4 << 20
"""Below this the start of other processes costs more than they save."""

_TASK_BYTES = 1 << 20
_TASK_FILES = 400
_LFS = b"version https://git-lfs.github.com/spec/"


class Reader:
    """Fingerprints versions in their order. ``workers`` of 1 works in this process."""

    def __init__(self, making: Making, workers: int) -> None:
        self._making = making
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, items: Iterable[Item]) -> Iterator[Ended]:
        """What became of each version, in the order in which they came."""
        if self._workers < 2:  # noqa: PLR2004 - one is this process
            for task in tasks(items):
                yield from read(self._making, task)
            return
        waiting: deque[tuple[Task, Future[list[Ended]]]] = deque()
        for task in tasks(items):
            waiting.append((task, self._submitted(task)))
            if len(waiting) > self._workers + 1:
                yield from self._ended(waiting)
        while waiting:
            yield from self._ended(waiting)

    def _submitted(self, task: Task) -> Future[list[Ended]]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers, multiprocessing.get_context("spawn"), initializer=_begin
            )
        try:
            return self._pool.submit(read, self._making, task)
        except BrokenProcessPool:
            self._end()
            return self._submitted(task)

    def _ended(self, waiting: deque[tuple[Task, Future[list[Ended]]]]) -> list[Ended]:
        task, future = waiting.popleft()
        try:
            return future.result()
        except BrokenProcessPool:
            self._end()
            return self._one_by_one(task)

    def _one_by_one(self, task: Task) -> list[Ended]:
        """A task whose process died: each file in turn, so that the one to blame is known."""
        ended = []
        for item in task:
            try:
                ended += self._submitted([item]).result()
            except BrokenProcessPool:
                self._end()
                version = item.version if isinstance(item, Ended) else item[0]
                ended.append(Ended(version=version, reason="crashed"))
        return ended

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def tasks(items: Iterable[Item]) -> Iterator[Task]:
    """Versions in lots that are worth a call."""
    task: Task = []
    size = 0
    for item in items:
        weight = 0 if isinstance(item, Ended) else len(item[1])
        if task and (size + weight > _TASK_BYTES or len(task) >= _TASK_FILES):
            yield task
            task, size = [], 0
        task.append(item)
        size += weight
    if task:
        yield task


def read(making: Making, task: Sequence[Item]) -> list[Ended]:
    """What becomes of some versions. Nothing that a file holds ends the others."""
    ended: list[Ended | None] = []
    chosen = []
    for item in task:
        if isinstance(item, Ended):
            ended.append(item)
            continue
        version, content = item
        reason = _left_out(making, version.path, content)
        ended.append(Ended(version=version, reason=reason) if reason else None)
        if not reason:
            chosen.append(item)
    found = iter(_fingerprinted(making, chosen) if chosen else ())
    return [one if one is not None else next(found) for one in ended]


def _left_out(making: Making, path: str, content: bytes) -> str:
    if content.startswith(_LFS):
        return "lfs-pointer"
    return making.hygiene(path, content) or ""


def _fingerprinted(making: Making, chosen: Sequence[tuple[Version, bytes]]) -> list[Ended]:
    try:
        prints = making.fingerprints([(version.path, content) for version, content in chosen])
    except Exception:  # noqa: BLE001 - whatever it is, it is this file's, and it is said
        if len(chosen) == 1:
            return [Ended(version=chosen[0][0], reason="failed")]
        return [ended for one in chosen for ended in _fingerprinted(making, [one])]
    return [
        Ended(version=version, prints=one, reason="" if one is not None else "no-text")
        for (version, _), one in zip(chosen, prints, strict=True)
    ]


def _begin() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    with contextlib.suppress(OSError):
        connection.wait([sentinel])
    os._exit(1)
