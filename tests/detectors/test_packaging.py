from __future__ import annotations

from typing import Any

import pytest

from monitor.detectors import Context
from monitor.detectors.packaging import conclude
from monitor.detectors.packaging.origin import NPM_MTIME
from monitor.model import (
    Finding,
    Hazard,
    Inspection,
    Manifest,
    MemberRecord,
    Severity,
    Skipped,
    SourceMapRecord,
)
from tests.detectors.samples import records

WHEEL = "acme-1.0-py3-none-any.whl!/"
NPM = Manifest(path="acme.tgz!/package/package.json", ecosystem="npm", name="acme")
PYPI = Manifest(path=f"{WHEEL}acme-1.0.dist-info/METADATA", ecosystem="pypi", name="acme")


def _record(**named: int) -> Manifest:
    path = f"{WHEEL}acme-1.0.dist-info/RECORD"
    content = {name.replace("__", "/"): size for name, size in named.items()}
    return Manifest(path=path, ecosystem="pypi", raw={"record": content})


def _rules(inspection: Inspection, context: Context | None = None) -> dict[str, Finding]:
    found = conclude(inspection, context or Context())
    assert len({each.rule for each in found}) == len(found)
    return {each.rule: each for each in found}


def test_an_ordinary_package_has_no_findings() -> None:
    members = records("acme.tgz!/package/index.js", mtime=NPM_MTIME)
    assert _rules(Inspection(members=members, manifests=[NPM])) == {}


@pytest.mark.parametrize(("number", "told"), [(1, "1 archive member with"), (2, "2 archive memb")])
def test_one_is_one_and_two_are_two(number: int, told: str) -> None:
    hazards = [Hazard(f"a.tgz!/../{place}", "traversal", "leads out") for place in range(number)]
    gaps = [Skipped(f"{place}", "truncated") for place in range(number)]
    found = _rules(Inspection(hazards=hazards, skipped=gaps))
    assert found["archive-traversal"].message.startswith(told)
    item = "1 item could" if number == 1 else "2 items could"
    assert item in found["not-fully-inspected"].message


def test_hazards_of_one_kind_are_one_finding() -> None:
    hazards = [Hazard(f"a.tgz!/../{number}", "traversal", "leads out") for number in range(40)]
    finding = _rules(Inspection(hazards=hazards))["archive-traversal"]
    assert finding.severity is Severity.MEDIUM
    assert "nothing was extracted" in finding.message
    assert finding.evidence["count"] == 40
    assert len(finding.evidence["paths"]) == 20


def test_a_link_inside_the_package_is_low() -> None:
    inspection = Inspection(hazards=[Hazard("a", "link", "x"), Hazard("b", "link-escape", "y")])
    found = _rules(inspection)
    assert found["archive-link"].severity is Severity.LOW
    assert found["archive-link-escape"].severity is Severity.MEDIUM


def test_whatever_was_skipped_is_said_at_medium() -> None:
    inspection = Inspection(skipped=[Skipped("a", "truncated"), Skipped("b", "encrypted")])
    finding = _rules(inspection)["not-fully-inspected"]
    assert finding.severity is Severity.MEDIUM
    assert finding.kind == "not-inspected"
    assert finding.evidence["reasons"] == {"truncated": 1, "encrypted": 1}


def test_what_is_told_of_a_map_is_not_told_again() -> None:
    cut = SourceMapRecord(path="a.map", origin="file", sources=[], problem="truncated")
    own = [Skipped("a.map", "truncated")]
    assert _rules(Inspection(source_maps=[cut], skipped=own)) == {}
    others = [*own, Skipped("a.map", "over-depth"), Skipped("b.map", "truncated")]
    finding = _rules(Inspection(source_maps=[cut], skipped=others))["not-fully-inspected"]
    assert finding.evidence["paths"] == ["a.map", "b.map"]


def _wheel(sizes: dict[str, int], **named: int) -> Inspection:
    members = [MemberRecord(WHEEL + path, size, "zip") for path, size in sizes.items()]
    return Inspection(members=members, manifests=[PYPI, _record(**named)])


def test_a_wheel_that_fits_its_record_is_quiet() -> None:
    sizes = {"acme/a.py": 5, "acme/b.zip!/x": 9, "acme-1.0.dist-info/RECORD": 50}
    assert _rules(_wheel(sizes, **{"acme__a.py": 5, "acme__b.zip": 77})) == {}


