"""npm's own range implementation is the oracle: the one inside the npm that is installed."""

from __future__ import annotations

import json
import random
import subprocess

import pytest

from monitor.registries import semver

_ORACLE = """
const { realpathSync } = require('fs'), { execSync } = require('child_process')
const npm = realpathSync(execSync('command -v npm').toString().trim())
const semver = require(require.resolve('semver', { paths: [npm] }))
const { versions, ranges } = JSON.parse(require('fs').readFileSync(0))
console.log(JSON.stringify({
  found: ranges.map(r => semver.validRange(r) === null ? 'invalid' : semver.maxSatisfying(versions, r)),
  sorted: versions.slice().sort(semver.compare),
}))
"""  # noqa: E501 - a program of its own
VERSIONS = [
    f"{major}.{minor}.{patch}{pre}"
    for major in (0, 1, 2)
    for minor in (0, 1, 2)
    for patch in (0, 3)
    for pre in ("", "-0", "-alpha", "-alpha.1", "-beta.11", "-rc.1+build")
]
WORDS = ["^{}", "~{}", "~>{}", ">={}", ">{}", "<={}", "<{}", "={}", "{}", "v{}", ">= {}", "^ {}"]
BOUNDS = [
    "*", "x", "1", "0", "0.0", "0.1", "1.x", "1.2.x", "0.0.3", "0.1.3", "1.2.3", "2.0.0",
    "1.2.0-alpha", "1.1.0-beta.2", "0.0.0-0", "2.0.0-rc.1", "01.2.3", "1.2.3.4", "1.2.3-01",
]  # fmt: skip


def ranges() -> list[str]:
    choose = random.Random(7)
    words = [word.format(bound) for word in WORDS for bound in BOUNDS]
    pairs = [f"{choose.choice(words)} {choose.choice(words)}" for _ in range(300)]
    either = [f"{choose.choice(words)} || {choose.choice(words)}" for _ in range(200)]
    hyphens = [f"{choose.choice(BOUNDS)} - {choose.choice(BOUNDS)}" for _ in range(100)]
    return ["", *words, *pairs, *either, *hyphens]


def ours(text: str) -> str | None:
    try:
        return semver.max_satisfying(VERSIONS, text)
    except ValueError:
        return "invalid"


def test_ranges_mean_what_they_mean_to_npm() -> None:
    asked = ranges()
    assert len(asked) > 800
    done = subprocess.run(
        ["node", "-e", _ORACLE],
        input=json.dumps({"versions": VERSIONS, "ranges": asked}),
        capture_output=True,
        text=True,
        check=True,
    )
    oracle = json.loads(done.stdout)
    differences = [
        (text, expected, ours(text))
        for text, expected in zip(asked, oracle["found"], strict=True)
        if ours(text) != expected
    ]
    assert differences == []
    order = sorted(VERSIONS, key=lambda text: semver.parse(text) or (-1, 0, 0))
    assert [semver.parse(text) for text in order] == [semver.parse(t) for t in oracle["sorted"]]


@pytest.mark.parametrize("text", ["x" * 300, "1.2.3 ||| 2", "next", ">>1", "1.2.3-"])
def test_what_is_no_range_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        semver.ranges(text)
