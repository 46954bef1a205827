"""Archives made by hand, byte by byte: what no library would write."""

from __future__ import annotations

import gzip
import struct
import zlib

BLOCK = 512
END_OF_TAR = bytes(2 * BLOCK)


def octal(value: int) -> bytes:
    return b"%011o\0" % value


def base256(value: int) -> bytes:
    return (value % (1 << 96) | 1 << 95).to_bytes(12, "big")


def tar_header(
    name: bytes, size: bytes, kind: bytes = b"0", link: bytes = b"", magic: bytes = b"ustar\x0000"
) -> bytes:
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[124:136] = size
    block[136:148] = octal(499_162_500)
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257 : 257 + len(magic)] = magic
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def tar_member(name: bytes, body: bytes, kind: bytes = b"0", link: bytes = b"") -> bytes:
    return tar_header(name, octal(len(body)), kind, link) + body + bytes(-len(body) % BLOCK)


def pax_record(key: bytes, value: bytes) -> bytes:
    length = len(key) + len(value) + 3
    while len(b"%d" % length) + len(key) + len(value) + 3 != length:
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def deflated(body: bytes) -> bytes:
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    return maker.compress(body) + maker.flush()


def gzip_of_zeros(head: bytes, mebibytes: int) -> bytes:
    """A gzip of ``head`` and that many MiB of zeros: one deflated MiB, repeated."""
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = maker.compress(head) + maker.flush(zlib.Z_FULL_FLUSH)
    one = zlib.compressobj(9, zlib.DEFLATED, -15)
    mebibyte = one.compress(bytes(1 << 20)) + one.flush(zlib.Z_FULL_FLUSH)
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
    return header + packed + mebibyte * mebibytes + b"\x03\0" + bytes(8)


class Zip:
    """A zip whose every field may lie. ``add`` returns the place of the local header."""

    def __init__(self, prefix: bytes = b"") -> None:
        self.body = bytearray(prefix)
        self.directory = bytearray()
        self.count = 0

    def add(
        self,
        name: bytes,
        body: bytes,
        *,
        method: int = 8,
        flags: int = 0,
        packed: bytes | None = None,
        crc: int | None = None,
        size: int | None = None,
        local_name: bytes | None = None,
        central_packed: int | None = None,
        mode: int = 0,
        is_listed: bool = True,
        comment: bytes = b"",
        at: int | None = None,
    ) -> int:
        packed = packed if packed is not None else deflated(body) if method == 8 else body
        crc = zlib.crc32(body) if crc is None else crc
        size = len(body) if size is None else size
        local_name = name if local_name is None else local_name
        place = len(self.body) if at is None else at
        if at is None:
            fields = (20, flags, method, 0, 0x5921, crc, len(packed), size, len(local_name), 0)
            self.body += struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + local_name + packed
        if is_listed:
            stated = len(packed) if central_packed is None else central_packed
            self.directory += struct.pack(
                "<4s6H3L5H2L",
                *(b"PK\1\2", 0x314, 20, flags, method, 0, 0x5921, crc, stated, size, len(name)),
                *(0, len(comment), 0, 0, mode << 16, place),
            )
            self.directory += name + comment
            self.count += 1
        return place

    def end(self, comment: bytes = b"", count: int | None = None) -> bytes:
        count = self.count if count is None else count
        fields = (0, 0, count & 0xFFFF, count & 0xFFFF, len(self.directory), len(self.body))
        record = struct.pack("<4s4H2LH", b"PK\5\6", *fields, len(comment))
        return bytes(self.body + self.directory) + record + comment


def plain_zip(name: bytes, body: bytes, **settings: int) -> bytes:
    made = Zip()
    made.add(name, body, method=settings.get("method", 8))
    return made.end()


def tgz(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)
