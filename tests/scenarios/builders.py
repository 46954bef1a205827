"""Real archives, built byte by byte from generated content: nothing in them was ever a secret."""

from __future__ import annotations

import base64
import binascii
import gzip
import importlib.util
import io
import json
import marshal
import random
import string
import struct
import tarfile
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from monitor.rules.checksums import base62

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Files = dict[str, bytes]
NPM_MTIME = 499_162_500
REPOSITORY = "git+https://git.acme.example/cli.git"


def random_text(length: int, seed: int = 1) -> str:
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=length))


def github_token(seed: int = 1) -> str:
    body = random_text(30, seed)
    return "ghp_" + body + base62(binascii.crc32(body.encode()), 6).decode()


def upload_token(*projects: str) -> str:
    """A macaroon of the right form: location, identifier, one caveat, a made-up signature."""
    location = base64.b64decode("AgEIcHlwaS5vcmc=")
    caveat = json.dumps({"version": 1, "permissions": {"projects": list(projects)}}).encode()
    identifier = random_text(36, 3).encode()
    signature = random.Random(9).randbytes(32)
    raw = location + b"\x02" + bytes([len(identifier)]) + identifier + b"\0"
    raw += b"\x02" + bytes([len(caveat)]) + caveat + b"\0\0" + b"\x06\x20" + signature
    return "pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


@cache
def rsa_key(_seed: int = 1) -> str:
    """A private key that parses, as PKCS#1; it opens nothing."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def source(number: int) -> str:
    function = f"export function run{number}(value: number)"
    return f"// module {number}\n{function} {{\n  return value + {number};\n}}\n"


def source_map(
    names: Sequence[str | None], *, has_content: bool = True, **more: Any
) -> dict[str, Any]:
    contents = [source(number) for number in range(len(names))] if has_content else None
    found: dict[str, Any] = {"version": 3, "sources": list(names), "names": [], "mappings": "AAAA"}
    if contents is not None:
        found["sourcesContent"] = contents
    return found | more


def own_sources(count: int) -> list[str]:
    return [f"../src/part{number // 50}/module{number}.ts" for number in range(count)]


def dumped(content: object) -> bytes:
    return json.dumps(content).encode()


def package_json(**more: Any) -> bytes:
    return dumped({"name": "@acme/cli", "version": "1.2.0", "license": "UNLICENSED"} | more)


def open_package_json(**more: Any) -> bytes:
    return package_json(license="MIT", repository={"type": "git", "url": REPOSITORY}, **more)


def tar(files: Mapping[str, bytes], *, owner: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.uname = len(content), NPM_MTIME, owner
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def npm(files: Mapping[str, bytes], manifest: bytes | None = None) -> bytes:
    """An npm package; without a manifest it is @acme/cli, UNLICENSED."""
    content = {"package.json": manifest or package_json()} | dict(files)
    return gzip.compress(tar({f"package/{name}": each for name, each in content.items()}))


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def metadata(*headers: str, name: str = "acme") -> bytes:
    return "\n".join(
        ("Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *headers, "")
    ).encode()


def wheel(files: Mapping[str, bytes], *headers: str, name: str = "acme") -> bytes:
    folder = "acme-1.0.dist-info"
    content = dict(files) | {f"{folder}/METADATA": metadata(*headers, name=name)}
    record = "".join(f"{path},,{len(each)}\n" for path, each in content.items())
    content[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
    return zipped(content)


def sdist(files: Mapping[str, bytes], *headers: str, owner: str = "", name: str = "acme") -> bytes:
    content = dict(files) | {"PKG-INFO": metadata(*headers, name=name)}
    named = {f"acme-1.0/{path}": each for path, each in content.items()}
    return gzip.compress(tar(named, owner=owner))


def bytecode(python: str) -> bytes:
    code = compile(python, "acme/settings.py", "exec")
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def asar(files: Mapping[str, bytes]) -> bytes:
    """Electron's archive: a pickled header of JSON, then the files one after the other."""
    offset, index = 0, {}
    for name, content in files.items():
        index[name] = {"size": len(content), "offset": str(offset)}
        offset += len(content)
    header = json.dumps({"files": index}).encode()
    padded = header + bytes(-len(header) % 4)
    pickled = struct.pack("<II", len(padded) + 4, len(header)) + padded
    return struct.pack("<II", 4, len(pickled)) + pickled + b"".join(files.values())


def wasm(*, map_url: str) -> bytes:
    """A WebAssembly module with a custom section that says where its map is."""
    value = map_url.encode()
    body = b"\x10sourceMappingURL" + _leb128(len(value)) + value
    empty = b"\0" + _leb128(6) + b"\x04name\0"
    return b"\0asm\1\0\0\0" + empty + b"\0" + _leb128(len(body)) + body


def _leb128(number: int) -> bytes:
    more = number >> 7
    return bytes([number & 127 | 128]) + _leb128(more) if more else bytes([number])


def inline(map_bytes: bytes) -> str:
    encoded = base64.b64encode(map_bytes).decode()
    return f"//# sourceMappingURL=data:application/json;charset=utf-8;base64,{encoded}"
