"""Which esbuild brings JavaScript into one form: pinned, so that both sides use the same.

The pins are the registry's own ``dist.integrity`` of that version's packages, checked into this
file: what is fetched must have exactly these bytes, whichever registry gives them.
"""

from __future__ import annotations

import os
import shutil

VERSION = "0.28.2"
INTEGRITY = {
    "linux-x64": (
        "sha512-4xTZr1FUmSoQW4XIWmit3tzQrUTZM+N3P0XV8xROKYF50XfI7xeO90+1bZvNwxIufQ9hDQVRJH5YhgPVF8A/"
        "HQ=="
    ),
    "linux-arm64": (
        "sha512-pW4AC0P3it8c7do9MVM4p51FzHzdM/TZrerurgRcHJ2WTa1VQ1CIq18xncfpBJw4ojkiZZrKW2yIBWBP92j6"
        "Ug=="
    ),
    "darwin-x64": (
        "sha512-uq6suIWYP37qzGddBKPw5QEQPi6HiLGsO7UmkpfyaYNQ3D+rN6w6WfwH+nuqcGXWvawGwxOEroO4YGnFh95a"
        "zw=="
    ),
    "darwin-arm64": (
        "sha512-n4KqkOQrraxHJcgjM1RvwbigfQKIKJVpM7xp+KsxiyUSrRdIXnt73VhrPAx0fV44hgfmIVKjxMN9J1t5jySV"
        "kw=="
    ),
}
"""By platform: Subresource Integrity of ``@esbuild/<platform>`` at ``VERSION``."""

_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def platform_name(system: str, machine: str) -> str:
    """The platform as the packages name it: of ``Linux`` and ``x86_64``, ``linux-x64``."""
    return f"{system.lower()}-{_MACHINES.get(machine.lower(), machine.lower())}"


def kept_at(cache_folder: str) -> str:
    """Where the pinned program is kept once it was fetched."""
    return os.path.join(cache_folder, "esbuild", VERSION, "esbuild")


def find(cache_folder: str, *, configured: str = "", path: str = "") -> str | None:
    """The program to use: the configured one, the fetched one, that of PATH; None if there is none.

    ``path`` is the PATH to search.
    """
    kept = kept_at(cache_folder)
    for candidate in (configured, kept):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    return None if configured else shutil.which("esbuild", path=path)
