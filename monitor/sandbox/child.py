"""What runs inside a forked child: limits first, then the inspection, then one answer."""

from __future__ import annotations

import gc
import mmap
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from monitor.archive.budget import Interrupted
from monitor.errors import ConfigError, LeakmonError
from monitor.inspection import Inspector
from monitor.patterns import compile_all
from monitor.sandbox.protocol import (
    ENCODER,
    KIND_FAILURE,
    KIND_INSPECTION,
    KIND_REAPED,
    Failure,
    Reaped,
)

if TYPE_CHECKING:
    from types import FrameType

    from monitor.private_code.gate import Gate
    from monitor.sandbox.protocol import Job, Settings


ON_DEMAND = (
    "monitor.archive.gzipped",
    "monitor.archive.source_maps",
    "monitor.archive.streams",
    "monitor.archive.tar",
    "monitor.archive.zip",
    "monitor.archive.zip_member",
    "monitor.decoders.unfold",
    "monitor.rules.checksums",
    "monitor.rules.keys",
    "monitor.rules.paths",
    "monitor.rules.settle",
)

PRINTS = "monitor.private_code.taking"
PRINTS_ON_DEMAND = "monitor.private_code.fingerprint"

CODE_COPIES = 4
"""How often gathered code lies in memory at most: taken, and twice while its answer grows."""


PRINTS_BYTES = 512 << 20
"""What taking prints needs beside: batches of texts as arrays, and the answer as it grows."""


class Engine:
    """The loaded rules and detectors, shared by all children as copy-on-write memory."""

    def __init__(self, settings: Settings) -> None:
        from monitor.rules import compiled

        matcher = compiled(settings.rule_folders, settings.cache_folder)
        # Shared with the children, which note here what they had to compile. Whatever a hostile
        # one writes, the worst is that every expression of our own rules is compiled once.
        matcher.wanted = mmap.mmap(-1, max(1, len(matcher.branches)))
        self._matcher = matcher
        self.rules_digest = matcher.digest
        self.rules = len(matcher.rules)
        self.inspector = Inspector(matcher, settings.limits, clock=time.monotonic)
        self._on_demand: tuple[str, ...] = ON_DEMAND
        if settings.has_prints:
            import_module(PRINTS)
            self._on_demand = (*ON_DEMAND, PRINTS_ON_DEMAND)
        self.gate = _gate(settings)
        gc.freeze()  # a child's collections would touch, and so copy, every page of the engine

    def warm(self) -> int:
        """Load what inspections load on demand, so that the children to come share it.

        Gives the number of rules' branches that children had to compile since the last time.
        """
        modules, self._on_demand = self._on_demand, ()
        for module in modules:
            import_module(module)
        compile_all()
        branches = self._matcher.prepare()
        if modules or branches:
            gc.freeze()
        return branches


def run(engine: Engine, job: Job, pipe: int, settings: Settings) -> int:
    """Inspect the job's files and write one answer to the pipe; gives the exit code."""
    confine(settings)
    try:
        answer = _answer(engine, job, settings)
    except MemoryError:
        answer = _failure("needed more memory than its limit", "memory")
    except Interrupted as late:
        answer = _failure("took longer than its limit", late.reason)
    except LeakmonError as error:
        answer = _failure(str(error), error.reason)
    except Exception:  # noqa: BLE001 - a bug that a hostile file found must become that file's failure
        answer = _failure(_last_place(), "internal-error")
    finally:
        _disarm()
    view = memoryview(answer)
    while view:
        view = view[os.write(pipe, view) :]
    return 0


def _answer(engine: Engine, job: Job, settings: Settings) -> bytes:
    if settings.code is None and not settings.has_prints:
        inspection = engine.inspector.inspect_files(job.files, job.context)
        return KIND_INSPECTION + ENCODER.encode(inspection)
    gatherer = taker = None
    if settings.code is not None:
        from monitor.harvest import Gatherer

        gatherer = Gatherer(settings.code)
    if settings.has_prints:
        from monitor.private_code.taking import Taker, Wish

        taker = Taker(Wish(max_script_bytes=settings.max_script_bytes), _refreshed(engine.gate))
    takers = [each for each in (gatherer, taker) if each is not None]
    inspection = engine.inspector.inspect_files(job.files, job.context, takers)
    code = gatherer.harvest if gatherer is not None else None
    prints = ENCODER.encode(taker.finish()) if taker is not None else b""
    return KIND_REAPED + ENCODER.encode(Reaped(inspection, code, prints))


def _gate(settings: Settings) -> Gate | None:
    """What tells the texts that are worth reading; None where all of them are."""
    if not settings.words:
        return None
    from monitor.private_code.gate import Gate
    from monitor.private_code.index.word_index import WordIndex

    with suppress(ConfigError):  # replaced since it was opened: whoever holds the keys knows
        return Gate(
            [WordIndex(one.folder, one.key, one.key_id, one.parameters) for one in settings.words]
        )
    return None


def _refreshed(gate: Gate | None) -> Gate | None:
    """The gate with its indexes as they are now.

    None where one has another key or cannot be read: then every text is, as without a gate.
    """
    if gate is not None:
        try:
            gate.refresh()
        except ConfigError:
            return None
    return gate


def confine(settings: Settings) -> None:
    """Limit this process for good: memory, CPU, wall time, no files written, no core dumped."""
    _lower(resource.RLIMIT_CORE, 0, 0)
    _lower(resource.RLIMIT_FSIZE, 0, 0)
    cpu = settings.cpu_seconds
    _lower(resource.RLIMIT_CPU, cpu, cpu + settings.grace_seconds)
    # RLIMIT_DATA and not RLIMIT_AS: the artifact itself is mapped and may be larger than the limit.
    memory = settings.memory_bytes + _inherited_bytes()
    if settings.code is not None:
        memory += CODE_COPIES * settings.code.max_bytes
    if settings.has_prints:
        memory += PRINTS_BYTES + CODE_COPIES * settings.max_script_bytes
    _lower(resource.RLIMIT_DATA, memory, memory)
    signal.signal(signal.SIGXCPU, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, settings.wall_seconds)


def _inherited_bytes() -> int:
    """Writable memory that came with the fork: the engine's, and whatever the parent had."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[5]) * resource.getpagesize()
    except OSError:
        return 0


def _lower(kind: int, soft: int, hard: int) -> None:
    _, ceiling = resource.getrlimit(kind)
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    # macOS refuses some limits altogether; the wall limit then still holds.
    if sys.platform == "darwin" and kind == resource.RLIMIT_DATA:
        return
    resource.setrlimit(kind, (soft, hard))


def _disarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    _disarm()
    raise Interrupted("over-cpu-time" if number == signal.SIGXCPU else "over-time")


def _failure(message: str, reason: str) -> bytes:
    return KIND_FAILURE + ENCODER.encode(Failure(message, reason))


def _last_place() -> str:
    """The error's type and place in our code, never its text: that may quote the file."""
    import traceback

    kind, _, trace = sys.exc_info()
    last = traceback.extract_tb(trace)[-1]
    name = kind.__name__ if kind else "error"
    return f"leakmon itself failed on this file ({name} in {os.path.basename(last.filename)}:{last.lineno}); please report it"  # noqa: E501 - one message; pathlib is not imported here
