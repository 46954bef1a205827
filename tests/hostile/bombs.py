"""Archives that unfold to far more than they are, or are many small costs."""

from __future__ import annotations

import bz2
import lzma
import zlib

import zstandard

from tests.hostile.case import GOOD, SECRET, Case
from tests.hostile.makers import (
    Zip,
    deflated,
    gzip_of_zeros,
    octal,
    plain_zip,
    tar_header,
    tar_member,
    tgz,
)


def bombs() -> list[Case]:
    return [
        Case("tar-4-gib-of-zeros", _gigabytes, "over-ratio", "bomb"),
        Case("gzip-4-gib-of-zeros", lambda: gzip_of_zeros(SECRET, 4096), "over-ratio", "bomb", b""),
        Case("zip-in-zip-40-deep", lambda: _nested(40), "over-depth", "", b""),
        Case("zip-in-zip-10-deep", lambda: _nested(10)),
        Case("zip-16-to-the-4th", _wide, "over-ratio", "bomb", b""),
        Case("zip-1000-over-one-kernel", lambda: _overlapped(1000), "overlap", "overlap"),
        Case("zip-64-kernels", _kernels, "over-ratio", "bomb"),
        Case("bzip2-of-zeros", lambda: bz2.compress(bytes(1 << 28)), "over-ratio", "bomb", b""),
        Case(
            "zstd-of-zeros",
            lambda: zstandard.compress(bytes(1 << 20)) * 4096,
            "over-ratio",
            "bomb",
            b"",
        ),
        Case(
            "xz-of-zeros",
            lambda: lzma.compress(bytes(1 << 28), preset=0),
            "over-ratio",
            "bomb",
            b"",
        ),
        Case(
            "tar-300000-empty",
            lambda: tgz(GOOD + b"".join(tar_header(b"f%d" % i, octal(0)) for i in range(300_000))),
        ),
        Case("tar-100000-links", lambda: tgz(GOOD + tar_member(b"l", b"", b"2", b"a") * 100_000)),
        Case("tar-100000-pax", lambda: tgz(GOOD + tar_member(b"x", b"", b"x") * 100_000)),
        Case("gzip-200000-members", lambda: tgz(SECRET) + tgz(b"") * 200_000),
        Case("zip-60000-empty", _many_zip),
        Case("zip-60000-local-only", lambda: _many_local(60_000), "truncated"),
        Case("zip-signatures-only", lambda: plain_zip(b"a", SECRET)[:60] + b"PK\3\4" * 500_000),
        Case(
            "zip-end-records-only", lambda: b"PK\3\4" + b"PK\5\6" * 500_000, "bad-header", "", b""
        ),
    ]


def _gigabytes() -> bytes:
    return gzip_of_zeros(GOOD + tar_header(b"package/zero", octal(4 << 30)), 4096)


def _nested(levels: int) -> bytes:
    body = plain_zip(b"secret", SECRET)
    for level in range(levels):
        body = plain_zip(b"%d.zip" % level, body)
    return body


def _wide() -> bytes:
    body = bytes(16 << 20)
    for _ in range(4):
        made = Zip()
        packed, crc = deflated(body), zlib.crc32(body)
        for index in range(16):
            made.add(b"%d.zip" % index, body, packed=packed, crc=crc)
        body = made.end()
    return body


def _overlapped(count: int) -> bytes:
    made = Zip()
    kernel = bytes(32 << 20)
    place = made.add(b"seen", SECRET)
    packed, crc = deflated(kernel), zlib.crc32(kernel)
    place = made.add(b"0", kernel, packed=packed, crc=crc)
    for index in range(1, count):
        made.add(b"%d" % index, kernel, packed=packed, crc=crc, at=place)
    return made.end()


def _kernels() -> bytes:
    made = Zip()
    made.add(b"seen", SECRET)
    kernel = bytes(16 << 20)
    packed, crc = deflated(kernel), zlib.crc32(kernel)
    for index in range(64):
        made.add(b"q%d" % index, kernel, packed=packed, crc=crc)
    return made.end()


def _many_zip() -> bytes:
    made = Zip()
    for index in range(60_000):
        made.add(b"%d" % index, b"", method=0)
    made.add(b"seen", SECRET)
    return made.end()


def _many_local(count: int) -> bytes:
    made = Zip()
    made.add(b"seen", SECRET, is_listed=False)
    for index in range(count):
        made.add(b"%d" % index, b"", method=0, is_listed=False)
    return bytes(made.body)
