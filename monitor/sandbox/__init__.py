"""Opens hostile artifacts in child processes with memory, CPU and wall limits.

``Sandbox`` owns one zygote; ``submit`` hands it a job and gives a ``Run`` whose file descriptor
becomes readable with the answer, for a selector or an event loop alike.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple, Self

from msgspec import MsgspecError

from monitor.errors import LeakmonError, RuleError, TargetError
from monitor.model import Inspection
from monitor.sandbox.protocol import (
    KIND_FAILURE,
    KIND_INSPECTION,
    KIND_REAPED,
    LENGTH,
    MAX_ANSWER_BYTES,
    TRAILER,
    Failure,
    Hello,
    Job,
    Reaped,
    Settings,
    Trailer,
    frame,
    frame_of,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.harvest import Harvest

_ROOT = __file__.rsplit(os.sep, 3)[0]
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from monitor.sandbox.zygote import boot; boot(int(sys.argv[2]))"
)

__all__ = ["Job", "Outcome", "Run", "Sandbox", "Settings", "run_all"]


class Outcome(NamedTuple):
    """How one job ended: an inspection or an error, what it cost, and what else was asked for."""

    job: Job
    inspection: Inspection | None
    error: TargetError | None
    max_rss_bytes: int
    cpu_seconds: float
    code: Harvest | None = None
    prints: bytes = b""


class Run:
    """One submitted job. Readable descriptor in ``fileno()``; call ``advance`` when it is ready."""

    def __init__(self, job: Job, pipe: int) -> None:
        self.job = job
        self._pipe = pipe
        self._answer = bytearray()

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._pipe

    def advance(self) -> Outcome | None:
        """Read what has come; the outcome once the child has ended, else None."""
        try:
            chunk = os.read(self._pipe, 1 << 20)
        except BlockingIOError:
            return None
        if chunk:
            self._answer += chunk
            if len(self._answer) <= MAX_ANSWER_BYTES:
                return None
        self.close()
        return _outcome(self.job, self._answer)

    def close(self) -> None:
        """Give up on the answer; safe to call twice."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1


class Sandbox:
    """A zygote and the way to it. Start it before threads where possible: then it is a fork.

    ``is_fresh`` asks for a new interpreter all the same: one that inherits no memory.
    """

    def __init__(self, settings: Settings, *, is_fresh: bool = False) -> None:
        self._settings = settings
        self._control, theirs = socket.socketpair()
        self._hello: Hello | None = None
        can_fork = threading.active_count() == 1 and not is_fresh
        self._pid = self._fork(theirs) if can_fork else self._spawn(theirs)
        theirs.close()

    def _fork(self, theirs: socket.socket) -> int:
        # Imported before the fork: both sides use most of the engine, and it is paid for once.
        from monitor.sandbox.zygote import serve

        gc.freeze()  # what both sides share stays shared: no collection touches it
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            # What the parent has open is none of the zygote's business.
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, 1 << 16)
            serve(theirs, self._settings)
            code = 0
        finally:
            os._exit(code)

    def _spawn(self, theirs: socket.socket) -> int:
        import subprocess

        arguments = [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, _ROOT, str(theirs.fileno())]
        started = subprocess.Popen(arguments, pass_fds=[theirs.fileno()], env={})  # noqa: S603 - our own interpreter and code
        self._control.sendall(frame(self._settings))
        started.returncode = 0  # the zygote is waited for in close(); Popen must not wait as well
        return started.pid

    @property
    def hello(self) -> Hello:
        """What the zygote loaded; waits for it once. Raises ``RuleError`` if it could not."""
        if self._hello is None:
            header = _read_exactly(self._control, LENGTH.size)
            self._hello = read(Hello, _read_exactly(self._control, LENGTH.unpack(header)[0]))
        if self._hello.error is not None:
            raise RuleError(self._hello.error, reason=self._hello.reason)
        return self._hello

    def submit(self, job: Job) -> Run:
        """Start a job in a child of its own."""
        self.hello  # noqa: B018 - a zygote that could not load its rules must say so first
        read, write = os.pipe()
        try:
            message = frame_of(job)
            sent = socket.send_fds(self._control, [message], [write])
            self._control.sendall(message[sent:])
        except OSError as error:
            os.close(read)
            raise LeakmonError(
                "the sandbox process has ended unexpectedly; run the command again",
                reason="sandbox-lost",
            ) from error
        finally:
            os.close(write)
        os.set_blocking(read, False)
        return Run(job, read)

    def close(self) -> None:
        """End the zygote and every running child."""
        if self._pid:
            self._control.close()
            os.waitpid(self._pid, 0)
            self._pid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run_all(sandbox: Sandbox, jobs: Iterable[Job], at_once: int) -> Iterator[Outcome]:
    """Run jobs, some at once, and yield each outcome as it comes. No event loop needed."""
    import selectors

    waiting = iter(jobs)
    running: dict[int, Run] = {}

    def start(count: int) -> None:
        for job in _first(waiting, count):
            run = sandbox.submit(job)
            running[run.fileno()] = run
            selector.register(run, selectors.EVENT_READ)

    with selectors.DefaultSelector() as selector, _closing(running):
        start(at_once)
        while running:
            for key, _ in selector.select():
                outcome = running[key.fd].advance()
                if outcome is not None:
                    del running[key.fd]
                    selector.unregister(key.fd)
                    start(1)
                    yield outcome
                    del outcome  # it is large, and the next is read beside it


