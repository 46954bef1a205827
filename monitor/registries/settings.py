"""What ``[registries]`` of leakmon.toml may say. Secrets arrive here already looked up."""

from __future__ import annotations

from msgspec import Struct, field

from monitor.http.settings import HttpSettings


class _Redacted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shows which keys are set, never their values: some are secrets."""

    def __repr__(self) -> str:
        names = [name for name in self.__struct_fields__ if getattr(self, name)]
        return f"{type(self).__name__}({', '.join(names)})"


class NpmSettings(_Redacted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[registries.npm]``: the registry, its change feed, and a token or a login for ``url``."""

    url: str = ""
    changes: str = ""
    poll_seconds: float = 5.0
    token: str = ""
    username: str = ""
    password: str = ""


class PypiSettings(_Redacted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[registries.pypi]``: the site (``simple/`` lies below it) and a login for its host.

    ``index`` names the Simple index itself where it is not ``simple/`` below ``url``.
    """

    url: str = ""
    index: str = ""
    poll_seconds: float = 20.0
    username: str = ""
    password: str = ""


class GithubSettings(_Redacted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[registries.github]``: the REST API, the site of the repositories, and a token for both.

    ``members``: also watch the repositories and gists of an organisation's public members.
    """

    api: str = ""
    url: str = ""
    poll_seconds: float = 60.0
    token: str = ""
    members: bool = False


class GitlabSettings(_Redacted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[registries.gitlab]``: the REST API, the site of the repositories, and a token for both."""

    api: str = ""
    url: str = ""
    poll_seconds: float = 60.0
    token: str = ""


class GitSettings(_Redacted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[registries.git]``: how often addresses are asked; the mirrors' folder and bytes."""

    cache: str = ""
    poll_seconds: float = 60.0
    cache_bytes: int = 20 << 30


class ProvenanceSettings(_Redacted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[provenance]``: whose attestations are asked for, and the file of the trusted root.

    ``ask`` is ``hint`` (of strangers only those that may be ours by what they say), ``all`` or
    ``off``. Without ``trusted_root`` the one of the sigstore package holds.
    """

    ask: str = "hint"
    trusted_root: str = ""


class NetworkSettings(Struct, frozen=True, kw_only=True):
    """Everything that the way out needs to know.

    ``repositories`` are those of all organisations, as they are written; ``cache_folder`` is where
    mirrors of repositories are kept if ``git.cache`` does not say, empty for a folder that goes
    with the process.
    """

    http: HttpSettings = field(default_factory=HttpSettings)
    npm: NpmSettings = field(default_factory=NpmSettings)
    pypi: PypiSettings = field(default_factory=PypiSettings)
    github: GithubSettings = field(default_factory=GithubSettings)
    gitlab: GitlabSettings = field(default_factory=GitlabSettings)
    git: GitSettings = field(default_factory=GitSettings)
    provenance: ProvenanceSettings = field(default_factory=ProvenanceSettings)
    repositories: list[str] = field(default_factory=list)
    cache_folder: str = ""
