"""Who sits at the keyboard, for the audit log."""

from __future__ import annotations

import os
import pwd


def name() -> str:
    """As the system knows them: the environment could say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
