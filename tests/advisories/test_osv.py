from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.advisories.cache import Cache, _place
from monitor.advisories.osv import Osv
from monitor.advisories.records import Hit, Question
from monitor.errors import LeakmonError, NotFoundError
from monitor.http.client import Client
from monitor.http.settings import HttpSettings

if TYPE_CHECKING:
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


async def test_answers_last_until_the_next_scan(
    osv: Osv, server: OsvServer, cache: Cache, address: str, clock: TickingClock
) -> None:
    server.add("GHSA-35jh", ("npm", "lodash"))
    await names(osv, LODASH)
    cache.flush()
    another = Cache(cache._folder, 3600, lambda: clock.now().timestamp())
    later = Osv(osv._client, address, another)
    assert await names(later, LODASH, Question("npm", "other", "1.0.0")) == [["GHSA-35jh"], []]
    assert server.asked == [("/v1/querybatch", 1)] * 2


@pytest.mark.parametrize("content", [b"", b"\xc1 rubbish", b"\x80", b"\x81\xa1a\x92\x00\xc0"])
def test_a_spoilt_file_costs_questions_only(cache: Cache, content: bytes) -> None:
    cache.put([Hit(id="GHSA-1")], "a")
    cache.flush()
    (path,) = Path(cache._folder).iterdir()
    path.write_bytes(content)
    again = Cache(cache._folder, 3600, lambda: 0.0)
    assert again.get(list[Hit], "a") is None
    again.put([Hit(id="GHSA-1")], "a")
    again.flush()
    assert Cache(cache._folder, 3600, lambda: 0.0).get(list[Hit], "a") == [Hit(id="GHSA-1")]


def test_two_scans_at_once_keep_both_answers_and_drop_old_ones(tmp_path: Path) -> None:
    times = {"now": 0.0}
    # Two keys that share a file.
    keys = [str(n) for n in range(5000) if _place((str(n),))[1] == "00"][:3]
    one, two = (Cache(str(tmp_path), 3600, lambda: times["now"]) for _ in range(2))
    assert one.get(str, keys[0]) is two.get(str, keys[1]) is None
    one.put("1", keys[0])
    two.put("2", keys[1])
    one.flush()
    two.flush()
    fresh = Cache(str(tmp_path), 3600, lambda: times["now"])
    assert [fresh.get(str, key) for key in keys] == ["1", "2", None]
    times["now"] = 15 * 86_400
    assert fresh.get(str, keys[0]) is None
    assert fresh.get(str, keys[0], is_lasting=True) == "1"
    fresh.put("3", keys[2])
    fresh.flush()
    assert list(fresh._read("00")) == [keys[2]]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(str(tmp_path / "file" / "below"), 3600, lambda: 0.0)
    cache.put("1", "a")
    cache.flush()
    assert cache.get(str, "a") == "1"
