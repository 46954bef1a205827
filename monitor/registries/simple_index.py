"""A project's page of a Simple index, JSON or HTML, as a list of files. Pure.

Source: PyPA's "Simple repository API" (PEP 503, 592, 691, 700, 792).
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct, field
from packaging.utils import (
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from monitor.http.answers import decoded_object
from monitor.http.settings import joined

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.01"
)
_ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".tar.Z", ".tar", ".zip")
_SERIAL = re.compile(r"[0-9]{1,18}", re.ASCII)
_INSTALLERS = re.compile(r"[-.](?:win32|win-amd64|linux-\w+|macosx-[\w.]+|py\d[\d.]*|src|noarch)\b")


class File(Struct, frozen=True, kw_only=True):
    """One file of a project. ``version`` is None where the name does not tell it.

    ``is_attested`` is whether the index announces a provenance (PEP 740), None if it does not say.
    """

    filename: str
    url: str
    digests: dict[str, str] = field(default_factory=dict)
    size: int | None = None
    uploaded_at: str = ""
    is_yanked: bool = False
    version: Version | None = None
    is_attested: bool | None = None


class Page(Struct, frozen=True, kw_only=True):
    """A project's files, in the index's order, and its status (``active``, ``quarantined`` ...).

    ``serial`` is that of the project's last change, None where the index has none: a cache on the
    way may give an older page than the one that was announced.
    """

    files: list[File]
    status: str = "active"
    serial: int | None = None


def read(body: bytes, media_type: str, url: str, project: str) -> Page:
    """The page in either format; ValueError if it is neither.

    ``url`` is the page's own address, against which the files' are read.
    """
    if media_type.endswith("json"):
        return _read_json(body, url, project)
    if "html" in media_type:
        return _read_html(body, url, project)
    raise ValueError(f"the index answered with {media_type or 'no media type'}")


def _read_json(body: bytes, url: str, project: str) -> Page:
    try:
        page = decoded_object(body)
    except ValueError as error:
        raise ValueError(f"the index's JSON is damaged ({error})") from error
    files = page.get("files")
    version = str(_mapping(page.get("meta")).get("api-version", "1.0"))
    if not isinstance(files, list) or version.partition(".")[0] != "1":
        raise ValueError(f"the index speaks version {version[:10]!r} of its API, or not at all")
    status = _mapping(page.get("project-status")).get("status", "active")
    serial = str(_mapping(page.get("meta")).get("_last-serial", ""))
    return Page(
        files=[
            _json_file(entry, url, project)
            for entry in files
            if isinstance(entry, dict)
            and isinstance(entry.get("filename"), str)
            and isinstance(entry.get("url"), str)
        ],
        status=str(status),
        serial=int(serial) if _SERIAL.fullmatch(serial) else None,
    )


def _json_file(entry: Mapping[str, Any], url: str, project: str) -> File:
    size = entry.get("size")
    uploaded_at = entry.get("upload-time")
    return File(
        filename=entry["filename"],
        url=joined(url, entry["url"]),
        digests={
            name: value
            for name, value in _mapping(entry.get("hashes")).items()
            if isinstance(value, str)
        },
        size=size if isinstance(size, int) else None,
        uploaded_at=uploaded_at if isinstance(uploaded_at, str) else "",
        # A reason may be the empty string: yanked all the same (PEP 592).
        is_yanked=entry.get("yanked") not in (None, False),
        version=version_of(entry["filename"], project),
        is_attested=bool(entry["provenance"]) if "provenance" in entry else None,
    )


class _Anchors(HTMLParser):
    """Collects the anchors of a page and its ``<base>``."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.status = "active"
        self.anchors: list[tuple[dict[str, str | None], list[str]]] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "a":
            self.anchors.append((attributes, []))
            self._is_inside = True
        elif tag == "base" and not self.base:
            self.base = attributes.get("href") or ""
        elif tag == "meta" and attributes.get("name") == "pypi:project-status":
            self.status = attributes.get("content") or "active"

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.anchors[-1][1].append(data)


def _read_html(body: bytes, url: str, project: str) -> Page:
    parser = _Anchors()
    parser.feed(body.decode("utf-8", "replace"))
    parser.close()
    root = joined(url, parser.base)
    files = []
    for attributes, text in parser.anchors:
        href = attributes.get("href")
        if not href:
            continue
        parts = urlsplit(joined(root, href))
        algorithm, _, digest = parts.fragment.partition("&")[0].partition("=")
        filename = unquote(parts.path.rpartition("/")[2]) or "".join(text).strip()
        if not filename:
            continue
        files.append(
            File(
                filename=filename,
                url=urlunsplit(parts._replace(fragment="")),
                digests={algorithm: digest} if algorithm in {"sha256", "sha512", "md5"} else {},
                is_yanked="data-yanked" in attributes,
                version=version_of(filename, project),
                is_attested=True if attributes.get("data-provenance") else None,
            )
        )
    return Page(files=files, status=parser.status)


def version_of(filename: str, project: str) -> Version | None:
    """The version in a distribution's file name, also of the formats of old; None if none."""
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[1]
        if filename.endswith((".tar.gz", ".zip")):
            name, version = parse_sdist_filename(filename)
            if name == canonicalize_name(project):
                return version
    except ValueError:  # also a number of more digits than Python reads
        pass
    return _version_of_old(filename, canonicalize_name(project))


def _version_of_old(filename: str, project: str) -> Version | None:
    """``Name-1.0-py3.8.egg``, ``name-1.0.win32.exe``, ``my-name-1.0.tgz``: behind the name."""
    stem = next((filename.removesuffix(end) for end in _ARCHIVES if filename.endswith(end)), "")
    stem = stem or filename.rpartition(".")[0]
    for cut in (found.start() for found in re.finditer("-", stem)):
        if canonicalize_name(stem[:cut]) == project:
            text = _INSTALLERS.split(stem[cut + 1 :])[0]
            try:
                return Version(text.partition("-")[0] if filename.endswith(".egg") else text)
            except ValueError:  # as above
                return None
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
