"""The real esbuild: its form, its limits, and files that it cannot read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monitor.private_code.canonical import FORM, Canonicaliser, Limits
from monitor.private_code.fingerprint import fingerprint
from monitor.private_code.prints import Channel

MODULES = Path(__file__).parents[1] / "servers" / "node_modules"
(PROGRAM,) = MODULES.glob("@esbuild/*/bin/esbuild")
SOURCE = b"""// What it costs.
import { rates } from "./rates";
export interface Order { lines: Line[]; country: string }
export function total(order: Order, rebate?: number): number {
  let sum = 0;
  for (const line of order.lines) {
    sum += line.price * (line.quantity ?? 1);
  }
  const rate = rates.find((entry) => entry.country === order.country);
  if (rate === undefined) {
    throw new Error(`no rate for ${order.country}`);
  }
  return Math.round((sum - (rebate || 0)) * (1 + rate.share));
}
"""


@pytest.fixture(scope="module")
def canonicaliser() -> Canonicaliser:
    return Canonicaliser(str(PROGRAM))


def code(text: bytes | None) -> bytes:
    assert text is not None
    return text.partition(b"\n//# sourceMappingURL=data:")[0]


def test_types_names_comments_and_layout_go(canonicaliser: Canonicaliser) -> None:
    other = SOURCE.replace(b"  ", b"\t").replace(b"// What it costs.", b"/* costs */")
    other = other.replace(b"order", b"o").replace(b"rebate", b"r")
    one, two = canonicaliser.texts([("a.ts", SOURCE), ("deep/b.tsx", other)])
    assert code(one) == code(two)
    assert b"\n" not in code(one).strip()
    assert b"no rate for" in code(one)


def test_lines_are_those_of_the_source(canonicaliser: Canonicaliser) -> None:
    (text,) = canonicaliser.texts([("a.ts", SOURCE)])
    prints = fingerprint("a.ts", SOURCE, canonical=text, for_index=True)
    assert prints is not None
    lines = prints.channels[Channel.CANONICAL].lines.tolist()
    assert lines[0] in (2, 4, 5, 6)
    assert 9 <= lines[-1] <= 14
    assert lines == sorted(lines)


def test_what_terser_like_code_shares_with_its_source(canonicaliser: Canonicaliser) -> None:
    (text,) = canonicaliser.texts([("a.ts", SOURCE)])
    index = fingerprint("a.ts", SOURCE, canonical=text, for_index=True)
    found = fingerprint("bundle.js", code(text))
    assert index is not None
    assert found is not None
    shared = np.isin(
        index.channels[Channel.CANONICAL].hashes, found.channels[Channel.CANONICAL].hashes
    )
    assert shared.mean() > 0.9


def test_one_bad_file_spoils_nothing(canonicaliser: Canonicaliser) -> None:
    files = [(f"{number}.js", b"export const a%d = 1;" % number) for number in range(30)]
    files[3] = ("3.js", b"let = 3 }")
    files[17] = ("17.ts", b"class {{{")
    files[20] = ("20.js", b"type A = { x: 1 }; export const f = (a: A) => a.x;")
    files[21] = ("21.py", b"x = 1")
    files[22] = ("../../etc/22.js", b"export default 22")
    files[23] = ("23.js", b" \n")
    texts = canonicaliser.texts(files)
    assert [number for number, text in enumerate(texts) if text is None] == [3, 17, 21, 23]
    assert b"22" in code(texts[22])


def test_nothing_is_resolved_or_configured(canonicaliser: Canonicaliser) -> None:
    content = b'import "/etc/passwd"; import x from "./secret.json"; console.log(x)'
    (text,) = canonicaliser.texts([("a.js", content)])
    assert b"root:" not in code(text)
    assert b'"./secret.json"' in code(text)


def test_a_batch_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    endless = tmp_path / "esbuild"
    endless.write_text('#!/bin/sh\necho run >>"$0.log"\nexec sleep 60\n')
    endless.chmod(0o755)
    hasty = Canonicaliser(str(endless), Limits(batch_seconds=0.2, futile_runs=4))
    assert hasty.texts([(f"{number}.js", b"x") for number in range(8)]) == [None] * 8
    assert len((tmp_path / "esbuild.log").read_text().split()) <= 4


def test_what_is_too_large_is_left_out() -> None:
    small = Canonicaliser(str(PROGRAM), Limits(file_bytes=10, batch_files=1))
    texts = small.texts([("a.js", b"f(1234567890)"), ("b.js", b"f(1)"), ("c.js", b"f(2)")])
    assert [text is None for text in texts] == [True, False, False]


def test_hostile_nesting_is_no_error(canonicaliser: Canonicaliser) -> None:
    texts = canonicaliser.texts([("a.js", b"(" * 20_000), ("b.js", b"f(1)")])
    assert texts[0] is None
    assert code(texts[1]) == b"f(1);"


def test_identity_pins_program_form_and_target(canonicaliser: Canonicaliser) -> None:
    assert canonicaliser.identity().startswith(f"{FORM} esbuild 0.")
    assert Canonicaliser("/nowhere/esbuild").identity() == ""
    assert Canonicaliser("/nowhere/esbuild").texts([("a.js", b"f(1)")]) == [None]
    older = Canonicaliser(str(PROGRAM), is_augmented=True)
    (text,) = older.texts([("a.js", b"x = a ?? b.c?.d ** 2")])
    assert b"??" not in code(text)


def test_no_print_is_of_what_esbuild_brings_along(canonicaliser: Canonicaliser) -> None:
    older = Canonicaliser(str(PROGRAM), is_augmented=True)
    one, two = older.texts(
        [
            ("a.ts", b"export const first = async (a) => ({ ...await a.b(), c: 1 });"),
            ("b.ts", b"export const other = async (x) => [...await x.y(), { ...x.z }];"),
        ]
    )
    assert b"defineProperty" in code(one)
    prints = [fingerprint("x.ts", b"x", augmented=text, for_index=True) for text in (one, two)]
    hashes = [
        set(each.channels[Channel.AUGMENTED].hashes.tolist())
        if each and Channel.AUGMENTED in each.channels
        else set()
        for each in prints
    ]
    assert hashes[0] & hashes[1] == set()
    assert canonicaliser.texts([("a.ts", b"")]) == [None]
