"""PyPI for tests: a real devpi to upload to, and a shim that adds what only PyPI has.

The shim keeps a journal of what devpi took, and gives it as XML-RPC and RSS; the Simple pages get
serials, times, yanks and the status of their project; projects have JSON with ``ownership``.
"""

from __future__ import annotations

import base64
import email
import hashlib
import json
import threading
import urllib.request
import xmlrpc.client
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import Message
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit
from xml.sax.saxutils import escape

from aiohttp import web
from packaging.utils import canonicalize_name

from tests.network import servers
from tests.watch_servers import shim
from tests.watch_servers.faults import PAGES, Faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]
Row = tuple[str, str | None, int, str, int]
SIMPLE = "application/vnd.pypi.simple.v1+json"
INTEGRITY = "application/vnd.pypi.integrity.v1+json"
RATE_FAULT = xmlrpc.client.Fault(
    -32500,
    "HTTPTooManyRequests: The action could not be performed because there were too many requests "
    "by the client. Limit may reset in 1 seconds.",
)


class Journal:
    """What was done to the projects, in order; written by the shim and by the tests."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows: list[Row] = []
        self.serial = 1000
        self.releases: list[tuple[str, str, datetime]] = []
        self.files: dict[str, tuple[str, str, datetime]] = {}
        self.forms: dict[str, dict[str, str]] = {}
        self.digests: dict[str, str] = {}

    def write(self, name: str, version: str | None, action: str) -> None:
        """One more row."""
        with self.lock:
            self.serial += 1
            now = int(datetime.now(UTC).timestamp())
            self.rows.append((name, version, now, action, self.serial))

    def uploaded(self, form: dict[str, str], filename: str) -> None:
        """The rows of an upload, as PyPI writes them."""
        name, version = form["name"], form["version"]
        now = datetime.now(UTC)
        plain = canonicalize_name(name)
        if plain not in self.forms:
            self.write(name, None, "create")
            self.write(name, None, f"add Owner {servers.USER}")
        if not any(release[:2] == (plain, version) for release in self.releases):
            self.releases.append((plain, version, now))
            self.write(name, version, "new release")
        tag = form.get("pyversion") or "source"
        self.files[filename] = (plain, version, now)
        self.forms[plain] = form
        self.digests[filename] = form.get("sha256_digest", "")
        self.write(name, version, f"add {tag} file {filename}")

    def last_serial(self, plain: str) -> int:
        """The serial of a project's last row."""
        found = [row[4] for row in self.rows if canonicalize_name(row[0]) == plain]
        return max(found, default=0)


