"""What an offline check of a secret answers."""

from __future__ import annotations

from typing import Any, NamedTuple


class Checked(NamedTuple):
    """``valid`` is None where nothing can be said; ``evidence`` is fit for a report."""

    valid: bool | None
    evidence: dict[str, Any]

    @property
    def word(self) -> str | None:
        """``valid``, ``invalid`` or None, as ``monitor.model.Secret.checksum`` wants it."""
        return None if self.valid is None else "valid" if self.valid else "invalid"


UNKNOWN = Checked(None, {})
