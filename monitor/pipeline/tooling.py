"""Fetches the pinned esbuild from the npm registry, once, and sees that it runs."""

from __future__ import annotations

import base64
import os
import subprocess
import tarfile
import tempfile
from typing import TYPE_CHECKING

from msgspec import structs

from monitor.errors import IntegrityError, TargetError, UsageError
from monitor.private_code import esbuild
from monitor.registries.network import fetch, resolve
from monitor.registries.targets import PackageTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.registries.network import Network

_MEMBER = "package/bin/esbuild"
_MAX_BYTES = 64 << 20
_SECONDS = 60
_PROBE = b"export const answer = (question) => question.length + 1\n"


async def set_up(
    network: Network,
    cache_folder: str,
    platform: str,
    *,
    version: str = esbuild.VERSION,
    pins: Mapping[str, str] = esbuild.INTEGRITY,
    progress: Callable[[int, int | None], None] | None = None,
) -> str:
    """The program's path, fetched and tried. Raises LeakmonError; then nothing is left behind.

    The bytes must have the pinned digest; what the registry says of them does not count.
    """
    pin = pins.get(platform)
    if pin is None:
        known = ", ".join(pins)
        raise UsageError(
            f"no esbuild is pinned for {platform} (only {known}): put one on PATH, or name it as "
            "esbuild under [private_code]"
        )
    name = f"@esbuild/{platform}"
    target = PackageTarget(text=f"npm:{name}@{version}", ecosystem="npm", name=name, spec=version)
    [release] = await resolve(target, network)
    digest = base64.b64decode(pin.removeprefix("sha512-")).hex()
    artifact = structs.replace(release.artifacts[0], digests={"sha512": digest})
    path = os.path.join(cache_folder, "esbuild", version, "esbuild")
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        fetched = await fetch(artifact, network, folder, progress)
        program = os.path.join(folder, "program")
        _take(fetched.path, program)
        check(program, version)
        os.replace(program, path)
    return path


def check(program: str, version: str = esbuild.VERSION) -> None:
    """See that a program runs, is of this version, and minifies. Raises TargetError."""
    said = _output(program, "--version").decode("ascii", "replace").strip()
    if said != version:
        raise TargetError(f"{program} is esbuild {said!r}, not {version}", reason="esbuild")
    minified = _output(program, "--minify", "--format=esm", given=_PROBE)
    if b"length+1" not in minified:
        raise TargetError(f"{program} does not minify", reason="esbuild")


def _take(archive: str, path: str) -> None:
    """The one member that is wanted, written to a name of ours."""
    with tarfile.open(archive, "r:gz") as tar:
        try:
            stream = tar.extractfile(_MEMBER)
        except KeyError:
            stream = None
        if stream is None:
            raise IntegrityError("the package holds no bin/esbuild", reason="esbuild")
        content = stream.read(_MAX_BYTES)
    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o700)
    with os.fdopen(number, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _output(program: str, *arguments: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - our own program, our own words
            [program, *arguments],
            input=given,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env={},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TargetError(f"{program} does not run ({error})", reason="esbuild") from None
    if done.returncode != 0:
        raise TargetError(f"{program} ended with status {done.returncode}", reason="esbuild")
    return done.stdout