class PypiServer:
    """A running PyPI: ``url`` is its site, ``faults`` and the methods are what may go wrong."""

    def __init__(self, behind: servers.Registry, port: int) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.url = f"http://127.0.0.1:{port}/"
        self.registry = servers.Registry(f"{self.url}legacy/", behind.token, behind.home)
        self.window = 100
        self.unchanged = 0
        self._behind = behind.url
        self._yanked: set[tuple[str, str]] = set()
        self._removed: set[str] = set()
        self._quarantined: set[str] = set()
        self._owners: dict[str, Json] = {}
        self._bodies: list[bytes] = []
        self._frozen: dict[str, str | None] = {}
        self._attested: dict[str, Json] = {}
        self.asked: list[str] = []

    def upload(self, name: str, version: str, kinds: str = "sw") -> list[Path]:
        """``twine upload`` of an sdist (``s``), a wheel (``w``) or both."""
        built = servers.distributions(self.registry.home / "dist", name, version)
        chosen = [file for file, kind in zip(built, "sw", strict=True) if kind in kinds]
        servers.twine_upload(self.registry, *chosen)
        return chosen

    def put(
        self,
        name: str,
        version: str,
        kinds: str = "sw",
        content: bytes | None = None,
        *,
        tag: str = "py3",
    ) -> list[Path]:
        """The requests that ``twine upload`` makes, without a program's start.

        ``content`` is what the (one) file holds, instead of one module; ``tag`` is the wheel's.
        """
        sdist, wheel = servers.distributions(self.registry.home / "dist", name, version)
        built = [sdist, wheel.rename(wheel.with_name(wheel.name.replace("-py3-", f"-{tag}-")))]
        chosen = [file for file, kind in zip(built, "sw", strict=True) if kind in kinds]
        for file in chosen:
            if content is not None:
                file.write_bytes(content)
            sent = file.read_bytes()
            is_wheel = file.suffix == ".whl"
            _post(
                self.registry.url,
                self._login,
                {
                    ":action": "file_upload",
                    "protocol_version": "1",
                    "metadata_version": "2.1",
                    "name": name,
                    "version": version,
                    "filetype": "bdist_wheel" if is_wheel else "sdist",
                    "pyversion": "py3" if is_wheel else "source",
                    "sha256_digest": hashlib.sha256(sent).hexdigest(),
                },
                file.name,
                sent,
            )
        return chosen

    def yank(self, name: str, version: str, *, is_told: bool = True) -> None:
        """``is_told``: whether the journal tells of it; the pages show it anyway."""
        self._yanked.add((name, version))
        self._tell(name, version, "yank release", is_told=is_told)

    def unyank(self, name: str, version: str, *, is_told: bool = True) -> None:
        self._yanked.discard((name, version))
        self._tell(name, version, "unyank release", is_told=is_told)

    def remove_file(self, filename: str, *, is_told: bool = True) -> None:
        """Deleted from its page, and no longer to be had."""
        name, version, _ = self.journal.files[filename]
        self._removed.add(filename)
        self._tell(name, version, f"remove file {filename}", is_told=is_told)

    def quarantine(self, name: str, *, is_told: bool = True) -> None:
        self._quarantined.add(name)
        self._tell(name, None, "project quarantined", is_told=is_told)

    def clear(self, name: str, *, is_told: bool = True) -> None:
        """The quarantine is over."""
        self._quarantined.discard(name)
        self._tell(name, None, "project quarantine cleared", is_told=is_told)

    def freeze(self, name: str) -> None:
        """A cache serves the project's page as it is at its next request, until ``thaw``."""
        self._frozen[name] = None

    def thaw(self, name: str) -> None:
        self._frozen.pop(name, None)

    def _tell(self, name: str, version: str | None, action: str, *, is_told: bool) -> None:
        if is_told:
            self.journal.write(name, version, action)

    def own(self, name: str, organisation: str | None, *users: str) -> None:
        roles = [{"role": "Owner", "user": user} for user in users]
        self._owners[name] = {"organization": organisation, "roles": roles}

    def roll_back(self, rows: int) -> None:
        """The journal loses its last rows, and will write over their serials."""
        with self.journal.lock:
            del self.journal.rows[-rows:]
            self.journal.serial -= rows

    def attest(self, filename: str, answer: Json) -> None:
        """The file has a provenance; ``asked`` lists the files whose provenance was asked for."""
        self._attested[filename] = answer

    def application(self) -> web.Application:
        """The shim."""
        app = shim.application(self.faults)
        app.router.add_post("/legacy/", self._upload)
        app.router.add_post("/pypi", self._rpc)
        app.router.add_get("/rss/updates.xml", self._rss)
        app.router.add_get("/simple/", self._root)
        app.router.add_get("/simple/{name}/", self._project)
        app.router.add_get("/pypi/{name}/json", self._json)
        app.router.add_get("/integrity/{name}/{version}/{file}/provenance", self._provenance)
        app.router.add_get("/files/{path:.*}", self._file)
        return app

    @property
    def _login(self) -> dict[str, str]:
        login = f"{servers.USER}:{servers.PASSWORD}".encode()
        return {"Authorization": "Basic " + base64.b64encode(login).decode()}

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        answer = await shim.forward(request, self._behind)
        if answer.status < 300:
            form, filename = _form(request.headers["Content-Type"], body)
            self.journal.uploaded(form, filename)
        return answer

    async def _rpc(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "text/xml":
            return web.Response(status=404)
        arguments, method = xmlrpc.client.loads(await request.read())
        fault = self.faults.take(f"/pypi?{method}", PAGES)
        answer: Any
        if fault == "rate-limit":
            return _xml(xmlrpc.client.dumps(RATE_FAULT))
        if fault == "garbage":
            return _xml("<methodResponse><params><param>")
        if method == "changelog_last_serial":
            answer = self.journal.serial
        elif method == "changelog_since_serial":
            assert isinstance(arguments[0], int)
            since = arguments[0]
            rows = [list(row) for row in self.journal.rows if row[4] > since]
            answer = [] if fault == "empty-page" else rows[:50_000]
        else:
            return _xml(xmlrpc.client.dumps(xmlrpc.client.Fault(-32601, "no such method")))
        return _xml(xmlrpc.client.dumps((answer,), methodresponse=True, allow_none=True))

    async def _rss(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.take(request.path, PAGES)
        if fault == "garbage":
            return _xml("<rss><channel><item>")
        shown = [] if fault == "empty-page" else self.journal.releases[-self.window :]
        if self.window < min(100, len(self.journal.releases)) and not fault:
            self.faults.taken["roll-off"] += 1
        body = _feed(self.url, shown)
        if fault == "older-body" and len(self._bodies) > 1:
            body = self._bodies[-2]
        elif not fault and body not in self._bodies[-1:]:
            self._bodies.append(body)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            self.unchanged += 1
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=body, content_type="text/xml", headers={"ETag": tag})

    async def _root(self, request: web.Request) -> web.StreamResponse:
        answer = await shim.forward(request, f"{self._behind}+simple/", self._reads)
        assert isinstance(answer.body, bytes)
        found: Json = json.loads(answer.body)
        projects = [
            {"name": one["name"], "_last-serial": self.journal.last_serial(one["name"])}
            for one in found["projects"]
        ]
        root = {"meta": {"api-version": "1.3", "_last-serial": self.journal.serial}}
        return web.Response(text=json.dumps({**root, "projects": projects}), content_type=SIMPLE)

    async def _project(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        page = f"{self._behind}+simple/{name}/"
        answer = await shim.forward(request, page, self._reads)
        if answer.status != 200:
            return answer
        assert isinstance(answer.body, bytes)
        found: Json = json.loads(answer.body)
        is_quarantined = name in self._quarantined
        files = [
            self._shown(one, page)
            for one in found["files"]
            if one["filename"] not in self._removed and not is_quarantined
        ]
        serial = self.journal.last_serial(name)
        status = {"status": "quarantined" if is_quarantined else "active"}
        meta = {"api-version": "1.4", "_last-serial": serial}
        shown = {"name": name, "meta": meta, "project-status": status, "files": files}
        text = json.dumps(shown)
        if name in self._frozen:
            text = self._frozen[name] = self._frozen[name] or text
        return web.Response(text=text, content_type=SIMPLE)

    def _shown(self, file: Json, page: str) -> Json:
        path = urlsplit(urljoin(page, file["url"])).path
        name, version, at = self.journal.files[file["filename"]]
        return {
            **file,
            "url": f"{self.url}files{path}",
            "yanked": (name, version) in self._yanked,
            "provenance": self._address(file["filename"]),
            "upload-time": at.isoformat(),
        }

    def _address(self, filename: str) -> str | None:
        name, version, _ = self.journal.files[filename]
        below = f"integrity/{name}/{version}/{filename}/provenance"
        return f"{self.url}{below}" if filename in self._attested else None

    async def _provenance(self, request: web.Request) -> web.StreamResponse:
        """PEP 740's object, in the one form that PyPI gives it in."""
        told = request.match_info
        filename = told["file"]
        self.asked.append(filename)
        if request.headers.get("Accept") != INTEGRITY:
            return web.Response(status=406)
        known = self.journal.files.get(filename)
        if filename not in self._attested or known is None or known[1] != told["version"]:
            return web.json_response({"message": "No provenance available"}, status=404)
        return web.Response(text=json.dumps(self._attested[filename]), content_type=INTEGRITY)

    async def _json(self, request: web.Request) -> web.StreamResponse:
        name = canonicalize_name(request.match_info["name"])
        form = self.journal.forms.get(name)
        if form is None:
            return web.Response(status=404)
        keys = ("name", "version", "author_email", "maintainer_email", "home_page")
        info = {key: form.get(key) or None for key in keys}
        serial = self.journal.last_serial(name)
        ownership = self._owners.get(name, {"organization": None, "roles": []})
        urls = [
            {"filename": file, "digests": {"sha256": self.journal.digests[file]}}
            for file, (plain, version, _) in self.journal.files.items()
            if (plain, version) == (name, form["version"]) and file not in self._removed
        ]
        shown = {"info": info, "last_serial": serial, "ownership": ownership, "urls": urls}
        return web.json_response(shown, headers={"X-PyPI-Last-Serial": str(serial)})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path.rpartition("/")[2] in self._removed:
            return web.Response(status=404)
        return await shim.forward(request, urljoin(self._behind, f"/{quote(path)}"), self._login)

    @property
    def _reads(self) -> dict[str, str]:
        return {**self._login, "Accept": SIMPLE}


def _xml(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/xml")


def _feed(site: str, releases: list[tuple[str, str, datetime]]) -> bytes:
    items = "".join(
        f"<item><title>{escape(name)} {escape(version)}</title>"
        f"<link>{site}project/{quote(name)}/{quote(version)}/</link>"
        f"<pubDate>{format_datetime(at, usegmt=True)}</pubDate></item>"
        for name, version, at in reversed(releases)
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{items}</channel>'
    return f"{text}</rss>".encode()


def _post(
    url: str, login: dict[str, str], fields: dict[str, str], filename: str, content: bytes
) -> None:
    """A form with a file, as browsers and twine send it."""
    mark = hashlib.sha256(content).hexdigest()
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    about = f'form-data; name="content"; filename="{filename}"'
    parts += [f"--{mark}\r\nContent-Disposition: {about}\r\n\r\n".encode(), content, b"\r\n"]
    request = urllib.request.Request(  # noqa: S310 - loopback
        url,
        method="POST",
        data=b"".join([*parts, f"--{mark}--\r\n".encode()]),
        headers={"Content-Type": f"multipart/form-data; boundary={mark}", **login},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        answer.read()


def _form(content_type: str, body: bytes) -> tuple[dict[str, str], str]:
    """The fields of an upload and the name of its file."""
    whole = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields: dict[str, str] = {}
    filename = ""
    for part in whole.get_payload():
        assert isinstance(part, Message)
        name = part.get_param("name", header="content-disposition")
        filename = part.get_filename() or filename
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and name != "content":
            assert isinstance(payload, bytes)
            fields[name] = payload.decode().strip()
    return fields, filename


@contextmanager
def pypi_server(folder: Path, port: int = 0) -> Iterator[PypiServer]:
    """All of it, on loopback, until the block ends."""
    own_port = port or servers.free_port()
    folder.mkdir(parents=True, exist_ok=True)
    with servers.devpi(folder) as behind:
        server = PypiServer(behind, own_port)
        with shim.hosted(server.application(), own_port):
            yield server
