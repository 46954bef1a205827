"""The operator's own marks as rules: hosts, code names, package names, notices, mails, canaries.

They are ordinary rules of the folder's format, made from the configuration and compiled into the
one database with all others, so a mark costs what any literal costs. Each carries the tag
``organisation=NAME``. The signals are C1-C9 of what gives a private origin away.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.model import Organisation

TAG = "organisation="
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_LABEL = "[A-Za-z0-9-]"
_NAME = "[A-Za-z0-9_-]"
_AUTHORS = (
    *("package.json", "METADATA", "PKG-INFO", "AUTHORS*", "CODEOWNERS", "CONTRIBUTORS*"),
    *("pyproject.toml", "setup.py", "setup.cfg", "SECURITY*", "CODE_OF_CONDUCT*", "*.gemspec"),
)
"""Where a maintainer's address is meant to stand."""


class _Mark(Struct, frozen=True, kw_only=True):
    """One kind of mark of one organisation, before it is written as a rule."""

    kind: str
    message: str
    severity: str
    confidence: str
    patterns: tuple[str, ...]
    advice: str
    exclude: tuple[str, ...] = ()
    is_canary: bool = False


def document(organisations: Sequence[Organisation]) -> str:
    """The rules of all marks as YAML in JSON's style, empty text for none."""
    rules = [
        _rule(organisation, mark) for organisation in organisations for mark in _marks(organisation)
    ]
    if not rules:
        return ""
    return re.sub(_PAIR, _as_one, json.dumps({"rules": rules}, indent=1))


def _as_one(pair: re.Match[str]) -> str:
    """What JSON escapes as two surrogates, YAML writes as one character."""
    character = json.loads(f'"{pair[0]}"')
    return f"\\U{ord(character):08x}"


def _marks(organisation: Organisation) -> Iterator[_Mark]:
    name = organisation.name
    if organisation.internal_hosts:
        yield _Mark(
            kind="internal-host",
            message=f"Internal host of {name} found; it tells how its network is made.",
            severity="MEDIUM",
            confidence="high",
            patterns=tuple(map(_host, organisation.internal_hosts)),
            advice="Take the address out, or read it from the environment.",
        )
    if organisation.code_names:
        yield _Mark(
            kind="code-name",
            message=f"Code name of {name} found that is not for the public.",
            severity="HIGH",
            confidence="medium",
            patterns=tuple(map(_word, organisation.code_names)),
            advice="Find out what else of that project went out with it.",
        )
    if organisation.internal_names:
        yield _Mark(
            kind="internal-package",
            message=f"Name of an internal package of {name} found; whoever publishes under it is "
            "installed by mistake.",
            severity="MEDIUM",
            confidence="medium",
            patterns=tuple(map(_package, organisation.internal_names)),
            advice="Claim the name on the public registries, or keep it out of what ships.",
        )
    yield from _of_people(organisation)


def _of_people(organisation: Organisation) -> Iterator[_Mark]:
    name = organisation.name
    yield _Mark(
        kind="confidential",
        message=f"Notice found that calls something of {name} confidential or internal.",
        severity="HIGH",
        confidence="medium",
        patterns=_notices(name),
        advice="Find out whether the file was meant to be published.",
    )
    if organisation.domains:
        yield _Mark(
            kind="mail",
            message=f"Mail address at {name} found outside the fields for authors.",
            severity="LOW",
            confidence="low",
            patterns=tuple(map(_mail, organisation.domains)),
            advice="Use a role's address in what is published.",
            exclude=_AUTHORS,
        )
    if organisation.canaries:
        yield _Mark(
            kind="canary",
            message=f"Canary of {name} found: a string that stands in private code alone.",
            severity="CRITICAL",
            confidence="high",
            patterns=tuple(re.escape(each) for each in organisation.canaries),
            advice="Private code went out. Keep the bytes, then find where the canary was planted.",
            is_canary=True,
        )
    if organisation.monorepo_paths:
        yield _Mark(
            kind="monorepo-path",
            message=f"Path of a private repository of {name} found.",
            severity="MEDIUM",
            confidence="medium",
            patterns=tuple(map(_path, organisation.monorepo_paths)),
            advice="Build with mapped paths, and leave source maps out.",
        )


