"""A file's prints: what is kept of it, on the index's side and on the artifact's."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

import numpy as np

from monitor.private_code import code_names
from monitor.private_code.bare_python import bare
from monitor.private_code.channels import (
    BARE,
    CANONICAL,
    MIN_STRING,
    SHAPE,
    SKELETON,
    TOKENS,
    Section,
)
from monitor.private_code.languages import language, plain_text
from monitor.private_code.lexing.families import (
    C_FAMILY,
    JAVASCRIPT,
    PLAIN,
    PYTHON,
    Family,
    sections,
)
from monitor.private_code.lexing.hashing import stir, texts
from monitor.private_code.origins import original_lines
from monitor.private_code.prints import Channel, FilePrints, Prints, Text
from monitor.private_code.winnowing import distinct, salted, united, winnowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.private_code.lexing.hashing import Places
    from monitor.private_code.prints import Hashes
    from monitor.private_code.winnowing import Elements, Rule

MAX_LITERALS = 512
"""Literals kept of a file: those with the smallest prints, so that two files keep the same."""

_FAMILIES = {"javascript": JAVASCRIPT, "python": PYTHON, "text": PLAIN}
_SHORT_SHARE = 0.7
_FEWEST_LOCALS = 20


def fingerprint(
    path: str,
    content: bytes,
    *,
    for_index: bool = False,
    canonical: bytes | None = None,
    augmented: bytes | None = None,
) -> FilePrints | None:
    """The prints of one file; None for what is no text and no bytecode.

    Time and memory are linear in the content, whatever it holds.
    """
    return fingerprints([Text(path, content, canonical, augmented)], for_index=for_index)[0]


def fingerprints(files: Sequence[Text], *, for_index: bool = False) -> list[FilePrints | None]:
    """The prints of many files at once: the same as one by one, several times as fast."""
    found: list[FilePrints | None] = [None] * len(files)
    by_family: dict[str, list[tuple[int, bytes, str]]] = {}
    for number, file in enumerate(files):
        compiled = code_names.bytecode(file.content)
        if compiled is not None:
            found[number] = _of_bytecode(file, compiled)
            continue
        text = plain_text(file.content)
        if text is not None:
            name = language(file.path, file.content)
            family = _FAMILIES.get(name, C_FAMILY)
            by_family.setdefault(family.name, []).append((number, text, name))
    for family in (JAVASCRIPT, PYTHON, C_FAMILY, PLAIN):
        members = by_family.get(family.name, [])
        gathered = [_Gathered() for _ in members]
        _read([text for _, text, _ in members], family, gathered, for_index=for_index)
        if family is JAVASCRIPT:
            _read_canonical(files, members, gathered, for_index=for_index)
        if family is PYTHON and for_index:
            _read_bare([text for _, text, _ in members], gathered)
        for (number, text, name), one in zip(members, gathered, strict=True):
            found[number] = one.prints(name, files[number].content, text, for_index=for_index)
    return found


class _Gathered:
    """What is known of one file while its sections are read."""

    def __init__(self) -> None:
        self.channels: dict[Channel, list[tuple[Hashes, Places]]] = {}
        self.tokens = 0
        self.digest = hashlib.blake2b(digest_size=16)
        self.locals = self.short_locals = 0

    @property
    def is_squeezed(self) -> bool:
        """Whether most locals have the short names that minifiers give."""
        return self.locals >= _FEWEST_LOCALS and self.short_locals >= _SHORT_SHARE * self.locals

    def add(self, channel: Channel, hashes: Hashes, lines: Places) -> None:
        if len(hashes):
            self.channels.setdefault(channel, []).append((salted(hashes, channel), lines))

    def prints(self, name: str, content: bytes, text: bytes, *, for_index: bool) -> FilePrints:
        channels = {channel: united(parts) for channel, parts in self.channels.items()}
        if Channel.LITERALS in channels:
            channels[Channel.LITERALS] = _smallest(channels[Channel.LITERALS])
        if name == "python" and (for_index or self.is_squeezed):
            names = code_names.prints(code_names.source(text))
            if len(names.hashes):
                channels[Channel.BYTECODE] = names
        return FilePrints(
            language=name,
            lines=text.count(b"\n") + (not text.endswith(b"\n") and bool(text)),
            tokens=self.tokens,
            content=_digest(content),
            normal=self.digest.digest() if self.tokens else b"",
            channels=channels,
        )


def _smallest(prints: Prints) -> Prints:
    if len(prints.hashes) <= MAX_LITERALS:
        return prints
    chosen = np.sort(np.argpartition(prints.hashes, MAX_LITERALS)[:MAX_LITERALS])
    return Prints(prints.hashes[chosen], prints.lines[chosen])


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _of_bytecode(file: Text, compiled: code_names.Bytecode) -> FilePrints:
    channels = {}
    names = code_names.prints(compiled.names)
    if len(names.hashes):
        channels[Channel.BYTECODE] = names
    strings = [text for text in compiled.strings if len(text) >= MIN_STRING]
    if strings:
        hashes = salted(stir(texts(strings) ^ np.uint64(2)), Channel.LITERALS)
        literals = distinct(hashes, np.ones(len(hashes), np.uint32))
        channels[Channel.LITERALS] = _smallest(literals)
    return FilePrints(
        language="python-bytecode",
        lines=max((one.line for one in compiled.names), default=0),
        tokens=sum(len(one.names) for one in compiled.names),
        content=_digest(file.content),
        normal=b"",
        channels=channels,
    )


def _read(
    contents: list[bytes], family: Family, gathered: list[_Gathered], *, for_index: bool
) -> None:
    """Reads texts as they are."""
    for section in _sections(contents, family):
        elements = section.tokens()
        for number, places in _by_text(elements.texts):
            gathered[number].tokens += places.stop - places.start
            gathered[number].digest.update(elements.hashes[places].tobytes())
        _add(elements, TOKENS, (Channel.TOKENS,), gathered)
        if family is PLAIN:
            continue
        _add(section.skeleton(), SKELETON, (Channel.SKELETON,), gathered)
        literals = section.literals()
        for number, places in _by_text(literals.texts):
            gathered[number].add(Channel.LITERALS, literals.hashes[places], literals.lines[places])
        if family is JAVASCRIPT:
            _add_minified(section, gathered, for_index=for_index)
        elif family is PYTHON and not for_index:
            _add_squeezed(section, gathered)


def _add_squeezed(section: Section, gathered: list[_Gathered]) -> None:
    """Python that was minified is bare as well."""
    total, short = section.short_names()
    for number in np.flatnonzero(total).tolist():
        gathered[number].locals += int(total[number])
        gathered[number].short_locals += int(short[number])
    is_squeezed = (total >= _FEWEST_LOCALS) & (short >= _SHORT_SHARE * total)
    if is_squeezed.any():
        elements = section.only(is_squeezed[section.texts]).bare_tokens()
        _add(elements, BARE, (Channel.AUGMENTED,), gathered)


def _add_minified(section: Section, gathered: list[_Gathered], *, for_index: bool) -> None:
    """What was found minified is canonical nearly as it is."""
    total, short = section.short_names()
    is_minified = (total >= _FEWEST_LOCALS) & (short >= _SHORT_SHARE * total)
    if not is_minified.any():
        return
    section = section.only(is_minified[section.texts])
    channels = (Channel.CANONICAL,) if for_index else (Channel.CANONICAL, Channel.AUGMENTED)
    _add_canonical(section, channels, gathered)


def _add_canonical(
    section: Section, channels: tuple[Channel, ...], gathered: list[_Gathered]
) -> None:
    _add(section.tokens(canonical=True), CANONICAL, channels, gathered)
    if Channel.CANONICAL in channels:
        _add(section.skeleton(canonical=True), SKELETON, (Channel.SKELETON,), gathered)
        _add(section.shape(), SHAPE, (Channel.SHAPE,), gathered)


def _read_canonical(
    files: Sequence[Text],
    members: list[tuple[int, bytes, str]],
    gathered: list[_Gathered],
    *,
    for_index: bool,
) -> None:
    """Reads what the canonicaliser made of texts; lines are those of the texts."""
    plain = (Channel.CANONICAL,) if for_index else (Channel.CANONICAL, Channel.AUGMENTED)
    chosen = [(one, files[number]) for (number, _, _), one in zip(members, gathered, strict=True)]
    _read_made([(one, file.canonical) for one, file in chosen if file.canonical], plain)
    augmented = [(one, file.augmented) for one, file in chosen if file.augmented]
    _read_made(augmented, (Channel.AUGMENTED,))


def _read_made(texts: list[tuple[_Gathered, bytes]], channels: tuple[Channel, ...]) -> None:
    made = [_Gathered() for _ in texts]
    mapped = [original_lines(text) for _, text in texts]
    for section in _sections([one.code for one in mapped], JAVASCRIPT, by_place=True):
        _add_canonical(section, channels, made)
    for (one, _), part, lines in zip(texts, made, mapped, strict=True):
        for channel, prints in part.channels.items():
            for hashes, places in prints:
                found = lines.at(places)
                own = found > 0  # what comes before the file's first line is the tool's own
                one.channels.setdefault(channel, []).append((hashes[own], found[own]))


def _read_bare(texts: list[bytes], gathered: list[_Gathered]) -> None:
    """Adds prints of Python sources as minifiers leave them."""
    found = [(one, bare(text)) for one, text in zip(gathered, texts, strict=True)]
    kept = [(one, stripped) for one, stripped in found if stripped is not None]
    made = [_Gathered() for _ in kept]
    for section in _sections([text for _, (text, _) in kept], PYTHON):
        _add(section.bare_tokens(), BARE, (Channel.AUGMENTED,), made)
    for (one, (_, lines)), part in zip(kept, made, strict=True):
        seats = np.array([1, *lines], np.int64)
        for hashes, places in part.channels.get(Channel.AUGMENTED, ()):
            placed = seats[np.minimum(places, len(seats) - 1)]
            one.channels.setdefault(Channel.AUGMENTED, []).append((hashes, placed))


def _sections(
    contents: list[bytes], family: Family, *, by_place: bool = False
) -> Iterator[Section]:
    text = line = place = 0
    for tokens in sections(contents, family):
        section = Section(tokens, family, text, (line, place), by_place=by_place)
        text, line, place = section.last_text + 1, section.last_line, section.last_place
        yield section


def _by_text(numbers: Places) -> Iterator[tuple[int, slice]]:
    """The stretch of each text in an ascending array of their numbers."""
    if not len(numbers):
        return
    cuts = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
    edges = [0, *cuts.tolist(), len(numbers)]
    for first, last in itertools.pairwise(edges):
        yield int(numbers[first]), slice(first, last)


def _add(
    elements: Elements, rule: Rule, channels: tuple[Channel, ...], gathered: list[_Gathered]
) -> None:
    hashes, places = winnowed(elements, rule)
    lines = elements.lines[places]
    for number, stretch in _by_text(elements.texts[places]):
        for channel in channels:
            gathered[number].add(channel, hashes[stretch], lines[stretch])
