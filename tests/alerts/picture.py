"""The Slack message as a picture: ``python -m tests.alerts.picture FILE.png [source|secret]``.

The page of ``tests.alerts.render`` drawn by the Chromium that is installed, to be looked at.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.alerts import render

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=2",
)


def main(target: str, kind: str = "source", size: str = "760x980") -> int:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.stderr.write(f"No browser: install one of {', '.join(BROWSERS)}.\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="leakmon-picture-") as folder:
        page = Path(folder) / "message.html"
        render.main(str(page), kind)
        subprocess.run(
            [
                browser,
                *OPTIONS,
                f"--user-data-dir={folder}/profile",
                f"--window-size={size.replace('x', ',')}",
                f"--screenshot={Path(target).resolve()}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    sys.stdout.write(f"wrote {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
