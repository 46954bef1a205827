"""Everything that a repository's refs lead to, as ``leakmon scan --history`` inspects it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import structs

from monitor.errors import NotFoundError
from monitor.model import CommitMark, Release, Skipped
from monitor.pipeline.history import History
from monitor.registries.git_mirror import ALL_REFS
from monitor.registries.git_parts import COMMITS_AT_ONCE, SHORT, Parts
from monitor.registries.git_reading import OID, Refs
from monitor.registries.repository import Repository, of_target

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from monitor.detectors import Context
    from monitor.pipeline.history import Run
    from monitor.pipeline.progress import Progress
    from monitor.pipeline.subjects import Subject
    from monitor.registries.git_mirror import Mirror
    from monitor.registries.network import Network
    from monitor.registries.targets import Target
    from monitor.sandbox import Outcome

_TOLD_EVERY = 0.5  # seconds
_COMMITS = ("commit", "tag")


async def inspected(
    subject: Subject,
    target: Target,
    network: Network,
    folder: str,
    *,
    context: Context,
    run: Run,
    progress: Progress,
    at_once: int,
) -> list[Outcome]:
    """Inspect each commit's new files once; the subject knows its history when this returns.

    Raises NotFoundError, DeniedError, LimitError, TransientError, TargetError.
    """
    network.trust(target)
    repository = of_target(target, network)
    refs = await _refs(repository, network)
    subject.filename = f"{repository.short}.git"
    subject.release = Release(
        ecosystem=repository.ecosystem,
        name=repository.name,
        version=refs.head,
        artifacts=[],
        repository=repository.address,
    )
    async with network.mirrors.opened(repository.address) as mirror:
        fetching = mirror.fetch(refs.ids.values(), has_blobs=True)
        gone = await _watched(fetching, mirror, progress.fetching(subject.filename))
        marks, odd = await marked(mirror, refs)
        subject.skipped += [Skipped(each, "not-a-commit") for each in odd]
        subject.skipped += [Skipped(each[:SHORT], "object-gone") for each in gone]
        name = subject.filename
        parts = Parts(
            mirror, marks, folder, head=refs.head, advanced=lambda: progress.inspected(name)
        )
        progress.expect(-(-len(marks) // COMMITS_AT_ONCE))
        known = structs.replace(
            context, ecosystem=repository.ecosystem, name=repository.name, version=refs.head
        )
        return await History(parts, subject, known, run, at_once=at_once).outcomes()


async def marked(mirror: Mirror, refs: Refs) -> tuple[list[CommitMark], list[str]]:
    """Every commit with a ref that leads to it, the default branch's first, each oldest first.

    Also the names of refs that lead to no commit.
    """
    kinds = await mirror.kinds(refs.ids.values())
    names = {oid: name for name, oid in reversed(list(refs.ids.items()))}
    odd = [name for oid, name in names.items() if kinds.get(oid, ("",))[0] not in _COMMITS]
    head = [refs.head] if refs.head else []
    marks = [
        CommitMark(commit=each.id, ref=refs.head_ref or names.get(refs.head, ""))
        for each in await mirror.commits(head)
    ]
    marks += [
        CommitMark(commit=each.id, ref=names.get(each.source, ""))
        for each in await mirror.commits(list(names), head)
    ]
    return marks, odd


async def _refs(repository: Repository, network: Network) -> Refs:
    """The refs to look at: all branches and tags, or the one that was asked for."""
    ref = repository.ref
    if not ref:
        is_here = repository.address.startswith("file:")
        wanted = (*ALL_REFS, "refs/remotes/*") if is_here else ALL_REFS
        found = await network.mirrors.refs(repository.address, wanted)
        head = {found.head_ref or "HEAD": found.head} if found.head else {}
        return structs.replace(found, ids=head | found.ids)
    if OID.fullmatch(ref):
        return Refs(ids={ref: ref}, head=ref, head_ref=ref)
    wanted = (ref, f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/tags/{ref}^{{}}")
    found = await network.mirrors.refs(repository.address, wanted)
    for name in (f"refs/tags/{ref}", f"refs/heads/{ref}", ref):
        if name in found.ids:
            oid = found.ids[name]
            return Refs(ids={name: oid}, head=oid, head_ref=name)
    raise NotFoundError(f"{repository.name}: the repository has no branch or tag {ref!r}")


async def _watched(
    work: Coroutine[None, None, set[str]],
    mirror: Mirror,
    tell: Callable[[int, int | None], None],
) -> set[str]:
    """Wait for a fetch, and tell now and then how much of it has come."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_TOLD_EVERY)
            done = mirror.bytes_here()
            tell(done, done if task.done() else None)
        return task.result()
    finally:
        task.cancel()
