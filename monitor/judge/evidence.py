"""The facts about a package that its posture is concluded from, gathered from all who say them."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from monitor.model import Inspection, Organisation, Release

_PRIVATE_SUFFIX = r"\.(?:corp|internal|intra|intranet|lan|local|localdomain|home|private)$"
_PRIVATE_REGISTRY = (
    r"artifactory|jfrog|nexus|verdaccio|codeartifact|pkgs\.dev\.azure|visualstudio\.com|pkg\.dev"
    r"|pkg\.github|gitlab|cloudsmith|gemfury|packagecloud|proget|npm-private"
)
_PUBLIC_FORGE = (
    r"(?i)^(?:(?:github|gitlab|bitbucket):)?[\w.-]+/[\w.-]+$|(?:^|[/@.])(?:github\.com|gitlab\.com"
    r"|bitbucket\.org|codeberg\.org|git\.sr\.ht|gitee\.com)[/:]"
)
"""Also npm's short forms ``owner/name`` and ``gitlab:owner/name``."""


class Facts:
    """What the manifest, the registry and the operator say of one package.

    The registry's words fill what the manifest leaves empty; ``is_from_registry`` tells whether the
    artifact was published at all, or lies on this machine.
    """

    def __init__(
        self,
        inspection: Inspection,
        target: str,
        organisation: Organisation | None,
        release: Release | None,
    ) -> None:
        manifest = inspection.main_manifest
        self.manifest = manifest
        self.organisation = organisation
        self.is_from_registry = release is not None or target.startswith(("pkg:", "npm:", "pypi:"))
        self.name = (release.name if release else "") or (manifest.name if manifest else "")
        declared = manifest.licence if manifest else ""
        self.licence = declared or (release.licence if release else "")
        repository = manifest.repository if manifest else ""
        self.repository = repository or (release.repository if release else "")
        self.publish_registry = manifest.publish_registry if manifest else ""
        self.classifiers = manifest.classifiers if manifest else []
        self.is_private = bool(manifest and manifest.is_private)
        self._homes = {
            urlsplit(artifact.url).hostname for artifact in (release.artifacts if release else [])
        }

    @property
    def is_known(self) -> bool:
        """Whether anybody said anything at all of the package."""
        return self.manifest is not None or bool(self.licence or self.repository)

    @property
    def is_named_internal(self) -> bool:
        """Whether the name is on the operator's list of internal names."""
        names = self.organisation.internal_names if self.organisation else []
        name = self.name.lower()
        return bool(name) and any(fnmatchcase(name, each.lower()) for each in names)

    @property
    def is_on_public_forge(self) -> bool:
        """Whether the repository that is named lies where the public has access, if it may."""
        return bool(re.search(_PUBLIC_FORGE, self.repository))

    @property
    def internal_registry(self) -> str:
        """The host of an internal registry that the package is meant for, or nothing."""
        host = host_of(self.publish_registry)
        if not host or host in self._homes or not self._is_internal(host):
            return ""
        return host

    def _is_internal(self, host: str) -> bool:
        if (
            re.search(_PRIVATE_SUFFIX, host)
            or re.search(_PRIVATE_REGISTRY, host)
            or "." not in host
        ):
            return True
        if self.organisation is not None:
            own = self.organisation
            if any(fnmatchcase(host, each.lower()) for each in own.internal_hosts):
                return True
            if any(host == each or host.endswith(f".{each}") for each in own.domains):
                return True
        from ipaddress import ip_address

        try:
            return ip_address(host).is_private
        except ValueError:
            return False


def host_of(url: str) -> str:
    """The host name of an address in lower case, empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
