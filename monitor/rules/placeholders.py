"""Values that only stand where a secret would: ``xxxx``, ``<your-token>``, ``${TOKEN}``.

A long random value that happens to hold a short word stays a secret: words count only where they
make up the value, or stand clearly apart in it.
"""

from __future__ import annotations

from monitor.patterns import later

_REFERENCE = later(
    rb"""(?x)
    \$\{?[A-Za-z_][\w.:-]*\}? \Z          # $TOKEN  ${TOKEN:-x}
    | \$\{ | \$\( | =?\{\{ | <%           # templates of shells, CI systems and engines
    | %[A-Za-z_]\w*% \Z | %\(?\w*\)?[sd]  # %TOKEN%  %(token)s
    | \# \{ | @@?\w+@@? \Z
    | < [^<>]{1,80} > \Z                  # <your-token>
    | \[ [A-Za-z][^\[\]]{1,80} \] \Z
    | \{ [A-Za-z_][\w. -]{0,80} \} \Z
    | (?:process\.env|os\.environ|import\.meta\.env|ENV\[|getenv|env\(|secrets\.|vars\.|config\.)
    """
)
_SAID = later(
    rb"""(?ix)
    (?<![a-z]) (?:
        your (?: [_\s-]? (?: own|api|access|secret|auth|private|client|app|project|account|personal
        |token|key|password|passwd|pass|username|user|id|host|name|org ) ){1,4}
      | my[_-]?(?:secret|password|token|api[_-]?key)
      | change[_-]?(?:me|this|it) | replace[_-]?(?:me|this|with\w*)
      | insert[_-]?\w*here | (?:goes|put|paste|token|key|secret|password)[_-]?here
      | placeholder | redacted | removed | masked | hidden
      | dummy | sample | todo | fixme | fake | not[_-]?a[_-]?(?:real|secret)\w*
      | lorem | foo[_-]?bar | example
    ) (?![a-z])
    """
)
_WHOLE = later(
    rb"""(?ix)
    (?: (?:test|testing|demo|default|none|null|nil|undefined|true|false|secret|secrets|password
      |passwd|passw0rd|pass|pwd|token|apikey|api[_-]?key
      |admin|root|user|username|guest|example|string|value|empty|hunter2|letmein
      |postgres|mysql|redis|rabbit|mongo|foo|bar|baz|qux|abc|123)
      [\d_.!-]{0,4} ){1,3} \Z
    """
)
_EXAMPLE = later(rb"EXAMPLE(?:KEY|TOKEN|SECRET)?\Z")
_FILLER = later(rb"(?i)(?:[x*.#?_-]{6,}|x{5,}|\*{3,}|\.{3,}|\xe2\x80\xa6|(.)\1{7,})")
_BODY = later(rb"[A-Za-z0-9]+")
_RUNS = (
    b"0123456789012345678901234567890123456789",
    b"1234567890123456789012345678901234567890",
    b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    b"0123456789abcdefghijklmnopqrstuvwxyz",
    b"0123456789abcdef0123456789abcdef0123456789abcdef",
    b"1234567890abcdef1234567890abcdef1234567890abcdef",
    b"abcdef0123456789abcdef0123456789abcdef0123456789",
    b"abcdef1234567890abcdef1234567890abcdef1234567890",
    b"qwertyuiopasdfghjklzxcvbnm",
    b"9876543210987654321098765432109876543210",
    b"zyxwvutsrqponmlkjihgfedcba",
)
_LEAST_RUN = 8
_FEW_KINDS = 3
_LONG = 12


def is_placeholder(value: bytes) -> bool:
    """Whether a value is a stand-in and not a secret."""
    if _REFERENCE.match(value) or _WHOLE.match(value) or _SAID.search(value):
        return True
    if _EXAMPLE.search(value):
        return True
    if _FILLER.search(value) and not _is_mostly_random(value):
        return True
    return _is_sequence(value)


def _is_mostly_random(value: bytes) -> bool:
    """Whether enough stands beside the filler to be a secret still (as in a PEM's dashes)."""
    rest = _FILLER.sub(b"", value)
    return len(rest) * 2 > len(value) and len(set(rest)) > _LONG


def _is_sequence(value: bytes) -> bool:
    """Whether the longest part consists of runs such as ``abcdef``, or of very few bytes."""
    body = max(_BODY.findall(value), key=len, default=b"").lower()
    if len(body) < _LEAST_RUN:
        return False
    if len(set(body)) <= _FEW_KINDS and len(body) >= _LONG:
        return True
    covered = at = 0
    while at < len(body):
        length = _run(body, at)
        covered += length if length >= 4 else 0  # noqa: PLR2004 - "abcd", "1234": shorter is chance
        at += max(1, length)
    return covered * 4 >= len(body) * 3


def _run(body: bytes, at: int) -> int:
    """The length of the longest known run that begins here."""
    best = 1
    for run in _RUNS:
        begin = run.find(body[at : at + 4])
        if begin < 0:
            continue
        length = 4
        while (
            length + at < len(body)
            and begin + length < len(run)
            and body[at + length] == run[begin + length]
        ):
            length += 1
        best = max(best, length)
    return best
