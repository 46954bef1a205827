"""Files in which no secret stands, though much looks like one: whatever is said here is false."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from typing import TYPE_CHECKING

from tests.bench import formats, shapes
from tests.bench.surroundings import camel, minified

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

# the examples of the providers' own documentation, put together here and nowhere else
DOCUMENTED = {
    "aws_access_key_id": "AKIA" + "IOSFODNN7" + "EXAMPLE",
    "aws_secret_access_key": "wJalrXUtnFEMI" + "/K7MDENG/" + "bPxRfiCYEXAMPLEKEY",
    "stripe_test_key": "sk_test_" + "4eC39HqLyjW" + "DarjtT1zdp7dc",
    "twilio_account": "AC" + "X" * 32,
    "slack_webhook": "https://hooks.slack.com/services/" + "T00000000/B00000000/" + "X" * 24,
    "jwt": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9l"
    "IiwiaWF0IjoxNTE2MjM5MDIyfQ." + "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
}


def decoys(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Every decoy as ``(file name, bytes)``."""
    yield from _placeholders(chance)
    yield "documented.py", _assigned(DOCUMENTED)
    yield "documented.json", json.dumps(DOCUMENTED, indent=1).encode()
    yield from _digests(chance)
    yield from _noise(chance)
    yield from _code()


def _assigned(values: dict[str, str]) -> bytes:
    return "".join(f'{name.upper()} = "{value}"\n' for name, value in values.items()).encode()


def _placeholders(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    written: tuple[Callable[[str, str], str], ...] = (
        lambda name, _: f"<your-{name.replace('_', '-')}>",
        lambda name, _: f"${{{name.upper()}}}",
        lambda name, _: f"YOUR_{name.upper()}_HERE",
        lambda name, _: f"{{{{ secrets.{name} }}}}",
        lambda _, prefix: prefix + "x" * 36,
        lambda _, prefix: prefix + "...",
        lambda _, prefix: prefix + "*" * 24,
        lambda _, prefix: prefix + "1234567890" * 4,
    )
    for number, write in enumerate(written):
        values = {}
        for provider in formats.PROVIDERS:
            if provider.shape == "token":
                token = formats.token(provider, chance)
                prefix = re.split(r"(?<=[_\-.])[^_\-.]*$", token)[0] if "_" in token else token[:4]
                values[provider.variable] = write(provider.variable, prefix[:12])
        lines = "".join(f"{name.upper()}={value}\n" for name, value in values.items())
        yield f"placeholders-{number}.env", lines.encode()
        yield f"placeholders-{number}.json", json.dumps(values, indent=1).encode()


def _digests(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    names = [f"package-{number}" for number in range(120)]
    bodies = {name: chance.randbytes(40) for name in names}
    integrity = {
        f"node_modules/{name}": {
            "version": f"1.{number}.0",
            "integrity": "sha512-"
            + base64.b64encode(hashlib.sha512(bodies[name]).digest()).decode(),
        }
        for number, name in enumerate(names)
    }
    yield "package-lock.json", json.dumps({"packages": integrity}, indent=1).encode()
    pinned = (
        f"{n}==1.0 --hash=sha256:{hashlib.sha256(b).hexdigest()}\n" for n, b in bodies.items()
    )
    yield "requirements.lock", "".join(pinned).encode()
    sums = (f"{hashlib.sha256(body).hexdigest()}  {name}.tgz\n" for name, body in bodies.items())
    yield "SHA256SUMS", "".join(sums).encode()
    commits = {f"commit_{number}": chance.randbytes(20).hex() for number in range(60)}
    yield "commits.json", json.dumps(commits, indent=1).encode()
    ids = {f"{name}_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)) for name in names}
    yield "ids.yaml", "".join(f"{name}: {value}\n" for name, value in ids.items()).encode()
    record = (
        f"pkg/{name}.py,sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode()[:43]},40\n"
        for name, body in bodies.items()
    )
    yield "RECORD", "".join(record).encode()


def _noise(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    for number in range(4):
        yield f"noise-{number}.min.js", minified(200_000, chance).encode()
    font = base64.b64encode(chance.randbytes(40_000)).decode()
    yield "font.css", f"@font-face{{src:url(data:font/woff2;base64,{font})}}".encode()
    yield (
        "inlined.js",
        f'const wasm="{base64.b64encode(chance.randbytes(60_000)).decode()}";'.encode(),
    )
    classes = "".join(f".{shapes.filled('{6:a}_{5:b}', chance)}{{top:0}}" for _ in range(400))
    yield "classes.css", classes.encode()
    mappings = ";".join("".join(chance.choices("ACEGIKMOQSUgBiBkB,", k=70)) for _ in range(900))
    content = {"version": 3, "sources": ["node_modules/a/b.js"], "names": [], "mappings": mappings}
    yield "noise.js.map", json.dumps(content).encode()
    yield "blob.bin", chance.randbytes(300_000)
    public = base64.encodebytes(chance.randbytes(294)).decode()
    yield "public.pem", f"-----BEGIN PUBLIC KEY-----\n{public}-----END PUBLIC KEY-----\n".encode()
    yield "server.crt", f"-----BEGIN CERTIFICATE-----\n{public}-----END CERTIFICATE-----\n".encode()
    ssh = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + chance.randbytes(32)).decode()
    yield "known_hosts", f"git.acme.example ssh-ed25519 {ssh}\n".encode()


def _code() -> Iterator[tuple[str, bytes]]:
    names = [provider.variable for provider in formats.PROVIDERS]
    python = "".join(
        f'{name} = os.environ["{name.upper()}"]\n'
        f'{name} = settings.get("{name}", default_{name})\n'
        f'raise ValueError("{name} must be a string of 40 characters")\n'
        for name in names
    )
    yield "reads.py", f"import os\n{python}".encode()
    script = "".join(
        f"const {camel(name)} = process.env.{name.upper()};\n"
        f'schema.{camel(name)} = {{type: "string", title: "{camel(name)}FieldLabel2"}};\n'
        for name in names
    )
    yield "reads.ts", script.encode()
    words = {f"{name}_label": f"Enter your {name.replace('_', ' ')} (8-64 chars)" for name in names}
    yield "messages.json", json.dumps(words, indent=1).encode()
