"""Which language a text is in, by its name and, where that does not tell, by its content."""

from __future__ import annotations

from monitor.patterns import later

_EXTENSIONS = {
    "javascript": "js mjs cjs jsx ts mts cts tsx vue svelte astro es6 jsm",
    "python": "py pyi pyw pyx pxd bzl",
    "go": "go",
    "java": "java",
    "rust": "rs",
    "c": "c h cc cpp cxx hpp hh hxx inl ipp m mm cu cuh glsl vert frag hlsl",
    "csharp": "cs csx",
    "kotlin": "kt kts",
    "swift": "swift",
    "scala": "scala sc groovy gradle",
    "dart": "dart",
    "php": "php",
    "proto": "proto thrift",
}
_BY_EXTENSION = {
    extension: language for language, names in _EXTENSIONS.items() for extension in names.split()
}
LOADERS = {
    **dict.fromkeys(("ts", "mts", "cts"), "ts"),
    "tsx": "tsx",
    **dict.fromkeys(("js", "mjs", "cjs", "jsx", "es6", "jsm"), "jsx"),
}
"""Extensions that esbuild reads, with the loader it is told to take."""

_NAMED = {"text", "txt", "orig", "bak", "old", "dat", "bin", "out", "tmp", "template", "in", "map"}
"""Extensions that say nothing about a content."""

_SHEBANG = later(rb"#![^\n]*?\b(node|deno|bun|tsx|python)[0-9.]*\b")
_SAMPLE = 16 << 10
_SIGNS = {
    "javascript": later(
        rb"\bfunction\b|=>|===|\b(?:const|let|var) [\w${\[]|\brequire\("
        rb"|\bexport (?:default|const)\b|\bvoid 0\b|\btypeof \w|\bthis\.|\b(?:if|for) ?\("
    ),
    "python": later(
        rb"(?m)^[ \t]*(?:def \w+\(|class \w+[(:]|from [\w.]+ import |import \w+$|elif .*:$"
        rb"|except\b.*:$|if .*:$|@\w+|self\.\w+)"
    ),
    "go": later(rb"(?m)^package \w+$|^func [\w(]|:= |\bif err != nil\b|^import \("),
    "java": later(
        rb"\bpublic (?:static |final |class |void |\w+\()|^import [\w.]+;|^package [\w.]+;"
        rb"|\bprivate (?:final |static )"
    ),
    "rust": later(rb"\bfn \w+|\blet mut \b|\bimpl\b|\bpub (?:fn|struct|enum|mod)\b|&mut \w"),
    "c": later(rb"(?m)^#include [<\"]|^#define \w|\bstd::|\bsizeof\(|->\w+|^#ifndef \w"),
}
_PER_SIGN = 500
"""Bytes: a text with a sign each so often is in that language."""


def is_script(path: str) -> bool:
    """Whether esbuild would read a file of this name."""
    return path.rpartition(".")[2].lower() in LOADERS


def language(path: str, content: bytes) -> str:
    """``javascript``, ``python``, ... or ``text``; the same whatever folder the file lies in."""
    name = path.replace("\\", "/").rpartition("/")[2].lower()
    parts = name.split(".")[1:]
    for extension in reversed(parts[-2:]):
        if extension in _BY_EXTENSION:
            return _BY_EXTENSION[extension]
        if extension not in _NAMED:
            return "text"
    return _by_content(content[:_SAMPLE])


def _by_content(sample: bytes) -> str:
    found = _SHEBANG.match(sample)
    if found:
        return "python" if found[1] == b"python" else "javascript"
    best, most = "text", 1 + len(sample) // _PER_SIGN
    for name, signs in _SIGNS.items():
        count = len(signs.findall(sample))
        if count > most:
            best, most = name, count
    return best


_BINARY_HEAD = 4 << 10
_MARKS = ((b"\xef\xbb\xbf", ""), (b"\xff\xfe\x00\x00", "utf-32-le"), (b"\xff\xfe", "utf-16-le"))
_WIDE = ((b"\x00\x00\xfe\xff", "utf-32-be"), (b"\xfe\xff", "utf-16-be"))


def plain_text(content: bytes) -> bytes | None:
    """A text's bytes in an encoding that keeps ASCII, without its mark; None for no text.

    The line that names an interpreter is emptied: it is no source.
    """
    text = _decoded(content)
    if text is not None and text.startswith(b"#!"):
        return text[text.find(b"\n") :] if b"\n" in text else b""
    return text


def _decoded(content: bytes) -> bytes | None:
    for mark, encoding in (*_MARKS, *_WIDE):
        if content.startswith(mark):
            rest = content[len(mark) :]
            return rest.decode(encoding, "replace").encode() if encoding else rest
    if b"\0" in content[:_BINARY_HEAD]:
        return None
    return content
