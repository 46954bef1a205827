"""Holds what was taken of an artifact against the private code of the configured organisations.

One finding for each file of the artifact and private repository: what is shared, where it stands on
both sides, and how sure that is. Keys are here, never in the child that opened the artifact: it has
but the one that asks for words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from monitor.detectors.fingerprints import of_finding, stable_path
from monitor.model import Confidence, Finding, Severity, Skipped
from monitor.private_code.languages import is_script
from monitor.private_code.matches import FileMatch, Label, Level, PathMatch
from monitor.private_code.matching import Matcher
from monitor.private_code.prints import FORMAT
from monitor.private_code.suffixes import suffix
from monitor.private_code.taking import MAX_SCRIPT_BYTES, Taken
from monitor.report.text import count
from monitor.sandbox.protocol import WordsOf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.model import Inspection
    from monitor.private_code.index.reader import OpenIndex
    from monitor.private_code.prints import FilePrints
    from monitor.private_code.rereading import Rereader
    from monitor.private_code.taking import TakenFile, TakenText

DETECTOR = "private-code"
KIND = "private-code"
MOST_FILES = 20
MOST_RANGES = 12
_EXPLAINED = 0.9
_BATCH_BYTES = 4 << 20
_MAX_AGAIN_BYTES = 8 << 20  # of one job: a second reads one to two MiB
_DECODER = msgspec.msgpack.Decoder(Taken)
_ADVICE = (
    "Keep the bytes, publish a version without this code, then remove this one. Treat what leaked "
    "as read, and look for secrets and internal addresses in the named private files."
)
_RULES = {
    (Level.ALERT, Label.COPY): ("private-code-copy", Severity.CRITICAL, Confidence.HIGH),
    (Level.NOTIFY, Label.COPY): ("private-code-similar", Severity.MEDIUM, Confidence.MEDIUM),
    (Level.NOTIFY, Label.ANCESTRY): ("private-code-ancestry", Severity.LOW, Confidence.LOW),
    (Level.NOTIFY, Label.LITERALS): ("private-code-literals", Severity.LOW, Confidence.LOW),
}
_UNSURE = ("private-code-similar", Severity.MEDIUM, Confidence.MEDIUM)


class PrivateCode:
    """The indexes, open; one instance for any number of artifacts."""

    def __init__(self, indexes: Sequence[OpenIndex], rereader: Rereader | None = None) -> None:
        self._indexes = indexes
        self._matcher = Matcher(indexes)
        self._rereader = rereader

    @property
    def max_script_bytes(self) -> int:
        """How much JavaScript the sandbox is to hand over, to be read a second time."""
        has_form = any(index.told.canonicaliser for index in self._indexes)
        return MAX_SCRIPT_BYTES if self._rereader is not None and has_form else 0

    @property
    def words(self) -> tuple[WordsOf, ...]:
        """What tells the sandbox which texts to read; nothing where it has to read all of them.

        A sketch cannot tell, and an index that was made otherwise has other words.
        """
        found = []
        for key, told, folder in ((i.words_key, i.told, i.folder) for i in self._indexes):
            if key is None or told.parameters != FORMAT:
                return ()
            found.append(WordsOf(folder, key, told.key_id, told.parameters))
        return tuple(found)

    @property
    def indexes(self) -> Sequence[OpenIndex]:
        """The indexes that artifacts are held against."""
        return self._indexes

    def refresh(self) -> None:
        """Take up indexes that were replaced since. Raises ConfigError for one that is damaged."""
        for index in self._indexes:
            index.refresh()

    def look(
        self, prints: Iterable[bytes], inspection: Inspection
    ) -> tuple[list[Finding], list[Skipped]]:
        """The findings of one artifact, from what each of its jobs took, and what was left out."""
        matches: list[FileMatch] = []
        gaps: list[Skipped] = []
        for each in prints:
            if not each:
                continue
            taken = _DECODER.decode(each)
            gaps += taken.skipped
            own, unread = self._matches(taken)
            matches += own
            gaps += unread
        told = self._matcher.conclude(
            matches, suffixes=_suffixes(inspection), marked=_marked(inspection)
        )
        groups: dict[tuple[str, str, str, str], list[FileMatch]] = {}
        for match in told.files:
            rule = _rule(match)[0]
            key = (match.artifact_path, match.organisation, match.repository, rule)
            groups.setdefault(key, []).append(match)
        found = [_finding(group) for group in groups.values()]
        return found + [_of_paths(each, inspection) for each in told.paths], gaps

    def _matches(self, taken: Taken) -> tuple[list[FileMatch], list[Skipped]]:
        """What each file shares with ours; scripts that may share more are read again first."""
        scripts = {one.path: one for one in taken.scripts}
        found: dict[str, list[FileMatch]] = {}
        near: list[tuple[float, TakenText]] = []
        gaps: list[Skipped] = []
        for file, prints in self._touched(taken.files):
            found.setdefault(file.path, []).extend(self._matcher.match(file.path, prints))
            is_read_again = self.max_script_bytes and is_script(file.path)
            if not is_read_again or _is_explained(found[file.path]):
                continue
            script = scripts.get(file.path)
            nearness = self._matcher.nearness(prints, 0 if file.is_over else file.size)
            if nearness and script:
                near.append((nearness, script))
            elif nearness and (file.is_over or file.is_worth):
                gaps.append(Skipped(file.path, "not-read-twice"))
        again, left = _nearest(near)
        gaps += [Skipped(one.path, "not-read-twice") for one in left]
        read = self._rereader.read(again) if self._rereader is not None else {}
        for path, prints in (read or {}).items():
            found[path] = self._matcher.match(path, prints)
        gaps += [Skipped(one.path, "over-second-reading") for one in again if read is None]
        return [match for matches in found.values() for match in matches], gaps

    def _touched(self, files: Sequence[TakenFile]) -> Iterator[tuple[TakenFile, FilePrints]]:
        """The files that have something of ours, with their prints."""
        for batch in _batches(files):
            prints = [file.prints() for file in batch]
            for file, one, is_touched in zip(
                batch, prints, self._matcher.touched(prints), strict=True
            ):
                if is_touched:
                    yield file, one


def _batches(files: Sequence[TakenFile]) -> Iterator[list[TakenFile]]:
    """Files in batches of some prints: a look-up is made for many at once, in bounded memory."""
    batch: list[TakenFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += sum(len(one.hashes) for one in file.channels)
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _nearest(near: list[tuple[float, TakenText]]) -> tuple[list[TakenText], list[TakenText]]:
    """The scripts that are read again, fullest of ours first, and those beyond the budget."""
    room = _MAX_AGAIN_BYTES
    chosen, left = [], []
    for _, script in sorted(near, key=lambda one: (-one[0], one[1].path)):
        if len(script.content) <= room:
            room -= len(script.content)
            chosen.append(script)
        else:
            left.append(script)
    return chosen, left


def _is_explained(matches: Sequence[FileMatch]) -> bool:
    """Whether a file is ours so far that a second reading could tell nothing new."""
    sure = [match.share for match in matches if match.level is Level.ALERT]
    return sum(sure) >= _EXPLAINED


def _suffixes(inspection: Inspection) -> set[str]:
    """The paths that the artifact's maps name as first-party, by their last components."""
    sources = (each for record in inspection.source_maps for each in record.sources)
    return {short for name, _, _, is_own, _ in sources if is_own and (short := suffix(name))}


