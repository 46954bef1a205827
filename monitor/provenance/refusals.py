"""Why an attestation proves nothing."""

from __future__ import annotations

from monitor.errors import TargetError
from monitor.model.provenance import INVALID

_MOST = 300


class RefusedError(TargetError):
    """An attestation that is wrong (``invalid``), or that cannot be judged (``unverifiable``)."""

    default_reason = "not-verified"

    def __init__(self, reason: str, message: str, *, state: str = INVALID) -> None:
        line = " ".join(message.split())
        shown = "".join(each if each.isprintable() else "?" for each in line)
        super().__init__(shown[:_MOST], reason=reason)
        self.state = state
