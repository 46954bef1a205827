"""Where an artifact was built, as far as its registry's attestations prove it."""

from __future__ import annotations

from msgspec import Struct

VERIFIED = "verified"
INVALID = "invalid"
UNVERIFIABLE = "unverifiable"
ABSENT = "absent"


class Builder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The build that signed, from the extensions of its certificate and from nowhere else.

    ``kind`` is ``github``, ``gitlab`` or ``other`` (then only ``issuer`` says who vouched for it).
    ``repository`` is ``owner/name``; ``repository_id`` and ``owner_id`` are the forge's numbers,
    which survive renames. ``workflow`` is the path of the build's configuration, ``ref`` and
    ``commit`` what it ran on.
    """

    kind: str
    issuer: str = ""
    repository: str = ""
    repository_id: str = ""
    owner_id: str = ""
    workflow: str = ""
    ref: str = ""
    commit: str = ""

    @property
    def owner(self) -> str:
        """The repository's owner: for GitLab the group with its parents."""
        return self.repository.rpartition("/")[0]


class Provenance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an artifact's attestations.

    ``state`` is ``verified`` (signed by ``builder`` for these very bytes under this very name),
    ``invalid`` (announced, and wrong), ``unverifiable`` (announced, and nobody could look) or
    ``absent`` (its registry has none). ``reason`` is a kebab-case code, ``detail`` the same in one
    line; both are empty where it is verified. Only a verified one has a ``builder``.
    """

    state: str
    reason: str = ""
    detail: str = ""
    builder: Builder | None = None

    @property
    def is_verified(self) -> bool:
        """Whether ``builder`` may be believed."""
        return self.state == VERIFIED and self.builder is not None
