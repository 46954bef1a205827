"""What a place holds (its repositories), as a feed's position, and what is other than it was. Pure.

A feed of repositories has no sequence: its position is the list itself, as JSON, each name with
the forge's number, the time of the last push and a mark of releases and branches. A repository that
appears is new or newly public: all of it counts. One that was there from the start is tracked.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from monitor.model import Notice
from monitor.watchers import actions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.registries.git_reading import Refs

MAX_REPOSITORIES = 20_000
_MAX_NAME = 400


class Holding(Struct, frozen=True, array_like=True):
    """One repository. ``number`` is the forge's own (0: none), ``pushed`` epoch seconds.

    ``mark`` changes with whatever else is worth a look, empty where it was not asked for.
    ``is_fork``: it began as a copy, so its past is somebody else's.
    """

    number: int
    pushed: int
    mark: str = ""
    is_fork: bool = False


Holdings = dict[str, Holding]


def read(position: str) -> Holdings | None:
    """The holdings that a position stands for; None for the beginning. ValueError for neither."""
    if not position:
        return None
    try:
        return msgspec.json.decode(position, type=Holdings)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"not a position of repositories ({error})") from error


def written(holdings: Mapping[str, Holding]) -> str:
    """The position; the same for the same holdings."""
    return msgspec.json.encode(dict(sorted(holdings.items()))).decode()


def is_name(name: object) -> bool:
    """Whether a forge's answer names a repository that can be one."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= _MAX_NAME
        and name.isprintable()
        and not any(part in {"", ".", ".."} for part in name.split("/"))
        and not any(character in name for character in " ?#%\\:@*[]\"'<>|&;$`")
        and not name.startswith("-")
    )


def compared(
    ecosystem: str, before: Holdings | None, after: Holdings, *, place: str, is_whole: bool
) -> tuple[list[Notice], Holdings]:
    """What is other, as notices, and the holdings to go on from.

    ``is_whole`` is False where ``after`` is only the first part of a list: what is not in it is
    then where it was.
    """
    notices = []
    known = before or {}
    numbers = {one.number for one in known.values() if one.number}
    for name, one in after.items():
        action = _action(one, known.get(name), numbers, is_first=before is None)
        if action:
            notices.append(_notice(ecosystem, name, action, one, place))
    gone = [name for name in known if name not in after] if is_whole else []
    notices += [_notice(ecosystem, name, actions.REMOVED, known[name], place) for name in gone]
    kept = {name: one for name, one in known.items() if not is_whole or name in after}
    return notices, kept | {name: _merged(known.get(name), one) for name, one in after.items()}


def _action(one: Holding, known: Holding | None, numbers: set[int], *, is_first: bool) -> str:
    if known is None:
        is_old = is_first or one.is_fork or one.number in numbers  # numbers: it was renamed
        return actions.TRACKED if is_old else actions.FOUND
    is_marked = bool(one.mark and known.mark) and one.mark != known.mark
    return actions.CHANGED if one.pushed > known.pushed or is_marked else ""


def _merged(known: Holding | None, one: Holding) -> Holding:
    if known is None or one.mark:
        return one
    return Holding(one.number, one.pushed, known.mark, one.is_fork)


def _notice(ecosystem: str, name: str, action: str, one: Holding, place: str) -> Notice:
    return Notice(
        ecosystem=ecosystem,
        name=name,
        action=action,
        position=f"{action}/{one.number}/{one.pushed}/{one.mark}"[:200],
        occurred_at=at(one.pushed) if action != actions.REMOVED else None,
        place=place,
    )


def at(seconds: int) -> datetime | None:
    """Epoch seconds as a time; None for 0."""
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 1 << 36 else None


def epoch(moment: datetime | None) -> int:
    """A time as epoch seconds; 0 for none."""
    return int(moment.timestamp()) if moment is not None else 0


def digest(refs: Refs) -> str:
    """The same for the same refs."""
    lines = [f"{oid} {name}\n" for name, oid in sorted(refs.ids.items())]
    return hashlib.sha256("".join([f"{refs.head}\n", *lines]).encode()).hexdigest()[:32]
