"""What most polls end in: a page that stands still, moves on, or tells of a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import Checkpoint, Gap, Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.model import Notice


def standing(checkpoint: Checkpoint, *, rows: int = 0) -> Page:
    """Nothing new. The checkpoint is the old one, also in when it moved."""
    return Page(notices=[], checkpoint=checkpoint, rows=rows)


def moved(
    checkpoint: Checkpoint,
    position: str,
    notices: Sequence[Notice],
    *,
    at: datetime,
    rows: int,
    gaps: Sequence[Gap] = (),
) -> Page:
    """The page after which the feed has been read up to ``position``."""
    if position != checkpoint.position:
        checkpoint = Checkpoint(feed=checkpoint.feed, position=position, moved_at=at)
    return Page(notices=list(notices), checkpoint=checkpoint, gaps=list(gaps), rows=rows)


def gap(
    checkpoint: Checkpoint,
    kind: str,
    detail: str,
    *,
    until: str = "",
    rewound_to: str | None = None,
    at: datetime | None = None,
) -> Page:
    """A page without notices that tells of a gap; the checkpoint stands unless it is rewound."""
    found = Gap(
        feed=checkpoint.feed, kind=kind, detail=detail, since=checkpoint.position, until=until
    )
    if rewound_to is not None:
        assert at is not None, "a checkpoint that moves says when"
        checkpoint = Checkpoint(feed=checkpoint.feed, position=rewound_to, moved_at=at)
    return Page(notices=[], checkpoint=checkpoint, gaps=[found])
