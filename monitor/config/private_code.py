"""Where an organisation's index and its key are, as the settings and the defaults say."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.config.secrets import SecretRef
from monitor.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.config.settings import Settings
    from monitor.private_code.index.keys import Keys, PrintKey
    from monitor.private_code.index.reader import OpenIndex
    from monitor.private_code.rereading import Rereader

_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
UNNAMED = "own"
"""The organisation of an index where the configuration names none."""


class Place(Struct, frozen=True, kw_only=True):
    """An index: its folder, and its key by reference or, without one, in ``key_file``."""

    organisation: str
    folder: str
    key_file: str
    key: SecretRef | None = None

    @property
    def source(self) -> str:
        """What names the key in a message."""
        return str(self.key.key) if self.key is not None else self.key_file

    def text(self, environ: Mapping[str, str]) -> str:
        """The text of the ring. Raises ConfigError if there is none."""
        from monitor.private_code.index import keys

        if self.key is not None:
            return self.key.reveal(environ)
        text = keys.read(self.key_file)
        if text is None:
            raise ConfigError(
                f"{self.key_file}: the key of the index is not there: put it back, or make a new "
                "index",
                reason="index-key",
            )
        return text

    def ring(self, environ: Mapping[str, str], kind: str) -> Sequence[Keys] | PrintKey:
        """The keys for an index of this kind. Raises ConfigError."""
        from monitor.private_code.index import keys, reader

        text = self.text(environ)
        if kind == reader.SKETCH and len(text.split()) == 1:
            return keys.parse_print_key(text, self.source)
        return keys.parse(text, self.source)


def data_folder(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Where what cannot be made again from elsewhere is kept. Not created here."""
    given = environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(given):  # the specification: a relative path is to be ignored
        return os.path.join(given, "leakmon")
    home = environ.get("HOME") or os.path.expanduser("~")
    below = ("Library", "Application Support") if platform == "darwin" else (".local", "share")
    return os.path.join(home, *below, "leakmon")


def place(settings: Settings, environ: Mapping[str, str], organisation: str = "") -> Place:
    """Where the index of an organisation is; of the only one if none is named."""
    known = [one.name for one in settings.organisations]
    if not organisation and len(known) > 1:
        raise UsageError(f"whose code? name it with --organisation: {', '.join(known)}")
    name = organisation or (known[0] if known else UNNAMED)
    if known and name not in known:
        raise UsageError(f"--organisation {name}: not among those configured: {', '.join(known)}")
    table = settings.private_code
    top = _top(settings, environ)
    folder = os.path.join(top, _folder_name(name))
    return Place(
        organisation=name, folder=folder, key_file=f"{folder}.key", key=table.keys.get(name)
    )


def places(settings: Settings, environ: Mapping[str, str]) -> list[Place]:
    """Every index that there is, of the organisations that the configuration names (or of none)."""
    if not os.path.isdir(_top(settings, environ)):
        return []
    from monitor.private_code.index import manifest

    names = [one.name for one in settings.organisations] or [UNNAMED]
    found = [place(settings, environ, name) for name in names]
    return [one for one in found if manifest.exists(one.folder)]


def open_indexes(settings: Settings, environ: Mapping[str, str]) -> list[OpenIndex]:
    """Every index, opened. Raises ConfigError for one that is damaged or whose key is missing."""
    found = places(settings, environ)
    if not found:
        return []
    return [opened(one, environ) for one in found]


def rereader(settings: Settings, environ: Mapping[str, str], cache_folder: str) -> Rereader | None:
    """What reads JavaScript a second time, in the index's form; None where there is no esbuild."""
    from monitor.private_code import esbuild
    from monitor.private_code.rereading import Rereader

    program = esbuild.find(
        cache_folder, configured=settings.private_code.esbuild, path=environ.get("PATH", "")
    )
    return Rereader(os.path.abspath(program)) if program else None


def opened(place: Place, environ: Mapping[str, str]) -> OpenIndex:
    """One index, opened; its key is read anew whenever it is replaced. Raises ConfigError."""
    from monitor.private_code.index.reader import OpenIndex

    return OpenIndex(place.folder, lambda kind: place.ring(environ, kind))


def _top(settings: Settings, environ: Mapping[str, str]) -> str:
    named = settings.private_code.folder
    if not named:
        return os.path.join(data_folder(environ), "index")
    return os.path.abspath(os.path.expanduser(named))


def _folder_name(organisation: str) -> str:
    """A folder's name for an organisation, whatever characters its own name has."""
    if _PLAIN.fullmatch(organisation):
        return organisation
    slug = re.sub(r"[^a-z0-9]+", "-", organisation.lower()).strip("-")[:40]
    digest = hashlib.blake2b(organisation.encode(), digest_size=4).hexdigest()
    return f"{slug or 'organisation'}-{digest}"
