from __future__ import annotations

import base64
import binascii
import gzip
import random
import time
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import decoders
from monitor.decoders.table import DECODERS
from monitor.rules.encoded import expressions
from monitor.rules.probes import DERIVED, PROBES
from tests.bench.hiding import RULE, token
from tests.rules import key_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.decoders.unfold import Unfolded
    from monitor.rules import Matcher

    Unfold = Callable[[bytes], Unfolded]

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "base64-url": lambda text: base64.urlsafe_b64encode(text).rstrip(b"="),
    "hex": binascii.hexlify,
    "gzip": lambda text: base64.b64encode(gzip.compress(text)),
    "zlib": lambda text: base64.b64encode(zlib.compress(text)),
    "escape": lambda text: b"".join(b"\\x%02x" % byte for byte in text),
    "unicode": lambda text: b"".join(b"\\u%04x" % byte for byte in text),
    "percent": lambda text: b"".join(b"%%%02X" % byte for byte in text),
    "html": lambda text: b"".join(b"&#%d;" % byte for byte in text),
    "codes": lambda text: b"bytes([" + ",".join(map(str, text)).encode() + b"])",
    "reversed": lambda text: text[::-1],
}
"""Ways that can be nested in any order; what undoes them stands near, as it does in programs."""

WORDS = b"// base64 'hex' [::-1] zlib\n"


def hidden(found: Unfolded, secret: bytes) -> list[tuple[int, tuple[str, ...]]]:
    return [
        (match.start, match.decoded)
        for match in found.matches
        if match.rule.id == RULE and match.secret == secret
    ]


def test_the_table_names_each_probe_once() -> None:
    named = {probe.name for probe in PROBES} | set(DERIVED)
    assert {decoder.probe for decoder in DECODERS} == decoders.DECODER_PROBES
    assert named >= decoders.DECODER_PROBES
    assert len({decoder.probe for decoder in DECODERS}) == len(DECODERS)


def test_every_derived_probe_has_a_name_that_is_declared(matcher: Matcher) -> None:
    named = {name for name, _ in expressions(matcher.rules)}
    assert named == set(DERIVED)


@settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
@given(
    ways=st.lists(st.sampled_from(sorted(ENCODERS)), min_size=1, max_size=3),
    seed=st.integers(0, 1 << 30),
    before=st.text(st.characters(codec="ascii", exclude_characters="\\\"'`%&"), max_size=300),
)
def test_a_token_is_found_in_any_coding_of_codings(
    unfolded: Unfold, ways: list[str], seed: int, before: str
) -> None:
    secret = token(seed)
    text = secret
    for way in ways:
        text = ENCODERS[way](text)
    lead = before.encode() + WORDS + b'key = "'
    found = hidden(unfolded(lead + text + b'"\n'), secret)
    if text == secret:  # turned round twice: the matcher's own business, and told once
        assert [at for at, chain in found if not chain] == [len(lead)]
        return
    assert found, (ways, text)
    assert all(len(lead) <= at < len(lead) + len(text) for at, _ in found)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=4000), probe=st.sampled_from(sorted(decoders.DECODER_PROBES)))
def test_no_bytes_make_a_decoder_fail(content: bytes, probe: str) -> None:
    decode = next(each.decode for each in DECODERS if each.probe == probe)
    for piece in decode(content, range(1, len(content) + 1, 7)):
        assert 0 <= piece.start <= piece.stop <= len(content)
        for at in range(0, len(piece.text), 50):
            first, behind = piece.raw((at, at + 1))
            assert 0 <= first <= behind <= len(content)


@pytest.mark.parametrize(
    "unit",
    [b'"+"', b"\\x67" * 6, b"base64 Z2hwX2", b"H4sI" + b"A" * 16, b"%67%68%70%5f", b"[::-1]",
     b"fromCharCode(1,2,", b"&#103;&#104;&#112;", b"ghp_\n  a", b"g\0h\0p\0_\0", b".join('')",
     b"<w:t>g</w:t>"],
)  # fmt: skip
def test_work_is_linear_in_a_text_that_is_nothing_but_triggers(
    unfolded: Unfold, unit: bytes
) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        before = time.process_time()
        unfolded(text)
        return time.process_time() - before

    small = max(min(seconds(1 << 18) for _ in range(2)), 0.02)
    assert seconds(1 << 20) < 4 * small * 2.5


def test_a_bomb_in_base64_is_cut_and_said(unfolded: Unfold) -> None:
    bomb = base64.b64encode(gzip.compress(bytes(64 << 20)))
    found = unfolded(b"x = '" + bomb + b"' # base64\n")
    assert found.capped == "over-decoded"


def test_what_stands_plainly_is_not_told_again(unfolded: Unfold) -> None:
    secret = token(5)
    text = b"a = '" + secret + b"'\nb = 'gh' + 'x'\nc = '%67%68%70%5f' base64 " + secret + b"\n"
    assert all(not chain for _, chain in hidden(unfolded(text), secret))


def test_random_bytes_in_base64_hold_nothing(unfolded: Unfold) -> None:
    noise = base64.b64encode(random.Random(4).randbytes(300_000))
    assert unfolded(b"const font = 'data:font/woff2;base64," + noise + b"';").matches == []


def test_a_key_whose_lines_are_paragraphs_is_found_in_its_place(unfolded: Unfold) -> None:
    lines = key_samples.PEM["sec1"][0].decode().splitlines()
    paragraph = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
    text = ("<w:body>" + "".join(map(paragraph.format, ["Key:", *lines])) + "</w:body>").encode()
    found = [match for match in unfolded(text).matches if match.rule.id == "private-key-ec"]
    assert [match.decoded for match in found] == [("markup",)]
    assert text[found[0].start :].startswith(lines[0].encode())
    assert found[0].secret.splitlines() == [line.encode() for line in lines]


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        (key_samples.PEM["pkcs1"][0], "private-key-rsa"),
        (key_samples.armoured(key_samples.openpgp()), "private-key-pgp"),
        (key_samples.putty(), "private-key-putty"),
    ],
    ids=["PEM", "OpenPGP", "PuTTY"],
)
def test_the_lines_of_a_key_are_found_far_from_where_they_are_joined(
    unfolded: Unfold, key: bytes, rule: str
) -> None:
    lines = b",\n".join(b'"%s"' % line for line in key.splitlines())
    between = b"let count = 0;\n" * 400
    text = b"const lines = [\n%s];\n%sexport default lines.join('\\n');\n" % (lines, between)
    found = [match for match in unfolded(text).matches if match.decoded == ("join",)]
    assert [match.rule.id for match in found] == [rule]