def test_a_wheel_that_differs_from_its_record_is_told() -> None:
    sizes = {"acme/a.py": 6, "acme/extra.py": 9, "acme-1.0.dist-info/RECORD": 50}
    finding = _rules(_wheel(sizes, **{"acme__a.py": 5}))["wheel-record-mismatch"]
    assert finding.evidence["unlisted"] == ["acme/extra.py"]
    assert finding.evidence["resized"] == ["acme/a.py"]


def test_a_folder_of_installed_packages_is_no_wheel() -> None:
    path = "b-2.0.dist-info/RECORD"
    other = Manifest(path=WHEEL + path, ecosystem="pypi", raw={"record": {"b.py": 1}})
    loose = Manifest(path=path, ecosystem="pypi", raw={"record": {"b.py": 1}})
    assert _rules(Inspection(members=records(WHEEL + "x.py"), manifests=[_record(), other])) == {}
    assert _rules(Inspection(members=records("x.py"), manifests=[loose])) == {}


@pytest.mark.parametrize(
    "orphan",
    ["acme/gone.pyc", "acme/gone.pyc!/constants", "acme/__pycache__/gone.cpython-311.pyc",
     "acme/__pycache__/gone.cpython-311.opt-1.pyc!/constants"],
)  # fmt: skip
def test_bytecode_without_its_source_is_high(orphan: str) -> None:
    quiet = ("acme/here.py", "acme/here.pyc!/x", "acme/__pycache__/here.cpython-311.pyc")
    members = records(*(WHEEL + path for path in (*quiet, orphan)))
    finding = _rules(Inspection(members=members, manifests=[PYPI]))[
        "python-bytecode-without-source"
    ]
    assert finding.severity is Severity.HIGH
    assert finding.evidence["count"] == 1
    assert "gone" in finding.path
    assert _rules(Inspection(members=members[:3], manifests=[PYPI])) == {}
    assert _rules(Inspection(members=members, manifests=[NPM])) == {}


@pytest.mark.parametrize(
    ("ecosystem", "name", "manifest", "is_told"),
    [
        ("npm", "acme", NPM, False),
        ("npm", "acme-cli", NPM, True),
        ("pypi", "Acme", PYPI, False),
        ("pypi", "other", PYPI, True),
        ("pypi", "other", NPM, False),
        ("", "", NPM, False),
    ],
)
def test_the_manifest_s_name_is_the_registry_s(
    ecosystem: str, name: str, manifest: Manifest, *, is_told: bool
) -> None:
    found = _rules(Inspection(manifests=[manifest]), Context(ecosystem=ecosystem, name=name))
    assert ("manifest-name-mismatch" in found) is is_told
    assert all(each.severity is Severity.HIGH for each in found.values())


def test_the_outermost_manifest_names_the_package() -> None:
    nested = Manifest(
        path="acme.tgz!/package/old.tgz!/package/package.json", ecosystem="npm", name="old"
    )
    context = Context(ecosystem="npm", name="acme")
    assert _rules(Inspection(manifests=[nested, NPM]), context) == {}


def test_names_of_people_as_owners_are_low() -> None:
    machines = records("a", owner="root") + records("b", owner="runner") + records("c", owner="501")
    assert _rules(Inspection(members=machines)) == {}
    finding = _rules(Inspection(members=machines + records("d", owner="jane.doe")))
    assert finding["archive-owner-name"].severity is Severity.LOW
    assert finding["archive-owner-name"].evidence["owners"] == ["jane.doe"]


def _npm(*paths: str, mtime: int) -> dict[str, Any]:
    members = records(*(f"acme.tgz!/package/{path}" for path in paths), mtime=mtime)
    return dict(_rules(Inspection(members=members, manifests=[NPM])))


def test_another_packer_is_told_as_context_only() -> None:
    assert _npm("index.js", mtime=1_700_000_000) == {}
    assert _npm("package-lock.json", mtime=NPM_MTIME) == {}
    found = _npm("index.js", "package-lock.json", mtime=1_700_000_000)
    assert found["npm-packer-unusual"].severity is Severity.INFO
