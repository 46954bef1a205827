"""leakmon: a source-package leak monitor."""

import sys

__version__ = "0.1.0"

# msgspec prefers typing_extensions to typing wherever both are there, and that loads ``inspect``,
# ``ast`` and ``tokenize``: a tenth of a start. Every Python that we run on has what it looks for.
if "typing_extensions" not in sys.modules:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec as _  # noqa: F401 - loaded for its own sake
    finally:
        del sys.modules["typing_extensions"]
