"""Whether a value under a telling name looks like a secret: generated, or chosen as a password.

Names, paths, sentences and placeholders stand under such names far more often than secrets do. How
surprising each pair of letters is in English and in programs' names tells words from chance;
changes between letters and digits count as well; the words that programs say most are known.
``LOOKS`` is what ``metadata.looks`` names.
"""

from __future__ import annotations

import binascii
from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable

# Row: the first letter, column: the second; bits of surprise. Counted over the words (each once per
# hundred uses) of Python's standard library and of some thousand packages' sources.
_SURPRISE = (
    "75448758596343859343666768", "36564677357356463446477858", "36563773584467277553588868",
    "36652677377466466545578868", "46436568698453757334757578", "45644377269476366455477768",
    "46662654498464469346477778", "26662787387567366554577968", "56455558897442459544858695",
    "34563676476466355735456866", "36652656377576468636476869", "36652678387477368855568848",
    "25762778388557439756588768", "46433537486676468743558978", "65447658686442549344465778",
    "36663785497377347354588959", "68788869689577777657056767", "37552768396656368544568959",
    "47463774396567447742477868", "37562684398567468345587858", "54555359587443649343779788",
    "34562777378676576666677767", "37553654387574479446676677", "56453575467455636653568567",
    "46455667586444529644665567", "36552766487557466755575556",
)  # fmt: skip
_HEX = later(rb"[0-9a-f]{32,128}|[0-9A-F]{32,128}")
_UUID = later(rb"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ADDRESS = later(rb"@[\w-]{1,60}\.[A-Za-z]|[\w.+-]+@[a-z0-9._-]+\Z|@\^?\d")
_WORDS = later(
    rb"(?i)passw(?:or)?d|pass(?:phrase|code)?|secret|token|credential|account|access|action|address"
    rb"|admin|alert|app(?:lication)?|array|attribute|auth(?:entication|orization|orize|orized)?|base"
    rb"|bearer|button|cache|change|check|class|client|code|component|config(?:uration)?|confirm"
    rb"|connection|container|content|context|control|cookie|count|create|current|data(?:base)?|date"
    rb"|default|delete|digest|disabled?|display|email|empty|enabled?|encrypted|entry|error|event"
    rb"|example|failed|false|field|file|filter|forgot(?:ten)?|form|function|generate|group|handler"
    rb"|hash|header|helper|hidden|icon|identifier|image|index|info|input|instance|invalid|item|label"
    rb"|language|length|level|link|list|loader|local|login|manager|message|method|missing|model"
    rb"|module|name|network|node|number|object|option|order|output|page|param(?:eter)?|parse|path"
    rb"|pattern|placeholder|plugin|policy|prefix|private|process|profile|project|property|provider"
    rb"|public|query|random|record|refresh|register|remote|remove|repeat|request|required?|reset"
    rb"|resource|response|result|return|role|route|schema|screen|script|section|select|send|server"
    rb"|service|session|setting|show|sign(?:ature)?|signin|size|source|start|state|status|storage"
    rb"|store|string|style|submit|success|suffix|system|table|target|template|test|text|time|title"
    rb"|toggle|tooltip|type|undefined|update|upload|user(?:name)?|valid(?:ation|ate)?|value|variable"
    rb"|verify|version|view|visible|weak|widget|window|wrong|your"
)
_PART = later(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^A-Za-z\d]+")
_PART_LENGTH = 3.3  # characters that the parts of a name have at least; those of chance have two
_PLACE = later(rb"(?:[\w*-]+\.)+[A-Za-z]{2,12}\Z|xn--")  # a host or a file
_SYMBOLS = frozenset(b"!@#$^*?~")
_SIGILS = frozenset(b"#$@%&.:/*~+=")
_LEAST_PAIRS = 7
_GENERATED = 4.1  # bits a pair: nineteen of twenty names stay below, as many tokens above
_GENERATED_NAME = 4.6  # the same of what has its capitals where names have them
_LEAST_KINDS = 2
_NEW_WORD, _NO_NAME, _DIGIT, _DIGITS, _EARLY_CASE = 1.0, 5.0, 5.0, 3.3, 4.0
_WORD = 3  # letters from which on a capital begins a new word of a name
_ROW = ord("a")
_LEAST_PASSWORD, _LEAST_PLAIN = 8, 10


def surprise(text: bytes) -> float:
    """Bits a pair of neighbouring letters and digits: names below 4, chance above; else 0.

    A capital behind a word is what names are made of, one elsewhere is not.
    """
    total, pairs, run = 0.0, 0, 1
    for before, byte in pairwise(text):
        cost = _cost(before, byte, run)
        if cost is None:
            run = 1
            continue
        total += cost
        pairs += 1
        is_same = chr(before).islower() == chr(byte).islower()
        is_word = chr(byte).isalpha() and chr(before).isalpha() and (is_same or run == 1)
        run = run + 1 if is_word else 1
    return total / pairs if pairs >= _LEAST_PAIRS else 0.0


def _cost(before: int, byte: int, run: int) -> float | None:
    """The surprise of one pair; None where one of them is neither letter nor digit."""
    first, second = chr(before), chr(byte)
    if not (first.isascii() and second.isascii() and first.isalnum() and second.isalnum()):
        return None
    if first.isdigit() or second.isdigit():
        return _DIGITS if first.isdigit() and second.isdigit() else _DIGIT
    if first.islower() and second.isupper():
        return _NEW_WORD if run >= _WORD else _EARLY_CASE
    if first.isupper() and second.islower() and run > 1:
        return _NO_NAME
    return float(_SURPRISE[ord(first.lower()) - _ROW][ord(second.lower()) - _ROW])


def _kinds(value: bytes) -> int:
    """How many of small letters, capitals and digits occur."""
    text = value.decode("latin-1")
    return sum(any(map(has, text)) for has in (_is_small, _is_capital, str.isdigit))


def _is_mixed(value: bytes) -> bool:
    return value.upper() != value != value.lower()


def _is_small(char: str) -> bool:
    return "a" <= char <= "z"


def _is_capital(char: str) -> bool:
    return "A" <= char <= "Z"


def _is_worded(value: bytes) -> bool:
    """Whether known words of programs make up half of the value or more."""
    return 2 * sum(len(word) for word in _WORDS.findall(value)) >= len(value)


def is_generated(value: bytes) -> bool:
    """Made by a program: digits of a digest, a random UUID, or letters that make no words."""
    if _HEX.fullmatch(value):
        return _kinds(value) >= _LEAST_KINDS
    if _UUID.fullmatch(value):
        return value[14:15] == b"4"  # the random kind of RFC 9562
    if _PLACE.match(value) or _is_worded(value):
        return False
    is_like_a_name = len(value) >= _PART_LENGTH * len(_PART.findall(value)) and _is_mixed(value)
    least = _GENERATED_NAME if is_like_a_name else _GENERATED
    return _kinds(value) >= _LEAST_KINDS and surprise(value) >= least


def is_password(value: bytes) -> bool:
    """Chosen or generated: letters, digits and a symbol, or ten and more that make no words."""
    if len(value) < _LEAST_PASSWORD or value[0] in _SIGILS or _ADDRESS.search(value):
        return False
    text = value.decode("latin-1")
    has_digit = any(map(str.isdigit, text))
    if not has_digit or not any(map(str.isalpha, text)):
        return False
    if _is_worded(value):
        return False
    if any(byte in _SYMBOLS for byte in value) and _kinds(value) >= _LEAST_KINDS:
        return True
    return len(value) >= _LEAST_PLAIN and is_generated(value)


def is_either(value: bytes) -> bool:
    """Generated or a password: where the name does not tell which of both to expect."""
    return is_generated(value) or is_password(value)


def is_coded_password(value: bytes) -> bool:
    """Base64 of a password or of something generated, as in a Secret of Kubernetes."""
    decoded = _decoded(value)
    return decoded is not None and is_either(decoded)


def is_login(value: bytes) -> bool:
    """Base64 of ``user:password``, as in HTTP's basic scheme, the password being no placeholder."""
    from monitor.rules.placeholders import is_placeholder

    decoded = _decoded(value)
    if decoded is None:
        return False
    user, _, password = decoded.partition(b":")
    return len(user + password) > _WORD and bool(password or user) and not is_placeholder(password)


def _decoded(value: bytes) -> bytes | None:
    """Base64 whose content is printable; None of what is neither."""
    try:
        decoded = binascii.a2b_base64(value + b"=" * (-len(value) % 4), strict_mode=True).strip()
    except ValueError:
        return None
    is_text = decoded.isascii() and decoded.decode("ascii").isprintable()
    return decoded if is_text and decoded else None


LOOKS: dict[str, Callable[[bytes], bool]] = {
    "generated": is_generated,
    "password": is_password,
    "either": is_either,
    "coded-password": is_coded_password,
    "login": is_login,
}
