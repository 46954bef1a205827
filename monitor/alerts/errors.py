"""Why a message was not delivered: one class for each thing that is done about it.

TransientError
├── BusyError            the channel asks us to wait; the message was certainly not taken
├── UnreachableError     no connection came about; the message was certainly not taken
└── UnansweredError      it may have been taken: look before sending again
UsageError
└── MisconfiguredError   nobody but the operator can mend it (token, channel, scopes): keep, tell
TargetError
└── RejectedError        this message is refused as it is; others may pass
"""

from __future__ import annotations

from monitor.errors import TargetError, TransientError, UsageError


class BusyError(TransientError):
    """The channel asks us to wait ``retry_after`` seconds."""

    default_reason = "rate-limited"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(TransientError):
    """No connection came about."""

    default_reason = "unreachable"


class UnansweredError(TransientError):
    """The request went out and no usable answer came back."""

    default_reason = "unanswered"


class MisconfiguredError(UsageError):
    """The channel refuses us until the operator changes something."""

    default_reason = "misconfigured"


class RejectedError(TargetError):
    """The channel refuses this message."""

    default_reason = "rejected"
