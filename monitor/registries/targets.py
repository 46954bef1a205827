"""What the operator wrote, read into a typed target. Pure: nothing is opened, nothing is asked.

Imported by every scan, also of a local file: keep it light.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from msgspec import Struct

from monitor.archive.names import printable
from monitor.errors import UsageError
from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FORMS = (
    "pkg:npm/%40scope/name@1.0.0, pkg:pypi/name@1.0, pkg:github/owner/name@ref, "
    "npm:@scope/name@1.0.0, npm:name, npm:name@tag, npm:name@^1, "
    "pypi:name==1.0, pypi:name, pypi:name==1.0#file, "
    "github:owner/name@ref, github:owner/name@tag#releases, "
    "git+https://host/name.git@ref, ssh://git@host/name.git, git@host:name.git, file:///name.git, "
    "an archive, a folder, - (a list on standard input)"
)
_NPM_NAME = later(r"(?:@[A-Za-z0-9~_-][\w.~-]*/)?[A-Za-z0-9~_-][\w.~!'()*-]*", re.ASCII)
_PYPI = later(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[^\]]*\])?\s*"
    r"(?P<spec>(?:[=<>!~@].*)?)",
    re.ASCII,
)
_GITHUB_NAME = later(r"[A-Za-z0-9_-][\w.-]*/[\w.-]+", re.ASCII)
_SCP = later(r"(?P<user>[\w.-]+)@(?P<host>[A-Za-z0-9][\w.-]*):(?P<path>[^:\s][^\s]*)", re.ASCII)
_GIT_SCHEMES = ("http", "https", "ssh", "file")
_MAX_TARGET = 4096


class PackageTarget(Struct, frozen=True, kw_only=True):
    """A release of a package: ``spec`` in the ecosystem's own words, empty for the latest.

    npm: a version, a dist-tag or a range; PyPI: a version specifier (``==2.0``). ``filename``
    narrows a PyPI release to one file.
    """

    text: str
    ecosystem: str
    name: str
    spec: str = ""
    filename: str = ""


class GithubTarget(Struct, frozen=True, kw_only=True):
    """A repository at a ref, or the assets of a release (of the latest if ``ref`` is empty)."""

    text: str
    repository: str
    ref: str = ""
    is_release: bool = False
    filename: str = ""


class GitTarget(Struct, frozen=True, kw_only=True):
    """A repository anywhere; ``login`` is ``user:password`` if the address carried one."""

    text: str
    address: str
    ref: str = ""
    login: str = ""

    def __repr__(self) -> str:
        return f"GitTarget({self.text!r})"


class LocalTarget(Struct, frozen=True, kw_only=True):
    """A file or a folder of this machine."""

    text: str
    path: str


Target = PackageTarget | GithubTarget | GitTarget | LocalTarget


def expand(arguments: Sequence[str], lines: Callable[[], Iterable[str]]) -> list[str]:
    """The arguments with each ``-`` replaced by the list that ``lines()`` gives.

    One target per line; ``#`` at the start or after white space begins a comment.
    """
    if arguments.count("-") > 1:
        raise UsageError("-: standard input can be read only once")
    texts: list[str] = []
    for argument in arguments:
        if argument == "-":
            texts += filter(None, (re.split(r"(?:^|\s)#", line)[0].strip() for line in lines()))
        else:
            texts.append(argument)
    return texts


def parse(text: str, *, exists: Callable[[str], bool] = os.path.lexists) -> Target:
    """The target that ``text`` names; UsageError names it and the forms that are understood.

    What is written as a path (``./x``, ``/x``) or exists as one is local; else the form decides.
    """
    is_odd = not text.isprintable()  # as a file may be called
    if not text or len(text) > _MAX_TARGET or "\0" in text or (is_odd and not exists(text)):
        raise UsageError(f"{text[:80]!r} is no target: empty, too long or with control characters")
    if text in {".", ".."} or text.startswith(("./", "../", "/", "~/")) or exists(text):
        return LocalTarget(text=printable(text), path=text)
    scheme, colon, rest = text.partition(":")
    parser = _PARSERS.get(scheme.lower()) if colon else None
    if parser is not None:
        return parser(text, rest)
    if _SCP.fullmatch(text):
        return _git_scp(text)
    raise _unknown(text)


def _unknown(text: str) -> UsageError:
    hint = ""
    if _NPM_NAME.fullmatch(text.partition("@")[0] or text):
        hint = f" (did you mean npm:{text} or pypi:{text}?)"
    return UsageError(f"{redact(text)!r} is neither a file nor a target{hint}; understood: {FORMS}")


def _bad(text: str, reason: str) -> UsageError:
    return UsageError(f"{redact(text)!r}: {reason}; understood: {FORMS}")


def _purl(text: str, _rest: str) -> Target:
    from packageurl import PackageURL

    try:
        purl = PackageURL.from_string(text)
    except ValueError as error:
        raise _bad(text, f"not a package URL ({error})") from None
    filename = dict(purl.qualifiers).get("file_name", "")
    name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
    version = purl.version or ""
    if purl.type == "npm":
        return _npm_package(text, name, version)
    if purl.type == "pypi":
        return _pypi_package(text, name, f"=={version}" if version else "", filename)
    if purl.type == "github":
        return _github_repository(text, name, version, purl.subpath or "")
    raise _bad(text, f"package URLs of type {purl.type!r} are not known")


def _npm(text: str, rest: str) -> Target:
    split = rest.find("@", 1)
    name, spec = (rest, "") if split < 0 else (rest[:split], rest[split + 1 :].strip())
    if split >= 0 and not spec:
        raise _bad(text, "nothing follows the @")
    return _npm_package(text, name, spec)


def _npm_package(text: str, name: str, spec: str) -> PackageTarget:
    if not _NPM_NAME.fullmatch(name):
        raise _bad(text, f"{name!r} is not the name of an npm package")
    if any(character in spec for character in "/:#?"):
        raise _bad(text, f"{spec!r} is neither a version, a dist-tag nor a range")
    return PackageTarget(text=text, ecosystem="npm", name=name, spec=spec)


def _pypi(text: str, rest: str) -> Target:
    requirement, mark, filename = rest.partition("#")
    if not mark:
        requirement, mark, query = rest.partition("?")
        key, _, value = query.partition("=")
        if mark and key != "file_name":
            raise _bad(text, f"{key!r} is not understood after ?, only file_name=")
        filename = unquote(value)
    if mark and not filename:
        raise _bad(text, "the file's name is empty")
    found = _PYPI.fullmatch(requirement.strip())
    if found is None:
        raise _bad(text, "not a PyPI package")
    spec = found["spec"]
    return _pypi_package(
        text, found["name"], f"=={spec[1:]}" if spec[:1] == "@" else spec, filename
    )


def _pypi_package(text: str, name: str, spec: str, filename: str) -> PackageTarget:
    if not _PYPI.fullmatch(name) or "/" in filename:
        raise _bad(text, "not a PyPI package or file name")
    if spec:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            SpecifierSet(spec)
        except InvalidSpecifier:
            raise _bad(text, f"{spec!r} is not a version specifier") from None
    return PackageTarget(text=text, ecosystem="pypi", name=name, spec=spec, filename=filename)


def _github(text: str, rest: str) -> Target:
    rest, _, fragment = rest.partition("#")
    repository, at, ref = rest.partition("@")
    if at and not ref:
        raise _bad(text, "nothing follows the @")
    return _github_repository(text, repository, ref, fragment)


def _github_repository(text: str, repository: str, ref: str, fragment: str) -> GithubTarget:
    repository = repository.removesuffix(".git")
    if not _GITHUB_NAME.fullmatch(repository) or repository.endswith(("/.", "/..")):
        raise _bad(text, f"{repository!r} is not owner/name")
    _check_ref(text, ref)
    word, _, filename = fragment.partition("/")
    if fragment and (word != "releases" or "/" in filename):
        raise _bad(text, "only #releases or #releases/FILE may follow a repository")
    return GithubTarget(
        text=text, repository=repository, ref=ref, is_release=bool(fragment), filename=filename
    )


def _git_url(text: str, _rest: str) -> Target:
    has_prefix = text[:4].lower() == "git+"
    address = text[4:] if has_prefix else text
    address, mark, ref = address.partition("#")
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise _bad(text, f"not an address ({error})") from None
    path, at, tail = parts.path.rpartition("@")
    if at and not mark and path:
        parts, ref = parts._replace(path=path), tail
    if (at or mark) and not ref:
        raise _bad(text, "the ref is empty")
    return _git_address(text, parts.scheme.lower(), parts, ref, has_prefix=has_prefix)


def _git_address(
    text: str, scheme: str, parts: SplitResult, ref: str, *, has_prefix: bool
) -> GitTarget:
    if scheme not in _GIT_SCHEMES:
        raise _bad(text, f"git over {scheme!r} is not allowed, only over https, http, ssh and file")
    if bool(parts.hostname) == (scheme == "file") or len(parts.path) <= 1 or parts.query:
        raise _bad(text, "a git address needs a host and a path, and nothing else")
    if scheme.startswith("http") and not has_prefix and not parts.path.endswith(".git"):
        raise _bad(text, f"write git+{scheme}://... if this is a git repository")
    if (parts.hostname or "").startswith("-"):
        raise _bad(text, "not a host")
    _check_ref(text, ref)
    login = ""
    if scheme.startswith("http") and "@" in parts.netloc:
        login, _, host = parts.netloc.rpartition("@")
        parts = parts._replace(netloc=host)
    elif parts.password is not None:
        raise _bad(text, "ssh takes no password in an address: use a key")
    address = urlunsplit(parts._replace(scheme=scheme, fragment=""))
    return GitTarget(text=redact(text), address=address, ref=ref, login=unquote(login))


def _git_scp(text: str) -> GitTarget:
    address, mark, ref = text.partition("#")
    if not mark:
        head, at, tail = address.rpartition("@")
        if at and ":" in head:
            address, mark, ref = head, at, tail
    if mark and not ref:
        raise _bad(text, "the ref is empty")
    _check_ref(text, ref)
    return GitTarget(text=text, address=address, ref=ref)


def _check_ref(text: str, ref: str) -> None:
    """Refuse what git would refuse as a ref or could take for an option or a refspec."""
    parts = ref.split("/")
    if ref and (
        re.search(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//", ref)
        or ref.startswith(("-", "/", "+"))
        or ref.endswith(("/", "."))
        or any(part.startswith(".") or part.endswith(".lock") for part in parts)
    ):
        raise _bad(text, f"{ref!r} is not a branch, a tag or a commit")


def redact(text: str) -> str:
    """The text without a login inside an address."""
    return re.sub(r"(?i)(https?://)[^/\s]*@", r"\1", text)


_PARSERS: dict[str, Callable[[str, str], Target]] = {
    "pkg": _purl,
    "npm": _npm,
    "pypi": _pypi,
    "github": _github,
    **dict.fromkeys(("git", *_GIT_SCHEMES), _git_url),
    **{f"git+{scheme}": _git_url for scheme in _GIT_SCHEMES},
}
