"""What a detector may know beyond the bytes before it."""

from __future__ import annotations

from msgspec import Struct

from monitor.model import Organisation
from monitor.model.profiles import Profile


class Context(Struct, frozen=True, kw_only=True):
    """The circumstances of one inspection; empty fields are unknown.

    ``ecosystem``, ``name`` and ``version`` are what the registry calls the artifact (from its
    package URL), not what the artifact says of itself. ``now`` is Unix time in whole seconds; 0
    leaves expiry unjudged. ``has_secrets`` asks for secret values in clear, ``has_dependencies``
    for what the artifact asks for, pins and carries of other packages, ``has_shape`` for all that
    versions are compared by. ``history`` are the versions before this one, the newest first,
    ``publisher`` who published this one; ``provenance`` and ``builder`` are as in a Profile.
    """

    ecosystem: str = ""
    name: str = ""
    version: str = ""
    organisation: Organisation | None = None
    now: int = 0
    has_secrets: bool = False
    has_dependencies: bool = False
    has_shape: bool = True
    publisher: str = ""
    provenance: str = ""
    builder: str = ""
    history: tuple[Profile, ...] = ()


NOTHING_KNOWN = Context()
"""The context of a file that nobody has said anything of."""

_FIXTURE_PARTS = (
    "/test/", "/tests/", "/testing/", "/__tests__/", "/spec/", "/fixtures/", "/fixture/",
    "/testdata/", "/test_data/", "/test-data/", "/mock/", "/mocks/", "/__mocks__/",
    "/examples/", "/example/",
)  # fmt: skip


def is_fixture(path: str) -> bool:
    """Whether a path lies in a folder of test data or examples."""
    return any(part in f"/{path.lower()}" for part in _FIXTURE_PARTS)


def is_documentation(path: str) -> bool:
    """Whether a path is prose for readers, or made of examples."""
    name = path[path.rfind("/") + 1 :].lower()
    is_prose = name.endswith((".md", ".rst", ".adoc", ".mdx"))
    return is_prose or "examples" in name or is_fixture(path)
