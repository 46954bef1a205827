"""What git says of refs, commits and trees, read without trust: each name is a stranger's. Pure."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from monitor.model import Change, Commit

if TYPE_CHECKING:
    from collections.abc import Iterator

OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
LOG_FORMAT = "tformat:%H%x09%at%x09%ct%x09%P%x09%S"
"""By tabs: ids, times of author and committer (epoch seconds), parents, where reached from."""

_REF = re.compile(r"refs/[^\x00-\x20~^:?*\[\\\x7f]{1,1000}")
_GITLINK = "160000"
_LATEST = 253_402_300_799  # the last second of the year 9999
_LOG_WORDS = 5


class Refs(Struct, frozen=True, kw_only=True):
    """A repository's refs: what each name (``refs/heads/main``) points to, peeled to a commit.

    ``head`` is the id of its default branch, ``head_ref`` that branch's name; empty where the
    server does not say. ``refused`` counts names that git itself would not take.
    """

    ids: dict[str, str] = field(default_factory=dict)
    head: str = ""
    head_ref: str = ""
    refused: int = 0


def refs(output: bytes) -> Refs:
    """The answer of ``git ls-remote --symref``."""
    ids: dict[str, str] = {}
    head = head_ref = ""
    refused = 0
    for line in output.decode("utf-8", "replace").splitlines():
        oid, _, name = line.partition("\t")
        if oid.startswith("ref: ") and name == "HEAD":
            head_ref = oid[5:] if is_ref(oid[5:]) else ""
            continue
        if not OID.fullmatch(oid):
            continue
        plain = name.removesuffix("^{}")
        if name == "HEAD":
            head = oid
        elif is_ref(plain):
            ids[plain] = oid  # a peeled tag comes after the tag's own object
        else:
            refused += 1
    return Refs(ids=ids, head=head, head_ref=head_ref, refused=refused)


def is_ref(name: str) -> bool:
    """Whether a name is a ref as git takes it (git-check-ref-format) and can be printed."""
    parts = name.split("/")
    return (
        _REF.fullmatch(name) is not None
        and name.isprintable()
        and ".." not in name
        and "@{" not in name
        and not name.endswith(".")
        and not any(part.startswith(".") or part.endswith(".lock") or not part for part in parts)
    )


def short(ref: str) -> str:
    """``main`` of ``refs/heads/main``, ``tag v1`` of ``refs/tags/v1``."""
    if ref.startswith("refs/tags/"):
        return f"tag {ref.removeprefix('refs/tags/')}"
    return ref.removeprefix("refs/heads/").removeprefix("refs/")


def commits(output: bytes) -> list[Commit]:
    """The answer of ``git log`` in ``LOG_FORMAT``, in its order."""
    found = []
    for line in output.decode("ascii", "replace").splitlines():
        words = line.split("\t")
        if len(words) != _LOG_WORDS or not OID.fullmatch(words[0]):
            continue
        oid, authored, committed, parents, source = words
        found.append(
            Commit(
                id=oid,
                parents=parents.split(),
                authored_at=moment(authored),
                committed_at=moment(committed),
                source=source if OID.fullmatch(source) else "",
            )
        )
    return found


def moment(seconds: str) -> datetime | None:
    """A commit's time, which its author may have made up; None for what is none."""
    if not re.fullmatch(r"-?[0-9]{1,20}", seconds):
        return None
    return datetime.fromtimestamp(max(0, min(int(seconds), _LATEST)), UTC)


def changes(output: bytes) -> Iterator[Change]:
    """The answer of ``git diff-tree --stdin -r -c --root -z --raw``: files that commits brought.

    Of a merge only what differs from all its parents. Removals and submodules are left out; of a
    symbolic link the blob is its target.
    """
    tokens = iter(output.split(b"\0"))
    commit = ""
    for token in tokens:
        if not token.startswith(b":"):
            text = token.decode("ascii", "replace").strip()
            commit = text if OID.fullmatch(text) else commit
            continue
        path = os.fsdecode(next(tokens, b""))
        words = token.decode("ascii", "replace").lstrip(":").split(" ")
        parents = len(token) - len(token.lstrip(b":"))
        if len(words) != 2 * parents + 3 or not commit or not path:
            continue
        mode, blob = words[parents], words[2 * parents + 1]
        if mode != _GITLINK and OID.fullmatch(blob) and set(blob) != {"0"}:
            yield Change(commit, path, blob)


def gitlinks(output: bytes) -> Iterator[Change]:
    """The submodules in the same answer: other repositories' commits, which are not looked at."""
    tokens = iter(output.split(b"\0"))
    commit = ""
    for token in tokens:
        if not token.startswith(b":"):
            commit = token.decode("ascii", "replace").strip() or commit
            continue
        path = os.fsdecode(next(tokens, b""))
        words = token.decode("ascii", "replace").lstrip(":").split(" ")
        parents = len(token) - len(token.lstrip(b":"))
        if len(words) == 2 * parents + 3 and words[parents] == _GITLINK and path:
            yield Change(commit, path, words[2 * parents + 1])


def tree_blobs(output: bytes) -> set[str]:
    """The ids of the files of ``git ls-tree -r -z``."""
    found = set()
    for record in output.split(b"\0"):
        words = record.partition(b"\t")[0].decode("ascii", "replace").split()
        if len(words) == 3 and words[1] == "blob":  # noqa: PLR2004 - mode, kind, id
            found.add(words[2])
    return found


def sizes(output: bytes) -> dict[str, tuple[str, int]]:
    """The answer of ``git cat-file --batch-check``: id -> kind and bytes; missing ones are not."""
    found = {}
    for line in output.decode("ascii", "replace").splitlines():
        words = line.split()
        if len(words) == 3 and words[2].isdigit():  # noqa: PLR2004 - id, kind, size
            found[words[0]] = (words[1], int(words[2]))
    return found
