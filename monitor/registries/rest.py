"""A forge's REST API (GitHub, GitLab): conditional questions, pages by their ``Link``, GraphQL.

Sources: GitHub's REST documentation, "Best practices" (conditional requests, ``Link``), RFC 8288.
What an answer said is kept in memory by its address, so that "as before" (304) costs little: on
GitHub nothing at all of the limit, if the question is authorised.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from monitor.errors import TargetError
from monitor.http.answers import decoded
from monitor.http.failures import too_large
from monitor.http.settings import best, joined, netloc_of

if TYPE_CHECKING:
    from monitor.http.client import Client

_MAX_BYTES = 64 << 20
_MAX_KEPT = 2_000
_MAX_KEPT_BYTES = 1 << 20
_LINK = re.compile(r'<([^<>\s]{1,4096})>\s*((?:;\s*[\w*-]{1,40}\s*=\s*(?:"[^"]*"|[^",;\s]*)\s*)*)')
_NEXT = re.compile(r';\s*rel\s*=\s*"?(?:[^"]*\s)?next(?:\s[^"]*)?"?\s*(?:;|$)', re.IGNORECASE)


class Leaf(Struct, frozen=True):
    """One page: its JSON, the address of the next one (or nothing), what its headers say.

    ``is_new`` is False where the server said "as before".
    """

    value: Any
    next_url: str
    headers: Mapping[str, str]
    is_new: bool = True


class _Kept(Struct, frozen=True):
    tag: str
    leaf: Leaf


class Rest:
    """One API; ``api`` ends with ``/``."""

    def __init__(self, client: Client, api: str, accept: str) -> None:
        self.client = client
        self.api = api
        self._accept = accept
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @property
    def is_authorised(self) -> bool:
        """Whether questions carry a token."""
        return best(self.client.credentials, self.api) is not None

    async def page(self, url: str) -> Leaf:
        """One page. ``url`` is below the API, or absolute as the API named it.

        Raises NotFoundError, DeniedError, TransientError (down, a limit), TargetError.
        """
        url = joined(self.api, url)
        kept = self._kept.get(url)
        headers = {"Accept": self._accept} | ({"If-None-Match": kept.tag} if kept else {})

        async def attempt(_number: int) -> Leaf:
            return await self._once(url, headers)

        try:
            return await self.client.retried(attempt)
        except TargetError as error:
            if error.reason != "http-304" or kept is None:
                raise
            self._kept.move_to_end(url)
            return Leaf(kept.leaf.value, kept.leaf.next_url, kept.leaf.headers, is_new=False)

    async def rows(self, url: str, most_pages: int) -> list[dict[str, Any]]:
        """The objects of a list, over its pages. Raises LimitError-like TargetError beyond them.

        A page that is no list is an error (``bad-answer``), never an empty list.
        """
        found, rest = await self._rows(url, most_pages)
        if rest:
            raise TargetError(f"{rest}: more than {most_pages} pages", reason="too-many")
        return found

    async def first_rows(self, url: str, most_pages: int) -> list[dict[str, Any]]:
        """The same of a list whose end does not matter: what is beyond the pages is left out."""
        return (await self._rows(url, most_pages))[0]

    async def _rows(self, url: str, most_pages: int) -> tuple[list[dict[str, Any]], str]:
        found: list[dict[str, Any]] = []
        for _ in range(most_pages):
            leaf = await self.page(url)
            found += objects(leaf.value, url)
            url = leaf.next_url
            if not url:
                break
        return found, url

    async def ask(self, url: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a GraphQL query: its ``data``; what it says of errors is an error."""
        body = json.dumps(question).encode()
        document = await self.client.document(
            url, accept=self._accept, question=body, max_bytes=_MAX_BYTES
        )
        try:
            answer = decoded(document.body, dict[str, Any])
        except ValueError as error:
            raise TargetError(f"{url}: {error}", reason="bad-answer") from error
        told = answer.get("data")
        if answer.get("errors") or not isinstance(told, dict):
            raise TargetError(f"{url}: {_first(answer.get('errors'))}", reason="graphql")
        return told

    async def _once(self, url: str, headers: Mapping[str, str]) -> Leaf:
        body = bytearray()
        async with self.client.open(url, headers) as (response, final_url):
            async for chunk in self.client.chunks(response, final_url):
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise too_large(final_url, _MAX_BYTES)
            said = dict(response.headers)
        try:
            value = decoded(bytes(body), Any)
        except ValueError as error:
            raise TargetError(f"{url}: {error}", reason="bad-answer") from error
        leaf = Leaf(value, self._next(said.get("Link", ""), final_url), said)
        tag = said.get("ETag", said.get("Etag", ""))
        self._keep(url, tag, leaf, len(body))
        return leaf

    def _keep(self, url: str, tag: str, leaf: Leaf, size: int) -> None:
        self._kept.pop(url, None)
        if not tag or size > _MAX_KEPT_BYTES:
            return
        self._kept[url] = _Kept(tag, leaf)
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)

    def _next(self, link: str, url: str) -> str:
        """Where the list goes on; only on the API's own host, where its credentials belong."""
        target = next_of(link)
        if not target:
            return ""
        target = joined(url, target)
        if netloc_of(target) != netloc_of(self.api):
            raise TargetError(f"{url} goes on at another host", reason="bad-address")
        return target


def next_of(link: str) -> str:
    """The target with ``rel="next"`` in a ``Link`` header (RFC 8288), or nothing."""
    for match in _LINK.finditer(link[:65_536]):
        if _NEXT.search(match[2]):
            return match[1]
    return ""


def objects(value: object, url: str) -> list[dict[str, Any]]:
    """The objects of a list. Raises TargetError (``bad-answer``) for what is no list."""
    if not isinstance(value, list):
        raise TargetError(f"{urlsplit(url).path} is not a list", reason="bad-answer")
    return [one for one in value if isinstance(one, dict)]


def _first(errors: object) -> str:
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        text = str(errors[0].get("message", ""))
        return "".join(each for each in text if each.isprintable())[:200]
    return "no data"
