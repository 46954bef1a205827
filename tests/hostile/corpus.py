"""The hostile corpus: each case builds one archive in memory and says what must be noted of it.

``see`` is text that must be inspected in spite of everything.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.hostile.bombs import bombs
from tests.hostile.broken import cuts, garbage
from tests.hostile.case import GOOD, SECRET, Case, tar_case
from tests.hostile.makers import (
    END_OF_TAR,
    Zip,
    base256,
    octal,
    pax_record,
    plain_zip,
    tar_header,
    tar_member,
    tgz,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def names() -> list[Case]:
    odd = {
        "parent": (b"../../../etc/cron.d/x", "traversal"),
        "inner-parent": (b"package/../../x", "traversal"),
        "absolute": (b"/etc/cron.d/x", "traversal"),
        "drive": (b"C:\\Windows\\x.dll", "traversal"),
        "unc": (b"\\\\host\\share\\x", "traversal"),
        "backslash": (b"..\\..\\x", "traversal"),
        "nul": (b"package/x.js\0.png", "control-characters"),
        "escape-sequence": (b"package/\x1b[2J\x1b]0;x\x07", "control-characters"),
        "newline": (b"package/a\nb", "control-characters"),
        "stray-bytes": (b"package/\xff\xfe", "not-utf8"),
        "empty": (b"", "empty-name"),
    }
    cases = []
    for word, (raw, hazard) in odd.items():
        made = Zip()
        made.add(raw, SECRET)
        cases.append(Case(f"zip-name-{word}", made.end, "", hazard))
        if raw:
            cases.append(
                tar_case(f"tar-name-{word}", tar_member(raw, SECRET) + END_OF_TAR, "", hazard)
            )
    long = tar_member(b"././@LongLink", b"x/" * 40_000 + b"\0", b"L") + GOOD + END_OF_TAR
    return [
        *cases,
        tar_case("tar-name-80000-bytes", long, "", "long-name"),
        tar_case("tar-duplicates", tar_member(b"package/good.js", b"1") + GOOD, "", "duplicate"),
        tar_case("tar-duplicates-100000", GOOD + tar_member(b"a", b"") * 100_000, "", "duplicate"),
        Case("zip-duplicates", _duplicate_zip, "", "duplicate"),
    ]


def _duplicate_zip() -> bytes:
    made = Zip()
    made.add(b"package.json", b"{}")
    made.add(b"package.json", SECRET)
    return made.end()


def kinds() -> list[Case]:
    def linked(mode: int, body: bytes) -> Callable[[], bytes]:
        made = Zip()
        made.add(b"package/x", body, method=0, mode=mode)
        made.add(b"seen", SECRET)
        return made.end

    return [
        tar_case(
            "tar-symlink-out",
            tar_member(b"a/x", b"", b"2", b"/etc/passwd") + GOOD,
            "",
            "link-escape",
        ),
        tar_case(
            "tar-symlink-up", tar_member(b"a/x", b"", b"2", b"../../x") + GOOD, "", "link-escape"
        ),
        tar_case("tar-symlink-in", tar_member(b"a/x", b"", b"2", b"y") + GOOD, "", "link"),
        tar_case(
            "tar-hardlink-out", tar_member(b"a/x", b"", b"1", b"../x") + GOOD, "", "link-escape"
        ),
        tar_case(
            "tar-link-with-bytes", tar_member(b"a/x", SECRET, b"2", b"y") + END_OF_TAR, "", "link"
        ),
        tar_case(
            "tar-link-claims-bytes", tar_header(b"x", octal(9999), b"1", b"y") + GOOD, "", "link"
        ),
        tar_case("tar-device", tar_member(b"dev", b"", b"3") + GOOD, "device", "device"),
        tar_case("tar-fifo", tar_member(b"fifo", b"", b"6") + GOOD, "device", "device"),
        tar_case("tar-unknown-kind", tar_member(b"x", SECRET, b"Q") + END_OF_TAR),
        tar_case("tar-folder-with-bytes", tar_member(b"d/", SECRET, b"5") + END_OF_TAR),
        tar_case("tar-sparse", tar_member(b"s", SECRET, b"S") + END_OF_TAR, "", "sparse"),
        Case("zip-symlink-out", linked(0o120777, b"/etc/passwd"), "", "link-escape"),
        Case("zip-symlink-in", linked(0o120777, b"other"), "", "link"),
        Case("zip-device", linked(0o020666, b""), "device", "device"),
    ]


def sizes() -> list[Case]:
    huge = pax_record(b"size", b"9" * 18)
    return [
        tar_case(
            "tar-negative-size", GOOD + tar_header(b"x", base256(-512)) + bytes(2048), "bad-header"
        ),
        tar_case(
            "tar-negative-pax",
            GOOD + tar_header(b"x", base256(-1024), b"x") + bytes(2048),
            "bad-header",
        ),
        tar_case(
            "tar-negative-pax-size",
            GOOD + tar_member(b"p", pax_record(b"size", b"-5"), b"x") + GOOD,
            "bad-header",
        ),
        tar_case(
            "tar-size-2-to-the-60",
            GOOD + tar_header(b"x", base256(1 << 60)) + bytes(2048),
            "truncated",
        ),
        tar_case(
            "tar-size-2-to-the-90",
            GOOD + tar_header(b"x", base256(1 << 90)) + bytes(2048),
            "bad-header",
        ),
        tar_case(
            "tar-huge-pax-size",
            GOOD + tar_member(b"p", huge, b"x") + tar_member(b"y", b"1"),
            "truncated",
        ),
        tar_case(
            "tar-no-number", GOOD + tar_header(b"x", b"hello world!") + bytes(2048), "bad-header"
        ),
        tar_case(
            "tar-7-gib-long-name",
            GOOD + tar_header(b"l", octal(7 << 30), b"L") + bytes(4096),
            "bad-header",
        ),
        tar_case(
            "tar-secret-behind-bad-header",
            tar_member(b"a", b"b") + tar_header(b"x", base256(-1)) + SECRET,
            "bad-header",
        ),
        tar_case("tar-pax-malformed", tar_member(b"p", b"99999999999 path=x\n", b"x") + GOOD),
        tar_case(
            "tar-pax-secret",
            tar_member(b"p", pax_record(b"comment", SECRET), b"g") + tar_member(b"a", b""),
        ),
        Case(
            "zip-claims-10-gives-32-mib", lambda: _lying(10, bytes(32 << 20)), "", "lying-size", b""
        ),
        Case("zip-claims-4-gib-gives-few", lambda: _lying(0xFFFFFFF0, SECRET), "", "lying-size"),
        Case("zip-claims-3-mib-gives-few", lambda: _lying(3 << 20, SECRET), "", "lying-size"),
        Case("zip-stored-lies", lambda: _lying(5, SECRET, method=0), "", "lying-size"),
        Case("zip-packed-too-small", lambda: _packed(4), "", "header-mismatch"),
        Case("zip-packed-too-large", lambda: _packed(1 << 30), "", "header-mismatch"),
    ]


def _lying(claimed: int, body: bytes, method: int = 8) -> bytes:
    made = Zip()
    made.add(b"x", body, size=claimed, method=method)
    return made.end()


def _packed(claimed: int) -> bytes:
    made = Zip()
    made.add(b"x", SECRET, central_packed=claimed)
    return made.end()


def places() -> list[Case]:
    return [
        Case("zip-unlisted", lambda: _built(is_listed=False), "", "unlisted"),
        Case("zip-other-local-name", lambda: _built(local_name=b"../y"), "", "header-mismatch"),
        Case("zip-encrypted", lambda: _built(flags=1), "encrypted", "encrypted", b""),
        Case("zip-encrypted-is-a-lie", lambda: _built(flags=1, method=0), "encrypted", "encrypted"),
        Case("zip-method-97", lambda: _built(method=97), "unsupported-compression"),
        Case("zip-wrong-crc", lambda: _built(crc=1), "checksum-mismatch"),
        Case("zip-stored-wrong-crc", lambda: _built(crc=1, method=0), "checksum-mismatch"),
        Case("zip-no-deflate", lambda: _built(packed=b"\xff" + SECRET), "bad-data"),
        Case(
            "zip-comment",
            lambda: plain_zip(b"a", b"b")[:-2] + struct.pack("<H", len(SECRET)) + SECRET,
        ),
        Case("zip-member-comment", lambda: _built(comment=SECRET)),
        Case("zip-trailing", lambda: plain_zip(b"a", b"b") + SECRET, "", "trailing"),
        Case("zip-prefix", lambda: SECRET + plain_zip(b"a", b"b")),
        Case("zip-gap", _gap),
        Case("zip-count-lies", lambda: _counted(999), "", "header-mismatch"),
        Case("zip-two-ends", _two_ends, "", "ambiguous"),
        Case("zip-points-nowhere", _nowhere, "bad-header", "header-mismatch"),
        Case("gzip-trailing", lambda: tgz(b"a") + SECRET, "", "trailing"),
        Case("gzip-trailing-zip", lambda: tgz(GOOD) + plain_zip(b"a", SECRET), "", "trailing"),
        Case("gzip-comment", lambda: _noted_gzip(SECRET)),
        Case("gzip-wrong-crc", lambda: tgz(SECRET)[:-8] + bytes(8), "checksum-mismatch"),
        tar_case("tar-trailing", tar_member(b"a", b"b") + END_OF_TAR + SECRET, "", "trailing"),
        tar_case(
            "tar-members-behind-end", tar_member(b"a", b"b") + END_OF_TAR + GOOD, "", "trailing"
        ),
    ]


def _built(**settings: object) -> bytes:
    made = Zip()
    made.add(b"first", b"1")
    made.add(b"x", SECRET, **settings)  # type: ignore[arg-type] # each case names its own fields
    return made.end()


def _gap() -> bytes:
    made = Zip()
    made.add(b"a", b"1")
    made.body += SECRET * 2
    made.add(b"b", b"2")
    return made.end()


def _counted(count: int) -> bytes:
    made = Zip()
    made.add(b"a", SECRET)
    return made.end(count=count)


def _two_ends() -> bytes:
    outer = Zip()
    outer.add(b"harmless", b"1")
    inner = plain_zip(b"other", SECRET)
    return outer.end(comment=inner)


def _nowhere() -> bytes:
    made = Zip()
    made.add(b"a", SECRET)
    made.add(b"b", b"", at=3)
    return made.end()


def _noted_gzip(comment: bytes) -> bytes:
    return b"\x1f\x8b\x08\x10\0\0\0\0\0\x03" + comment + b"\0" + tgz(b"body")[10:]


def cases() -> list[Case]:
    return [*bombs(), *names(), *kinds(), *sizes(), *places(), *cuts(), *garbage()]
