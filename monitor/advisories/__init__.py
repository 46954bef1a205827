"""Known vulnerabilities in what a package is, asks for, pins or carries.

``versions`` turns a dependency into questions; ``pip_audit`` (Python) and ``osv`` (npm) answer
them, through ``cache``; ``weighing`` judges what an answer means for the dependency, with
``severity``; ``telling`` makes findings of it. ``audit`` does all of that for a whole scan: each
engine is asked once, however many packages there are.

What is told: an exact version (bundled, shrinkwrapped, ``==``) that is affected; a range of which
every version is affected; and, LOW at most, a range that begins at an affected version though it
admits a fixed one. A range that names no lowest version is told only if nothing in it is free.
"""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from monitor.advisories.records import Advisory, Package, Told
from monitor.advisories.telling import findings
from monitor.advisories.versions import NotAuditableError, Wanted, wanted
from monitor.advisories.weighing import weighed
from monitor.errors import LeakmonError
from monitor.model import NESTED, Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.advisories.osv import Osv
    from monitor.advisories.pip_audit import PipAudit
    from monitor.advisories.records import Hit, Question
    from monitor.model import Dependency

__all__ = ["Package", "Told", "audit"]

MAX_QUESTIONS = 50_000
MAX_ADVISORIES = 5_000
MAX_NAMES = 4
_READ_FIRST = ("GHSA-", "MAL-", "PYSEC-")
"""Those name the package and its versions; a CVE of the same thing may name commits only."""

_Asked = list[tuple["Dependency", "Wanted | str"]]
_Answers = dict["Question", "list[Hit] | LeakmonError"]


async def audit(
    packages: Sequence[Package], *, osv: Osv, pip_audit: PipAudit, withheld: Sequence[str] = ()
) -> list[Told]:
    """What is to be told of each package, in their order.

    ``withheld`` are globs (lower case) of names that nobody outside may be told: they are skipped
    as ``internal-name``. What got no answer is skipped as ``not-audited``; nothing is raised.
    """
    asked = [[(each, _asked(each, withheld)) for each in one.dependencies] for one in packages]
    questions = dict.fromkeys(
        question
        for one in asked
        for _, what in one
        if isinstance(what, Wanted)
        for question in what.lowest
    )
    allowed = list(questions)[:MAX_QUESTIONS]
    python, npm = await asyncio.gather(
        pip_audit.hits(each for each in allowed if each.ecosystem == "pypi"),
        osv.hits(each for each in allowed if each.ecosystem == "npm"),
    )
    answers = python | npm
    records = await _read(answers, osv)
    return [_told(one, answers, records) for one in asked]


def _asked(dependency: Dependency, withheld: Sequence[str]) -> Wanted | str:
    """The questions, or the reason why there are none."""
    try:
        found = wanted(dependency)
    except NotAuditableError as error:
        return error.reason
    names = {found.name.lower(), dependency.name.lower()}
    if any(fnmatchcase(name, glob.lower()) for glob in withheld for name in names):
        return "internal-name"
    return found


async def _read(answers: _Answers, osv: Osv) -> dict[str, list[Advisory]]:
    """What could be read of each advisory that any answer names."""
    hits: dict[str, Hit] = {}
    for answer in answers.values():
        if not isinstance(answer, LeakmonError):
            hits |= {hit.id: hit for hit in answer}
    chosen = list(hits.values())[:MAX_ADVISORIES]
    read = await asyncio.gather(*(_records(hit, osv) for hit in chosen))
    return {hit.id: found for hit, found in zip(chosen, read, strict=True)}


async def _records(hit: Hit, osv: Osv) -> list[Advisory]:
    """The advisory under one name after the other, until one says how bad it is."""
    found: list[Advisory] = []
    names = sorted({hit.id, *hit.aliases}, key=_reading_order)
    for name in names[:MAX_NAMES]:
        try:
            record = await osv.advisory(name, hit.modified if name == hit.id else "")
        except LeakmonError:
            continue  # _told says so if none could be read
        found.append(record)
        if record.rating() is not None:
            break
    return found


def _reading_order(name: str) -> tuple[int, str]:
    known = [number for number, each in enumerate(_READ_FIRST) if name.startswith(each)]
    return (known[0] if known else len(_READ_FIRST), name)


def _told(asked: _Asked, answers: _Answers, records: Mapping[str, Sequence[Advisory]]) -> Told:
    told = Told()
    found = []
    for dependency, what in asked:
        if isinstance(what, str):
            told.skipped.append(_gap(dependency, what))
            continue
        known = {q: a for q in what.lowest if isinstance(a := answers.get(q), list)}
        if len(known) < len(set(what.lowest)):
            told.skipped.append(_gap(dependency, "not-audited", _cause(what, answers)))
            continue
        for each in weighed(dependency, what, known, records):
            found.append(each)
            if not each.records:
                told.skipped.append(Skipped(f"{_place(dependency)} {each.id}", "advisory-unread"))
    told.findings = findings(found)
    return told


def _gap(dependency: Dependency, reason: str, cause: str = "") -> Skipped:
    return Skipped(_place(dependency), reason, cause)


def _cause(what: Wanted, answers: _Answers) -> str:
    """Why there is no answer: what the server or pip-audit said, or that too much was asked."""
    for question in what.lowest:
        answer = answers.get(question)
        if isinstance(answer, LeakmonError):
            return str(answer)
    return f"more than {MAX_QUESTIONS:,} packages"


def _place(dependency: Dependency) -> str:
    named = f"{dependency.name} {dependency.wanted}".strip()
    return f"{dependency.path}{NESTED}({dependency.how} {named})"