def _marked(inspection: Inspection) -> set[str]:
    """The organisations of which a marker stands in the artifact."""
    return {
        str(each.evidence["organisation"])
        for each in inspection.findings
        if each.detector == "markers" and "organisation" in each.evidence
    }


def _rule(match: FileMatch) -> tuple[str, Severity, Confidence]:
    return _RULES.get((match.level, match.label), _UNSURE)


def _finding(group: list[FileMatch]) -> Finding:
    best = group[0]
    rule, severity, confidence = _rule(best)
    share = min(1.0, sum(each.share for each in group))
    lines = sorted({each for match in group for each in match.lines})
    start, end = (lines[0][0], lines[-1][1]) if lines else (0, 0)
    evidence: dict[str, Any] = {
        "organisation": best.organisation,
        "repository": best.repository,
        "level": best.level.name.lower(),
        "label": best.label.value,
        "share": round(share, 3),
        "lines": [list(each) for each in lines[:MOST_RANGES]],
        "files": [_file(each) for each in group[:MOST_FILES]],
        "files_total": len(group),
    }
    return Finding(
        rule=rule,
        detector=DETECTOR,
        kind=KIND,
        severity=severity,
        confidence=confidence,
        message=_message(best, group, share),
        path=best.artifact_path,
        line=start,
        end_line=end,
        fingerprint=of_finding(
            rule, best.organisation, best.repository, stable_path(best.artifact_path)
        ),
        evidence=evidence,
        advice=_ADVICE if severity is Severity.CRITICAL else None,
    )


