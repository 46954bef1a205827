"""Who publishes what: releases and their files as registries announce them, and their owners."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from monitor.model.scales import PostureValue


class Artifact(Struct, frozen=True, kw_only=True):
    """One file of one release, as the registry announces it.

    ``digests`` maps an algorithm (``sha256``, ``sha512``, ``sha1``) to a lower-case hex digest.
    ``url`` is where the bytes are; it is empty for what is already on this machine.
    ``is_attested`` is whether the registry announces attestations of it, None if it did not say.
    """

    ecosystem: str
    name: str
    version: str
    filename: str
    purl: str
    url: str = ""
    size: int | None = None
    digests: dict[str, str] = field(default_factory=dict)
    published_at: datetime | None = None
    is_attested: bool | None = None


class Release(Struct, frozen=True, kw_only=True):
    """One version of one package with all its files and what its registry says of it."""

    ecosystem: str
    name: str
    version: str
    artifacts: list[Artifact]
    licence: str = ""
    repository: str = ""
    maintainers: list[str] = field(default_factory=list)
    publisher: str = ""
    published_at: datetime | None = None
    versions: list[str] = field(default_factory=list)


class NpmNames(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of npm belongs to an organisation: scopes (``@acme``), name globs, publishers."""

    scopes: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    maintainers: list[str] = field(default_factory=list)


class PypiNames(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of PyPI belongs to an organisation: name globs, PyPI organisations or users."""

    packages: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)


class Organisation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An owner of packages, as the operator describes them (``[[organisations]]``).

    ``posture`` is None where it is to be judged from evidence; ``licence`` is the SPDX expression
    which the operator expects on every package, empty for no expectation. Names and hosts are
    shell-style globs, compared in lower case. ``github_owner_ids`` and ``gitlab_namespace_ids`` are
    the forges' numbers of the owners whose builds are ours: unlike names they cannot be taken over
    by others, so where they are given they alone decide over proven builds. ``canaries`` are
    strings planted in private code, ``monorepo_paths`` folders of private repositories
    (``packages/billing``). ``lookalikes`` says whether strangers' names like these are told,
    ``allowed_lookalikes`` are globs of those that are known and fine.
    """

    name: str
    posture: PostureValue | None = None
    licence: str = ""
    npm: NpmNames = field(default_factory=NpmNames)
    pypi: PypiNames = field(default_factory=PypiNames)
    repositories: list[str] = field(default_factory=list)
    github_owner_ids: list[int] = field(default_factory=list)
    gitlab_namespace_ids: list[int] = field(default_factory=list)
    domains: list[str] = field(default_factory=list)
    internal_hosts: list[str] = field(default_factory=list)
    internal_names: list[str] = field(default_factory=list)
    code_names: list[str] = field(default_factory=list)
    canaries: list[str] = field(default_factory=list)
    monorepo_paths: list[str] = field(default_factory=list)
    lookalikes: bool = True
    allowed_lookalikes: list[str] = field(default_factory=list)
