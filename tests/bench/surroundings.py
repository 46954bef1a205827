"""Twelve surroundings in which a token may be published, each as ``(file name, bytes)``.

Assignment, JSON, YAML, environment, URL and base64 name what they hold. In the other six a token
that tells by itself what it is stands without a name, as in positional arguments, minified code,
bearer headers, logs and prose.
"""

from __future__ import annotations

import base64
import gzip
import importlib.util
import io
import json
import marshal
import string
import tarfile
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.bench.shapes import Provider

BUNDLE_BYTES = 120_000
_WORDS = ("render", "state", "props", "value", "length", "index", "target", "config", "result")


def camel(variable: str) -> str:
    first, *rest = variable.split("_")
    return first + "".join(word.capitalize() for word in rest)


def assignment(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    literal = f'"""{token}"""' if "\n" in token else f'"{token}"'
    text = (
        "import os\n\nfrom acme.client import Client\n\n"
        f"{provider.variable.upper()} = {literal}\n\n"
        f"client = Client({provider.variable.upper()}, timeout=30)\n"
    )
    return "settings.py", text.encode()


def json_file(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    content = {"name": "deploy", "retries": 3, camel(provider.variable): token, "region": "eu"}
    return "config.json", json.dumps(content, indent=2).encode()


def yaml_file(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    value = "|\n    " + token.strip().replace("\n", "\n    ") if "\n" in token else token
    text = f"service: deploy\nenvironment:\n  REGION: eu-1\n  {provider.variable}: {value}\n"
    return "values.yaml", (text + "  RETRIES: 3\n").encode()


def environment(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    value = '"' + token.replace("\n", "\\n") + '"' if "\n" in token else token
    text = f"NODE_ENV=production\n{provider.variable.upper()}={value}\nPORT=8080\n"
    return "production.env", text.encode()


def header(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    name = "-".join(word.capitalize() for word in provider.variable.split("_"))
    line = f"X-{name}: {token}" if provider.shape == "bare" else f"Authorization: Bearer {token}"
    text = f"#!/bin/sh\nset -e\ncurl -fsS -H '{line}' https://api.acme-prod.net/v1/jobs\n"
    return "deploy.sh", text.encode()


def url(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    address = (
        f"https://api.acme-prod.net/v1/jobs?{provider.variable}={quote(token, safe='')}&page=1"
    )
    return "README.md", f"# Jobs\n\nOpen [the list]({address}) to see them.\n".encode()


def minified(size: int, chance: random.Random) -> str:
    """JavaScript as a minifier leaves it: short names, no line breaks."""
    parts, length = [], 0
    while length < size:
        a, b, c = chance.choices(string.ascii_letters, k=3)
        word, number = chance.choice(_WORDS), chance.randrange(9999)
        part = chance.choice((
            f"function {a}{b}({b},{c}){{return {b}.{word}({c},{number})}}",
            f'var {a}{c}={{{word}:{number},id:"{word}-{number:x}"}};',
            f"{a}.{word}=({b}={c}.{word}||[])&&{b}.push({number});",
            f'if("{word}"==={a}.type)throw Error("{word} {number} is not a {b}");',
        ))  # fmt: skip
        parts.append(part)
        length += len(part)
    return "".join(parts)


def bundle(provider: Provider, token: str, chance: random.Random) -> tuple[str, bytes]:
    name = camel(provider.variable) if provider.shape == "bare" else chance.choice("abcdefg")
    planted = f"const c={{b:t,{name}:{json.dumps(token)},r:3}};"
    half = BUNDLE_BYTES // 2
    return "app.min.js", (minified(half, chance) + planted + minified(half, chance)).encode()


def source_map(provider: Provider, token: str, chance: random.Random) -> tuple[str, bytes]:
    call = f"connect({json.dumps(token)}, 30)"
    if provider.shape == "bare":
        call = f"connect({{ {camel(provider.variable)}: {json.dumps(token)} }})"
    source = f'import {{ connect }} from "./net";\n\nexport const session = {call};\n'
    mappings = ";".join("".join(chance.choices("ACEGIKgB,", k=60)) for _ in range(40))
    content = {
        "version": 3,
        "file": "index.js",
        "sources": ["../src/net.ts", "../src/index.ts"],
        "sourcesContent": ["export const connect = (key: string) => key;\n", source],
        "names": [],
        "mappings": mappings,
    }
    return "index.js.map", json.dumps(content).encode()


def bytecode(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    name = f"{provider.variable}=" if provider.shape == "bare" else ""
    text = f"import acme\n\nCLIENT = acme.Client({name}{token!r}, timeout=30)\n"
    code = compile(text, "settings.py", "exec")
    return "settings.pyc", importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def nested(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    """A log in a package in a package."""
    said = f"{provider.variable}={token}" if provider.shape == "bare" else token
    log = f"12:00:01 step 3 of 7\n12:00:02 sent {said} to eu-1\n12:00:03 done\n".encode()
    return "release.tgz", _tarred("package/acme-0.9.0.tgz", _tarred("package/ci.log", log))


def _tarred(name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(body)
        tar.addfile(entry, io.BytesIO(body))
    return gzip.compress(out.getvalue(), mtime=0)


def in_base64(provider: Provider, token: str, chance: random.Random) -> tuple[str, bytes]:
    """As Kubernetes keeps a secret: a whole settings file in base64."""
    inside = base64.b64encode(environment(provider, token, chance)[1]).decode()
    text = (
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\ndata:\n  settings.env: {inside}\n"
    )
    return "secret.yaml", text.encode()


def document(provider: Provider, token: str, _: random.Random) -> tuple[str, bytes]:
    is_bare = provider.shape == "bare"
    said = f"{provider.variable}: {token}" if is_bare else f"Sign in with {token}"
    paragraphs = "".join(
        f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>"
        for line in ("How to deploy", *said.replace("&", "&amp;").splitlines(), "and wait.")
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr(
            "word/document.xml", f"<w:document><w:body>{paragraphs}</w:body></w:document>"
        )
    return "notes.docx", out.getvalue()


SURROUNDINGS: dict[str, Callable[[Provider, str, random.Random], tuple[str, bytes]]] = {
    "assignment": assignment,
    "JSON": json_file,
    "YAML": yaml_file,
    "environment": environment,
    "header": header,
    "URL": url,
    "minified bundle": bundle,
    "source map": source_map,
    "bytecode": bytecode,
    "nested archive": nested,
    "base64": in_base64,
    "document": document,
}
UNFIT = {"pem": {"header", "URL"}, "connection": {"header", "URL"}}
"""Surroundings in which nobody would put a value of that shape."""
