"""Calls of Slack's Web API, and what their failures mean for a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from monitor.alerts.errors import (
    BusyError,
    MisconfiguredError,
    RejectedError,
    UnansweredError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.alerts.settings import SlackSettings
    from monitor.errors import LeakmonError

TIMEOUT_SECONDS = 15
_PAGE = 200
_MAX_PAGES = 50
_DEFAULT_WAIT = 30.0
_NOT_FOUND = "channel_not_found"

_REMEDIES: Mapping[str, str] = {
    "account_inactive": "its bot or user was removed: install the app anew",
    "channel_not_found": "name an existing channel in alerts.slack.channel and invite the bot",
    "ekm_access_denied": "ask the workspace's administrators",
    "invalid_auth": "set alerts.slack.token to the bot's current token (xoxb-...)",
    "is_archived": "the channel is archived: name another in alerts.slack.channel",
    "missing_scope": "give the app the scopes chat:write, channels:history and channels:read",
    "no_permission": "give the app the scope chat:write and install it anew",
    "not_authed": "set alerts.slack.token to the bot's token (xoxb-...)",
    "not_in_channel": "invite the bot to the channel (/invite)",
    "org_login_required": "ask the workspace's administrators",
    "restricted_action": "the workspace does not let the bot post there",
    "restricted_action_read_only_channel": "the workspace does not let the bot post there",
    "team_access_not_granted": "install the app in this workspace",
    "token_expired": "set alerts.slack.token to a token that has not expired",
    "token_revoked": "the token was revoked: set alerts.slack.token to a new one",
}
"""What only the operator can mend, and how."""

_READING = frozenset(
    {
        "conversations.history",
        "conversations.list",
        "conversations.replies",
        "usergroups.users.list",
    }
)
"""Methods that take their arguments in the address: only those that write take JSON."""

_WAITING = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_UNSURE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})


class Api:
    """The few calls that an alert needs. Raises the errors of ``monitor.alerts.errors``."""

    def __init__(self, settings: SlackSettings) -> None:
        self._settings = settings
        self._place = ""
        # The library's own retries would post again after a lost answer: we look first.
        self._client = AsyncWebClient(
            base_url=_folder(settings.base_url or AsyncWebClient.BASE_URL),
            timeout=TIMEOUT_SECONDS,
            retry_handlers=[],
        )

    async def call(self, method: str, **content: Any) -> dict[str, Any]:
        """One call; gives the answer's fields."""
        self._client.token = self._settings.token()
        try:
            if method in _READING:
                answer = await self._client.api_call(method, http_verb="GET", params=content)
            else:
                answer = await self._client.api_call(method, json=content)
        except SlackApiError as error:
            raise _meaning(method, error) from None
        except aiohttp.ClientConnectorError as error:
            raise UnreachableError(f"Slack cannot be reached ({error.strerror})") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise UnansweredError(f"Slack gave no answer ({type(error).__name__})") from None
        except (SlackClientError, ValueError) as error:
            raise UnansweredError(f"Slack's answer is no JSON ({type(error).__name__})") from None
        return answer.data if isinstance(answer.data, dict) else {}

    async def post(self, place: str = "", **content: Any) -> tuple[str, str]:
        """Post a message into ``place`` (default: the configured channel): its channel and ts."""
        quiet = {"unfurl_links": False, "unfurl_media": False, "link_names": False}
        where = place or self._place or self._settings.channel
        try:
            answer = await self.call("chat.postMessage", channel=where, **quiet, **content)
        except MisconfiguredError as error:
            if error.reason != "not_in_channel" or place:
                raise
            await self.call("conversations.join", channel=await self.place())
            answer = await self.call("chat.postMessage", channel=where, **quiet, **content)
        if not place and isinstance(answer.get("channel"), str):
            self._place = answer["channel"]
        return str(answer.get("channel") or where), str(answer.get("ts", ""))

    async def place(self) -> str:
        """The id of the configured channel: reading and updating take no names."""
        if self._place:
            return self._place
        wanted = self._settings.channel
        if not wanted.startswith("#"):
            return wanted
        cursor = ""
        for _ in range(_MAX_PAGES):
            answer = await self.call(
                "conversations.list",
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=1000,
                cursor=cursor,
            )
            for each in answer.get("channels", ()):
                if each.get("name") == wanted[1:]:
                    self._place = str(each.get("id", ""))
                    return self._place
            cursor = _cursor(answer)
            if not cursor:
                break
        raise _misconfigured("conversations.list", _NOT_FOUND)

    async def search(
        self,
        place: str,
        oldest: datetime,
        is_it: Callable[[Mapping[str, Any]], bool],
        *,
        thread: str = "",
    ) -> str | None:
        """The ts of the message since ``oldest`` whose metadata fit, in the channel or a thread."""
        method = "conversations.replies" if thread else "conversations.history"
        asked: dict[str, Any] = {"channel": place, "oldest": f"{oldest.timestamp():.6f}"}
        asked |= {"include_all_metadata": True, "limit": _PAGE}
        if thread:
            asked["ts"] = thread
        cursor = ""
        for _ in range(_MAX_PAGES):
            answer = await self.call(method, **asked, **({"cursor": cursor} if cursor else {}))
            for each in answer.get("messages", ()):
                metadata = each.get("metadata")
                if isinstance(metadata, dict) and is_it(metadata):
                    return str(each.get("ts", ""))
            cursor = _cursor(answer)
            if not cursor:
                break
        return None


def _meaning(method: str, error: SlackApiError) -> LeakmonError:
    """What an answer that is no success asks for."""
    answer = error.response
    status = int(getattr(answer, "status_code", 0) or 0)
    fields = getattr(answer, "data", answer)
    reason = str(fields.get("error", "")) if isinstance(fields, dict) else ""
    if status == 429 or reason in _WAITING:  # noqa: PLR2004 - too many requests
        wait = _wait(getattr(answer, "headers", {}) or {})
        return BusyError(f"Slack asks to wait {wait:.0f} s ({method})", retry_after=wait)
    if status >= 500 or reason in _UNSURE or not reason:  # noqa: PLR2004 - the server's fault
        return UnansweredError(f"Slack failed ({method}: {reason or status})")
    if reason in _REMEDIES:
        return _misconfigured(method, reason)
    return RejectedError(f"Slack refuses {method}: {reason}", reason=reason)


def _misconfigured(method: str, reason: str) -> MisconfiguredError:
    told = f"Slack refuses {method}: {reason}: {_REMEDIES[reason]}"
    return MisconfiguredError(told, reason=reason)


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds, from ``Retry-After``."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return float(value)
            except ValueError:
                break
    return _DEFAULT_WAIT


def _cursor(answer: Mapping[str, Any]) -> str:
    further = answer.get("response_metadata")
    return str(further.get("next_cursor") or "") if isinstance(further, dict) else ""


def _folder(address: str) -> str:
    return address if address.endswith("/") else f"{address}/"
