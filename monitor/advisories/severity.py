"""How bad an advisory says it is: CVSS 3 base scores (specification 3.1, chapter 7), and words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS = {
    "LOW": Severity.LOW,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "HIGH": Severity.HIGH,
    "CRITICAL": Severity.CRITICAL,
}
_RATINGS = (
    (9.0, Severity.CRITICAL),
    (7.0, Severity.HIGH),
    (4.0, Severity.MEDIUM),
    (0.1, Severity.LOW),
    (0.0, Severity.INFO),
)
_VERSIONS = ("CVSS:3.0/", "CVSS:3.1/")
_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}


def base_score(vector: str) -> float | None:
    """The base score, 0.0 to 10.0, of a CVSS 3.0 or 3.1 vector; None if it is not one.

    The two versions have the same base equations. Temporal and environmental metrics do not count.
    """
    if not vector.startswith(_VERSIONS):
        return None
    written = dict(part.partition(":")[::2] for part in vector.split("/")[1:])
    try:
        is_changed = {"C": True, "U": False}[written["S"]]
        weight = {name: table[written[name]] for name, table in _WEIGHTS.items()}
        privileges = _PRIVILEGES[written["S"]][written["PR"]]
    except KeyError:
        return None
    lost = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 6.42 * lost
    if is_changed:
        impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15
    if impact <= 0:
        return 0.0
    ease = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    return _rounded_up(min((1.08 if is_changed else 1.0) * (impact + ease), 10.0))


def _rounded_up(score: float) -> float:
    """To one decimal, upwards, in whole numbers (appendix A): floats alone round 4.02 to 4.1."""
    whole = round(score * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10


def rated(vectors: Iterable[str], word: object) -> Severity | None:
    """The severity that the worst CVSS 3 vector gives, else the database's own word, else None.

    A CVSS 4 vector has no formula but a table of 270 expert judgements: the word stands for it.
    """
    scores = [score for vector in vectors if (score := base_score(vector)) is not None]
    if scores:
        return next(severity for floor, severity in _RATINGS if max(scores) >= floor)
    return _WORDS.get(word.upper()) if isinstance(word, str) else None
