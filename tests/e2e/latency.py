"""From the end of a publish to the message in the channel: ``python -m tests.e2e.latency``.

Publishes are ``npm publish`` and ``twine upload``, one after the other, while the daemon works. A
message may come before the client has ended: npm itself says so late. That counts as zero or less.
"""

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
    """Seconds by ecosystem: each publish is of a package of its own, by the client itself."""
    published: dict[str, tuple[str, float]] = {}
    for number in range(2 * publishes):
        name = f"acmelat{number}x"
        if number % 2 == 0:
            files = {"index.js": "1;\n", ".env": f"GITHUB_TOKEN={token(name)}\n"}
            site.npm.publish(f"@acme/{name}", "1.0.0", files, license="UNLICENSED")
        else:
            site.pypi.upload(name, "1.0", "w")
        published[name] = ("npm" if number % 2 == 0 else "pypi", time.time())
    taken: dict[str, list[float]] = {"npm": [], "pypi": []}
    for name, (ecosystem, at) in published.items():
        taken[ecosystem].append(_arrival(site, name) - at)
    return taken


def _arrival(site: Site, name: str) -> float:
    """When Slack took the message about a package, by Slack's own clock."""

    def found() -> list[float]:
        return [float(each["ts"]) for each in site.slack.messages if name in json.dumps(each)]

    site.until(found, f"no message about {name}")
    return min(found())


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishes", type=int, default=100, help="of each registry")
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
            f"median {statistics.median(ordered):.2f} s, p99 {p99:.2f} s, "
            f"worst {ordered[-1]:.2f} s\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
