"""The zygote: a small single-threaded process that loads the engine once and forks a child per job.

Forking from here and not from the daemon keeps threads, sockets and secrets out of the children,
and gives each artifact its own memory, CPU and wall limits. The control socket carries jobs in,
each with the write end of the pipe for its answer; when the socket closes, everything here ends.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from monitor.errors import LeakmonError
from monitor.sandbox.child import Engine, run
from monitor.sandbox.protocol import LENGTH, TRAILER, Hello, Settings, frame, job_of, read

if TYPE_CHECKING:
    from types import FrameType

    from monitor.sandbox.protocol import Job

MAX_JOB_BYTES = 16 << 20
WARM_FROM = 2
"""From this job on, what children loaded on demand is loaded here; a single job may not need it."""


class _Running:
    __slots__ = ("deadline", "pipe", "timed_out")

    def __init__(self, pipe: int, deadline: float) -> None:
        self.pipe = pipe
        self.deadline = deadline
        self.timed_out = False


def boot(descriptor: int) -> None:
    """Start in a fresh interpreter: the settings are the first thing on the control socket."""
    with socket.socket(fileno=descriptor) as control:
        (length,) = LENGTH.unpack(_exactly(control, LENGTH.size))
        serve(control, read(Settings, _exactly(control, length)))


def _exactly(control: socket.socket, count: int) -> bytes:
    return control.recv(count, socket.MSG_WAITALL)


def serve(control: socket.socket, settings: Settings) -> None:
    """Load the engine, say hello, then fork for every job until the control socket closes."""
    for quiet in (signal.SIGINT, signal.SIGPIPE, signal.SIGHUP):
        signal.signal(quiet, signal.SIG_IGN)
    try:
        engine = Engine(settings)
    except LeakmonError as error:
        control.sendall(frame(Hello(error=str(error), reason=error.reason)))
        return
    control.sendall(frame(Hello(rules_digest=engine.rules_digest, rules=engine.rules)))
    _Zygote(control, settings, engine).loop()


class _Zygote:
    def __init__(self, control: socket.socket, settings: Settings, engine: Engine) -> None:
        self.control = control
        self.settings = settings
        self.engine = engine
        self.running: dict[int, _Running] = {}
        self.buffer = b""
        self.forks = 0
        self.pipes: list[int] = []
        self.wake_read, self.wake_write = os.pipe()
        for end in (self.wake_read, self.wake_write):
            os.set_blocking(end, False)

    def loop(self) -> None:
        signal.signal(signal.SIGCHLD, _noted)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self.control, selectors.EVENT_READ)
            selector.register(self.wake_read, selectors.EVENT_READ)
            is_wanted = True
            while is_wanted:
                ready = {key.fileobj for key, _ in selector.select(self._patience())}
                if self.wake_read in ready:
                    with suppress(BlockingIOError):
                        os.read(self.wake_read, 4096)
                if self.control in ready:
                    is_wanted = self._receive()
                self._reap()
                self._kill_late()
        self._kill_all()

    def _patience(self) -> float | None:
        if not self.running:
            return None
        return max(0.0, min(r.deadline for r in self.running.values()) - time.monotonic())

    def _receive(self) -> bool:
        """Take what has come; False when the other side is gone."""
        try:
            received, pipes, _, _ = socket.recv_fds(self.control, 1 << 16, 16)
        except OSError:
            return False
        if not received:
            return False
        self.buffer += received
        self.pipes += pipes
        while len(self.buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self.buffer)
            end = LENGTH.size + length
            if length > MAX_JOB_BYTES:
                return False
            if len(self.buffer) < end:
                break
            job = job_of(self.buffer[LENGTH.size : end])
            self.buffer = self.buffer[end:]
            self._fork(job, self.pipes.pop(0))
        return True

    def _fork(self, job: Job, pipe: int) -> None:
        settings = self.settings
        self.forks += 1
        if self.forks >= WARM_FROM:
            self.engine.warm()
        pid = os.fork()
        if pid == 0:
            # Nothing may return from here: a child that ran on would answer the zygote's jobs.
            code = 1
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                self.control.close()
                for other in self.running.values():
                    os.close(other.pipe)
                code = run(self.engine, job, pipe, settings)
            finally:
                os._exit(code)
        wall = settings.wall_seconds + settings.grace_seconds
        self.running[pid] = _Running(pipe, time.monotonic() + wall)

    def _reap(self) -> None:
        while self.running:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            ended = self.running.pop(pid, None)
            if ended is None:
                continue
            rss = usage.ru_maxrss if os.uname().sysname == "Darwin" else usage.ru_maxrss * 1024
            cpu = usage.ru_utime + usage.ru_stime
            # A reader that is gone or stuck must not hold up the others: the trailer is small
            # and is dropped rather than waited for.
            with suppress(OSError):
                os.set_blocking(ended.pipe, False)
                os.write(ended.pipe, TRAILER.pack(status, ended.timed_out, rss, cpu))
            os.close(ended.pipe)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for pid, running in self.running.items():
            if running.deadline <= now and not running.timed_out:
                running.timed_out = True
                running.deadline = now + 3600
                os.kill(pid, signal.SIGKILL)

    def _kill_all(self) -> None:
        for pid in self.running:
            os.kill(pid, signal.SIGKILL)
        for pid in self.running:
            os.waitpid(pid, 0)


def _noted(_signal: int, _frame: FrameType | None) -> None:
    """Exists so that SIGCHLD wakes the selector through the wakeup descriptor."""
