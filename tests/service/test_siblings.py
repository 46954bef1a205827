"""A wheel is held against the sdist of its release, whichever comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.model import Organisation, PypiNames
from tests.scenarios.builders import sdist, wheel
from tests.service.conftest import worked
from tests.service.test_resolving import feed_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from monitor.service.parts import Parts
    from tests.watch_servers.pypi import PypiServer

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

ACME = Organisation(name="acme", pypi=PypiNames(packages=["acmesib*"]))
OWN = {"acme/__init__.py": b"# acme\n", "acme/app.py": b"print('hello')\n"}
EXTRA = {"acme_internal/__init__.py": b"", "acme_internal/billing.py": b"rate = 0.2\n"}


@pytest.mark.parametrize("order", ["sw", "ws"])
async def test_a_package_that_the_sdist_lacks(opened: Opened, pypi: PypiServer, order: str) -> None:
    name = f"acmesib{order}"
    contents = {"s": sdist(OWN, name=name), "w": wheel(OWN | EXTRA, name=name)}
    async with opened(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        for kind in order:
            pypi.put(name, "1.0", kind, contents[kind])
            await feed.poll()
            await worked(parts)
        found = {}
        for number in (1, 2):
            stored = await parts.store.artifact(number)
            assert stored.state == "settled"
            findings = await parts.store.findings(number)
            found[stored.artifact.filename] = [each.rule for each in findings]
        assert found == {
            f"{name}-1.0.tar.gz": [],
            f"{name}-1.0-py3-none-any.whl": ["wheel-package-not-in-sdist"],
        }
        (incident,) = await parts.store.incidents()
        assert incident.versions == ["1.0"]
        reads = [each for each in await parts.store.audit_log() if each.action == "evidence-read"]
        assert f"{name}-1.0-py3-none-any.whl is held against it" in {each.reason for each in reads}


async def test_one_that_agrees_raises_nothing_and_is_not_looked_at_again(
    opened: Opened, pypi: PypiServer
) -> None:
    async with opened(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        pypi.put("acmesibok", "1.0", "w", wheel(OWN, name="acmesibok"))
        pypi.put("acmesibok", "1.0", "s", sdist(OWN, name="acmesibok"))
        await feed.poll()
        await worked(parts)
        assert await parts.store.incidents() == []
        assert await parts.store.unfinished() == []


async def test_the_wheels_of_a_release_open_their_sdist_once(
    opened: Opened, pypi: PypiServer
) -> None:
    name = "acmesibmany"
    async with opened(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        pypi.put(name, "1.0", "s", sdist(OWN, name=name))
        await feed.poll()
        await worked(parts)
        for tag in ("cp311", "cp312", "cp313"):
            pypi.put(name, "1.0", "w", wheel(OWN | EXTRA, name=name), tag=tag)
        await feed.poll()
        await worked(parts)
        rules = [each.rule for number in (2, 3, 4) for each in await parts.store.findings(number)]
        assert rules == ["wheel-package-not-in-sdist"] * 3
        reads = [each for each in await parts.store.audit_log() if each.action == "evidence-read"]
        assert len(reads) == 1
