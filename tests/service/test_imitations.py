"""Strangers' names in the feeds: told once, with who published them, and settled when they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor import incidents
from monitor.alerts import steps
from monitor.alerts.slack import message
from monitor.incidents import CONFUSION, LOOKALIKE
from monitor.model import IncidentState, NpmNames, Organisation, PypiNames, Severity
from monitor.service import verifying
from monitor.store import IgnoreRecord, IncidentFilter
from tests.service.conftest import worked, worked_until_idle
from tests.service.test_resolving import feed_of

if TYPE_CHECKING:
    from monitor.model import Incident, IncidentChange
    from monitor.service.parts import Parts
    from tests.service.test_resolving import Opened
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

ACME = Organisation(
    name="acme",
    npm=NpmNames(scopes=["@acme"], packages=["acme-billing"]),
    pypi=PypiNames(packages=["acmesettle"]),
    internal_names=["acme-console-app", "@acme-private/*"],
)


def named(one: Organisation, **changes: object) -> Organisation:
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return Organisation(**(values | changes))


async def all_of(parts: Parts, package: str) -> dict[str, Incident]:
    found = await parts.store.incidents(IncidentFilter(package=package))
    return {each.cause: each for each in found}


async def causes(parts: Parts, package: str) -> set[str]:
    return set(await all_of(parts, package))


async def test_a_swapped_letter_is_told_once_with_who_published_it_and_what_to_do(
    opened: Opened, npm: NpmServer
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("acme-biling", "1.0.0", maintainers=[{"name": "mallory"}])
        npm.put("left-pad-of-nobody", "1.0.0")
        await feed.poll()
        await worked(parts)
        (incident,) = await parts.store.incidents()
        assert (incident.package, incident.cause) == ("acme-biling", LOOKALIKE)
        assert (incident.severity, incident.organisation) == (Severity.MEDIUM, "acme")
        assert "can be taken for acme-billing of acme by a character left out" in incident.title
        (seen,) = incident.detail["observations"]
        assert [each["path"] for each in seen["places"]] == ["acme-biling@1.0.0"]
        assert message.message(incident, parts.clock.now())
        told = " ".join(each.do for each in steps.steps(incident, parts.clock.now()))
        assert "Report it" in told
        assert "lock files" in told
        assert "Unpublish" not in told
        npm.put("acme-biling", "1.0.1")
        parts.clock.move(hours=1)  # type: ignore[attr-defined]  # it is a MovedClock
        await feed.poll()
        await worked_until_idle(parts)
        events = await parts.store.incident_events(incident.id)
        assert [each.kind for each in events] == ["opened"]
        assert not await parts.store.files("npm", "acme-biling"), "nothing of it is fetched"
        assert ("npm", "acme-biling") not in parts.owners
        await parts.recall()
        assert ("npm", "acme-biling") not in parts.owners


async def test_a_script_at_install_makes_it_worse_and_that_is_told(
    opened: Opened, npm: NpmServer
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("acme-billing-js", "1.0.0")
        await feed.poll()
        await worked(parts)
        npm.put("acme-billing-js", "1.0.1", scripts={"postinstall": "node steal.js"})
        parts.clock.move(minutes=5)  # type: ignore[attr-defined]  # it is a MovedClock
        await feed.poll()
        await worked_until_idle(parts)
        incident = (await all_of(parts, "acme-billing-js"))[LOOKALIKE]
        assert incident.severity is Severity.HIGH
        events = await parts.store.incident_events(incident.id)
        assert [each.kind for each in events if each.is_told] == ["opened", "escalated"]


async def test_what_was_there_before_the_watch_is_quiet(opened: Opened, npm: NpmServer) -> None:
    npm.put("acmebilling", "1.0.0")
    async with opened(npm, None, [ACME]) as parts:
        parts.clock.move(hours=3)  # type: ignore[attr-defined]  # it is a MovedClock
        feed = await feed_of(parts, "npm")
        npm.put("acmebilling", "1.0.1")
        await feed.poll()
        await worked(parts)
        assert not await parts.store.incidents()


async def test_names_that_are_allowed_or_of_an_organisation_that_does_not_ask_are_quiet(
    opened: Opened, npm: NpmServer
) -> None:
    allowing = named(ACME, allowed_lookalikes=["acme_*"])
    for own in (allowing, named(ACME, lookalikes=False)):
        async with opened(npm, None, [own]) as parts:
            feed = await feed_of(parts, "npm")
            npm.put("acme_billing", f"1.0.{int(own.lookalikes)}")
            await feed.poll()
            assert not await worked(parts), "it is not even asked about"


async def test_packages_of_our_own_people_are_quiet_whatever_others_claim(
    opened: Opened, npm: NpmServer
) -> None:
    own = named(
        ACME,
        npm=NpmNames(packages=["acme-billing"], maintainers=["acme-bot"]),
        repositories=["github:acme"],
    )
    async with opened(npm, None, [own]) as parts:
        feed = await feed_of(parts, "npm")
        ours, theirs = [{"name": "acme-bot"}], [{"name": "mallory"}]
        repository = "https://github.com/acme/billing"
        npm.put("acme-billings", "1.0.0", maintainers=ours, _npmUser=ours[0])
        npm.put("acme-billling", "1.0.0", maintainers=theirs, repository=repository)
        await feed.poll()
        await worked(parts)
        assert not await causes(parts, "acme-billings")
        incident = (await all_of(parts, "acme-billling"))[LOOKALIKE]
        claimed = incident.detail["observations"][0]["advice"]
        assert "which anybody may do" in claimed[0]


async def test_a_scope_like_ours_and_one_dropped(opened: Opened, npm: NpmServer) -> None:
    own = named(ACME, npm=NpmNames(scopes=["@acmecorp"], packages=["@acmecorp/ledger"]))
    async with opened(npm, None, [own]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("@acmecorq/anything", "1.0.0")
        npm.put("acmecorp-ledger", "1.0.0")
        npm.put("@acmecorp/ledgre", "1.0.0")  # only ours can publish there
        await feed.poll()
        await worked(parts)
        assert await causes(parts, "@acmecorq/anything") == {LOOKALIKE}
        assert await causes(parts, "acmecorp-ledger") == {LOOKALIKE}
        assert not await causes(parts, "@acmecorp/ledgre")


async def test_a_package_on_record_is_imitated_too(opened: Opened, npm: NpmServer) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("@acme/quartz-engine", "1.0.0")
        await feed.poll()
        await worked(parts)
        parts.clock.move(minutes=6)  # type: ignore[attr-defined]  # it is a MovedClock
        await parts.recall()
        npm.put("quartz-engine-of-others", "1.0.0")
        npm.put("acme-quartz-engien", "1.0.0")
        await feed.poll()
        await worked(parts)
        assert await causes(parts, "acme-quartz-engien") == {LOOKALIKE}
        assert not await causes(parts, "quartz-engine-of-others")


async def test_an_internal_name_of_a_stranger_is_dependency_confusion(
    opened: Opened, npm: NpmServer
) -> None:
    own = named(ACME, npm=NpmNames(scopes=["@acme"], maintainers=["acme-bot"]))
    async with opened(npm, None, [own]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put(
            "acme-console-app", "99.0.0", scripts={"preinstall": "node index.js"},
            maintainers=[{"name": "mallory"}], _npmUser={"name": "mallory"},
        )  # fmt: skip
        npm.put("@acme-private/tools", "1.0.0", maintainers=[{"name": "mallory"}])
        await feed.poll()
        await worked(parts)
        found = await all_of(parts, "acme-console-app")
        assert set(found) == {CONFUSION}, "nobody of ours published it"
        incident = found[CONFUSION]
        assert incident.severity is Severity.CRITICAL
        assert incident.detail["impostor"]["is_known_stranger"]
        (seen,) = incident.detail["observations"]
        assert "mallory" in seen["publisher"]
        told = [each.do for each in steps.steps(incident, parts.clock.now())]
        assert told[0] == "Stop builds from taking it"
        files = await parts.store.files("npm", "acme-console-app")
        assert [each.state for each in files] == ["settled"], "its bytes are kept and inspected"
        other = (await all_of(parts, "@acme-private/tools"))[CONFUSION]
        assert other.severity is Severity.HIGH


async def test_an_internal_package_that_our_own_people_published_is_a_leak_and_no_confusion(
    opened: Opened, npm: NpmServer
) -> None:
    own = named(ACME, npm=NpmNames(scopes=["@acme"], maintainers=["acme-bot"]))
    own = named(own, internal_names=["acme-vault-app"])
    async with opened(npm, None, [own]) as parts:
        feed = await feed_of(parts, "npm")
        bot = {"name": "acme-bot"}
        npm.put("acme-vault-app", "1.0.0", maintainers=[bot], _npmUser=bot)
        await feed.poll()
        await worked(parts)
        assert await causes(parts, "acme-vault-app") == {"packaging:internal-package-published"}


async def test_it_is_settled_when_the_package_goes_and_told_again_when_it_is_back(
    opened: Opened, npm: NpmServer
) -> None:
    async with opened(npm, None, [named(ACME, npm=NpmNames(packages=["acme-ledger"]))]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("acme-legder", "1.0.0")
        await feed.poll()
        await worked(parts)
        incident = (await all_of(parts, "acme-legder"))[LOOKALIKE]
        npm.npm("unpublish", "acme-legder", "--force")
        parts.clock.move(minutes=5)  # type: ignore[attr-defined]  # it is a MovedClock
        await feed.poll()
        await worked_until_idle(parts)
        gone = await parts.store.incident(incident.id)
        assert (gone.state, gone.is_present) == (IncidentState.RESOLVED, False)
        npm.put("acme-legder", "1.0.1")
        parts.clock.move(hours=3)  # type: ignore[attr-defined]  # it is a MovedClock
        await feed.poll()
        await worked_until_idle(parts)
        back = await parts.store.incident(incident.id)
        assert (back.state, back.is_present) == (IncidentState.OPEN, True)
        assert "again" in back.reason


async def test_the_daily_look_settles_it_as_well(opened: Opened, npm: NpmServer) -> None:
    async with opened(npm, None, [named(ACME, npm=NpmNames(packages=["acme-wallet"]))]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("acme-walet", "1.0.0")
        await feed.poll()
        await worked(parts)
        await verifying.verify_open(parts)
        incident = (await all_of(parts, "acme-walet"))[LOOKALIKE]
        assert (incident.state, incident.is_present) == (IncidentState.OPEN, True)
        npm.npm("unpublish", "acme-walet", "--force")
        parts.clock.move(days=2)  # type: ignore[attr-defined]  # it is a MovedClock
        await verifying.verify_open(parts)
        assert (await parts.store.incident(incident.id)).state is IncidentState.RESOLVED


async def test_ignored_is_ignored(opened: Opened, npm: NpmServer) -> None:
    async with opened(npm, None, [named(ACME, npm=NpmNames(packages=["acme-atlas"]))]) as parts:
        feed = await feed_of(parts, "npm")
        await parts.store.ignore_add(
            IgnoreRecord(rule=LOOKALIKE, package="acme-atlass", reason="a friend's", actor="me")
        )
        npm.put("acme-atlass", "1.0.0")
        npm.put("acme-atalas", "1.0.0")
        await feed.poll()
        await worked(parts)
        assert not await causes(parts, "acme-atlass")
        incident = (await all_of(parts, "acme-atalas"))[LOOKALIKE]

        def harmless(standing: Incident) -> IncidentChange:
            now = parts.clock.now()
            return incidents.acted(standing, "false-positive", at=now, actor="me", reason="known")

        await parts.store.change_incident(incident.id, harmless, actor="me", action="judged")
        npm.put("acme-atalas", "1.0.1")
        parts.clock.move(hours=3)  # type: ignore[attr-defined]  # it is a MovedClock
        await feed.poll()
        await worked_until_idle(parts)
        assert (await parts.store.incident(incident.id)).state is IncidentState.FALSE_POSITIVE


async def test_pypi_tells_of_owners_and_of_source_that_is_built_where_it_is_installed(
    opened: Opened, pypi: PypiServer
) -> None:
    async with opened(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        pypi.put("acmesettel", "1.0", "w")
        pypi.own("acmesettel", None, "mallory")
        pypi.put("acme-settle", "1.0", "w")
        pypi.put("acme.console_app", "1.0", "s")
        await feed.poll()
        await worked_until_idle(parts)
        swapped = (await all_of(parts, "acmesettel"))[LOOKALIKE]
        assert "mallory" in swapped.detail["observations"][0]["publisher"]
        assert "transposition" in swapped.title
        assert await causes(parts, "acme-settle") == {LOOKALIKE}
        assert CONFUSION in await causes(parts, "acme-console-app")
