"""GitHub: one issue per incident in a private repository, one comment for each further event.

Every text carries the event's id in an HTML comment, by which it is found again after a lost
answer. The issue follows the incident: closed when it is settled, reopened with it. A repository
that is public is refused: the issue would tell of the leak. Needs a token that may read metadata
and write issues.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from monitor.alerts.errors import MisconfiguredError
from monitor.alerts.post import decoded, request
from monitor.alerts.telling import Telling, digest_lines, digest_subject, line, telling
from monitor.model import Digest, IncidentState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monitor.alerts.settings import AlertSettings, GithubSettings, Reach
    from monitor.model import Outgoing

MAX_BODY = 60_000
_PAGE = 100
_MAX_PAGES = 10
_REMEDY = "look at alerts.github.repository, and whether the token may write its issues"
_SETTLED = {IncidentState.RESOLVED: "completed", IncidentState.FALSE_POSITIVE: "not_planned"}


def channel(settings: AlertSettings) -> GithubChannel | None:
    """The configured channel, None if there is none."""
    return GithubChannel(settings.github, settings.reach) if settings.github is not None else None


class GithubChannel:
    """One repository. A message's id is the issue's number, ``7`` or, for comments, ``7#123``."""

    name = "github"

    def __init__(
        self,
        settings: GithubSettings,
        reach: Reach,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._reach = reach
        self._now = now
        self._is_private = False

    async def send(self, outgoing: Outgoing) -> str:
        """See ``monitor.alerts.Channel``. The one post is the last thing but closing."""
        await self._refuse_public()
        told = telling(outgoing, self._now())
        if outgoing.thread is None:
            content: dict[str, Any] = {"title": told.subject, "body": _body(told, outgoing)}
            content["labels"] = ["leakmon", *self._settings.labels]
            made = await self._call("POST", "issues", content)
            return str(made["number"])
        number = outgoing.thread.partition("#")[0]
        await self._stand(number, outgoing)
        content = {"body": _body(told, outgoing)}
        made = await self._call("POST", f"issues/{number}/comments", content)
        return f"{number}#{made['id']}"

    async def digest(self, digest: Digest) -> str:
        """See ``monitor.alerts.Channel``."""
        await self._refuse_public()
        lines = "\n".join(f"- {_plain(each)}" for each in digest_lines(digest))
        body = f"{lines[: MAX_BODY - 200]}\n\n{_mark(digest)}"
        content = {"title": digest_subject(digest), "body": body, "labels": ["leakmon"]}
        made = await self._call("POST", "issues", content)
        return str(made["number"])

    async def find(self, outgoing: Outgoing | Digest) -> str | None:
        """See ``monitor.alerts.Channel``."""
        mark = _mark(outgoing)
        if outgoing.thread is None:
            since = outgoing.created_at.astimezone(UTC)
            asked = f"issues?labels=leakmon&state=all&since={since:%Y-%m-%dT%H:%M:%SZ}"
            found = await self._search(asked, mark)
            return str(found["number"]) if found else None
        number = outgoing.thread.partition("#")[0]
        found = await self._search(f"issues/{number}/comments?", mark)
        return f"{number}#{found['id']}" if found else None

    async def check(self) -> str:
        """See ``monitor.alerts.Channel``: the repository is there, private, and has issues."""
        about = await self._refuse_public()
        if not about.get("has_issues", True):
            raise MisconfiguredError(
                f"alerts.github.repository: {self._settings.repository} has no issues: "
                "switch them on in its settings",
                reason="no-issues",
            )
        return f"issues of {self._settings.repository}, which is private"

    async def notify(self, text: str) -> str:
        """See ``monitor.alerts.Channel``: an issue that is closed at once."""
        await self._refuse_public()
        content = {"title": line(f"leakmon: {text}", 200), "body": _plain(line(text, 2000))}
        made = await self._call("POST", "issues", content | {"labels": ["leakmon"]})
        number = str(made["number"])
        await self._call("PATCH", f"issues/{number}", {"state": "closed"})
        return number

    async def _refuse_public(self) -> Mapping[str, Any]:
        """What GitHub says of the repository; asked once while it is private."""
        if self._is_private:
            return {}
        about: Mapping[str, Any] = await self._call("GET", "")
        self._is_private = about.get("private") is True
        if not self._is_private:
            raise MisconfiguredError(
                f"alerts.github.repository: {self._settings.repository} is public: everybody "
                "would read of the leak; name a private one",
                reason="public-repository",
            )
        return about

    async def _stand(self, number: str, outgoing: Outgoing) -> None:
        """Close or reopen the issue as the incident stands. Doing it twice is harmless."""
        reason = _SETTLED.get(outgoing.incident.state)
        state = {"state": "closed", "state_reason": reason} if reason else {"state": "open"}
        await self._call("PATCH", f"issues/{number}", state)

    async def _search(self, asked: str, mark: str) -> Mapping[str, Any] | None:
        for page in range(1, _MAX_PAGES + 1):
            found = await self._call("GET", f"{asked}&per_page={_PAGE}&page={page}")
            rows = found if isinstance(found, list) else []
            for each in rows:
                if isinstance(each, dict) and mark in str(each.get("body") or ""):
                    return each
            if len(rows) < _PAGE:
                break
        return None

    async def _call(self, method: str, path: str, content: Any = None) -> Any:
        settings = self._settings
        below = f"/{path}" if path else ""
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {settings.token()}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        reply = await request(
            method, f"{settings.api.rstrip('/')}/repos/{settings.repository}{below}",
            reach=self._reach, channel=self.name, content=content, headers=headers,
            remedy=_REMEDY,
        )  # fmt: skip
        return decoded(reply) or {}


def _mark(outgoing: Outgoing | Digest) -> str:
    name = outgoing.id if isinstance(outgoing, Digest) else outgoing.event.id
    return f"<!-- leakmon event {name} -->"


def _body(told: Telling, outgoing: Outgoing) -> str:
    text = "\n".join(_lines(told, outgoing))
    mark = _mark(outgoing)
    return f"{text[: MAX_BODY - len(mark)]}\n\n{mark}"


def _lines(told: Telling, outgoing: Outgoing) -> Iterator[str]:
    severity = outgoing.incident.severity.value.upper()
    yield f"**{severity}** - {_plain(f'{told.happened} {told.why}'.strip())}"
    yield f"\n{_plain(told.lead)}\n"
    for name, value in told.facts:
        if value:
            yield f"- {name}: {_code(value)}"
    if told.places:
        yield "\n**Where**\n"
        yield from (f"- {_code(place)}" for place in told.places)
    if told.places_hidden:
        yield f"- and {told.places_hidden:,} more"
    if told.steps:
        yield "\n**Do now, in this order**\n"
    for number, step in enumerate(told.steps, 1):
        words = f"**{_plain(step.do)}** {_plain(step.told)}".strip()
        command = f" {_code(step.command)}" if step.command else ""
        yield f"{number}. {words}{command}" + (f" ({_plain(step.needs)})" if step.needs else "")


def _code(text: str) -> str:
    """A code span: nothing in it is a mention, a link or markup."""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _plain(text: str) -> str:
    """Prose that GitHub shows as it stands: no markup, no mention, no reference, no address."""
    made = re.sub(r"([\\`*_{}\[\]<>()#+\-!|~$:])", r"\\\1", text)
    return made.replace("@", "@\u200b").replace("www.", "www\u200b.")
