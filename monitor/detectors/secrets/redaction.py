"""How a secret is shown to people who need to recognise it, and only to them."""

from __future__ import annotations

_TAIL = 4
_SHARE = 4
_MIN_LENGTH = 16
_LONG_KEY = 200  # bytes of a private key that is more than one short text
_STARS = "*" * 8

# Public parts of well-known formats: they tell the type, which the rule's name tells as well.
_PREFIXES = (
    "github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-", "gldt-", "glrt-", "npm_",
    "pypi-", "sk-ant-", "sk-proj-", "sk-svcacct-", "sk-or-", "sk-", "sk_live_", "sk_test_",
    "rk_live_", "rk_test_", "pk_live_", "pk_test_", "whsec_", "xoxb-", "xoxp-", "xoxa-", "xoxr-",
    "xapp-", "hf_", "gsk_", "AKIA", "ASIA", "AIza", "SG.", "key-", "dop_v1_", "doo_v1_", "hvs.",
    "sgp_", "sntrys_", "sntryu_", "shpat_", "shpss_", "lin_api_", "dckr_pat_", "figd_", "nvapi-",
    "r8_", "pul-", "eyJ",
)  # fmt: skip


def redacted(value: bytes, *, is_key: bool = False) -> str:
    """``ghp_…9f3c``: a public prefix and the last four, never above a quarter of the value.

    Values below 16 bytes, and private keys, whose ends are the same for all, show nothing.
    """
    if b"PRIVATE KEY" in value or (is_key and len(value) > _LONG_KEY):
        return f"(private key, {len(value)} bytes)"
    if len(value) < _MIN_LENGTH:
        return _STARS
    text = value.decode("utf-8", "replace")
    budget = len(text) // _SHARE
    tail = "".join(each if each.isprintable() else "?" for each in text[-min(_TAIL, budget) :])
    prefix = next((each for each in _PREFIXES if text.startswith(each)), "")
    if len(prefix) + len(tail) > budget:
        prefix = ""
    return f"{prefix}…{tail}"
