"""Packages that would rather not be read by Semgrep."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PASSWORD = "vT9x-" + "Qm2Lr-B7wZc-4NfYk"
JS_LEAK = f'const t = jwt.sign({{ id }}, "{PASSWORD}");\n'
PY_LEAK = f'import jwt\ntoken = jwt.encode({{"sub": 1}}, "{PASSWORD}")\n'
GO_LEAK = f'package main\n\nfunc f() {{\n\ts, _ := token.SignedString([]byte("{PASSWORD}"))\n}}\n'
JAVA_LEAK = f'class A {{ Object a = Algorithm.HMAC256("{PASSWORD}"); }}\n'
SLOW = JS_LEAK + "a=[" + "[" * 400_000
"""Semgrep's parser needs minutes for this, on a fast machine too: it works in the square of it."""
COPIES = 3000


def archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """A .tgz with these files as they are named, whatever the name."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def hostile() -> dict[str, bytes]:
    """Path -> content. Each file but the last few holds the same kind of leak, made unique."""
    ignored = {
        "package/tests/deep/a.test.js": JS_LEAK,
        "package/node_modules/dep/index.js": JS_LEAK,
        "package/dist/bundle.min.js": JS_LEAK,
        "package/.venv/lib/mod.py": PY_LEAK,
        "package/vendor/x/y.go": GO_LEAK,
        "package/build/src/test/A.java": JAVA_LEAK,
        "package/nosem.mjs": JS_LEAK.rstrip() + " // nosemgrep\n",
        "package/nosem_rule.py": PY_LEAK.rstrip() + "  # nosemgrep: jwt-literal-secret-python\n",
        "package/nosem_short.py": "# nosem\n" + PY_LEAK.rstrip() + "  # nosem\n",
        "package/--config=evil.js": JS_LEAK,
        "package/; touch pwned; $(id).js": JS_LEAK,
        "package/new\nline \u202e.cts": JS_LEAK,
        "package/../../../evil.js": JS_LEAK,
        "/etc/evil.py": PY_LEAK,
        "package/bin/cli": "#!/usr/bin/env -S node --no-warnings\n" + JS_LEAK,
    }
    files = {
        name: (f"// {name.encode().hex()}\n" if "py" not in name else "").encode() + text.encode()
        for name, text in ignored.items()
        if not name.endswith(("py", "cli"))
    }
    files |= {name: text.encode() for name, text in ignored.items() if name not in files}
    files["package/latin.js"] = b'var caf\xe9 = "\xff\xfe";\n' + JS_LEAK.encode()
    files["package/.semgrepignore"] = b"*\n"
    files[".semgrepignore"] = b":include .gitignore\n*\n"
    files["package/.gitignore"] = b"*\n"
    files["package/cli.js.map"] = json.dumps(
        {
            "version": 3,
            "sources": ["webpack://acme/./src/auth.ts?6f1d"],
            "sourcesContent": ["// recovered\n" + JS_LEAK],
            "mappings": "AAAA",
        }
    ).encode()
    files["package/huge.js"] = JS_LEAK.encode() + b"//" + b"x" * (3 << 20)
    files |= {f"package/copies/{at}.js": b"// copy\n" + JS_LEAK.encode() for at in range(COPIES)}
    return files
