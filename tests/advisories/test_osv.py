from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.advisories.osv import Osv
from monitor.advisories.records import Hit, Question
from monitor.errors import LeakmonError, NotFoundError
from monitor.http.client import Client
from monitor.http.settings import HttpSettings

if TYPE_CHECKING:
    from monitor.advisories.cache import Cache
    from tests.advisories.osv_server import OsvServer
    from tests.network.conftest import TickingClock

LODASH = Question("npm", "lodash", "4.17.20")
EVENTS = [{"introduced": "0"}, {"fixed": "4.17.21"}]
MODIFIED = "2026-01-01T00:00:00Z"


async def names(osv: Osv, *questions: Question) -> list[list[str] | str]:
    answers = await osv.hits(questions)
    return [
        answer.reason if isinstance(answer, LeakmonError) else [hit.id for hit in answer]
        for answer in (answers[question] for question in questions)
    ]


async def test_what_applies_is_told_for_each_version(osv: Osv, server: OsvServer) -> None:
    server.add("GHSA-35jh", ("npm", "lodash"), events=EVENTS)
    newer = Question("npm", "lodash", "4.17.21")
    unknown = Question("npm", "@acme/unheard-of", "1.0.0")
    assert await names(osv, LODASH, newer, unknown) == [["GHSA-35jh"], [], []]
    assert server.asked == [("/v1/querybatch", 3)]


async def test_a_batch_holds_a_thousand(osv: Osv, server: OsvServer) -> None:
    server.add("GHSA-last", ("npm", "p2299"))
    questions = [Question("npm", f"p{number}", "1.0.0") for number in range(2300)]
    found = await names(osv, *questions)
    assert found == [[]] * 2299 + [["GHSA-last"]]
    assert sorted(server.asked) == [("/v1/querybatch", size) for size in (300, 1000, 1000)]


async def test_every_page_of_an_answer_is_read(osv: Osv, server: OsvServer) -> None:
    server.page_size = 2
    for number in range(5):
        server.add(f"GHSA-{number}", ("npm", "lodash"))
    server.add("GHSA-other", ("npm", "other"))
    other = Question("npm", "other", "1.0.0")
    ids = [f"GHSA-{number}" for number in range(5)]
    assert await names(osv, LODASH, other) == [ids, ["GHSA-other"]]
    assert server.asked == [("/v1/querybatch", 2), ("/v1/querybatch", 1), ("/v1/querybatch", 1)]


async def test_pages_without_end_are_no_answer(osv: Osv, server: OsvServer) -> None:
    endless = {"results": [{"vulns": [{"id": "GHSA-x"}], "next_page_token": "again"}]}
    server.faults = [lambda: web.json_response(endless)] * 30
    assert await names(osv, LODASH) == ["endless"]
    assert len(server.asked) == 20


async def test_what_was_asked_lately_is_not_asked_again(
    osv: Osv, server: OsvServer, clock: TickingClock
) -> None:
    server.add("GHSA-35jh", ("npm", "lodash"), events=EVENTS)
    none = Question("npm", "none", "1.0.0")
    for _ in range(2):
        assert await names(osv, LODASH, none) == [["GHSA-35jh"], []]
        assert (await osv.advisory("GHSA-35jh", MODIFIED)).summary == "Trouble in lodash"
    assert server.asked == [("/v1/querybatch", 2), ("/v1/vulns/GHSA-35jh", 1)]
    clock.time += 6 * 3600 + 1
    await names(osv, LODASH, none)
    await osv.advisory("GHSA-35jh", MODIFIED)  # its own date says that it is still the same
    assert server.paths()[2:] == ["/v1/querybatch"]
    await osv.advisory("GHSA-35jh", "2026-02-02T00:00:00Z")
    assert server.paths()[3:] == ["/v1/vulns/GHSA-35jh"]


