"""PyPI's feeds as bytes: journals, XML-RPC, RSS and the listing, well-meant and hostile."""

from __future__ import annotations

import json
import xmlrpc.client
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.watchers import actions
from monitor.watchers.pypi import journal, listing, updates
from monitor.watchers.pypi import xmlrpc as rpc

MEANINGS = [
    ("create", actions.CREATED, None),
    ("new release", actions.RELEASED, None),
    ("add source file acme-1.0.tar.gz", actions.PUBLISHED, "acme-1.0.tar.gz"),
    ("add py3 file acme-1.0-py3-none-any.whl", actions.PUBLISHED, "acme-1.0-py3-none-any.whl"),
    ("add cp313 file acme file.whl", actions.PUBLISHED, "acme file.whl"),
    ("add py2.py3 file x.egg", actions.PUBLISHED, "x.egg"),
    ("remove file acme-1.0.tar.gz", actions.REMOVED, "acme-1.0.tar.gz"),
    ("remove release", actions.REMOVED, None),
    ("remove project", actions.REMOVED, None),
    ("yank release", actions.YANKED, None),
    ("unyank release", actions.UNYANKED, None),
    ("project quarantined", actions.QUARANTINED, None),
    ("release quarantined", actions.QUARANTINED, None),
    ("project quarantine cleared", actions.RELEASED_FROM_QUARANTINE, None),
    ("add Owner alice", actions.ROLES_CHANGED, None),
    ("accepted Maintainer bob", actions.ROLES_CHANGED, None),
    ("remove Owner alice", actions.ROLES_CHANGED, None),
    ("change Owner alice to Maintainer", actions.ROLES_CHANGED, None),
    ("something of tomorrow", actions.CHANGED, None),
    ("add file ", actions.CHANGED, None),
    ("", actions.CHANGED, None),
]


def test_every_word_of_the_journal_has_a_meaning() -> None:
    assert MEANINGS
    assert [(text, *journal.meaning_of(text)) for text, _, _ in MEANINGS] == MEANINGS


def test_a_row_is_a_notice() -> None:
    found = journal.notice(["Acme_Tools", "1.0", 1780000000, "add py3 file a.whl", "77"])
    assert found is not None
    assert (found.name, found.version, found.filename) == ("acme-tools", "1.0", "a.whl")
    assert (found.position, found.occurred_at) == ("77", datetime.fromtimestamp(1780000000, UTC))


NO_ROWS: list[Any] = [
    None,
    [],
    ["a", None, 1, "create"],
    [None, None, 1, "create", 5],
    ["a", None, 1, None, 5],
    ["a", None, 1, "create", None],
    ["a", None, 1, "create", -5],
    ["a/b", None, 1, "create", 5],
    ["", None, 1, "create", 5],
    ["a\x00", None, 1, "create", 5],
    ["a", None, 1, "create", True],
    ["a", None, 1, "create", 2**70],
]


def test_rows_without_sense_are_none() -> None:
    assert NO_ROWS
    assert [journal.notice(row) for row in NO_ROWS] == [None] * len(NO_ROWS)
    late = journal.notice(["a", None, 10**18, "create", 5])
    assert late is not None
    assert late.occurred_at is None


def answer(value: Any) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode()


def test_an_answer_is_read() -> None:
    rows = [["a", None, 1, "create", 5], ["ü & <b>", "1.0", 2, "new release", 6]]
    assert rpc.read(answer(rows)) == rows


def test_a_fault_is_raised_as_one() -> None:
    with pytest.raises(xmlrpc.client.Fault, match="TooMany"):
        rpc.read(xmlrpc.client.dumps(xmlrpc.client.Fault(-32500, "HTTPTooManyRequests")).encode())


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "&a;" * 10}">' for n in range(9))
    + "]><methodResponse><params><param><value><string>&a8;</string></value></param></params>"
    "</methodResponse>"
).encode()
EXTERNAL = (
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><rss><channel><item><link>&e;</link>'
    b"</item></channel></rss>"
)


@pytest.mark.parametrize("body", [LAUGHS, EXTERNAL])
def test_documents_with_entities_are_refused(body: bytes) -> None:
    for reader in (rpc.read, updates.read):
        with pytest.raises(ValueError, match="document type"):
            reader(body)


CALL = "<methodResponse><params><param><value>{}</value></param></params></methodResponse>"
HOSTILE = [
    "",
    "<",
    "<methodResponse/>",
    "<a>" * 100_000,
    CALL.format("<int>x</int>"),
    CALL.format(f"<int>{'9' * 5000}</int>"),
    CALL.format("<struct><name>a</name></struct>"),
    CALL.format("<array><data></array></data>"),
    "<methodResponse><fault><value><int>1</int></value></fault></methodResponse>",
    '<?xml version="1.0" encoding="klingon"?><a/>',
    "<html><body>maintenance</body></html>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        rpc.read(text.encode())


ELEMENTS = st.sampled_from(
    ["methodResponse", "params", "param", "value", "array", "struct", "member", "name", "int",
     "string", "fault", "double", "boolean", "base64", "dateTime.iso8601", "nil", "bigdecimal"]
)  # fmt: skip
TREES = st.recursive(
    st.text("0123456789abcTF.:-é<&", max_size=8).map(
        lambda text: text.replace("&", "&amp;").replace("<", "&lt;")
    ),
    lambda inner: st.tuples(ELEMENTS, st.lists(inner, max_size=3)).map(
        lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"
    ),
    max_leaves=12,
)


@given(TREES | st.binary(max_size=200))
def test_no_markup_breaks_the_readers(markup: str | bytes) -> None:
    body = markup if isinstance(markup, bytes) else markup.encode()
    for reader in (rpc.read, updates.read):
        try:
            reader(body)
        except (ValueError, xmlrpc.client.Fault):
            continue


def rss(*links: str) -> bytes:
    items = "".join(f"<item><title>any</title><link>{link}</link></item>" for link in links)
    return f"<rss><channel><link>https://site.example/</link>{items}</channel></rss>".encode()


def test_releases_are_read_from_their_links_oldest_first() -> None:
    body = rss(
        "https://site.example/project/Acme.Tools/2.0%2Blocal/",
        "https://site.example/user/nobody/",
        "https://site.example/project/acme-tools/1.0/",
        "http://[broken/project/a/1/",
    )
    items, malformed = updates.read(body)
    assert [(item.name, item.version) for item in items] == [
        ("acme-tools", "1.0"),
        ("acme-tools", "2.0+local"),
    ]
    assert malformed == 2


def test_the_listing_gives_what_changed_in_the_order_of_serials() -> None:
    body = json.dumps(
        {
            "meta": {"_last-serial": "30"},
            "projects": [
                {"name": "B_b", "_last-serial": 25},
                {"name": "a", "_last-serial": 21},
                {"name": "old", "_last-serial": 20},
                {"name": "ahead", "_last-serial": 31},
                {"name": "bare"},
            ],
        }
    ).encode()
    assert listing.read(body, 20) == (30, [(21, "a"), (25, "b-b")])


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"projects": []}', b'{"projects": [{"name": 3}], "meta": {}}', b"<html>"]
)
def test_what_is_no_listing_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        listing.read(body, 0)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_listing(body: bytes) -> None:
    try:
        listing.read(body, 0)
    except ValueError:
        return
