"""The one loop over everything that an artifact holds, containers in containers included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive import formats
from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError, Budget, BudgetError
from monitor.archive.entries import Buffer, Entry, Member, Stream, Trail, nested
from monitor.archive.names import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = 4_096


def walk(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Member]:
    """Every leaf of the artifact ``data`` called ``path``, in stream order.

    What is no container comes as one member. What is broken, encrypted or beyond the budget is
    noted in ``trail``; nothing that strangers put into ``data`` raises. A container of which
    nothing could be read comes as a member itself.
    """
    path = printable(path)
    view = data if isinstance(data, bytes) else memoryview(data)
    budget.begin(len(view))
    if len(view) > budget.limits.max_member_bytes or formats.sniff(view, path) is not None:
        return _opened(Member(path, view), budget, trail)
    try:
        budget.count_member(len(view))
    except BudgetError as error:
        _stop(path, view, error, budget, trail)
        return iter(())
    return iter((Member(path, view),))


def _opened(artifact: Member, budget: Budget, trail: Trail) -> Iterator[Member]:
    """What is in a container, or the windows of a file that is too large to be one member."""
    try:
        yield from _Walker(budget, trail).visit(artifact, 0)
    except BudgetError as error:
        _stop(artifact.path, artifact.data, error, budget, trail)


def _stop(path: str, view: Buffer, error: BudgetError, budget: Budget, trail: Trail) -> None:
    """Notes why a walk ends before its end."""
    trail.skip(path, error.reason)
    if error.reason == "over-ratio":
        detail = f"{budget.bytes:,} bytes out of {len(view):,} when it was stopped"
        trail.hazard(path, "bomb", detail)


class _Walker:
    """What all levels of one walk share."""

    __slots__ = ("budget", "limits", "trail")

    def __init__(self, budget: Budget, trail: Trail) -> None:
        self.budget = budget
        self.limits = budget.limits
        self.trail = trail

    def visit(self, entry: Entry, depth: int) -> Iterator[Member]:
        """A member in memory: opened if it is a container, else delivered."""
        found = None if entry.is_raw else formats.sniff(entry.data, entry.path)
        if found is None:
            yield from self._leaf(entry)
        elif depth >= self.limits.max_depth:
            self.trail.skip(entry.path, "over-depth")
            yield from self._leaf(entry)
        else:
            yield from self._open(found, entry, entry.data, depth)

    def _leaf(self, entry: Entry) -> Iterator[Member]:
        """A member in memory, whole or in windows."""
        size = len(entry.data)
        if size <= self.limits.max_member_bytes:
            self.budget.count_member(size)
            yield entry
            return
        step = self.limits.window_bytes
        lap = self.limits.overlap_bytes
        view = memoryview(entry.data)
        for offset in range(0, size, step):
            end = min(size, offset + step + lap)
            yield self._window(entry, view[offset:end], offset, is_last=end == size)
            if end == size:
                return

    def _window(
        self, entry: Entry, piece: bytes | memoryview, offset: int, *, is_last: bool
    ) -> Member:
        self.budget.count_member(len(piece))
        return Member(
            entry.path,
            piece,
            entry.mtime,
            entry.owner,
            entry.container,
            entry.depth,
            offset,
            is_last,
        )

    def _open(
        self, found: formats.Format, entry: Entry, source: Buffer | Stream, depth: int
    ) -> Iterator[Member]:
        """The members of one container; the container itself if nothing of it could be read."""
        before = self.budget.members
        if found.keeps_raw:
            yield from self._leaf(entry)
        try:
            yield from self._entries(found, entry.path, source, depth + 1)
        except BudgetError:
            raise
        except ArchiveError as error:
            if error.reason != NOT_THIS_FORMAT:
                self.trail.skip(entry.path, error.reason)
        except MemoryError:
            self.trail.skip(entry.path, "memory")
        except Exception:  # noqa: BLE001 - a bug in one reader costs one container, and is said
            self.trail.skip(entry.path, "reader-error")
        if isinstance(source, Stream):
            yield from self._remainder(entry, source)
        elif self.budget.members == before or self.trail.is_noted(entry.path, "bad-data"):
            yield from self._leaf(entry)

    def _remainder(self, entry: Entry, stream: Stream) -> Iterator[Member]:
        """What a reader left unread of its stream because it failed."""
        if stream.peek(1):
            rest = Member(
                nested(entry.path, "(rest)"), container=entry.container, depth=entry.depth
            )
            yield from self._windows(rest, stream)

    def _entries(
        self, found: formats.Format, path: str, source: Buffer | Stream, depth: int
    ) -> Iterator[Member]:
        """The hot loop: what a reader yields, each opened further if it is a container."""
        name = found.name
        budget = self.budget
        most = self.limits.max_member_bytes
        sniff = formats.sniff
        for entry in found.load()(path, source, budget, self.trail):
            entry.container = name
            entry.depth = depth
            if entry.stream is not None:
                yield from self._stream(found, entry, path, depth)
                continue
            size = len(entry.data)
            if size <= most and (entry.is_raw or sniff(entry.data, entry.path) is None):
                budget.count_member(size)
                yield entry
            else:
                yield from self.visit(entry, depth)

    def _stream(
        self, outer: formats.Format, entry: Entry, path: str, depth: int
    ) -> Iterator[Member]:
        """A member that comes in pieces: opened on the fly, gathered, or delivered in windows."""
        stream = entry.stream
        assert stream is not None
        entry.stream = None
        found = None if entry.is_raw else formats.sniff(stream.peek(_HEAD), entry.path)
        if found is not None and found.name == "tar" and outer.is_stream and outer.name != "tar":
            entry.path = path  # x.tgz!/member, not x.tgz!/x.tar!/member
            yield from self._open(found, entry, stream, depth - 1)
            return
        most = min(self.limits.max_member_bytes, self.limits.max_held_bytes - self.budget.held)
        can_stream = found is not None and found.is_stream and depth < self.limits.max_depth
        if stream.size <= most:
            gathered = _gather(stream, most)
            if len(gathered) <= most:
                yield from self._gathered(entry, gathered, depth)
                return
            stream.push(memoryview(gathered))
            del gathered
        if found is not None and can_stream:
            yield from self._open(found, entry, stream, depth)
            return
        if found is not None:
            self.trail.skip(entry.path, "over-member-bytes")
        yield from self._windows(entry, stream)

    def _gathered(self, entry: Entry, gathered: bytearray, depth: int) -> Iterator[Member]:
        """A member that came in pieces and fits into memory."""
        size = len(gathered)
        entry.data = memoryview(gathered).toreadonly()
        self.budget.held += size
        try:
            yield from self.visit(entry, depth)
        finally:
            self.budget.held -= size

    def _windows(self, entry: Entry, stream: Stream) -> Iterator[Member]:
        """A member that is too large to hold, in overlapping windows."""
        step = self.limits.window_bytes
        lap = self.limits.overlap_bytes
        offset = 0
        window = bytearray()
        for piece in stream:
            view = memoryview(piece)
            while len(window) + len(view) > step + lap:
                room = step + lap - len(window)
                window += view[:room]
                view = view[room:]
                yield self._window(entry, bytes(window), offset, is_last=False)
                del window[:step]
                offset += step
            window += view
        yield self._window(entry, bytes(window), offset, is_last=True)


def _gather(stream: Stream, most: int) -> bytearray:
    """All of a stream, or its beginning: more than ``most`` bytes, by one chunk.

    What is stated of its size is reserved at once: growing step by step would leave holes in the
    heap as large as the members themselves.
    """
    gathered = bytearray(max(0, stream.size))
    have = 0
    for piece in stream:
        gathered[have : have + len(piece)] = piece
        have += len(piece)
        if have > most:
            break
    del gathered[have:]
    return gathered
