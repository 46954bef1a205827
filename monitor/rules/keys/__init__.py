"""Private keys: whether bytes that look like one can be one, and whether a passphrase protects it.

One module per format, each a bounded reader of hostile bytes that gives a ``Key`` or None and never
raises. Nothing is decrypted and no arithmetic is done beyond one product of two primes.
"""

from __future__ import annotations

from monitor.rules.keys.shapes import Key

__all__ = ["Key"]
