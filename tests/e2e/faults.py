"""The weather of a crash run: each fault that registries and Slack are known for, counted when met.

Every kind comes once before any comes again, in an order of chance. Some are answers that go wrong
(``tests.watch_servers.faults``); some are things that happen to a registry: its serials go back,
its window of news is too small, several changes become one row, a file goes before it is fetched.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from tests.alerts.fake_slack import Fault

if TYPE_CHECKING:
    from random import Random

    from tests.e2e.daemon import Site

ANY, FILES, FEED = "", r"\.tgz$|^/files/", "_changes|^/pypi|^/rss"
ANSWERS = {
    "too-many": ANY,  # 429 with Retry-After: 0
    "unavailable": ANY,  # 503
    "cut": ANY,
    "slow-loris": FILES,
    "truncated": FILES,
    "wrong-digest": FILES,
    "not-found": FILES,  # 404 while it is being scanned
    "garbage": FEED,
    "empty-page": FEED,
}
PYPI_ANSWERS = {"older-body": FEED, "rate-limit": FEED}
SLACK = ("lost", "lost-500", "500", "cut", "429", "garbage")
EVENTS = ("roll-off", "serial-rollback", "serial-reset", "collapsed", "deletion")
ROLLED_BACK = 3


class Publishing(Protocol):
    """What the weather asks of the run: to publish in a way of its own."""

    @property
    def site(self) -> Site: ...

    def collapse(self) -> None:
        """Two versions of one package while nobody looks."""

    def delete(self) -> None:
        """A file that goes right after it came."""


class Weather:
    """``strike`` brings the next fault; ``taken`` counts those that were really met."""

    def __init__(self, run: Publishing, random: Random) -> None:
        self._run = run
        self._random = random
        self._bag: list[tuple[str, str]] = []
        self._events: Counter[str] = Counter()
        self._slack: Counter[str] = Counter()

    def strike(self) -> None:
        """The next of the bag."""
        if not self._bag:
            self._bag = _all()
            self._random.shuffle(self._bag)
        where, kind = self._bag.pop()
        site = self._run.site
        if where == "slack":
            site.slack.faults.append(Fault(kind, retry_after=1))
            self._slack[kind] += 1
        elif where == "event":
            self._happen(kind)
        elif where == "npm":
            site.npm.faults.switch_on(kind, ANSWERS[kind], times=1)
        else:
            site.pypi.faults.switch_on(kind, (ANSWERS | PYPI_ANSWERS)[kind], times=1)

    def calm(self) -> None:
        """All is well from now on."""
        site = self._run.site
        site.npm.faults.clear()
        site.pypi.faults.clear()
        site.pypi.window = 100
        for fault in site.slack.faults:
            self._slack[fault.kind] -= fault.times  # those that nobody met any more
        site.slack.faults.clear()

    @property
    def taken(self) -> dict[str, int]:
        """How often each fault was met, by where and kind."""
        site = self._run.site
        met = {f"npm {kind}": number for kind, number in site.npm.faults.taken.items()}
        met |= {f"pypi {kind}": number for kind, number in site.pypi.faults.taken.items()}
        met |= {f"slack {kind}": number for kind, number in self._slack.items()}
        met |= {kind: number for kind, number in self._events.items() if kind != "roll-off"}
        return dict(sorted(met.items()))

    @property
    def missed(self) -> list[str]:
        """The faults that never were met: the run did not show how they are borne."""
        names = {"slack": "slack {}", "npm": "npm {}", "pypi": "pypi {}", "event": "{}"}
        wanted = {names[where].format(kind) for where, kind in _all()} - {"roll-off"}
        met = {name for name, number in self.taken.items() if number > 0}
        return sorted((wanted | {"pypi roll-off"}) - met)

    def _happen(self, kind: str) -> None:
        site = self._run.site
        if kind == "roll-off":
            site.pypi.window = 1
        elif kind == "serial-rollback":
            # What was not read yet would be lost to everybody: a journal keeps no copy.
            site.until(self._is_journal_read, "the journal is not read")
            site.pypi.roll_back(ROLLED_BACK)
        elif kind == "serial-reset":
            site.until(self._is_feed_read, "the change feed is not read")
            site.npm.reset_feed()
        elif kind == "collapsed":
            self._run.collapse()
        else:
            self._run.delete()
        self._events[kind] += 1

    def _is_journal_read(self) -> bool:
        return self._position("pypi/changelog") == str(self._run.site.pypi.journal.serial)

    def _is_feed_read(self) -> bool:
        return self._position("npm/changes") == self._run.site.npm.sequence()

    def _position(self, feed: str) -> str:
        rows = self._run.site.rows(f"select position from checkpoints where feed = '{feed}'")  # noqa: S608 - ours
        return str(rows[0][0]) if rows else ""


def _all() -> list[tuple[str, str]]:
    return [
        *(("npm", kind) for kind in ANSWERS),
        *(("pypi", kind) for kind in ANSWERS | PYPI_ANSWERS),
        *(("slack", kind) for kind in SLACK),
        *(("event", kind) for kind in EVENTS),
    ]
