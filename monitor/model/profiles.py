"""What a version of a package looks like from afar: what the next one is held against."""

from __future__ import annotations

from msgspec import Struct, field


class Profile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One artifact's shape, without its contents. Sizes are bytes, all after unpacking.

    ``folders`` are the top-level folders inside the package, ``kinds`` counts files by ending
    (lower case, with the dot), ``binary_bytes`` what native binaries take, ``script_bytes`` and
    ``script_lines`` what JavaScript does. ``maps`` counts source maps, ``full_maps`` those with
    first-party content. ``packer`` is a word for who wrote the archive (``npm``, ``other``),
    ``publisher`` who published it, ``filename_kind`` what sort of file it is (``.tgz``, ``.whl``).
    ``provenance`` is ``verified``, ``declared`` (announced, and not proven here), ``invalid`` or
    ``absent``; empty where nobody looked. ``builder`` is the repository that a verified one names.
    """

    version: str = ""
    filename_kind: str = ""
    bytes: int = 0
    files: int = 0
    binary_bytes: int = 0
    script_bytes: int = 0
    script_lines: int = 0
    maps: int = 0
    full_maps: int = 0
    folders: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    packer: str = ""
    publisher: str = ""
    licence: str = ""
    provenance: str = ""
    builder: str = ""
