"""Real registries on loopback, each asking for credentials: verdaccio, devpi, git's own backend.

Verdaccio's modules are installed by ``npm ci --no-audit --no-fund`` in ``tests/servers``.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVERS = Path(__file__).resolve().parent.parent / "servers"
VERDACCIO = SERVERS / "node_modules" / "verdaccio" / "bin" / "verdaccio"
BIN = Path(sys.executable).parent
USER = "robot"
PASSWORD = "pass" + "word-of-the-robot"


class Registry(Struct, frozen=True):
    """A running registry: its address and what a client needs to be let in."""

    url: str
    token: str
    home: Path

    def __repr__(self) -> str:
        return f"Registry({self.url!r})"

    @property
    def netloc(self) -> str:
        return self.url.split("/")[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, **more: str) -> dict[str, str]:
    """A clean environment: nothing of the developer's own configuration."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", **more}


@contextmanager
def running(command: list[str], env: Mapping[str, str], ready: str) -> Iterator[None]:
    """The server's process, from the line that says it is ready to the end of the block."""
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        said: list[str] = []
        for line in child.stdout:
            said.append(line)
            if ready in line:
                break
        else:
            raise AssertionError(f"{command[0]} did not start:\n{''.join(said)}")
        # A server that goes on logging must not block on a full pipe.
        drain = subprocess.Popen(["cat"], stdin=child.stdout, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            child.terminate()
            child.wait()
            drain.wait()


def call(
    method: str, url: str, body: object, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        url,
        method=method,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        found = json.load(answer)
    assert isinstance(found, dict)
    return found


_VERDACCIO = """
storage: {folder}/storage
auth: {{htpasswd: {{file: {folder}/htpasswd, max_users: 10}}}}
packages:
  '**': {{access: $authenticated, publish: $authenticated, unpublish: $authenticated}}
log: {{type: stdout, format: pretty, level: warn}}
"""


@contextmanager
def verdaccio(folder: Path) -> Iterator[Registry]:
    """Verdaccio without uplinks; nobody reads or writes without a login."""
    config = folder / "config.yaml"
    config.write_text(_VERDACCIO.format(folder=folder), encoding="utf-8")
    assert VERDACCIO.exists(), "run: npm ci --no-audit --no-fund (in tests/servers)"
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = ["node", str(VERDACCIO), "--config", str(config), "--listen", f"127.0.0.1:{port}"]
    with running(command, environment(folder), "http address"):
        user = {"name": USER, "password": PASSWORD}
        made = call("PUT", f"{url}-/user/org.couchdb.user:{USER}", user)
        yield Registry(url, str(made["token"]), folder)


def npm_publish(registry: Registry, manifest: Mapping[str, Any], files: Mapping[str, str]) -> None:
    """Publish a package with the real npm."""
    folder = registry.home / "publish" / str(manifest["name"]) / str(manifest["version"])
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    npm(registry, "publish", "--tag", "next" if "-" in str(manifest["version"]) else "latest",
        folder=folder)  # fmt: skip


def npm(registry: Registry, *arguments: str, folder: Path | None = None) -> None:
    """Run the real npm, logged in."""
    home = registry.home / "npm-home"
    home.mkdir(exist_ok=True)
    (home / ".npmrc").write_text(
        f"registry={registry.url}\n//{registry.netloc}/:_authToken={registry.token}\n"
        "update-notifier=false\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["npm", *arguments],
        cwd=folder or home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def devpi(folder: Path) -> Iterator[Registry]:
    """devpi-server with a user and an index, read and written only with a login."""
    plugin = str(SERVERS / "devpi_read_access")
    env = environment(folder, PYTHONPATH=plugin, PYTHONUNBUFFERED="1")
    state = ["--serverdir", str(folder / "state")]
    subprocess.run(
        [BIN / "devpi-init", *state, "--no-root-pypi", "--root-passwd", PASSWORD],
        env=env,
        capture_output=True,
        check=True,
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [
        str(BIN / "devpi-server"), *state, "--host", "127.0.0.1", "--port", str(port),
        "--threads", "4",
    ]  # fmt: skip
    with running(command, env, "Serving on"):
        root = _devpi_login(url, "root")
        call("PUT", f"{url}{USER}", {"password": PASSWORD}, root)
        own = _devpi_login(url, USER)
        call("PUT", f"{url}{USER}/dev", {"bases": [], "volatile": False}, own)
        yield Registry(f"{url}{USER}/dev/", PASSWORD, folder)


def _devpi_login(url: str, user: str) -> dict[str, str]:
    login = call("POST", f"{url}+login", {"user": user, "password": PASSWORD})
    secret = f"{user}:{login['result']['password']}"
    return {"X-Devpi-Auth": base64.b64encode(secret.encode()).decode()}


def twine_upload(registry: Registry, *files: Path) -> None:
    """Upload distributions with the real twine."""
    done = subprocess.run(
        [
            BIN / "twine", "upload", "--non-interactive", "--disable-progress-bar",
            "--repository-url", registry.url, "-u", USER, "-p", PASSWORD, *files,
        ],
        env=environment(registry.home),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def distributions(folder: Path, name: str, version: str) -> list[Path]:
    """An sdist and a wheel of a package with one module."""
    folder.mkdir(parents=True, exist_ok=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", f"version = {version!r}\n")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    sdist = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(sdist, "w:gz") as tar:
        for member, text in (("PKG-INFO", metadata), (f"{name}.py", "x = 1\n")):
            record = tarfile.TarInfo(f"{name}-{version}/{member}")
            record.size = len(text)
            tar.addfile(record, io.BytesIO(text.encode()))
    return [sdist, wheel]


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Run the real git in a folder, apart from the developer's configuration."""
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (
            ("NAME", "Robot"),
            ("EMAIL", "robot@acme.example"),
            ("DATE", "2026-01-02T03:04:05Z"),
        )
    }
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        env=environment(folder, GIT_CONFIG_NOSYSTEM="1", **who),
        input=stdin,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def git_backend(root: Path, *, login: str = "") -> web.Application:
    """``git http-backend`` behind HTTP: the repositories below root, with a login if given."""
    wanted = "Basic " + base64.b64encode(login.encode()).decode()

    async def serve(request: web.Request) -> web.Response:
        if login and request.headers.get("Authorization") != wanted:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        backend = shutil.which("git") or "git"
        child = await asyncio.create_subprocess_exec(
            backend,
            "http-backend",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(
                root,
                GIT_PROJECT_ROOT=str(root),
                GIT_HTTP_EXPORT_ALL="1",
                GIT_PROTOCOL=request.headers.get("Git-Protocol", ""),
                PATH_INFO=request.path,
                QUERY_STRING=request.query_string,
                REQUEST_METHOD=request.method,
                CONTENT_TYPE=request.headers.get("Content-Type", ""),
                HTTP_CONTENT_ENCODING=request.headers.get("Content-Encoding", ""),
            ),
        )
        output, _ = await child.communicate(await request.read())
        head, _, body = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        return web.Response(status=status, headers=headers, body=body)

    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{path:.*}", serve)
    return app