async def test_a_server_that_asks_for_patience_gets_it(
    osv: Osv, server: OsvServer, clock: TickingClock
) -> None:
    server.add("GHSA-35jh", ("npm", "lodash"))
    server.faults = [lambda: web.Response(status=429, headers={"Retry-After": "7"})]
    assert await names(osv, LODASH) == [["GHSA-35jh"]]
    assert clock.sleeps == [7.0]


async def test_the_pace_holds_for_questions(
    address: str, cache: Cache, clock: TickingClock
) -> None:
    async with Client(HttpSettings(seconds_between_requests=2.0), clock=clock) as client:
        osv = Osv(client, address, cache)
        await osv.hits([LODASH])
        await osv.hits([Question("npm", "other", "1.0.0")])
    assert clock.sleeps == [2.0]


async def test_a_server_that_fails_is_told_and_asked_again_next_time(
    osv: Osv, server: OsvServer
) -> None:
    server.add("GHSA-35jh", ("npm", "lodash"))
    server.faults = [lambda: web.Response(status=503)] * 3
    assert await names(osv, LODASH) == ["http-503"]
    assert await names(osv, LODASH) == [["GHSA-35jh"]]


async def test_a_server_that_is_not_there_is_told(cache: Cache, clock: TickingClock) -> None:
    async with Client(HttpSettings(tries=2), clock=clock) as client:
        osv = Osv(client, "http://127.0.0.1:9/", cache)
        assert await names(osv, LODASH) == ["connection"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "[]",
        "{}",
        '{"results": []}',
        '{"results": [{}, {}]}',
        '{"results": [{"vulns": {}}]}',
        '{"results": [{"vulns": [{"id": 5}]}]}',
        '{"results": ' + "[" * 20_000,
    ],
)
async def test_a_malformed_answer_is_no_answer(osv: Osv, server: OsvServer, body: str) -> None:
    server.faults = [lambda: web.Response(text=body, content_type="application/json")]
    assert await names(osv, LODASH) == ["malformed-answer"]


async def test_a_redirect_may_not_swallow_the_question(osv: Osv, server: OsvServer) -> None:
    server.add("GHSA-35jh", ("npm", "lodash"))
    moved = {"Location": "/v1/querybatch"}
    server.faults = [lambda: web.Response(status=308, headers=moved)]
    assert await names(osv, LODASH) == [["GHSA-35jh"]]
    server.faults = [lambda: web.Response(status=302, headers=moved)]
    assert await names(osv, Question("npm", "lodash", "4.17.19")) == ["redirect"]


@pytest.mark.parametrize("name", ["", "x", "../../admin", "GHSA-1/../2", "GHSA 1", "a" * 200])
async def test_an_id_is_never_an_address(osv: Osv, server: OsvServer, name: str) -> None:
    with pytest.raises(LeakmonError) as caught:
        await osv.advisory(name)
    assert caught.value.reason == "malformed-answer"
    assert server.asked == []


async def test_an_advisory_that_is_not_there(osv: Osv) -> None:
    with pytest.raises(NotFoundError):
        await osv.advisory("GHSA-none")


async def test_a_cache_that_cannot_be_used_costs_questions_only(
    osv: Osv, server: OsvServer, cache: Cache
) -> None:
    server.add("GHSA-35jh", ("npm", "lodash"))
    await names(osv, LODASH)
    _spoil(cache)
    assert await names(osv, LODASH) == [["GHSA-35jh"]]
    assert len(server.asked) == 2


def _spoil(cache: Cache) -> None:
    for path in cache._files():
        Path(path).write_bytes(b"\xc1 rubbish")


def test_a_file_in_another_s_place_is_not_believed(cache: Cache) -> None:
    cache.put([Hit(id="GHSA-1")], "a")
    (path,) = cache._files()
    other = Path(cache._path(("b",)))
    other.parent.mkdir(exist_ok=True)
    Path(path).rename(other)
    assert cache.get(list[Hit], "b") is None
