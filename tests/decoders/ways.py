# ruff: noqa: E501 - one way is one line, however long: the table is read from top to bottom
"""Ways to hide a token: each makes a file in which the token does not stand as it is."""

from __future__ import annotations

import base64
import bz2
import codecs
import email.mime.text
import gzip
import importlib.util
import io
import json
import lzma
import marshal
import quopri
import random
import sqlite3
import tarfile
import zipfile
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Way(NamedTuple):
    """A way to hide: its name, the file's name, and what makes of a token the file's content.

    ``mark`` is what begins in the file where the hidden token does; None where a container moves
    the place into a path of its own.
    """

    name: str
    file: str
    hide: Callable[[bytes], bytes]
    mark: Callable[[bytes], bytes] | None = None


def _b64(content: bytes) -> bytes:
    return base64.b64encode(content)


def _urlsafe(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _hexed(form: str, between: str = "") -> Callable[[bytes], bytes]:
    return lambda token: between.join(form.format(byte) for byte in token).encode()


def _quoted(
    encode: Callable[[bytes], bytes], line: bytes = b'const key = "%s";\n'
) -> Callable[[bytes], bytes]:
    return lambda token: b"// settings\n" + line % encode(token)


def _cut(between: bytes, pieces: int = 3) -> Callable[[bytes], bytes]:
    def cut(token: bytes) -> bytes:
        size = -(-len(token) // pieces)
        return between.join(token[at : at + size] for at in range(0, len(token), size))

    return cut


def _early(between: bytes) -> Callable[[bytes], bytes]:
    """Cut within the prefix that tells the provider."""
    return lambda token: token[:2] + between + token[2:9] + between + token[9:]


def _zip(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def _zips(contents: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return out.getvalue()


def _tar(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _env(token: bytes) -> bytes:
    return b"# deployment\nMODE=production\nGITHUB_TOKEN=" + token + b"\nREGION=eu-west-1\n"


def _jwt(token: bytes) -> bytes:
    header = _urlsafe(b'{"alg":"HS256","typ":"JWT"}')
    payload = _urlsafe(b'{"sub":"build","github":"' + token + b'"}')
    return header + b"." + payload + b"." + _urlsafe(bytes(range(32)))


def _sqlite(token: bytes) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table settings (name text, value text)")
        connection.execute("insert into settings values ('token', ?)", (token.decode(),))
        connection.commit()
        return connection.serialize()


def _bytecode(token: bytes) -> bytes:
    code = compile(f"TOKEN = {token.decode()!r}\n", "settings.py", "exec")
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def _notebook(token: bytes) -> bytes:
    cell: dict[str, object] = {
        "cell_type": "code",
        "source": [f"token = '{token.decode()}'\n"],
        "outputs": [],
        "metadata": {},
        "execution_count": None,
    }
    return json.dumps(
        {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def _map(source: bytes) -> bytes:
    content = {
        "version": 3,
        "sources": ["../src/a.ts"],
        "names": [],
        "mappings": "AAAA",
        "sourcesContent": [source.decode()],
    }
    return json.dumps(content).encode()


def _png(token: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        )

    head = chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]))
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"token=" + token))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + text
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


def _zip_comment(token: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", b"nothing")
        archive.comment = b"token=" + token
    return out.getvalue()


def _gzip_name(token: bytes) -> bytes:
    plain = gzip.compress(b"nothing here\n")
    return plain[:3] + b"\x10" + plain[4:10] + b"token=" + token + b"\0" + plain[10:]


def _mail(token: bytes) -> bytes:
    part = email.mime.text.MIMEText((b"the token is " + token + b"\n").decode())
    part.replace_header("Content-Transfer-Encoding", "quoted-printable")
    part.set_payload(quopri.encodestring(b"x" * 50 + b" token: " + token).decode())
    return part.as_bytes()


def _numbers(token: bytes) -> bytes:
    return ", ".join(map(str, token)).encode()


def _wrapped(content: bytes, width: int = 64) -> bytes:
    return b"\n".join(content[at : at + width] for at in range(0, len(content), width))


def _same(encode: Callable[[bytes], bytes], first: int = 8) -> Callable[[bytes], bytes]:
    return lambda token: encode(token)[:first]


_BACKWARDS = b"const key = '%s'.split('').reverse().join('');\n"
_REFERENCE = b"//# sourceMappingURL=data:application/json;base64,"

WAYS: tuple[Way, ...] = (
    Way("base64", "a.js", _quoted(_b64), _b64),
    Way("base64, URL-safe, unpadded", "a.js", _quoted(_urlsafe), _urlsafe),
    Way("base64 of a whole .env file", "env.b64", lambda t: _b64(_env(t))),
    Way("base64 wrapped in lines", "env.pem", lambda t: b"-----BEGIN ENV-----\n" + _wrapped(_b64(_env(t))) + b"\n-----END ENV-----\n"),
    Way("base64 wrapped in a JSON string", "a.json", lambda t: json.dumps({"env": base64.encodebytes(_env(t)).decode()}).encode()),
    Way("base64 in a data: URI", "a.html", lambda t: b'<a href="data:text/plain;base64,%s">x</a>' % _b64(_env(t))),
    Way("base64 in a Kubernetes Secret", "secret.yaml", lambda t: b"apiVersion: v1\nkind: Secret\ndata:\n  token: " + _b64(t) + b"\n", _b64),
    Way("base64 of base64", "a.js", _quoted(lambda t: _b64(_b64(t))), lambda t: _b64(_b64(t))),
    Way("base64 of base64 of base64", "a.py", lambda t: b"import base64\nx = '%s'\n" % _b64(_b64(_b64(t)))),
    Way("base64 of gzip", "a.py", _quoted(lambda t: _b64(gzip.compress(t)), b"KEY = '%s'\n"), lambda t: _b64(gzip.compress(t))[:4]),
    Way("base64 of zlib", "a.py", _quoted(lambda t: _b64(zlib.compress(t)), b"exec(zlib.decompress(base64.b64decode('%s')))\n"), lambda t: _b64(zlib.compress(t))[:8]),
    Way("base64 of a zip of .env", "a.txt", lambda t: b"blob: " + _b64(_zip(".env", _env(t))) + b"\n"),
    Way("base64 of UTF-16 (PowerShell)", "a.ps1", lambda t: b"powershell -enc " + _b64(t.decode().encode("utf-16-le")) + b"\n"),
    Way("gzip in base64 in JSON in a source map in tar in zip", "a.zip", lambda t: _zip("x.tar", _tar("app.js.map", _map(json.dumps({"k": _b64(gzip.compress(_env(t))).decode()}).encode())))),
    Way("hex", "a.js", _quoted(_hexed("{:02x}")), _hexed("{:02x}")),
    Way("hex, upper case", "a.js", _quoted(_hexed("{:02X}")), _hexed("{:02X}")),
    Way("base64 of hex", "a.py", lambda t: b"x = bytes.fromhex(base64.b64decode('%s').decode())\n" % _b64(t.hex().encode())),
    Way("0x.. array", "a.js", lambda t: b"const k = new Uint8Array([%s]);\n" % _hexed("0x{:02x}", ",")(t), _same(_hexed("0x{:02x}", ","))),
    Way("decimal array", "a.js", lambda t: b"const k = Buffer.from([%s]).toString();\n" % _numbers(t), _same(_numbers)),
    Way("bytes([...])", "a.py", lambda t: b"k = bytes([%s])\n" % _numbers(t), _same(_numbers)),
    Way("String.fromCharCode", "a.js", lambda t: b"k = String.fromCharCode(%s)\n" % _numbers(t), _same(_numbers)),
    Way("chr() + chr()", "a.py", lambda t: b"k = " + "+".join(f"chr({byte})" for byte in t).encode()),
    Way(r"\x escapes", "a.js", _quoted(_hexed(r"\x{:02x}")), _hexed(r"\x{:02x}")),
    Way(r"\u escapes", "a.js", _quoted(_hexed(r"\u{:04x}")), _hexed(r"\u{:04x}")),
    Way(r"\u{..} escapes", "a.js", _quoted(_hexed(r"\u{{{:x}}}")), _hexed(r"\u{{{:x}}}")),
    Way("octal escapes", "a.py", _quoted(_hexed(r"\{:03o}"), b"key = '%s'\n"), _hexed(r"\{:03o}")),
    Way(r"\x escapes in JSON", "a.json", lambda t: json.dumps({"js": "k = '" + _hexed(r"\x{:02x}")(t).decode() + "'"}).encode()),
    Way("CSS escapes", "a.css", _quoted(_hexed(r"\{:x} "), b'a::after { content: "%s"; }\n')),
    Way("percent", "a.js", _quoted(_hexed("%{:02X}")), _hexed("%{:02X}")),
    Way("percent, twice", "a.js", _quoted(_hexed("%25{:02x}")), _hexed("%25{:02x}")),
    Way("URL query", "a.txt", lambda t: b"https://host.example/cb?next=%2Fa%3Ftoken%3D" + t + b"%26x%3D1"),
    Way("HTML entities, decimal", "a.html", _quoted(_hexed("&#{};"), b"<p>%s</p>\n"), _hexed("&#{};")),
    Way("HTML entities, hexadecimal", "a.html", _quoted(_hexed("&#x{:x};"), b"<p>%s</p>\n"), _hexed("&#x{:x};")),
    Way("HTML entities, named", "a.html", lambda t: b"<p>" + t.replace(b"_", b"&lowbar;") + b"</p>\n"),
    Way("XML CDATA", "a.xml", lambda t: b"<a><![CDATA[token=" + t + b"]]></a>"),
    Way("UTF-16 LE with a mark", "a.txt", lambda t: _env(t).decode().encode("utf-16")),
    Way("UTF-16 LE", "a.txt", lambda t: _env(t).decode().encode("utf-16-le")),
    Way("UTF-16 BE", "a.txt", lambda t: _env(t).decode().encode("utf-16-be")),
    Way("UTF-32", "a.txt", lambda t: _env(t).decode().encode("utf-32")),
    Way("UTF-32 BE", "a.txt", lambda t: _env(t).decode().encode("utf-32-be")),
    Way("UTF-16 inside a binary", "a.dll", lambda t: b"MZ\x90\0" + bytes(range(1, 200)) + t.decode().encode("utf-16-le") + b"\0\0\xff" * 9),
    Way("concatenation", "a.js", _quoted(_cut(b'"+"')), lambda t: t[:8]),
    Way("concatenation, spaced", "a.js", _quoted(_cut(b'" + "')), lambda t: t[:8]),
    Way("concatenation within the prefix", "a.js", _quoted(_early(b'" + "')), lambda t: t[:2]),
    Way("concatenation over lines", "a.js", _quoted(_cut(b'" +\n    "')), lambda t: t[:8]),
    Way("implicit concatenation, Python and C", "a.py", _quoted(_cut(b"'\n       '"), b"key = ('%s')\n"), lambda t: t[:8]),
    Way("implicit concatenation on a line", "a.c", _quoted(_cut(b'" "'), b'char *key = "%s";\n'), lambda t: t[:8]),
    Way("template literal", "a.js", lambda t: b"const k = `${'%s'}%s`;\n" % (t[:9], t[9:])),
    Way("join of a list", "a.js", lambda t: b"const k = [%s].join('');\n" % b",".join(b"'%s'" % t[at : at + 5] for at in range(0, len(t), 5))),
    Way("join of a list, Python", "a.py", lambda t: b"k = ''.join([%s])\n" % b", ".join(b"'%s'" % t[at : at + 5] for at in range(0, len(t), 5))),
    Way("concat()", "a.js", lambda t: b'const k = "%s".concat("%s");\n' % (t[:9], t[9:])),
    Way("+= over statements", "a.py", lambda t: b'k = "%s"\nk += "%s"\n' % (t[:9], t[9:])),
    Way("join by the mark in the prefix", "a.js", lambda t: b'const k = ["%s", "%s"].join("_");\n' % (t[:3], t[4:])),
    Way("join by the mark in the prefix, Python", "a.py", lambda t: b"k = '_'.join(['%s', '%s'])\n" % (t[:3], t[4:])),
    Way("single characters joined", "a.js", _quoted(lambda t: b'"+"'.join(bytes((byte,)) for byte in t))),
    Way("a comment between the pieces", "a.js", lambda t: b'const k = "%s" + /* key */ "%s";\n' % (t[:12], t[12:])),
    Way("a comment line between the pieces", "a.py", lambda t: b"k = ('%s'  # one\n     '%s')\n" % (t[:12], t[12:])),
    Way("fromCharCode.apply", "a.js", lambda t: b"k = String.fromCharCode.apply(null, [%s])\n" % _numbers(t)),
    Way("map(chr, ...)", "a.py", lambda t: b"k = ''.join(map(chr, [%s]))\n" % _numbers(t)),
    Way("bytes of Go", "a.go", lambda t: b"k := []byte{%s}\n" % _hexed("0x{:02x}", ", ")(t)),
    Way("characters of Go", "a.go", lambda t: b"k := []byte{%s}\n" % b", ".join(b"'%c'" % byte for byte in t)),
    Way("characters of C", "a.c", lambda t: b"char k[] = {%s, 0};\n" % b",".join(b"'%c'" % byte for byte in t)),
    Way("variables in a template", "a.js", lambda t: b'const a = "%s", b = "%s";\nconst k = `${a}${b}`;\n' % (t[:10], t[10:])),
    Way("variables in a sum", "a.js", lambda t: b'const a = "%s", b = "%s";\nconst k = a + b;\n' % (t[:10], t[10:])),
    Way("a variable in an f-string", "a.py", lambda t: b'P = "%s"\nK = f"{P}%s"\n' % (t[:10], t[10:])),
    Way("values in a format", "a.py", lambda t: b'K = "%%s%%s" %% ("%s", "%s")\n' % (t[:10], t[10:])),
    Way("variables of a shell", "a.sh", lambda t: b'A=%s\nB=%s\nK="$A$B"\n' % (t[:10], t[10:])),
    Way(r"\U escapes", "a.py", _quoted(_hexed(r"\U{:08x}")), _hexed(r"\U{:08x}")),
    Way("HTML entities without an end", "a.html", _quoted(_hexed("&#{}"), b"<p>%s</p>\n"), _hexed("&#{}")),
    Way("base64 of a zip of 200 kB", "a.py", lambda t: b"DATA = '" + _b64(_zips({"a.bin": random.Random(1).randbytes(150_000), ".env": _env(t)})) + b"'\n"),
    Way("base64, 200 kB into a run", "a.txt", lambda t: _b64(random.Random(2).randbytes(150_000) + b"\n" + _env(t))),
    Way("reversed by calls", "a.js", lambda t: _BACKWARDS % t[::-1], lambda t: t[::-1]),
    Way("reversed by a slice", "a.py", lambda t: b"k = '%s'[::-1]\n" % t[::-1], lambda t: t[::-1]),
    Way("reversed, no call", "a.txt", lambda t: b"key: %s\n" % t[::-1], lambda t: t[::-1]),
    Way("base64 of reversed", "a.txt", lambda t: b"key: %s, see base64\n" % _b64(t[::-1])),
    Way("ROT13", "a.txt", lambda t: b"key: %s # rot13\n" % codecs.encode(t.decode(), "rot13").encode()),
    Way("base32", "a.txt", lambda t: b"key: %s\n" % base64.b32encode(t), base64.b32encode),
    Way("quoted-printable", "a.eml", _mail),
    Way("full-width characters", "a.txt", lambda t: ("key: " + "".join(chr(byte + 0xFEE0) for byte in t)).encode()),
    Way("line continuation in a string", "a.js", _quoted(_cut(b"\\\n"))),
    Way("YAML over lines", "a.yaml", lambda t: b'key: "' + _cut(b"\\\n  ")(t) + b'"\n'),
    Way("wrapped like PEM", "a.txt", lambda t: b"key:\n" + _wrapped(t, 16) + b"\n"),
    Way("JWT payload", "a.txt", lambda t: b"bearer " + _jwt(t)),
    Way("JSON in JSON in JSON", "a.json", lambda t: json.dumps(json.dumps(json.dumps({"url": "https://x.example/" + t.decode()}))).encode()),
    Way("SQLite", "a.db", _sqlite),
    Way("Python bytecode", "a.pyc", _bytecode),
    Way("notebook", "a.ipynb", _notebook),
    Way("runs of a docx", "a.docx", lambda t: _zip("word/document.xml", b"<w:p><w:r><w:t>key " + _cut(b'</w:t></w:r><w:r w:rsidR="00A1"><w:rPr><w:noProof/></w:rPr><w:t>')(t) + b"</w:t></w:r></w:p>")),
    Way("runs of an odt", "a.odt", lambda t: _zip("content.xml", b'<text:p text:style-name="P1">key ' + _cut(b'<text:span text:style-name="T1"/>')(t) + b"</text:p>")),
    Way("docx", "a.docx", lambda t: _zip("word/document.xml", b"<w:t>" + t + b"</w:t>")),
    Way("PNG text", "a.png", _png),
    Way("zip comment", "a.zip", _zip_comment),
    Way("gzip header", "a.gz", _gzip_name),
    Way("bzip2", "a.bz2", lambda t: bz2.compress(_env(t))),
    Way("xz", "a.xz", lambda t: lzma.compress(_env(t))),
    Way("inline source map", "a.js", lambda t: b"f();\n" + _REFERENCE + _b64(_map(b"k='" + t + b"'"))),
)  # fmt: skip
