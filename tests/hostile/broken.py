"""Archives that end too early, were damaged on the way, or are none but for their magic."""

from __future__ import annotations

import base64
import bz2
import lzma
import random
import zlib

import zstandard

from tests.hostile.case import GOOD, SECRET, Case
from tests.hostile.makers import END_OF_TAR, Zip, plain_zip, tar_member, tgz


def cuts() -> list[Case]:
    whole = tgz(GOOD + tar_member(b"package/big", random.Random(1).randbytes(200_000)) + END_OF_TAR)
    zipped = Zip()
    zipped.add(b"good", SECRET)
    zipped.add(b"big", random.Random(2).randbytes(200_000))
    made = zipped.end()
    cases = [
        Case(f"tgz-cut-at-{percent}", lambda p=percent: whole[: len(whole) * p // 100], "truncated")  # type: ignore[misc] # a default argument binds the loop's value
        for percent in (20, 50, 80, 99)
    ]
    cases += [
        Case(f"zip-cut-at-{percent}", lambda p=percent: made[: len(made) * p // 100], "truncated")  # type: ignore[misc] # as above
        for percent in (20, 50, 80, 99)
    ]
    wordy = random.Random(4).randbytes(60_000).hex().encode()
    plain = GOOD + tar_member(b"x", bytes(5000))
    return [
        *cases,
        Case("tar-cut", lambda: plain[:3000], "truncated"),
        Case("xz-cut", lambda: lzma.compress(whole)[:90_000], "truncated"),
        Case("zstd-cut", lambda: zstandard.compress(GOOD + whole)[:90_000], "truncated"),
        Case("bzip2-damaged", lambda: _flipped(bz2.compress(GOOD + whole)), "bad-data", "", b""),
        Case("gzip-damaged", lambda: _flipped(tgz(GOOD + wordy)), "checksum-mismatch"),
        Case("gzip-bad-block", lambda: _bad_block(GOOD + wordy), "bad-data"),
        Case("zip-damaged", lambda: _flipped(plain_zip(b"x", SECRET + wordy)), "bad-data"),
    ]


def _bad_block(body: bytes) -> bytes:
    """Good blocks, then one of the kind that RFC 1951 reserves."""
    maker = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = maker.compress(body) + maker.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + packed + b"\x06" * 1000


def _flipped(body: bytes) -> bytes:
    damaged = bytearray(body)
    damaged[len(body) // 2 : len(body) // 2 + 400] = b"\xff" * 400
    return bytes(damaged)


def garbage() -> list[Case]:
    noise = random.Random(3).randbytes(2_000)
    magics = {
        "gzip": b"\x1f\x8b\x08",
        "zip": b"PK\3\4",
        "zip-end": b"PK\5\6",
        "bzip2": b"BZh91AY&SY",
        "xz": b"\xfd7zXZ\0",
        "zstd": b"\x28\xb5\x2f\xfd",
        "zlib": b"x\x9c",
        "lzma": b"\x5d\0\0\x80\0" + b"\xff" * 8 + b"\0",
        "ustar": bytes(257) + b"ustar\x0000",
        "shebang": b"#!",
    }
    cases = [
        Case(f"garbage-{word}", lambda m=magic: m + SECRET + noise)  # type: ignore[misc] # a default argument binds the loop's value
        for word, magic in magics.items()
    ]
    bait = base64.b64encode(noise)
    return [
        *cases,
        Case("garbage-none", lambda: SECRET + bait),
        Case("empty", lambda: b"", see=b""),
    ]
