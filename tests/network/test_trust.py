"""Certificates: a company's authority is trusted where the environment or a client names it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web

from monitor.errors import ConfigError, TargetError
from monitor.http import trust
from monitor.http.settings import HttpSettings
from monitor.registries import network
from monitor.registries.settings import NetworkSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.registries.client_config import Machine

LOOPBACK = NetworkSettings(http=HttpSettings(allow_private=["127.0.0.1"], tries=1))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of its own authority for 127.0.0.1, its key beside it."""
    path = tmp_path / "corp.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=corp.example",
            "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", path.with_suffix(".key"), "-out", path,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return path


@pytest.fixture
async def site(certificate: Path) -> AsyncIterator[str]:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text="{}")

    app = web.Application()
    app.router.add_get("/", handler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


async def body(site: str, machine: Machine) -> bytes:
    async with network.connect(LOOPBACK, machine) as net:
        return (await net.client.document(site)).body


async def test_an_unknown_authority_is_refused_with_the_remedy(site: str, machine: Machine) -> None:
    with pytest.raises(TargetError, match=r"not trusted.*SSL_CERT_FILE") as caught:
        await body(site, machine)
    assert caught.value.reason == "certificate"


VARIABLES = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "npm_config_cafile"]


@pytest.mark.parametrize("variable", VARIABLES)
async def test_the_environment_names_an_authority(
    site: str, machine: Machine, certificate: Path, variable: str
) -> None:
    environ = {**machine.environ, variable: str(certificate)}
    assert await body(site, msgspec.structs.replace(machine, environ=environ)) == b"{}"


async def test_a_client_s_file_names_an_authority(
    site: str, machine: Machine, certificate: Path
) -> None:
    write(Path(machine.home, ".npmrc"), f"cafile={certificate}\n")
    assert await body(site, machine) == b"{}"


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.pem"
    for text in ("", "nothing"):
        write(path, text)
        with pytest.raises(ConfigError, match=str(path)):
            trust.context([str(path)])
    with pytest.raises(ConfigError, match=r"gone\.pem"):
        trust.context([str(tmp_path / "gone.pem")])
