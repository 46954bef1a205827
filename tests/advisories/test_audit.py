"""From dependencies to what is told of them, with both engines and the API on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.advisories import Package, Told, audit
from monitor.model import Confidence, Dependency, Severity

if TYPE_CHECKING:
    from monitor.advisories.osv import Osv
    from monitor.advisories.pip_audit import PipAudit
    from tests.advisories.osv_server import OsvServer

CRITICAL = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
HIGH = {"severity": "HIGH"}
LODASH = ("npm", "lodash")
FIXED = [{"introduced": "0"}, {"fixed": "4.17.21"}]
BUNDLED = "acme.tgz!/package/node_modules/a/node_modules/lodash/package.json"


class Auditor:
    def __init__(self, osv: Osv, pip_audit: PipAudit) -> None:
        self.osv = osv
        self.pip_audit = pip_audit

    async def __call__(self, *dependencies: Dependency, withheld: tuple[str, ...] = ()) -> Told:
        package = Package(list(dependencies))
        (told,) = await audit([package], osv=self.osv, pip_audit=self.pip_audit, withheld=withheld)
        return told


@pytest.fixture
def audited(osv: Osv, pip_audit: PipAudit) -> Auditor:
    return Auditor(osv, pip_audit)


def npm(
    wanted: str, how: str = "declared", *, path: str = "p", optional: bool = False
) -> Dependency:
    return Dependency(
        path=path, ecosystem="npm", name="lodash", wanted=wanted, how=how, is_optional=optional
    )


async def test_a_bundled_copy_is_told_with_all_that_is_known(
    audited: Auditor, server: OsvServer
) -> None:
    server.add(
        "GHSA-35jh-r3h4-6jhm",
        LODASH,
        events=FIXED,
        aliases=["CVE-2021-23337"],
        severity=CRITICAL,
        summary="Command Injection in lodash",
        references=[
            {"type": "WEB", "url": "https://advisories.acme.example/1"},
            {"url": "javascript:x"},
        ],
    )
    told = await audited(npm("4.17.20", "bundled", path=BUNDLED))
    assert told.skipped == []
    (finding,) = told.findings
    assert finding.rule == "GHSA-35jh-r3h4-6jhm"
    assert (finding.detector, finding.kind) == ("advisories", "advisory")
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, Confidence.HIGH)
    assert finding.message == (
        "lodash 4.17.20 (bundled) has a known vulnerability, GHSA-35jh-r3h4-6jhm, "
        "CVE-2021-23337: Command Injection in lodash (fixed in 4.17.21)."
    )
    assert finding.path == BUNDLED
    assert finding.evidence == {
        "package": "lodash",
        "ecosystem": "npm",
        "how": "bundled",
        "reach": "this version",
        "versions": ["4.17.20"],
        "aliases": ["CVE-2021-23337"],
        "fixed": ["4.17.21"],
        "affected": [">=0 <4.17.21"],
        "dependency_path": ["a", "lodash"],
        "places": [BUNDLED],
    }
    assert finding.references == [
        "https://osv.dev/vulnerability/GHSA-35jh-r3h4-6jhm",
        "https://advisories.acme.example/1",
    ]
    assert finding.advice is not None
    assert "4.17.21" in finding.advice


@pytest.mark.parametrize(
    ("dependency", "severity"),
    [
        (npm("4.17.20", "bundled"), Severity.HIGH),
        (npm("4.17.20", "shrinkwrap"), Severity.HIGH),
        (npm("4.17.20", "self"), Severity.HIGH),
        (npm("4.17.20", "locked"), Severity.MEDIUM),
        (npm("4.17.20"), Severity.HIGH),
        (npm("4.17.20", optional=True), Severity.MEDIUM),
        (npm("~4.16.0"), Severity.HIGH),
        (npm("<4.17.21"), Severity.HIGH),
        (npm("^4.17.0"), Severity.LOW),
        (npm("3.0.0 || ^4.17.21"), Severity.LOW),
        (npm("^4.17.21"), None),
        (npm("*"), None),
        (npm(">4.0.0"), None),
        (npm("4.17.21", "bundled"), None),
    ],
)
async def test_what_is_told_and_how_loud(
    audited: Auditor, server: OsvServer, dependency: Dependency, severity: Severity | None
) -> None:
    server.add("GHSA-1", LODASH, events=FIXED, database_specific=HIGH)
    found = (await audited(dependency)).findings
    assert [each.severity for each in found] == ([] if severity is None else [severity])


async def test_where_nothing_is_fixed_any_range_is_told(
    audited: Auditor, server: OsvServer
) -> None:
    server.add("GHSA-1", LODASH, database_specific=HIGH)
    (finding,) = (await audited(npm("*"))).findings
    assert finding.severity is Severity.HIGH
    assert "every version" in finding.message
    assert "no fixed version" in finding.message


async def test_the_last_affected_version_is_followed_by_a_free_one(
    audited: Auditor, server: OsvServer
) -> None:
    events = [{"introduced": "0"}, {"last_affected": "4.17.20"}]
    server.add("GHSA-1", LODASH, events=events, database_specific=HIGH)
    found = [(await audited(npm(text))).findings for text in ("^4.17.0", "<=4.17.20", "*")]
    assert [[each.severity for each in one] for one in found] == [
        [Severity.LOW],
        [Severity.HIGH],
        [],
    ]


async def test_a_list_of_versions_says_nothing_of_those_to_come(
    audited: Auditor, server: OsvServer
) -> None:
    server.add("MAL-2025-1", LODASH, versions=["4.17.20"], summary="Malicious code in lodash")
    exact, ranged = npm("4.17.20", "bundled"), npm("^4.17.20")
    assert [each.severity for each in (await audited(exact)).findings] == [Severity.CRITICAL]
    assert [each.severity for each in (await audited(ranged)).findings] == [Severity.LOW]


async def test_one_advisory_is_told_once_at_its_worst_place(
    audited: Auditor, server: OsvServer
) -> None:
    server.add("GHSA-1", LODASH, events=FIXED, database_specific=HIGH)
    places = [npm("^4.0.0", path="declared"), npm("4.17.20", "bundled", path="b")]
    (finding,) = (await audited(*places, npm("4.16.0", "bundled", path="c"))).findings
    assert (finding.path, finding.severity) == ("b", Severity.HIGH)
    assert finding.evidence["places"] == ["b", "c", "declared"]
    (alone,) = (await audited(npm("4.16.1", "bundled", path="elsewhere"))).findings
    assert alone.fingerprint == finding.fingerprint


async def test_withdrawn_and_unrated_advisories(audited: Auditor, server: OsvServer) -> None:
    server.add("GHSA-gone", LODASH, withdrawn="2026-01-01T00:00:00Z")
    server.add("GHSA-unrated", LODASH)
    (finding,) = (await audited(npm("4.17.20", "bundled"))).findings
    assert (finding.rule, finding.severity) == ("GHSA-unrated", Severity.MEDIUM)
    assert finding.evidence["severity"] == "not rated"


async def test_an_advisory_that_cannot_be_read_is_still_told(
    audited: Auditor, server: OsvServer
) -> None:
    server.add("GHSA-1", LODASH)
    server.records["GHSA-1"]["affected"].append("rubbish")
    server.records["GHSA-1"]["affected"].reverse()
    server.records["GHSA-1"]["affected"].pop(0)
    server.records["GHSA-1"]["references"] = 5
    told = await audited(npm("4.17.20", "bundled"))
    assert [(each.rule, each.severity) for each in told.findings] == [("GHSA-1", Severity.MEDIUM)]
    assert [each.reason for each in told.skipped] == ["advisory-unread"]


async def test_python_and_npm_together(audited: Auditor, server: OsvServer) -> None:
    aliases = ["PYSEC-2024-1", "CVE-2024-1"]
    events = [{"introduced": "0"}, {"fixed": "2.32.0"}]
    requests = ("PyPI", "requests")
    server.add("GHSA-1", requests, events=events, aliases=aliases, database_specific=HIGH)
    server.add("PYSEC-2024-1", requests, events=events, aliases=["GHSA-1"])
    server.add("GHSA-2", LODASH, events=FIXED)

    def python(wanted: str, how: str = "declared", name: str = "requests") -> Dependency:
        return Dependency(path=wanted, ecosystem="pypi", name=name, wanted=wanted, how=how)

    found = (await audited(python("2.31.0", "bundled"), npm("4.17.20"))).findings
    assert [(each.rule, each.severity) for each in found] == [
        ("GHSA-1", Severity.HIGH),
        ("GHSA-2", Severity.MEDIUM),
    ]
    assert found[0].evidence["aliases"] == ["CVE-2024-1", "PYSEC-2024-1"]
    assert found[0].evidence["fixed"] == ["2.32.0"]

    async def severities(wanted: str) -> list[Severity]:
        return [each.severity for each in (await audited(python(wanted))).findings]

    assert await severities(">=2.20,<3") == [Severity.LOW]
    assert await severities("<2.32") == [Severity.HIGH]
    assert await severities("") == []


async def test_what_was_not_audited_is_named(audited: Auditor, server: OsvServer) -> None:
    server.faults = [lambda: web.Response(status=503)] * 10
    told = await audited(
        npm("4.17.20", "bundled", path="a"),
        npm("file:../x", path="b"),
        npm("^one", path="c"),
        Dependency(
            path="d", ecosystem="npm", name="@acme/internal-x", wanted="1.0.0", how="declared"
        ),
        withheld=("@ACME/internal-*",),
    )
    assert told.findings == []
    assert [(each.path, each.reason) for each in told.skipped] == [
        ("a!/(bundled lodash 4.17.20)", "not-audited"),
        ("b!/(declared lodash file:../x)", "not-from-registry"),
        ("c!/(declared lodash ^one)", "malformed-dependency"),
        ("d!/(declared @acme/internal-x 1.0.0)", "internal-name"),
    ]


async def test_internal_names_are_told_to_nobody(audited: Auditor, server: OsvServer) -> None:
    internal = Dependency(
        path="d", ecosystem="pypi", name="Acme.Internal", wanted="==1", how="pinned"
    )
    await audited(internal, npm("4.17.20"), withheld=("acme-*",))
    assert server.names == {"lodash"}


async def test_no_dependencies_ask_nobody(audited: Auditor, server: OsvServer) -> None:
    told = await audited()
    assert (told.findings, told.skipped, server.asked) == ([], [], [])
