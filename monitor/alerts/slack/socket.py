"""Socket Mode: presses come over a connection that we open, so no address of ours is public.

The app needs an app-level token with ``connections:write``. Slack wants every envelope answered
within three seconds: it is answered first and done then. An envelope that comes twice (we were too
late once) is known by its id.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from monitor.alerts.errors import MisconfiguredError, UnreachableError
from monitor.alerts.slack.buttons import press_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from monitor.alerts.settings import SlackSettings
    from monitor.alerts.slack.buttons import Press

KNOWN_ENVELOPES = 1000


class Socket:
    """One connection, until it is stopped. ``take`` is called for each press, one at a time."""

    def __init__(self, settings: SlackSettings, take: Callable[[Press], Awaitable[Any]]) -> None:
        self._settings = settings
        self._take = take
        self._known: OrderedDict[str, None] = OrderedDict()
        self._presses: asyncio.Queue[Press] = asyncio.Queue(1000)

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen until told to stop; the library opens a connection that broke again.

        Raises MisconfiguredError for a token that is refused, UnreachableError for no connection.
        """
        assert self._settings.app_token is not None, "Socket Mode needs an app-level token"
        address = self._settings.base_url or AsyncWebClient.BASE_URL
        web = AsyncWebClient(base_url=address if address.endswith("/") else f"{address}/")
        client = SocketModeClient(app_token=self._settings.app_token(), web_client=web)
        client.socket_mode_request_listeners.append(self._heard)
        working = asyncio.create_task(self._work())
        try:
            await self._connect(client)
            await stopping.wait()
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            with suppress(OSError, SlackClientError):
                await client.close()  # type: ignore[no-untyped-call] # as above

    async def _connect(self, client: SocketModeClient) -> None:
        import aiohttp

        try:
            await client.connect()  # type: ignore[no-untyped-call] # slack-sdk leaves it untyped
        except SlackClientError as error:
            code = _code(error)
            raise MisconfiguredError(
                f"Slack refuses Socket Mode ({code}): set alerts.slack.app_token to the app-level "
                "token (xapp-...) with the scope connections:write",
                reason=code,
            ) from None
        except (OSError, TimeoutError, aiohttp.ClientError) as error:
            raise UnreachableError(
                f"Slack's socket cannot be reached ({type(error).__name__})"
            ) from None

    async def _heard(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        if request.type != "interactive" or request.envelope_id in self._known:
            return
        self._known[request.envelope_id] = None
        while len(self._known) > KNOWN_ENVELOPES:
            self._known.popitem(last=False)
        press = press_of(request.payload)
        if press is not None:
            with suppress(asyncio.QueueFull):  # a thousand presses wait: the buttons stay
                self._presses.put_nowait(press)

    async def _work(self) -> None:
        while True:
            await self._take(await self._presses.get())


def _code(error: SlackClientError) -> str:
    answer = getattr(error, "response", None)
    fields = getattr(answer, "data", answer)
    return str(fields.get("error", "refused")) if isinstance(fields, dict) else "refused"
