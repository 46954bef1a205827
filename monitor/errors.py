"""Every error that leakmon raises on purpose: one class per reaction, one ``reason`` per cause.

LeakmonError                the root; ``str()`` is one line that names the thing and the remedy
├── UsageError              the call or its configuration is wrong: tell the operator, exit 2
│   ├── ConfigError         a file or key of the configuration
│   └── RuleError           a rule that cannot be loaded or compiled
├── TargetError             this target cannot be inspected: say so, go on with the others, exit 3
│   ├── NotFoundError       no such package, version, file or repository (or no longer)
│   ├── DeniedError         credentials are missing or were refused
│   ├── IntegrityError      the bytes are not those that the registry announced
│   └── LimitError          larger, slower or deeper than the configured limits allow
└── TransientError          may go well later: retry with back-off

The ``reason`` is a stable kebab-case code: it becomes the report's ``skipped[].reason``, the log
field and the metric label. It never holds a name, an address or a secret.
"""

from __future__ import annotations


class LeakmonError(Exception):
    """The root of the tree above."""

    default_reason = "error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or self.default_reason


class UsageError(LeakmonError):
    """The call or its configuration is wrong."""

    default_reason = "usage"


class ConfigError(UsageError):
    """A file or key of the configuration is wrong."""

    default_reason = "config"


class RuleError(UsageError):
    """A rule cannot be loaded or compiled."""

    default_reason = "rule"


class TargetError(LeakmonError):
    """A target cannot be inspected."""

    default_reason = "not-inspected"


class NotFoundError(TargetError):
    """There is no such package, version, file or repository, or no longer."""

    default_reason = "not-found"


class DeniedError(TargetError):
    """Credentials are missing or were refused."""

    default_reason = "denied"


class IntegrityError(TargetError):
    """The bytes are not those that the registry announced."""

    default_reason = "digest-mismatch"


class LimitError(TargetError):
    """Larger, slower or deeper than the configured limits allow."""

    default_reason = "limit"


class TransientError(LeakmonError):
    """May go well later."""

    default_reason = "transient"