def _rule(organisation: Organisation, mark: _Mark) -> dict[str, Any]:
    either = "|".join(dict.fromkeys(mark.patterns))
    made: dict[str, Any] = {
        "id": f"owner-{mark.kind}-{_slug(organisation.name)}",
        "message": mark.message,
        "severity": mark.severity,
        "languages": ["regex"],
        "pattern-regex": f"(?P<SECRET>{either})",
        "metadata": {
            "kind": "canary" if mark.is_canary else "marker",
            "confidence": mark.confidence,
            "provider": "generic",
            "description": f"{mark.message} From the configuration of {organisation.name}.",
            "revoke": mark.advice,
            "placeholders": False,
            "tags": [f"{TAG}{organisation.name}"],
        },
    }
    if mark.exclude:
        made["paths"] = {"exclude": list(mark.exclude)}
    return made


def _host(glob: str) -> str:
    """``*.corp.acme.example`` is any host below it, and it itself."""
    below = glob.startswith("*.")
    plain = _globbed(glob.removeprefix("*."), _LABEL)
    ahead = rf"(?:{_LABEL}{{1,63}}\.){{0,8}}" if below else ""
    return rf"(?<![A-Za-z0-9.-])(?i:{ahead}{plain})(?!{_LABEL}|\.[A-Za-z0-9])"


def _word(name: str) -> str:
    """The name as a word, also at the head of one in camel case."""
    return rf"(?<![A-Za-z0-9])(?i:{_spaced(name.strip())})(?![a-z0-9])"


def _package(glob: str) -> str:
    """A package's name as manifests, imports and lock files write it."""
    plain = _globbed(glob, "[A-Za-z0-9._-]")
    return rf"(?<![A-Za-z0-9@/_.-])(?i:{plain})(?!{_NAME}|\.[A-Za-z0-9])"


def _notices(name: str) -> tuple[str, ...]:
    """A notice and the owner's name on one line, in either order."""
    owner = rf"(?<![A-Za-z0-9])(?i:{_spaced(name)})(?![A-Za-z0-9])"
    notice = r"(?i:confidential|internal use only|do not distribute|trade secrets?|not for release)"
    return (rf"{owner}[^\n]{{0,80}}{notice}", rf"{notice}[^\n]{{0,80}}{owner}")


def _mail(domain: str) -> str:
    plain = re.escape(domain.lower().removeprefix("*."))
    local = r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}"
    below = rf"(?:{_LABEL}{{1,63}}\.){{0,4}}"
    return rf"(?<![A-Za-z0-9._%+-]){local}@{below}(?i:{plain})(?!{_LABEL}|\.[A-Za-z0-9])"


def _path(path: str) -> str:
    plain = re.escape(path.strip("/"))
    return rf"(?<!{_NAME}){plain}/[A-Za-z0-9_.@+/-]{{1,120}}"


def _spaced(name: str) -> str:
    """A name of several words, however they are joined."""
    return r"[ _-]{0,2}".join(re.escape(part) for part in re.split(r"[\s_-]+", name) if part)


def _globbed(glob: str, one: str) -> str:
    """A shell glob as an expression over the alphabet ``one``."""
    made = []
    for part in re.split(r"(\*|\?|\[!?[^\]]+\])", glob):
        if part == "*":
            made.append(f"{one}{{0,80}}")
        elif part == "?":
            made.append(one)
        elif part.startswith("[") and part.endswith("]"):
            made.append(part.replace("[!", "[^", 1))
        else:
            made.append(re.escape(part))
    return "".join(made)


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if slug == name:
        return slug
    return f"{slug or 'x'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
