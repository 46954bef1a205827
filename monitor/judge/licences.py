"""What a declared licence means for the question "may everybody read this source?"."""

from __future__ import annotations

import enum
import re


class Family(enum.Enum):
    """What a licence lets the public do with the source."""

    OPEN = "open"
    SOURCE_AVAILABLE = "source-available"
    PROPRIETARY = "proprietary"
    ABSENT = "absent"
    UNRECOGNISED = "unrecognised"


# OSI-approved licences by SPDX id (SPDX License List 3.25, isOsiApproved), lower case, in use.
_OSI = frozenset(
    """0bsd aal afl-1.1 afl-1.2 afl-2.0 afl-2.1 afl-3.0 agpl-3.0 apache-1.1 apache-2.0 apl-1.0
    apsl-2.0 artistic-1.0 artistic-1.0-perl artistic-2.0 blueoak-1.0.0 bsd-1-clause bsd-2-clause
    bsd-2-clause-patent bsd-3-clause bsd-3-clause-lbnl bsl-1.0 cal-1.0 catosl-1.1 cddl-1.0
    cern-ohl-p-2.0 cern-ohl-s-2.0 cern-ohl-w-2.0 cnri-python cpal-1.0 cpl-1.0 cua-opl-1.0 ecl-1.0
    ecl-2.0 efl-1.0 efl-2.0 entessa epl-1.0 epl-2.0 eudatagrid eupl-1.1 eupl-1.2 fair
    frameworx-1.0 gpl-2.0 gpl-3.0 hpnd icu intel ipa ipl-1.0 isc jam lgpl-2.0 lgpl-2.1 lgpl-3.0
    liliq-p-1.1 liliq-r-1.1 liliq-rplus-1.1 lpl-1.0 lpl-1.02 lppl-1.3c mit mit-0
    mit-modern-variant motosoto mpl-1.0 mpl-1.1 mpl-2.0 mpl-2.0-no-copyleft-exception ms-pl ms-rl
    mulanpsl-2.0 multics nasa-1.3 naumen ncsa ngpl nokia nposl-3.0 ntp oclc-2.0 ofl-1.1
    ogtsl oldap-2.8 olfl-1.3 osl-1.0 osl-2.0 osl-2.1 osl-3.0 php-3.0 php-3.01 postgresql psf-2.0
    python-2.0 qpl-1.0 rpl-1.1 rpl-1.5 rpsl-1.0 rscpl simpl-2.0 sissl sleepycat spl-1.0 ucl-1.0
    unicode-3.0 unicode-dfs-2016 unlicense upl-1.0 vsl-1.0 w3c watcom-1.0 wxwindows xnet zlib
    zpl-2.0 zpl-2.1 wtfpl cc0-1.0""".split()  # noqa: SIM905 - a hundred quoted ids read worse
)
_SOURCE_AVAILABLE = r"""(?x)
        ^(?:busl|elastic|sspl|fsl|polyform|commons-clause|cc-by-nc|cc-by-nd|confluent|rsal|parity
        |prosperity|fair-source|functional\ source|business\ source|server\ side\ public)"""
_PROPRIETARY = r"""(?x)
        ^(?:unlicensed$|see\ licen[sc]e|proprietary|commercial|private|closed|other/proprietary
        |licenseref-\S*(?:proprietary|commercial)|all\ rights\ reserved|none$|no\ licen[sc]e)
        |\bproprietary\b|\ball\ rights\ reserved\b.{0,40}$"""
# What people write into free-text fields; each is an OSI licence, whatever its version.
_FREE_TEXT = r"""(?x)
        ^(?:the\ )?(?:mit\b|(?:new|modified|simplified|3-clause|2-clause|revised)?\ ?bsd\b|isc\b
        |apache\b|mozilla\ public|gnu\b|a?gpl|lgpl|mpl\b|python\ software\ foundation|psf\b|zlib
        |eclipse\ public|artistic|academic\ free|boost|postgresql|historical\ permission|universal
        |unlicense\b|public\ domain|european\ union\ public|osi\ approved|zope|asl\ 2|w3c)
        |permission\ is\ hereby\ granted,\ free\ of\ charge|redistribution\ and\ use\ in\ source"""
_SEPARATOR = r"(?i)\s+(?:or|and)\s+|[()/;]|,\s"
_EXCEPTION = r"\s+with\s+\S+"
_NOISE = frozenset(
    {"0", "approved", "clause", "licence", "license", "osi", "software", "the", "version"}
)
_MAX_TEXT = 500


def family(licence: str) -> Family:
    """The family of a declared licence: an SPDX expression or whatever stands in its place.

    Of an ``OR`` the most open choice counts, since everybody may take it; of an ``AND`` the least.
    """
    text = licence.strip().lower()[:_MAX_TEXT]
    if not text:
        return Family.ABSENT
    if text in _OSI:
        return Family.OPEN
    if re.search(_PROPRIETARY, text):
        return Family.PROPRIETARY
    if len(text.split()) > 12:  # noqa: PLR2004 - a licence's text, not an expression
        return _one(text)
    choices = re.split(r"\s+or\s+", text)
    return min((_all(choice) for choice in choices), key=_openness)


def is_elsewhere(licence: str) -> bool:
    """Whether the licence only points to terms of its own, as npm's ``SEE LICENSE IN`` does."""
    return bool(re.match(r"(?i)\s*see\s+licen[sc]e", licence))


def _all(choice: str) -> Family:
    parts = [part for part in re.split(r"\s+and\s+", choice.strip("() ")) if part]
    return max((_one(part.strip("() ")) for part in parts), key=_openness, default=Family.ABSENT)


def _openness(found: Family) -> int:
    return list(Family).index(found)


def _one(name: str) -> Family:
    bare = spdx_id(name)
    if bare in _OSI:
        return Family.OPEN
    if re.match(_SOURCE_AVAILABLE, bare) or re.match(_SOURCE_AVAILABLE, name):
        return Family.SOURCE_AVAILABLE
    return Family.OPEN if re.search(_FREE_TEXT, name) else Family.UNRECOGNISED


def spdx_id(name: str) -> str:
    """A licence id without what does not change its meaning: case, exception, ``-only``, ``+``."""
    bare = re.sub(_EXCEPTION, "", name.strip().lower())
    return bare.removesuffix("+").removesuffix("-only").removesuffix("-or-later")


def contradicts(declared: str, expected: str) -> bool:
    """Whether the declared licence lets the public do other things than the expected one.

    Spelling does not count; within one family of proprietary words nothing contradicts. An absent
    declaration grants nothing: it contradicts only an expectation of an open licence.
    """
    if not expected.strip() or _ids(declared) == _ids(expected):
        return False
    families = (family(declared), family(expected))
    if families[0] is families[1]:
        return families[0] in {Family.OPEN, Family.SOURCE_AVAILABLE} and not _same_words(
            declared, expected
        )
    is_closed = {Family.PROPRIETARY, Family.ABSENT}
    return not is_closed.issuperset(families)


def _ids(licence: str) -> frozenset[str]:
    return frozenset(spdx_id(part) for part in re.split(_SEPARATOR, licence) if part.strip())


def _same_words(declared: str, expected: str) -> bool:
    """``MIT License`` and ``MIT``, ``Apache License 2.0`` and ``Apache-2.0``."""

    def words(text: str) -> set[str]:
        return set(re.findall(r"[a-z]+|\d+", text.lower())) - _NOISE

    few, many = sorted((words(declared), words(expected)), key=len)
    return bool(few) and few <= many
