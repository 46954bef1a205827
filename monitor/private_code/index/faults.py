"""What can be wrong with an index: nearly always the operator's to mend, so a ConfigError."""

from __future__ import annotations

from monitor.errors import ConfigError, TransientError


def missing(folder: str) -> ConfigError:
    """There is no index in this folder."""
    return ConfigError(
        f"{folder}: there is no index: make one with leakmon index add PATH", reason="index-missing"
    )


def damaged(path: str, what: str) -> ConfigError:
    """A file of an index is not what it was when it was written."""
    return ConfigError(
        f"{path}: damaged ({what}): restore it, or make the index anew with leakmon index rekey",
        reason="index-damaged",
    )


def wrong_key(folder: str, key_id: str) -> ConfigError:
    """The ring holds no key by which this index was made."""
    return ConfigError(
        f"{folder}: made with the key {key_id}, which is not among the keys given: "
        "name the file or variable that holds it under [private_code.keys]",
        reason="index-key",
    )


def other_format(path: str, found: str) -> ConfigError:
    """Made by a leakmon that wrote it otherwise."""
    return ConfigError(
        f"{path}: its format {found!r} is not known here: use the leakmon that made it, or make it "
        "anew",
        reason="index-format",
    )


def replaced(path: str) -> TransientError:
    """What a process had open was replaced, and replaced again, before it was asked for."""
    return TransientError(
        f"{path}: the index was replaced meanwhile: try again", reason="index-replaced"
    )


def busy(folder: str) -> ConfigError:
    """Another process writes."""
    return ConfigError(
        f"{folder}: another leakmon index is at work here: wait until it ends", reason="index-busy"
    )
