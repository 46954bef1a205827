"""Leaks of credentials and files: the numbers are those of the project's list of scenarios."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from typing import TYPE_CHECKING

import pytest

from monitor.model import Organisation, PostureValue, Severity
from tests.scenarios.builders import (
    asar,
    bytecode,
    dumped,
    github_token,
    npm,
    open_package_json,
    package_json,
    random_text,
    rsa_key,
    sdist,
    source_map,
    upload_token,
    wheel,
    zipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.scenarios.conftest import Outcome

    Scan = Callable[..., Outcome]

WHEEL = "acme-1.0-py3-none-any.whl"
SDIST = "acme-1.0.tar.gz"
OPEN_PYTHON = ("License: MIT", "Project-URL: Source, https://git.acme.example/acme")


def test_14_an_environment_file_with_a_key(scan: Scan) -> None:
    token = github_token()
    found = scan(npm({".env": f"GITHUB_TOKEN={token}\n".encode()}))
    assert found.severity is Severity.CRITICAL
    (secret,) = found.of("github-personal-access-token")
    assert secret.secret is not None
    assert secret.secret.checksum == "valid"
    assert (secret.line, secret.column) == (1, 14)
    assert found.of("carrier-env-file")[0].evidence["keys"] == ["GITHUB_TOKEN"]
    assert token not in repr(found.findings)
    assert token[-4:] in found.verdict.summary


def test_15_an_agent_s_settings(scan: Scan) -> None:
    clean = b'{"permissions": {"allow": ["Bash(npm test)"]}}'
    token = random_text(40)
    allowed = f'["Bash(curl -H \\"Authorization: Bearer {token}\\" https://api.acme.example)"]'
    filled = f'{{"permissions": {{"allow": {allowed}}}}}'.encode()
    path = ".claude/settings.local.json"
    assert scan(npm({path: clean})).severity is Severity.MEDIUM
    found = scan(npm({path: filled}))
    assert found.severity is Severity.CRITICAL
    assert token not in repr(found.findings)


def test_16_a_token_in_bytecode_only(scan: Scan) -> None:
    token = github_token(5)
    python = f"def login():\n    return connect(access_token={token!r})\n"
    files = {
        "acme/__pycache__/settings.cpython-311.pyc": bytecode(python),
        "acme/settings.py": b"def login():\n    return connect()\n",
    }
    found = scan(wheel(files), WHEEL)
    assert found.severity is Severity.CRITICAL
    assert found.of("github-personal-access-token")


def test_17_a_private_key_in_the_sdist_only(scan: Scan) -> None:
    files = {"secrets/id_rsa": rsa_key().encode(), "acme/__init__.py": b""}
    found = scan(sdist(files), SDIST)
    assert found.severity is Severity.CRITICAL
    assert found.of("carrier-private-key")
    assert scan(wheel({"acme/__init__.py": b""}), WHEEL).severity is Severity.NONE


def test_19_an_upload_token_in_a_pipeline(scan: Scan) -> None:
    script = f"script:\n  - twine upload -u __token__ -p {upload_token('acme')} dist/*\n"
    found = scan(sdist({".gitlab-ci.yml": script.encode()}), SDIST)
    assert found.severity is Severity.CRITICAL
    (finding,) = found.of("pypi-api-token")
    assert "acme" in finding.evidence["pypi_scope"]
    assert found.of("carrier-ci")


def test_20_an_environment_file_of_a_bundled_dependency(scan: Scan) -> None:
    line = f"DATABASE_PASSWORD={random_text(24)}\n".encode()
    found = scan(npm({"node_modules/dep/.env": line}))
    assert found.severity is Severity.CRITICAL


@pytest.mark.parametrize("has_list", [True, False])
def test_22_an_internal_package_made_public(scan: Scan, *, has_list: bool) -> None:
    manifest = package_json(
        name="acme-console-app", publishConfig={"registry": "https://npm.corp.acme.example/"}
    )
    own = Organisation(
        name="acme",
        internal_hosts=["*.corp.acme.example"],
        internal_names=["acme-console-*"] if has_list else [],
    )
    found = scan(
        npm({"index.js": b"1"}, manifest), organisation=own, target="npm:acme-console-app@1.2.0"
    )
    assert found.posture.value is PostureValue.INTERNAL_ONLY
    assert found.severity is Severity.CRITICAL
    assert found.of("internal-package-published")


def test_28_an_asar_in_an_extension_in_a_package(scan: Scan) -> None:
    application = asar({".env": f"API_SECRET={random_text(32)}\n".encode(), "main.js": b"1"})
    extension = zipped({"extension/app.asar": application, "extension/package.json": b"{}"})
    found = scan(npm({"vscode/acme.vsix": extension}))
    assert found.severity is Severity.CRITICAL
    (finding,) = found.of("carrier-env-file")
    assert finding.path.endswith("vscode/acme.vsix!/extension/app.asar!/.env")


def test_29_a_home_path_in_a_stripped_library(scan: Scan) -> None:
    """What the compiler wrote into the file outlives ``strip``: assertions name their source."""
    noise = random.Random(6).randbytes(3000)
    library = b"\x7fELF\x02\x01\x01" + bytes(57) + noise
    library += b"\0/home/mfischer/work/acme/src/fast.c\0" + noise
    files = {"acme/_fast.cpython-311-x86_64-linux-gnu.so": library, "acme/__init__.py": b""}
    found = scan(wheel(files), WHEEL)
    assert found.severity is Severity.LOW
    (finding,) = found.findings
    assert finding.rule == "absolute-home-path"
    built = library.replace(b"/home/mfischer/work/", b"/home/runner/work/x/")
    assert scan(wheel(files | {next(iter(files)): built}), WHEEL).findings == []


QUIET = {
    "blank example": (".env.example", "API_KEY=\nTOKEN=\nDATABASE_URL=\n"),
    "words": ("README.md", "GITHUB_TOKEN=ghp_" + "x" * 36 + "\nTOKEN=${TOKEN}\n"),
    "documented key": ("docs.md", "aws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE\n"),
    "references": ("deploy.sh", 'curl -H "Authorization: Bearer ${TOKEN}" $URL\n'),
    "example file": (".env.example", "PASSWORD=changeme\nTOKEN=<your-token>\nKEY=${KEY}\n"),
}


@pytest.mark.parametrize("case", QUIET)
def test_36_placeholders(scan: Scan, case: str) -> None:
    path, content = QUIET[case]
    found = scan(npm({path: content.encode()}))
    assert [each.rule for each in found.findings] == []
    assert found.verdict.summary.startswith("Nothing found in 2 members")


@pytest.mark.parametrize("case", QUIET)
def test_37_the_same_with_one_real_shaped_key(scan: Scan, case: str) -> None:
    path, content = QUIET[case]
    found = scan(npm({path: f"{content}GH={github_token()}\n".encode()}))
    assert found.severity is Severity.CRITICAL


def test_38_public_by_design(scan: Scan) -> None:
    config = {
        "apiKey": "AIza" + random_text(35, 2),
        "stripe": "pk_live_" + random_text(99, 3),
        "dsn": f"https://{random.Random(5).randbytes(16).hex()}@o11.ingest.sentry.io/22",
    }
    page = f"firebase.initializeApp({config!r})\n".encode()
    found = scan(npm({"web.js": page}))
    assert found.severity <= Severity.INFO
    assert found.by("secrets")


def encoded(claims: Mapping[str, object]) -> str:
    return base64.b64encode(json.dumps(claims, separators=(",", ":")).encode()).decode()


MAPBOX = {"u": "acme", "a": random_text(24, 8).lower()}
SENTRY = {
    "iat": 1700000000.5,
    "url": "https://sentry.acme.example",
    "region_url": "",
    "org": "acme",
}
SECRET_SIDES = {
    "stripe": "sk_live_" + random_text(99, 4),
    "mapbox": f"sk.{encoded(MAPBOX).rstrip('=')}.{random_text(22, 5)}",
    "sentry": f"sntrys_{encoded(SENTRY)}_{random_text(43, 6)}",
}


@pytest.mark.parametrize("case", SECRET_SIDES)
def test_38_the_secret_side_of_them(scan: Scan, case: str) -> None:
    found = scan(npm({"web.js": f'key = "{SECRET_SIDES[case]}"\n'.encode()}))
    assert found.severity is Severity.CRITICAL
    assert found.by("secrets")


def test_38_the_public_token_of_a_map_is_public(scan: Scan) -> None:
    token = f"pk.{encoded(MAPBOX).rstrip('=')}.{random_text(22, 7)}"
    found = scan(npm({"web.js": f'mapboxgl.accessToken = "{token}"\n'.encode()}))
    assert [each.severity for each in found.findings] == [Severity.INFO]


def test_39_hashes_and_fonts(scan: Scan) -> None:
    digest = hashlib.sha512(b"x").digest()
    lock = {"integrity": "sha512-" + base64.b64encode(digest).decode(), "resolved": "x"}
    noise = random.Random(4).randbytes(40_000)
    files = {
        "sums.json": dumped([lock] * 20),
        "commits.txt": f"{hashlib.sha1(b'x', usedforsecurity=False).hexdigest()}\n".encode() * 50,
        "style.css": b"@font-face{src:url(data:font/woff2;base64,"
        + base64.b64encode(noise)
        + b")}",
        "font.woff2": b"wOF2" + noise,
    }
    assert scan(npm(files)).severity is Severity.NONE


@pytest.mark.parametrize(
    ("path", "is_open", "expected"),
    [
        ("test/fixtures/server.pem", True, Severity.LOW),
        ("test/fixtures/server.pem", False, Severity.HIGH),
        ("lib/server.pem", True, Severity.HIGH),
    ],
)
def test_40_a_private_key_among_fixtures(
    scan: Scan, path: str, expected: Severity, *, is_open: bool
) -> None:
    manifest = open_package_json() if is_open else package_json()
    found = scan(npm({path: rsa_key(8).encode()}, manifest))
    assert found.findings
    assert found.severity >= expected
    if "fixtures" in path:
        assert found.severity is expected


def test_44_a_licence_text(scan: Scan) -> None:
    text = (
        b"Copyright (c) 2020, Acme. All rights reserved.\n\nRedistribution and use in source and "
        b"binary forms, with or without modification, are permitted provided that...\n"
    )
    found = scan(npm({"LICENSE": text}, open_package_json()))
    assert found.severity <= Severity.INFO


def test_45_a_native_binary_alone(scan: Scan) -> None:
    binary = b"\x7fELF\x02\x01\x01" + bytes(57) + random.Random(6).randbytes(3_000_000)
    assert scan(wheel({"acme/_fast.so": binary}), WHEEL).severity <= Severity.LOW


def test_an_open_package_never_lowers_a_secret(scan: Scan) -> None:
    files = {"a.js": f'token = "{github_token()}"\n'.encode()}
    assert scan(npm(files, open_package_json())).severity is Severity.CRITICAL
    python = {"acme/a.py": files["a.js"]}
    assert scan(wheel(python, *OPEN_PYTHON), WHEEL).severity is Severity.CRITICAL


def test_a_secret_inside_a_recovered_source(scan: Scan) -> None:
    content = f'const key = "{github_token()}";\n'
    full = source_map(["../src/client.ts"], sourcesContent=[content])
    found = scan(npm({"cli.js.map": dumped(full)}, open_package_json()))
    (finding,) = [
        each for each in found.of("github-personal-access-token") if each.path.endswith(".ts")
    ]
    assert finding.path.endswith("cli.js.map!/../src/client.ts")
    assert found.severity is Severity.CRITICAL


def test_a_clean_package_is_clean(scan: Scan) -> None:
    found = scan(npm({"index.js": b"module.exports = 1\n", "README.md": b"# acme\n"}))
    assert found.severity is Severity.NONE
    assert found.findings == []
    assert len(found.inspection.members) == 3
