"""What the pattern keys mean is what Semgrep makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rules.semgrep import spans
from tests.rules.writing import matcher, rule, write

if TYPE_CHECKING:
    from pathlib import Path

KEY = {"pattern-regex": "key=(?P<SECRET>[a-z]+)"}
FOCUS = {"focus-metavariable": "$SECRET"}


def of(metavariable: str, regex: str) -> dict[str, Any]:
    return {"metavariable-regex": {"metavariable": metavariable, "regex": regex}}


def compared(comparison: str) -> dict[str, Any]:
    return {"metavariable-comparison": {"metavariable": "$N", "comparison": comparison}}


NUMBER = {"pattern-regex": r"num=(?P<N>\w+)"}
RULES = (
    rule("^tok$"),
    rule("A.B"),
    rule("A[^x]B"),
    rule("key=(?<SECRET>[a-z]+)"),
    rule(r"\Akey"),
    rule(r"end\Z"),
    rule(r"end\z"),
    rule("abab"),
    rule("key=[a-z]++(?>;|!)"),
    rule("ke(?i)Y=|TOK"),
    rule("ke[[:alpha:]]="),
    rule(r"export\hkey"),
    rule(r"tok\R"),
    rule(r"k\x{65}y"),
    rule(r"\Qkey=\E"),
    rule(r"sp\s+ace"),
    rule(r"(?<=export )key"),
    rule(r"(?<!export |x)key"),
    rule("(?x) key = # a comment ( with\n [a-z]+"),
    rule(r"(['\"])q\1"),
    rule(r"(?P<A>['\"])q(?P=A)"),
    rule(patterns=[KEY, FOCUS]),
    rule(patterns=[KEY, {"pattern-not-regex": "changeme"}]),
    rule(patterns=[KEY, {"pattern-not-regex": "export key=[a-z]+;"}]),
    rule(patterns=[KEY, {"pattern-not-regex": "ngeme;"}]),
    rule(patterns=[KEY, {"pattern-not-regex": "port key"}]),
    rule(patterns=[KEY, {"pattern-not-regex": "key="}, FOCUS]),
    rule(pattern_either=[KEY, {"pattern-regex": "key=[a-z]{3}"}]),
    rule(pattern_either=[KEY, {"patterns": [{"pattern-regex": "k(?P<SECRET>ey)="}, FOCUS]}]),
    rule(patterns=[{"pattern-regex": "export (?P<B>key)=[a-z]+;"}, KEY]),
    rule(patterns=[KEY, {"pattern-regex": "export key=[a-z]+;"}]),
    rule(patterns=[{"pattern-regex": "port key"}, KEY]),
    rule(
        patterns=[
            {"pattern-either": [KEY, {"pattern-regex": "tok=(?P<SECRET>[a-z]+)"}]},
            {"pattern-not-regex": "wxyz"},
            FOCUS,
        ]
    ),
    rule(patterns=[KEY, of("$SECRET", "hang")]),
    rule(patterns=[KEY, of("$SECRET", "chang")]),
    rule(patterns=[KEY, of("$SECRET", "chang$")]),
    rule(patterns=[KEY, of("$SECRET", "(?!ch)")]),
    rule(patterns=[KEY, of("$OTHER", ".")]),
    rule(patterns=[NUMBER, compared("int($N) > 100")]),
    rule(patterns=[NUMBER, compared("int($N) > 3 and not int($N) > 100")]),
    rule(patterns=[NUMBER, compared('str($N) == "500"')]),
    rule(patterns=[NUMBER, compared('re.match("5", $N)')]),
    rule(patterns=[KEY, FOCUS], languages=["generic"]),
    rule(pattern_either=[{"pattern-regex": "key=(?:a(?P<SECRET>[a-z]+)|wx)"}]),
    rule("export key", paths={"include": ["*.env", "/sub/*.txt"], "exclude": ["b.env"]}),
    rule("export key", paths={"include": ["sub/"]}),
    rule("export key", paths={"exclude": ["**/sub/**"]}),
)
TEXTS = {
    "a.txt": (
        b"key=abc\nx\ntok\nA\nB AxB A-B\nexport key=changeme;\nnum=5 num=500 num=ab\nkey=wxyz!\n"
        b"ababab sp \n ace 'q' \"q' tok=abc TOK\ntok\r\nxkey caf\xc3\xa9 key=q\nend\n"
    ),
    "b.env": b"export key=changeme;",
    "c.env": b"export key=abc;\n",
    "sub/d.txt": b"export key=changeme;\r\ntok\r\nend",
    "sub/deep/e.txt": b"export key=changeme;\n",
}


def test_semgrep_gives_the_same_spans(tmp_path: Path) -> None:
    rules = [one | {"id": f"r{at}"} for at, one in enumerate(RULES)]
    found_by = matcher(tmp_path / "rules", *rules)
    theirs = spans(write(tmp_path / "rules", *rules), TEXTS, tmp_path)
    for at, one in enumerate(RULES):
        for name, text in TEXTS.items():
            found = found_by.scan_all(text, name)
            ours = {(m.start, m.end) for m in found if m.rule.id == f"r{at}" and not m.decoded}
            assert ours == theirs.get((name, f"r{at}"), set()), (name, one)
