"""Opens one artifact and runs every detector over what is inside: members x detectors -> findings.

Runs inside the sandbox. It reads the files that it is given, writes nothing and judges nothing: the
answer is an ``Inspection`` whose severities are those under a proprietary owner.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from monitor import archive, decoders, mapped
from monitor.archive import manifests, noted
from monitor.archive.budget import Budget, Interrupted
from monitor.decoders import may_be_wide
from monitor.detectors import MEMBER_DETECTORS, carriers
from monitor.detectors.repeats import new, tell_once
from monitor.model import NESTED, Inspection, SourceMapReference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitor.archive import Member, Trail
    from monitor.archive.budget import Limits
    from monitor.archive.source_maps import SourceMap
    from monitor.decoders.unfold import Container
    from monitor.detectors import Context
    from monitor.detectors.packaging.compiled import Compiled
    from monitor.harvest import Taker
    from monitor.rules import Match, Matcher

_BYTECODE = ".pyc!/(constants)"
_READ_BY_NAME = (".map", _BYTECODE, *manifests.NAMES)
_MAP_PROBES = frozenset({"map-json", "source-map-url", "wasm-map-url"})
MAX_MAP_DEPTH = 6
"""Source maps inside sources of source maps: bundles of bundles nest two or three deep."""

MAX_DULL_SOURCES = 1 << 16
"""How many sources of maps are known again: a bound on memory."""


class Inspector:
    """The loaded engine. One instance serves any number of artifacts, one after the other."""

    def __init__(self, matcher: Matcher, limits: Limits, *, clock: Callable[[], float]) -> None:
        self._matcher = matcher
        self._limits = limits
        self._clock = clock

    def inspect_files(
        self,
        files: Sequence[tuple[str, str]],
        context: Context,
        takers: Sequence[Taker] = (),
    ) -> Inspection:
        """Inspect files given as ``(path on this machine, path to show)``.

        They are an artifact or a part of one: what can only be told of the whole is the business
        of whoever has all parts (``pipeline.conclude``). ``takers`` see every member too.
        """
        trail = archive.Trail()
        inspection = Inspection(skipped=trail.skipped, hazards=trail.hazards)
        budget = Budget(self._limits, self._clock)
        opening = _Opening(self._matcher, inspection, trail, budget, context, takers=takers)
        for path, shown in files:
            try:
                opening.open(path, shown, is_alone=len(files) == 1)
            except MemoryError:
                trail.skip(shown, "memory")
            except OSError as error:
                is_gone = isinstance(error, FileNotFoundError)
                trail.skip(shown, "vanished" if is_gone else "unreadable")
            except Interrupted as late:
                trail.skip(shown, late.reason)
                return inspection
        if opening.compiled is not None:
            from monitor import recompiled

            recompiled.compare(opening.compiled, inspection, files, self._limits, self._clock)
        return inspection


class _Opening:
    """One artifact on its way through the detectors."""

    def __init__(
        self,
        matcher: Matcher,
        inspection: Inspection,
        trail: Trail,
        budget: Budget,
        context: Context,
        *,
        takers: Sequence[Taker],
    ) -> None:
        self.context = context
        self.takers = takers
        self.matcher = matcher
        self.inspection = inspection
        self.trail = trail
        self.budget = budget
        self.compiled: Compiled | None = None
        self._file: mapped.File | None = None
        self._map_depth = 0
        self._looks = 0
        self._dull_sources: set[tuple[str, bytes]] = set()

    def open(self, path: str, shown: str, *, is_alone: bool) -> None:
        self._file = file = mapped.opened(path)
        if file is None:
            self.trail.skip(shown, "not-a-file")
            return
        self.inspection.bytes += file.size
        if is_alone and file.size:  # nobody asks for the digest of a file among others
            self.inspection.sha256 = file.sha256()
        self._walk(shown, file.content)

    def _walk(self, path: str, content: archive.Buffer) -> None:
        for member in archive.walk(path, content, self.budget, self.trail):
            self._inspect(member)
            del member  # the next is gathered while this name would still hold it

    def _inspect(self, member: Member) -> None:
        self._record(member)
        matches, opened = self._scanned(member)
        if self.matcher.probe_hits or matches or self._is_telling(member):
            self._look(member, matches, opened)
        if self._file is not None:
            self._file.use(len(member.data))

    def _is_telling(self, member: Member) -> bool:
        """Whether there is anything to look for in a member in which nothing was hit."""
        path = member.path
        return (
            carriers.is_telling(path)
            or path.endswith(_READ_BY_NAME)
            or may_be_wide(member.data)
            or self.context.has_dependencies
            or (self.compiled is not None and path in self.compiled.wanted)
            or bool(self.matcher.capped)
        )

    def _look(self, member: Member, matches: list[Match], opened: SourceMap | None) -> None:
        """All that is told of one member beside its record."""
        self._looks += 1
        inspection = self.inspection
        hits = self.matcher.probe_hits
        capped = set(self.matcher.capped.values())
        containers: Sequence[Container] = ()
        if hits or may_be_wide(member.data):
            matches, containers = self._unfold(member, hits, matches)
        start = len(inspection.findings)
        for inspect in MEMBER_DETECTORS:
            found = inspect(member, matches, self.context)
            if found:
                inspection.findings += new(found, inspection.findings) if member.offset else found
        for reason in capped:
            self.trail.skip(member.path, reason)
        self._recover(member, hits, containers, start, opened)
        if not member.offset:
            self._read_names(member)
            self._note_bytecode(member)

    def _record(self, member: Member) -> None:
        members = self.inspection.members
        record = archive.record_of(member, has_lines=self.context.has_shape)
        if member.offset:
            members[-1] = record
        else:
            members.append(record)
        self.inspection.inspected_bytes += len(member.data)
        for taker in self.takers:
            taker.take(member)

    def _scanned(self, member: Member) -> tuple[list[Match], SourceMap | None]:
        """The rules' matches. A sound map is scanned without its sources: they are members too."""
        is_whole = member.is_last and not member.offset
        if member.path.endswith(".map") and is_whole and self._map_depth < MAX_MAP_DEPTH:
            from monitor.archive import source_maps

            opened = source_maps.read(member.path, member.data, origin="file")
            if opened is not None and opened.contents_span is not None:
                own = self.matcher.scan_around(member.data, member.path, opened.contents_span)
                if "map-json" in self.matcher.probe_hits:
                    return own, opened
        return self.matcher.scan(member.data, member.path), None

    def _read_names(self, member: Member) -> None:
        """What this member says of its own package, and, where asked, of others."""
        if member.path.rpartition("/")[2] in manifests.NAMES:
            manifests.note(member, self.inspection.manifests, self.trail)
        if self.context.has_dependencies:
            noted.note(member, self.inspection.dependencies, self.trail)

    def _note_bytecode(self, member: Member) -> None:
        """Bytecode, and sources of what was met before them: compared where both are known."""
        if member.path.endswith(_BYTECODE):
            from monitor.detectors.packaging.compiled import Compiled  # few artifacts have any

            self.compiled = self.compiled or Compiled()
            self.compiled.take(member, len(self.inspection.members))
        elif self.compiled is not None and member.is_last and not self._map_depth:
            self.compiled.compare(member)

    def _unfold(
        self, member: Member, hits: Mapping[str, Sequence[int]], plain: list[Match]
    ) -> tuple[list[Match], Sequence[Container]]:
        """The matches, with those behind codings; and the archives behind codings."""
        if not decoders.DECODER_PROBES.isdisjoint(hits) or may_be_wide(member.data):
            from monitor.decoders.unfold import unfold

            unfolded = unfold(self.matcher, member.data, hits, member.path, plain)
            if unfolded.capped:
                self.trail.skip(member.path, unfolded.capped)
            return unfolded.matches, unfolded.containers
        return plain, ()

    def _recover(
        self,
        member: Member,
        hits: Mapping[str, Sequence[int]],
        containers: Sequence[Container],
        start: int,
        opened: SourceMap | None,
    ) -> None:
        """Source maps and archives in this member, whose own findings begin at ``start``.

        ``opened`` is the map that the member is, if that is known already.
        """
        for container in containers:
            where = f"({'/'.join(container.chain)} at byte {member.offset + container.offset})"
            self._open_container(f"{member.path}{NESTED}{where}", container.content)
        if _MAP_PROBES.isdisjoint(hits):
            return
        from monitor.archive import source_maps  # most artifacts have none

        if opened or ("map-json" in hits and source_maps.looks_like_map(member.data)):
            stop = len(self.inspection.findings)
            self._open_map(member.path, member.data, "file", opened)
            tell_once(self.inspection.findings, start, stop, member.path)
        for reference in source_maps.all_references(
            member.data, hits.get("source-map-url", ()), hits.get("wasm-map-url", ())
        ):
            offset = member.offset + reference.offset
            if reference.kind == "data":
                where = f"{member.path}{NESTED}(inline source map at byte {offset})"
                self._open_map(where, reference.content, "inline")
            else:
                told = SourceMapReference(path=member.path, url=reference.url, byte_offset=offset)
                self.inspection.map_references.append(told)

    def _open_container(self, path: str, content: bytes) -> None:
        if self._map_depth >= MAX_MAP_DEPTH:
            self.trail.skip(path, "over-depth")
            return
        # Base64 that begins like an archive is a guess: only what does not open at all is no gap.
        guessed, is_open = archive.Trail(), False
        self._map_depth += 1
        for member in archive.walk(path, content, self.budget, guessed):
            is_open |= member.path != path
            self._inspect(member)
        self._map_depth -= 1
        for gap in guessed.skipped:
            if is_open or gap.reason.startswith("over-"):
                self.trail.skip(gap.path, gap.reason)
        self.trail.hazards += guessed.hazards

    def _open_map(
        self, path: str, content: archive.Buffer, origin: str, opened: SourceMap | None = None
    ) -> None:
        if self._map_depth >= MAX_MAP_DEPTH:
            self.trail.skip(path, "over-depth")
            return
        from monitor.archive import source_maps

        is_likely = origin == "file"
        opened = opened or source_maps.read(path, content, origin=origin, is_likely=is_likely)
        if opened is None:
            return
        self.inspection.source_maps.append(opened.record)
        if opened.record.problem is not None:
            self.trail.skip(path, opened.record.problem)
        self._map_depth += 1
        for name, source in opened.contents:
            self._source(path, name, source)
        self._map_depth -= 1

    def _source(self, path: str, name: str, content: bytes) -> None:
        """A source of a map; maps of one package carry the same dull ones under the same names."""
        whole = f"{path}{NESTED}{name}"
        key = (name, hashlib.sha256(content).digest())
        if key in self._dull_sources and not carriers.is_telling(whole):
            for member in archive.walk(whole, content, self.budget, self.trail):
                self._record(member)
            return
        before = self._looks
        self._walk(whole, content)
        if self._looks == before and len(self._dull_sources) < MAX_DULL_SOURCES:
            self._dull_sources.add(key)
