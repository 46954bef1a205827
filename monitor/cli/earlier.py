"""``--previous`` and ``--earlier``: the versions before, seen with the same eyes, as profiles."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor import config
from monitor.detectors.drift.profiling import profile
from monitor.errors import LeakmonError, TargetError, UsageError
from monitor.pipeline import attested
from monitor.pipeline.conclude import merged
from monitor.registries.targets import LocalTarget, PackageTarget, Target, parse

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from monitor.detectors import Context
    from monitor.model.profiles import Profile
    from monitor.pipeline.progress import Progress
    from monitor.pipeline.subjects import Ended
    from monitor.sandbox import Sandbox

MOST = 10


def profiles(
    call: argparse.Namespace,
    targets: Sequence[Target],
    settings: config.Settings,
    *,
    sandbox: Sandbox,
    context: Context,
    progress: Progress,
) -> tuple[Profile, ...]:
    """The profiles of the versions before, the newest first.

    Raises TargetError for one that was named and cannot be inspected, UsageError where it is not
    clear of what they are the versions before.
    """
    if not call.previous and not call.earlier:
        return ()
    wanted = [parse(text) for text in call.previous]
    if call.earlier:
        wanted += asyncio.run(_before(_only(targets), call.earlier, settings))
    ended = _inspected(wanted, settings, sandbox, context, progress)
    return tuple(_profile(each) for each in ended)


def _only(targets: Sequence[Target]) -> PackageTarget:
    if len(targets) != 1 or not isinstance(targets[0], PackageTarget):
        raise UsageError("--earlier: scan one package of a registry with it, as npm:@acme/cli@2.0")
    return targets[0]


async def _before(target: PackageTarget, number: int, settings: config.Settings) -> list[Target]:
    """The registry's own versions before the one that is scanned, the newest first."""
    from monitor.cli.network import machine
    from monitor.registries.network import connect, resolve

    network_settings = config.network(settings, config.environment())
    async with connect(network_settings, machine()) as network:
        release = (await resolve(target, network))[0]
    at = release.versions.index(release.version) if release.version in release.versions else 0
    before = release.versions[max(0, at - number) : at][::-1]
    sign = "@" if release.ecosystem == "npm" else "=="
    return [parse(f"{release.ecosystem}:{release.name}{sign}{version}") for version in before]


def _inspected(
    wanted: Sequence[Target],
    settings: config.Settings,
    sandbox: Sandbox,
    context: Context,
    progress: Progress,
) -> list[Ended]:
    from monitor.pipeline import local, subjects

    found: list[Ended] = []
    here = [each for each in wanted if isinstance(each, LocalTarget)]
    ready = [subjects.local(target.path, context) for target in here]
    progress.expect(len(ready))
    for subject, outcomes in local.inspect(sandbox, ready, MOST):
        progress.inspected(subject.target)
        found.append((subject, outcomes))
    away = [each for each in wanted if not isinstance(each, LocalTarget)]
    if away:
        from monitor.cli.network import inspected

        asyncio.run(
            inspected(
                sandbox, away, settings, context=context, at_once=MOST, progress=progress,
                keep=None, settle=found.append,
            )
        )  # fmt: skip
    order = {target.text: number for number, target in enumerate(wanted)}
    return sorted(found, key=lambda each: order.get(each[0].target, 0))


def _profile(ended: Ended) -> Profile:
    subject, outcomes = ended
    if isinstance(outcomes, LeakmonError):
        raise TargetError(f"the version before: {outcomes}", reason=outcomes.reason)
    inspection = merged(each.inspection for each in outcomes if each.inspection is not None)
    release = subject.release
    return profile(
        inspection,
        version=release.version if release is not None else "",
        publisher=release.publisher if release is not None else "",
        provenance=attested.state(subject),
        builder=attested.builder(subject),
    )
