"""Two real public projects, taken as private, and what a bundler and a minifier make of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

MODULES = Path(__file__).parents[1] / "servers" / "node_modules"
(ESBUILD,) = MODULES.glob("@esbuild/*/bin/esbuild")
UGLIFY = MODULES / "uglify-js" / "bin" / "uglifyjs"
EXPRESS = MODULES / "express" / "lib"
SEMVER = MODULES / "semver"


def repository(sources: Path, folder: Path) -> Path:
    """A git repository with a project's JavaScript."""
    for path in sources.rglob("*.js"):
        copy = folder / path.relative_to(sources)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@acme.example"]
        subprocess.run(["git", *identity, *command], check=True, cwd=folder)
    return folder


def bundled(entry: Path) -> str:
    """One minified file of a module and all that it needs, as it is shipped."""
    options = ["--bundle", "--minify", "--platform=node", "--format=cjs", "--log-level=error"]
    done = subprocess.run([ESBUILD, entry, *options], check=True, capture_output=True, text=True)
    return done.stdout


def uglified(path: Path) -> bytes:
    """What another minifier than the index's makes of a file."""
    options = ["--compress", "passes=2", "--mangle", "toplevel=true"]
    done = subprocess.run(["node", UGLIFY, path, *options], check=True, capture_output=True)
    return done.stdout
