"""The git command, run so that neither a repository, a server nor this machine's settings steer it.

No prompts, no hooks, no file system monitor, no system or user configuration, one protocol, no
redirects; credentials travel in the environment of the one child that needs them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from monitor.errors import LeakmonError, LimitError, TargetError
from monitor.http.failures import RetryError

_PASSED = (
    "PATH",
    "SSH_AUTH_SOCK",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSH_COMMAND",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)
# What git says when the connection, not the repository, is at fault.
_PASSING = (
    "early eof",
    "rpc failed",
    "timed out",
    "connection reset",
    "connection refused",
    "unexpected disconnect",
    "the remote end hung up",
    "could not resolve host",
    "returned error: 5",
    "returned error: 429",
)
# What it says when the server does not have, or does not give, a commit.
_GONE = ("not our ref", "unadvertised object", "no such remote ref", "couldn't find remote ref")
_BLOCK = 512
_MAX_OUTPUT = 64 * 1024 * 1024
_MAX_ERROR = 64 * 1024


class Git(Struct, frozen=True, kw_only=True):
    """How git is called: its home (an empty folder of ours) and its limits."""

    home: str
    environ: Mapping[str, str]
    max_file_bytes: int
    seconds: float
    ca_files: Sequence[str] = field(default_factory=list)

    def environment(self, scheme: str, settings: Mapping[str, str]) -> dict[str, str]:
        """The child's whole environment; ``settings`` are git's configuration keys."""
        fixed = {
            "core.hooksPath": os.devnull,
            "core.fsmonitor": "false",
            "core.attributesFile": os.devnull,
            "core.symlinks": "false",
            "credential.helper": "",
            "fetch.unpackLimit": "1",
            "gc.auto": "0",
            "maintenance.auto": "false",
            # A redirect would leave our check of private addresses and carry the header along.
            "http.followRedirects": "false",
            "http.lowSpeedLimit": "1024",
            "http.lowSpeedTime": "60",
            "protocol.version": "2",
            "submodule.recurse": "false",
        } | dict(settings)
        if self.ca_files and "GIT_SSL_CAINFO" not in self.environ:
            fixed["http.sslCAInfo"] = self.ca_files[0]
        made = {name: self.environ[name] for name in _PASSED if name in self.environ}
        made.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20")
        made |= {
            "HOME": self.home,
            "XDG_CONFIG_HOME": self.home,
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": scheme,
            "GIT_ASKPASS": "",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "SSH_ASKPASS": "",
            "GIT_CONFIG_COUNT": str(len(fixed)),
        }
        for number, (key, value) in enumerate(fixed.items()):
            made[f"GIT_CONFIG_KEY_{number}"] = key
            made[f"GIT_CONFIG_VALUE_{number}"] = value
        return made

    async def run(
        self,
        *arguments: str,
        folder: str,
        environment: Mapping[str, str],
        stdin: bytes = b"",
    ) -> tuple[int, bytes, str]:
        """The exit status, the output and the complaint of one git command.

        LimitError if it takes longer than ``seconds`` or says more than 64 MiB. A cancelled call
        leaves no process behind.
        """
        child = await asyncio.create_subprocess_exec(
            *self.limited(*arguments),
            cwd=folder,
            env=dict(environment),
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        try:
            async with asyncio.timeout(self.seconds):
                output, complaint, _ = await asyncio.gather(
                    _bounded(child.stdout, _MAX_OUTPUT),
                    _tail(child.stderr),
                    _told(child.stdin, stdin),
                )
                status = await child.wait()
        except TimeoutError:
            raise LimitError(
                f"git {arguments[0]} took longer than {self.seconds:.0f} s", reason="timeout"
            ) from None
        finally:
            await _end(child)
        return status, output, complaint

    def limited(self, *arguments: str) -> list[str]:
        """The command line, under a limit for the size of any file that it writes."""
        blocks = str(self.file_limit // _BLOCK)
        return ["sh", "-c", 'ulimit -f "$1"; shift; exec git "$@"', "sh", blocks, *arguments]

    @property
    def file_limit(self) -> int:
        """The bytes at which git may write no further into a file: whole blocks."""
        return self.max_file_bytes // _BLOCK * _BLOCK


async def _told(stream: asyncio.StreamWriter | None, words: bytes) -> None:
    """Write what the command reads; it may end before it has read all."""
    if stream is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(words)
        await stream.drain()
    stream.close()


async def _bounded(stream: asyncio.StreamReader, limit: int) -> bytes:
    whole = bytearray()
    while chunk := await stream.read(1 << 16):
        whole += chunk
        if len(whole) > limit:
            raise LimitError("git answers with more than is read", reason="too-large")
    return bytes(whole)


async def _tail(stream: asyncio.StreamReader) -> str:
    """The last lines that name a fault, of a stream of any length."""
    kept = b""
    while chunk := await stream.read(1 << 14):
        kept = (kept + chunk)[-_MAX_ERROR:]
    lines = [line for line in kept.decode("utf-8", "replace").splitlines() if line.strip()]
    faults = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    line = "; ".join((faults or lines[-1:] or ["no reason given"])[-3:])
    return "".join(character for character in line if character.isprintable())[:300]


async def _end(child: asyncio.subprocess.Process) -> None:
    """Make sure that the command and what it started are gone."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await asyncio.shield(child.wait())


def is_gone(complaint: str) -> bool:
    """Whether git complains that an object is not to be had from this server."""
    return any(sign in complaint.lower() for sign in _GONE)


def failed(shown: str, complaint: str) -> LeakmonError:
    """The error for a git command that failed, by what it says."""
    lowered = complaint.lower()
    if any(sign in lowered for sign in _PASSING):
        return RetryError(f"{shown}: git says: {complaint}", reason="git-connection")
    return TargetError(f"{shown}: git says: {complaint}", reason="git")
