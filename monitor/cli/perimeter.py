"""``leakmon perimeter``: whose a package is, and why leakmon says so."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

from msgspec import to_builtins

from monitor import config
from monitor.cli.network import machine
from monitor.errors import LeakmonError, NotFoundError, UsageError
from monitor.registries.network import connect
from monitor.registries.repository import name_of
from monitor.watchers import WATCHERS, proving
from monitor.watchers.perimeter import ECOSYSTEMS, Perimeter, Target, plain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from monitor.model import Ownership
    from monitor.watchers.perimeter import Lookalikes, PackageFacts, Tried

NOT_OURS_EXIT = 1
_MARKS = {True: "✓", False: "✗", None: "?"}
_SHOWN = 5


def explain(call: argparse.Namespace) -> int:
    """Say for one name by which key it is ours, or why it is not; 1 if it is nobody's."""
    settings = config.load(call.config)
    if not settings.organisations:
        raise UsageError(
            f"no organisations are configured: name yours in {config.FILE_NAME} ([[organisations]])"
        )
    perimeter = Perimeter(settings.organisations, settings.provenance.ask)
    index = perimeter.lookalikes(_on_record(call))
    answers = []
    for ecosystem, name in _packages(call.name):
        ownership = perimeter.by_name(ecosystem, name)
        facts, problem = None, ""
        if ownership is None and perimeter.needs_metadata(ecosystem) and not call.offline:
            facts, problem = asyncio.run(_facts(settings, perimeter, ecosystem, name))
            ownership = perimeter.by_metadata(facts) if facts is not None else None
        tried = list(perimeter.explain(ecosystem, name, facts))
        alike = _alike(index, ecosystem, name)
        answers.append((f"{ecosystem}:{name}", ownership, tried, problem, alike))
    if call.json:
        _print_json(answers)
    else:
        for answer in answers:
            _print(*answer)
    return 0 if any(answer[1] is not None for answer in answers) else NOT_OURS_EXIT


def _packages(text: str) -> list[tuple[str, str]]:
    """The packages that a name may mean: both registries' where it does not say."""
    ecosystem, found, name = text.partition(":")
    if found and ecosystem in WATCHERS and name:
        is_address = ecosystem == "git" and ("://" in name or "@" in name)
        return [(ecosystem, name_of(name) if is_address else name.removesuffix(".git"))]
    if found or not re.fullmatch(r"(?:@[^\s/@]+/)?[^\s/@]+", text):
        raise UsageError(
            f"{text!r} names no package: write npm:@acme/cli, pypi:acme, github:acme/cli, "
            "gitlab:acme/cli, git:git.example/acme or acme"
        )
    if text.startswith("@"):
        return [("npm", text)]
    return [(each, text) for each in ECOSYSTEMS]


async def _facts(
    settings: config.Settings, perimeter: Perimeter, ecosystem: str, name: str
) -> tuple[PackageFacts | None, str]:
    """What the registry says, or why it says nothing."""
    network_settings = config.network(settings, config.environment())
    async with connect(network_settings, machine()) as network:
        try:
            facts = await WATCHERS[ecosystem].ownership(network_settings, network, name)
            return await proving.proven(facts, perimeter, network), ""
        except NotFoundError:
            return None, f"{ecosystem} has no such package"
        except UsageError:
            raise
        except LeakmonError as error:
            return None, str(error)


def _on_record(call: argparse.Namespace) -> list[tuple[str, Target]]:
    """The packages that the daemon knows; none where there is no database yet."""
    from monitor.cli.incidents import opened

    async def read() -> list[tuple[str, Target]]:
        async with opened(call) as store:
            return [
                (
                    each.ecosystem,
                    Target(name=plain(each.ecosystem, each.name), organisation=each.organisation),
                )
                for each in await store.tracked_names()
            ]

    try:
        return asyncio.run(read())
    except LeakmonError:
        return []


def _alike(index: Lookalikes, ecosystem: str, name: str) -> str:
    """``lookalike of acme-billing (acme) by transposition``, or nothing."""
    found = index.find(ecosystem, name)
    if found is None:
        return ""
    return f"lookalike of {found.target.name} ({found.target.organisation}) by {found.how}"


Answer = tuple[str, "Ownership | None", "list[Tried]", str, str]


def _print(
    package: str,
    ownership: Ownership | None,
    tried: Sequence[Tried],
    problem: str,
    alike: str,
) -> None:
    if ownership is not None:
        like = f"; {alike}" if alike else ""
        print(f"{package} belongs to {ownership.organisation}: {ownership.reason}{like}")
    else:
        print(f"{package} is nobody's{f': {alike}' if alike else ''}")
    for one in tried:
        wanted = _listed(one.wanted)
        found = f", has {_listed(one.found)}" if one.found and not one.is_match else ""
        looked = "" if one.is_match is not None else " (not looked at)"
        print(f"  {_MARKS[one.is_match]} {one.organisation}: {one.key} {wanted}{found}{looked}")
    if problem:
        print(f"  its registry could not tell more: {problem}")


def _print_json(answers: Sequence[Answer]) -> None:
    shown = [
        {
            "package": package,
            "ownership": ownership,
            "tried": tried,
            "problem": problem,
            "lookalike": alike,
        }
        for package, ownership, tried, problem, alike in answers
    ]
    print(json.dumps(to_builtins(shown), indent=2))


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(_plain(word) for word in words[:_SHOWN]) + more


def _plain(text: str) -> str:
    """A stranger's text without what moves a terminal's cursor."""
    return "".join(each if each.isprintable() else "?" for each in text)[:120]
