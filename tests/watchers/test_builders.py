"""Whose a proven build is, and when it is worth a request to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Organisation
from monitor.model.provenance import Builder, Provenance
from monitor.watchers import proving
from monitor.watchers.perimeter import PackageFacts, Perimeter, builders
from monitor.watchers.perimeter.facts import of_npm, of_pypi

if TYPE_CHECKING:
    from monitor.model import Ownership

NAMES = Organisation(name="acme", repositories=["github:acme", "gitlab:acme/team"])
IDS = Organisation(name="acme", repositories=["github:acme"], github_owner_ids=[123])
NUMBERS = Organisation(name="acme", github_owner_ids=[123], gitlab_namespace_ids=[55])


def by(repository: str, owner_id: str = "123", kind: str = "github") -> Builder:
    return Builder(kind=kind, repository=repository, owner_id=owner_id)


FITS: list[tuple[Organisation, Builder, str]] = [
    (NAMES, by("acme/cli"), "provenance: github:acme (id 123), verified"),
    (NAMES, by("Acme/Cli", ""), "provenance: github:Acme, verified"),
    (NAMES, by("acme-evil/cli"), ""),
    (NAMES, by("evil/acme"), ""),
    (NAMES, by("acme/team/deep/x", "55", "gitlab"),
     "provenance: gitlab:acme/team/deep (id 55), verified"),
    (NAMES, by("acme/other", "55", "gitlab"), ""),
    (IDS, by("acme/cli"), "provenance: github:acme (id 123), verified"),
    (IDS, by("renamed/cli"), "provenance: github:renamed (id 123), verified"),
    (IDS, by("acme/cli", "666"), ""),  # the name was left, and taken by somebody else
    (IDS, by("acme/cli", ""), ""),
    (IDS, by("acme/cli", "123", "gitlab"), ""),
    (NUMBERS, by("x/y", "55"), ""),  # a number of GitLab's
    (NUMBERS, by("x/y", "55", "gitlab"), "provenance: gitlab:x (id 55), verified"),
    (NAMES, Builder(kind="other", issuer="https://build.example"), ""),
    (Organisation(name="acme"), by("acme/cli"), ""),
]  # fmt: skip


def test_a_build_is_ours_by_the_owners_number_or_the_repositorys_name() -> None:
    assert FITS
    for own, builder, reason in FITS:
        assert builders.fit(own, builder) == reason, builder


MAY_BE: list[tuple[Organisation, list[str], bool]] = [
    (NAMES, [], True),
    (NAMES, ["https://docs.acme.example/"], True),
    (NAMES, ["git+https://github.com/acme/cli.git"], True),
    (NAMES, ["https://github.com/acme/cli/tree/main/packages/x"], True),
    (NAMES, ["https://github.com/evil/cli"], False),
    (NAMES, ["https://github.com/evil/cli", "https://github.com/acme/cli"], True),
    (NAMES, ["https://gitlab.com/acme/team/x"], True),
    (NAMES, ["https://gitlab.com/acme/other"], False),
    (IDS, ["github:renamed/cli"], False),
    (NUMBERS, ["github:renamed/cli"], True),
]


def test_a_hint_is_what_a_package_says_of_its_repository() -> None:
    assert MAY_BE
    for own, claimed, expected in MAY_BE:
        assert builders.may_be(own, claimed) is expected, claimed


def facts(proof: Provenance | None = None, **more: Any) -> PackageFacts:
    return PackageFacts(ecosystem="npm", name="unrelated", provenance=proof, **more)


def verified(repository: str, owner_id: str = "123") -> Provenance:
    return Provenance(state="verified", builder=by(repository, owner_id))


INVALID = Provenance(state="invalid", reason="signature", detail="x")


def test_a_proof_goes_before_a_claim_and_a_claim_tells_what_it_lacks() -> None:
    perimeter = Perimeter([IDS])

    def reason(proof: Provenance | None) -> str:
        found = perimeter.by_metadata(facts(proof, repositories=["github:acme/cli"]))
        assert found is not None
        return found.reason

    claim = "repository github:acme (github:acme/cli)"
    assert reason(None) == claim
    assert reason(verified("acme/cli")) == "provenance: github:acme (id 123), verified"
    assert reason(verified("evil/cli", "666")) == (
        f"{claim}, claimed: it is built by github:evil (id 666)"
    )
    assert reason(INVALID) == f"{claim}, claimed: its provenance does not hold (signature)"
    assert perimeter.by_metadata(facts(INVALID)) is None
    assert perimeter.by_metadata(facts(verified("evil/cli", "666"))) is None


def test_a_builder_beside_a_state_that_is_not_verified_is_not_believed() -> None:
    for state in ("invalid", "unverifiable", "absent"):
        proof = Provenance(state=state, builder=by("acme/cli"))
        assert Perimeter([IDS]).by_metadata(facts(proof)) is None


def test_what_was_ours_by_proof_stays_until_another_is_proven() -> None:
    perimeter = Perimeter([IDS])
    known = perimeter.by_metadata(facts(verified("acme/cli")))
    assert known is not None

    def stays(proof: Provenance | None, owner: Ownership | None = None) -> bool:
        return proving.stays(known, owner, facts(proof))

    assert stays(None)
    assert stays(INVALID)
    assert not stays(verified("evil/cli", "666"))
    claim = perimeter.by_metadata(facts(None, repositories=["github:acme/cli"]))
    assert stays(None, claim), "a claim does not take the place of a proof"
    assert not proving.stays(claim, None, facts(None))


def test_only_what_is_worth_it_is_asked() -> None:
    dist = {"integrity": "sha512-AAAA", "attestations": {"url": "http://elsewhere.example"}}
    manifest = {"version": "1.0.0", "dist": dist}
    hinted = of_npm("x", manifest)
    plain = of_npm("x", manifest | {"dist": {"integrity": "sha512-AAAA"}})
    other = of_npm("x", manifest | {"repository": "github:evil/x"})
    asked = {
        ask: [Perimeter([IDS], ask).is_asking(each) for each in (hinted, plain, other)]
        for ask in ("hint", "all", "off")
    }
    assert asked == {
        "hint": [True, False, False],
        "all": [True, False, True],
        "off": [False, False, False],
    }
    assert not Perimeter([Organisation(name="a", domains=["a.example"])], "all").is_asking(hinted)


def test_numbers_alone_make_strangers_worth_a_look() -> None:
    perimeter = Perimeter([NUMBERS])
    assert perimeter.needs_metadata("npm")
    assert perimeter.is_on("pypi")
    assert not perimeter.needs_metadata("github")
    assert not Perimeter([NUMBERS], "off").needs_metadata("npm")
    assert perimeter.told("npm") == ["provenance github owner 123, gitlab owner 55"]


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(JSON, JSON)
def test_no_metadata_breaks_the_newest_file(one: Any, other: Any) -> None:
    for dist in (one, {"integrity": other}, {"attestations": other, "shasum": one}):
        of_npm("@acme/x", {"version": one, "dist": dist})
        of_npm("x", {"version": "1.0.0", "dist": dist})
    for urls in (one, [one], [{"filename": one, "digests": other}], [{"digests": {"sha256": one}}]):
        of_pypi("x", {"info": {"version": "1.0"}, "urls": urls})
        of_pypi("x", {"info": one, "urls": urls})
