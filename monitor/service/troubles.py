"""Who hears that a channel does not work: the log at once, the other channels where it matters.

What only the operator can mend is told to the others at once, an outage when it has lasted; both
once, and once more when it is over. Such a notice is tried once: the log has it as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.alerts.delivery import Trouble
from monitor.errors import LeakmonError
from monitor.service.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.alerts import Channel

LASTING = timedelta(minutes=10)
_log = logger()


class _Standing(Struct):
    """A trouble that began, and whether the other channels know."""

    trouble: Trouble
    began_at: datetime
    is_told: bool = False


class Troubles:
    """The troubles of all channels."""

    def __init__(self, channels: Sequence[Channel], now: Callable[[], datetime]) -> None:
        self._channels = channels
        self._now = now
        self._standing: dict[str, _Standing] = {}
        self._over: list[str] = []

    def note(self, trouble: Trouble) -> None:
        """A channel's trouble began, changed or (an empty message) ended."""
        name = trouble.channel
        if not trouble.message:
            _log.warning(f"{name} works again", step="deliver", channel=name)
            ended = self._standing.pop(name, None)
            if ended is not None and ended.is_told:
                self._over.append(name)
            return
        write = _log.error if trouble.is_operators else _log.warning
        write(trouble.message, step="deliver", channel=name, reason=trouble.reason)
        known = self._standing.get(name)
        if known is None:
            self._standing[name] = _Standing(trouble, self._now())
        else:
            known.trouble = trouble

    async def tell(self) -> None:
        """Tell the other channels what they should know by now."""
        while self._over:
            name = self._over.pop()
            await self._notify(name, f"leakmon: the channel {name} works again.")
        for name, standing in list(self._standing.items()):
            has_lasted = self._now() - standing.began_at >= LASTING
            if not standing.is_told and (standing.trouble.is_operators or has_lasted):
                standing.is_told = True
                await self._notify(
                    name,
                    f"leakmon cannot tell of incidents in {name}: {standing.trouble.message}. "
                    "Nothing is lost: it goes there once the channel works again.",
                )

    async def _notify(self, about: str, text: str) -> None:
        for channel in self._channels:
            if channel.name == about or channel.name in self._standing:
                continue
            try:
                await channel.notify(text)
            except LeakmonError as error:
                _log.warning(str(error), step="deliver", channel=channel.name, reason=error.reason)
