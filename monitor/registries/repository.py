"""A repository to be looked at as a whole: where it is, what it is called, and its package URLs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct
from packageurl import PackageURL

from monitor.errors import NotFoundError, TargetError

from . import places
from .targets import GithubTarget, GitTarget, LocalTarget

if TYPE_CHECKING:
    from .network import Network
    from .settings import NetworkSettings
    from .targets import Target

HISTORY = "history+"
"""Marks an artifact that is commits of a repository; the address of git follows."""


class Repository(Struct, frozen=True, kw_only=True):
    """``ecosystem`` is ``github``, ``gitlab`` or ``git``; ``name`` is what people call it.

    ``ref`` narrows to what leads to one branch, tag or commit.
    """

    ecosystem: str
    name: str
    address: str
    ref: str = ""

    @property
    def short(self) -> str:
        """The last part of its name."""
        return self.name.rstrip("/").rpartition("/")[2].removesuffix(".git") or "repository"

    def purl(self, commit: str, filename: str = "") -> str:
        """The package URL of a commit, or of a file that was made of commits up to it."""
        more = {"file_name": filename} if filename else {}
        if self.ecosystem == "git":
            more["vcs_url"] = f"git+{self.address}@{commit}"
            return PackageURL("generic", None, self.short, commit, more).to_string()
        owner, _, name = self.name.rpartition("/")
        return PackageURL(self.ecosystem, owner, name, commit, more).to_string()


GISTS = "/gists/"
"""Between the owner and the id in the name of a gist."""
ECOSYSTEMS = ("github", "gitlab", "git")


def named(ecosystem: str, name: str, settings: NetworkSettings) -> Repository:
    """The repository of a forge's or the operator's naming. A gist's address is not known here.

    Raises NotFoundError for a name that stands for no configured address.
    """
    if ecosystem == "github":
        address = f"{places.github(settings)[1]}{name}.git"
    elif ecosystem == "gitlab":
        address = f"{places.gitlab(settings)[1]}{name}.git"
    else:
        known = {name_of(each): each for each in settings.repositories if is_address(each)}
        if name not in known:
            raise NotFoundError(f"{name}: its address is not configured any more")
        address = known[name]
    return Repository(ecosystem=ecosystem, name=name, address=address.removeprefix("git+"))


def is_address(text: str) -> bool:
    """Whether an entry of ``repositories`` is an address of git, not a forge's short form."""
    return "://" in text or "@" in text


def of_target(target: Target, network: Network) -> Repository:
    """The repository that a target names. Raises TargetError (``no-history``) if it names none."""
    match target:
        case GithubTarget(is_release=False):
            address = network.github.address(target)
            return Repository(
                ecosystem="github", name=target.repository, address=address, ref=target.ref
            )
        case GitTarget():
            name = name_of(target.address)
            return Repository(ecosystem="git", name=name, address=target.address, ref=target.ref)
        case LocalTarget() if _is_repository(target.path):
            path = os.path.realpath(target.path)
            address = f"file://{path}"
            return Repository(ecosystem="git", name=os.path.basename(path), address=address)
        case _:
            raise TargetError(
                f"{target.text}: --history needs a repository: github:owner/name, a git address "
                "or a checkout",
                reason="no-history",
            )


def name_of(address: str) -> str:
    """``git.example/acme/x`` of ``https://git.example/acme/x.git``."""
    address = address.removeprefix("git+")
    if "://" not in address:
        return address.rpartition("@")[2].replace(":", "/", 1).removesuffix(".git")
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{host}/{parts.path.strip('/').removesuffix('.git')}".strip("/")


def _is_repository(path: str) -> bool:
    """A checkout, or a bare repository."""
    return os.path.exists(os.path.join(path, ".git")) or all(
        os.path.exists(os.path.join(path, name)) for name in ("HEAD", "objects", "refs")
    )