def _file(match: FileMatch) -> dict[str, Any]:
    return {
        "path": match.path or f"block {match.private_file}",
        "share": round(match.share, 3),
        "private_share": round(match.private_share, 3),
        "lines": [list(each) for each in match.lines[:MOST_RANGES]],
        "private_lines": [list(each) for each in match.private_lines[:MOST_RANGES]],
        "channels": {channel.name.lower(): many for channel, many in match.evidence.items()},
        "is_identical": match.is_identical,
    }


def _message(best: FileMatch, group: list[FileMatch], share: float) -> str:
    """What is shared, in one sentence: how much, whose, from where."""
    where = f"`{best.path}`" if best.path else f"block {best.private_file}"
    if best.repository:
        where += f" of {best.repository}"
    if best.private_lines:
        start, end = best.private_lines[0][0], best.private_lines[-1][1]
        where += f", lines {start:,} to {end:,}"
    more = f", and {count(len(group) - 1, 'more private file')}" if len(group) > 1 else ""
    owner = best.organisation
    if best.level is Level.ALERT and best.label is Label.COPY:
        return f"{_percent(share)} of this file is private code of {owner}: {where}{more}."
    if best.label is Label.ANCESTRY:
        return f"Code shared with private code of {owner}, which both may have from a public source: {where}{more}."  # noqa: E501 - one sentence
    if best.label is Label.LITERALS:
        return f"Rare strings that private code of {owner} has as well: {where}{more}."
    return f"{_percent(share)} of this file resembles private code of {owner}: {where}{more}."


def _percent(share: float) -> str:
    """``61%``; never 0% of something that was found, never 100% of what is not all."""
    if share >= 1:
        return "All"
    return f"{min(99, max(1, round(share * 100)))}%"


def _of_paths(match: PathMatch, inspection: Inspection) -> Finding:
    rule = "private-code-paths"
    path = inspection.source_maps[0].path if inspection.source_maps else ""
    is_alert = match.level is Level.ALERT
    where = f" of {match.repository}" if match.repository else ""
    many = count(len(match.suffixes), "private file")
    return Finding(
        rule=rule,
        detector=DETECTOR,
        kind=KIND,
        severity=Severity.HIGH if is_alert else Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        message=f"A source map names {many} of {match.organisation}{where}, {_percent(match.share)} of all that it names.",  # noqa: E501 - one sentence
        path=path,
        fingerprint=of_finding(rule, match.organisation, match.repository),
        evidence={
            "organisation": match.organisation,
            "repository": match.repository,
            "share": round(match.share, 3),
            "suffixes": sorted(match.suffixes)[:MOST_FILES],
            "suffixes_total": len(match.suffixes),
        },
    )
