"""``leakmon doctor``: is everything in place, and does it alert on what it must alert on."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, to_builtins

from monitor import __version__, canary, config
from monitor.detectors import Context
from monitor.errors import LeakmonError
from monitor.model import Severity
from monitor.model.wording import count
from monitor.pipeline import local, subjects
from monitor.pipeline.conclude import Policy, conclude_subject
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox, Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


class Check(Struct, frozen=True):
    """One thing that was looked at. ``state`` is ``ok``, ``warning`` or ``failed``."""

    name: str
    state: str
    detail: str


def run(call: argparse.Namespace) -> int:
    """Run every check and print it; 1 if any failed."""
    checks = [each for check in CHECKS for each in _guarded(check, call)]
    if call.json:
        print(json.dumps(to_builtins(checks), indent=2))
    else:
        for each in checks:
            print(f"{MARKS[each.state]} {each.name:<14} {each.detail}")
    return int(any(each.state == "failed" for each in checks))


def _guarded(
    check: Callable[[argparse.Namespace], Iterator[Check]], call: argparse.Namespace
) -> Iterator[Check]:
    try:
        yield from check(call)
    except (LeakmonError, OSError, ImportError) as error:
        yield Check(check.__name__.strip("_").replace("_", " "), "failed", str(error))


def _environment(_call: argparse.Namespace) -> Iterator[Check]:
    system = f"{platform.system()} {platform.machine()}"
    yield Check("leakmon", "ok", f"{__version__}, Python {platform.python_version()}, {system}")
    git = shutil.which("git")
    if git:
        yield Check("git", "ok", git)
    else:
        yield Check("git", "warning", "not found: repositories cannot be scanned; install git")


def _configuration(call: argparse.Namespace) -> Iterator[Check]:
    found = config.find(call.config, config.environment())
    settings = config.load(call.config)
    named = count(len(settings.organisations), "organisation") if found else "the defaults hold"
    yield Check("configuration", "ok", f"{found or 'none'}: {named}")


def _database(call: argparse.Namespace) -> Iterator[Check]:
    """How the daemon's database stands and who hands out its jobs; nothing where none is named."""
    from monitor.config.storage import database_url
    from monitor.jobs import choice
    from monitor.store import migrations

    if not config.find(call.config, config.environment()):
        return
    settings = config.load(call.config)
    url = database_url(settings, config.environment())
    engine = choice.engine(settings.jobs.engine, url)
    standing = migrations.status(url).standing
    told = f"{url.partition(':')[0].partition('+')[0]}, jobs by {engine}: {standing.value}"
    is_behind = standing in (migrations.Standing.EMPTY, migrations.Standing.OLDER)
    if standing is migrations.Standing.NEWER:
        yield Check("database", "failed", f"{told}: upgrade leakmon")
    else:
        yield Check("database", "ok", f"{told}: leakmon watch upgrades it" if is_behind else told)


def _cache(_call: argparse.Namespace) -> Iterator[Check]:
    folder = config.cache_folder(config.environment())
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        slow = "every start compiles the rules anew"
        yield Check("cache", "warning", f"{folder}: {error.strerror}: {slow}")
    else:
        yield Check("cache", "ok", folder)


def _provenance(call: argparse.Namespace) -> Iterator[Check]:
    settings = config.load(call.config).provenance
    if settings.ask == "off":
        yield Check("provenance", "ok", "attestations are not asked for ([provenance] ask)")
        return
    from monitor.provenance import NOT_INSTALLED, TrustRoot

    root = TrustRoot(settings.trusted_root)
    if not root.is_available:
        yield Check("provenance", "warning", f"attestations are {NOT_INSTALLED}")
        return
    yield Check("provenance", "ok", f"trusted root: {root.load()}")


def _engines(_call: argparse.Namespace) -> Iterator[Check]:
    from importlib.metadata import version

    from monitor.rules import compiled

    for library in ("hyperscan", "isal", "msgspec", "zstandard"):
        yield Check(library, "ok", version(library))
    started = time.perf_counter()
    matcher = compiled([bundled_rules_folder()], config.cache_folder(config.environment()))
    took = (time.perf_counter() - started) * 1000
    yield Check(
        "rules", "ok", f"{len(matcher.rules)}, ready in {took:.0f} ms ({matcher.digest[:8]})"
    )


def _canary(_call: argparse.Namespace) -> Iterator[Check]:
    """A package that must alert, on the very path that a scan takes."""
    settings = Settings(
        rule_folders=(bundled_rules_folder(),),
        cache_folder=config.cache_folder(config.environment()),
    )
    context = Context(now=int(time.time()))
    with tempfile.TemporaryDirectory(prefix="leakmon-") as folder:
        path = os.path.join(folder, canary.FILENAME)
        with open(path, "wb") as file:
            file.write(canary.package())
        subject = subjects.local(path, context)
        policy = Policy(today=datetime.now(UTC).date())
        with Sandbox(settings) as sandbox:
            ((_, outcomes),) = local.inspect(sandbox, [subject], 1)
        report = conclude_subject(subject, outcomes, context, policy).report
    silent = canary.EXPECTED_DETECTORS - {finding.detector for finding in report.findings}
    if silent or report.verdict.severity is not Severity.CRITICAL:
        missing = ", ".join(sorted(silent)) or f"verdict {report.verdict.severity.value}"
        yield Check("canary", "failed", f"a known leak was not recognised: {missing}")
    else:
        yield Check("canary", "ok", f"{report.verdict.severity.value}: {report.verdict.summary}")


CHECKS = (_environment, _configuration, _database, _cache, _provenance, _engines, _canary)