@contextlib.contextmanager
def _closing(running: dict[int, Run]) -> Iterator[None]:
    """Whatever still runs when the caller has had enough is given up."""
    try:
        yield
    finally:
        for run in running.values():
            run.close()


def _first(jobs: Iterator[Job], count: int) -> list[Job]:
    return [job for _, job in zip(range(count), jobs, strict=False)]


def _outcome(job: Job, answer: bytearray) -> Outcome:
    if len(answer) < TRAILER.size:
        lost = TargetError("the inspecting process was lost", reason="sandbox-lost")
        return Outcome(job, None, lost, 0, 0.0)
    trailer = Trailer(*TRAILER.unpack_from(answer, len(answer) - TRAILER.size))
    cost = (trailer.max_rss_bytes, trailer.cpu_seconds)
    died = _died(trailer)
    if died is not None:
        return Outcome(job, None, died, *cost)
    try:
        inspection, error, code, prints = _told(
            bytes(answer[:1]), memoryview(answer)[1 : -TRAILER.size]
        )
    except MsgspecError as cause:
        # What a child says after it opened a hostile file is a stranger's word as well.
        unreadable = TargetError(
            "the inspecting process gave an unreadable answer", reason="sandbox-lost"
        )
        unreadable.__cause__ = cause
        return Outcome(job, None, unreadable, *cost)
    return Outcome(job, inspection, error, *cost, code, prints)


def _told(
    kind: bytes, body: memoryview
) -> tuple[Inspection | None, TargetError | None, Harvest | None, bytes]:
    if kind == KIND_INSPECTION:
        return read(Inspection, body), None, None, b""
    if kind == KIND_REAPED:
        reaped = read(Reaped, body)
        return reaped.inspection, None, reaped.code, reaped.prints
    if kind == KIND_FAILURE:
        failure = read(Failure, body)
        return None, TargetError(failure.message, reason=failure.reason), None, b""
    lost = TargetError("the inspecting process gave no answer", reason="sandbox-lost")
    return None, lost, None, b""


def _died(trailer: Trailer) -> TargetError | None:
    if trailer.timed_out:
        return TargetError("took longer than its limit and was stopped", reason="over-time")
    if not os.WIFSIGNALED(trailer.wait_status):
        return None
    number = os.WTERMSIG(trailer.wait_status)
    if number == signal.SIGXCPU:
        return TargetError("used more CPU time than its limit", reason="over-cpu-time")
    if number == signal.SIGKILL:
        return TargetError(
            "the inspecting process was killed (out of memory or CPU time)", reason="killed"
        )
    return TargetError(f"the inspecting process crashed (signal {number})", reason="crashed")


def _read_exactly(control: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = control.recv(count - len(received))
        if not chunk:
            raise LeakmonError("the sandbox process did not start", reason="sandbox-lost")
        received += chunk
    return received
