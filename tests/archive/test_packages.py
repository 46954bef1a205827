"""Package formats that are containers in containers: no reader of their own, opened to the leaf."""

from __future__ import annotations

import gzip
import importlib.util
import io
import marshal
import tarfile
import zipapp
import zipfile
from typing import TYPE_CHECKING

from tests.archive.mutations import opened

if TYPE_CHECKING:
    from pathlib import Path


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, body in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(body)
            archive.addfile(header, io.BytesIO(body))
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


def leaves(path: str, raw: bytes) -> list[bytes]:
    members, trail = opened(path, raw)
    assert trail.skipped == []
    return list(members.values())


def test_gem() -> None:
    inner = gzip.compress(tarred({"lib/a.rb": b"TOKEN = 1\n"}))
    raw = tarred({"metadata.gz": gzip.compress(b"--- gem\n"), "data.tar.gz": inner})
    assert leaves("acme-1.0.gem", raw) == [b"--- gem\n", b"TOKEN = 1\n"]


def test_crate() -> None:
    raw = gzip.compress(tarred({"acme-1.0/src/lib.rs": b"fn main() {}\n"}))
    members, _ = opened("acme-1.0.crate", raw)
    (path,) = members
    assert path.startswith("acme-1.0.crate!/")
    assert path.endswith("acme-1.0/src/lib.rs")


def test_office_documents() -> None:
    raw = zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:t>token</w:t>"})
    assert b"<w:t>token</w:t>" in leaves("plan.docx", raw)


def test_zipapp_with_bytecode(tmp_path: Path) -> None:
    code = marshal.dumps(compile("api_key = 'tok-in-app'", "m.py", "exec"))
    source = tmp_path / "app"
    source.mkdir()
    (source / "__main__.py").write_text("print(1)\n", encoding="utf-8")
    (source / "m.pyc").write_bytes(importlib.util.MAGIC_NUMBER + bytes(12) + code)
    target = tmp_path / "app.pyz"
    zipapp.create_archive(source, target, interpreter="/usr/bin/env python3")
    members, trail = opened("app.pyz", target.read_bytes())
    assert b'api_key = "tok-in-app"' in members["app.pyz!/m.pyc!/(constants)"]
    assert members["app.pyz!/__main__.py"] == b"print(1)\n"
    assert trail.skipped == []


def test_shiv_and_pex_keep_their_site_packages_behind_a_shebang() -> None:
    inner = {"site-packages/acme/.env": b"TOKEN=1\n", "environment.json": b"{}"}
    raw = b"#!/usr/bin/env -S python3 -sE\n" + zipped(inner)
    members, _ = opened("acme", raw)
    assert members["acme!/site-packages/acme/.env"] == b"TOKEN=1\n"


def test_an_asar_in_a_vsix_in_a_tarball() -> None:
    index = b'{"files":{".env":{"offset":"0","size":8}}}'
    sizes = (4, len(index) + 10, len(index) + 6, len(index))
    asar = b"".join(size.to_bytes(4, "little") for size in sizes) + index + b"\0\0" + b"TOKEN=1\n"
    vsix = zipped({"extension/app.asar": asar})
    members, trail = opened("a.tgz", gzip.compress(tarred({"package/x.vsix": vsix})))
    (path,) = members
    assert path.endswith("package/x.vsix!/extension/app.asar!/.env")
    assert members[path] == b"TOKEN=1\n"
    assert trail.skipped == []
