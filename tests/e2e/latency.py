"""From the end of a publish to the message in the channel: ``python -m tests.e2e.latency``."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.alerts import fake_slack
from tests.e2e.daemon import POLL_SECONDS, Site, token
from tests.watch_servers.npm import npm_server
from tests.watch_servers.pypi import pypi_server

if TYPE_CHECKING:
    from collections.abc import Sequence


def measured(site: Site, publishes: int) -> dict[str, list[float]]:
    """Seconds by ecosystem; one publish at a time, each of a package of its own."""
    taken: dict[str, list[float]] = {"npm": [], "pypi": []}
    for number in range(publishes):
        name = f"acmelat{number}"
        is_npm = number % 2 == 0
        if is_npm:
            files = {"index.js": "1;\n", ".env": f"GITHUB_TOKEN={token(name)}\n"}
            site.npm.put(f"@acme/{name}", "1.0.0", files, license="UNLICENSED")
        else:
            site.pypi.put(name, "1.0", "w")
        published = time.time()
        arrived = _arrival(site, name)
        taken["npm" if is_npm else "pypi"].append(arrived - published)
    return taken


def _arrival(site: Site, name: str) -> float:
    """When Slack took the message about a package, by Slack's own clock."""

    def found() -> list[float]:
        return [float(each["ts"]) for each in site.slack.messages if name in json.dumps(each)]

    site.until(found, f"no message about {name}")
    return min(found())


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishes", type=int, default=60)
    call = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="leakmon-latency-") as folder:
        top = Path(folder)
        with (
            npm_server(top / "npm") as npm,
            pypi_server(top / "pypi") as pypi,
            fake_slack.running() as slack,
        ):
            (top / "watch").mkdir()
            site = Site(top / "watch", npm, pypi, slack)
            try:
                site.start()
                site.ready()
                taken = measured(site, call.publishes)
            finally:
                site.end()
    for ecosystem, seconds in taken.items():
        ordered = sorted(seconds)
        p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
        sys.stdout.write(
            f"{ecosystem:<5} {len(ordered)} publishes, polled every {POLL_SECONDS} s: "
            f"median {statistics.median(ordered):.2f} s, p99 {p99:.2f} s\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
