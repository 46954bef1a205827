"""The OSV API (version 1): which advisories apply to packages, and what an advisory says.

``POST /v1/querybatch`` takes at most 1000 questions and gives an answer for each, in their order;
an answer may go on at its ``next_page_token``. ``GET /v1/vulns/ID`` gives one advisory.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import msgspec

from monitor.advisories.records import Advisory, Hit, Question
from monitor.errors import LeakmonError, TargetError
from monitor.http.answers import decoded
from monitor.http.settings import netloc_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.advisories.cache import Cache
    from monitor.http.client import Client

_BATCH = 1000
_MAX_PAGES = 20
_MAX_ANSWER_BYTES = 64 << 20
_MAX_ADVISORY_BYTES = 8 << 20
_ECOSYSTEMS = {"npm": "npm", "pypi": "PyPI"}
_ID = re.compile(r"[A-Za-z0-9][\w.:-]{2,127}", re.ASCII)


class _Named(msgspec.Struct):
    id: str
    modified: str = ""


class _Page(msgspec.Struct):
    vulns: list[_Named] = msgspec.field(default_factory=list)
    next_page_token: str = ""


class _Batch(msgspec.Struct):
    results: list[_Page | None]


class Osv:
    """The API at ``address``, asked through ``client``, its answers remembered in ``cache``."""

    def __init__(self, client: Client, address: str, cache: Cache) -> None:
        client.guard.allow(netloc_of(address))
        self._client = client
        self._address = address if address.endswith("/") else f"{address}/"
        self._cache = cache

    @property
    def query_address(self) -> str:
        """Where single questions go: what pip-audit calls ``--osv-url``."""
        return f"{self._address}v1/query"

    async def hits(self, questions: Iterable[Question]) -> dict[Question, list[Hit] | LeakmonError]:
        """For each question the advisories that apply, or why there is no answer."""
        answers: dict[Question, list[Hit] | LeakmonError] = {}
        open_questions: list[Question] = []
        for question in dict.fromkeys(questions):
            known = self._cache.get(list[Hit], self._address, *question)
            if known is None:
                open_questions.append(question)
            else:
                answers[question] = known
        starts = range(0, len(open_questions), _BATCH)
        batches = [open_questions[start : start + _BATCH] for start in starts]
        for found in await asyncio.gather(*(self._asked(batch) for batch in batches)):
            answers |= found
        return answers

    async def advisory(self, name: str, modified: str = "") -> Advisory:
        """One advisory. ``modified``, if known, tells whether a remembered one is still good."""
        if not _ID.fullmatch(name):
            raise TargetError("an advisory's id is malformed", reason="malformed-answer")
        key = (self._address, "advisory", name, modified)
        known = self._cache.get(Advisory, *key, is_lasting=bool(modified))
        if known is not None:
            return known
        url = f"{self._address}v1/vulns/{name}"
        document = await self._client.document(url, max_bytes=_MAX_ADVISORY_BYTES)
        try:
            found = decoded(document.body, Advisory)
        except ValueError as error:
            raise _malformed(url, error) from error
        self._cache.put(found, *key)
        return found

    async def _asked(self, batch: Sequence[Question]) -> dict[Question, list[Hit] | LeakmonError]:
        """One batch, page after page. What did not come whole is an error and not remembered."""
        found: dict[Question, list[Hit]] = {question: [] for question in batch}
        pages: dict[Question, str] = dict.fromkeys(batch, "")
        try:
            for _ in range(_MAX_PAGES):
                pages = await self._page(pages, found)
                if not pages:
                    break
        except LeakmonError as error:
            return dict.fromkeys(batch, error)
        for question in batch:
            if question not in pages:
                self._cache.put(found[question], self._address, *question)
        endless = TargetError(f"more than {_MAX_PAGES} pages of advisories", reason="endless")
        return {question: endless if question in pages else found[question] for question in batch}

    async def _page(
        self, pages: dict[Question, str], found: dict[Question, list[Hit]]
    ) -> dict[Question, str]:
        """Ask for the given page of each question; gives the tokens of those that go on."""
        url = f"{self._address}v1/querybatch"
        written = [_written(question, token) for question, token in pages.items()]
        document = await self._client.document(
            url, question=msgspec.json.encode({"queries": written}), max_bytes=_MAX_ANSWER_BYTES
        )
        try:
            results = decoded(document.body, _Batch).results
            if len(results) != len(pages):
                raise ValueError(f"{len(results)} answers to {len(pages)} questions")  # noqa: TRY301 - as any other malformed answer
        except ValueError as error:
            raise _malformed(url, error) from error
        following: dict[Question, str] = {}
        for question, page in zip(pages, results, strict=True):
            if page is None:
                continue
            found[question] += [Hit(id=each.id, modified=each.modified) for each in page.vulns]
            if page.next_page_token:
                following[question] = page.next_page_token
        return following


def _written(question: Question, token: str) -> dict[str, object]:
    package = {"name": question.name, "ecosystem": _ECOSYSTEMS[question.ecosystem]}
    written: dict[str, object] = {"package": package, "version": question.version}
    return written | ({"page_token": token} if token else {})


def _malformed(url: str, error: ValueError) -> TargetError:
    return TargetError(f"{url} gave a malformed answer ({error})", reason="malformed-answer")
