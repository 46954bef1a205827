"""A minified bundle of private code is published: Slack names repository, path and lines.

And a mark that is configured later is found in what was published before.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from tests.private_code import projects
from tests.private_code.code import CLIENT, minified, other

if TYPE_CHECKING:
    from tests.e2e.daemon import Site


def test_private_code_is_told_with_its_place(site: Site) -> None:
    site.configure(f'[private_code]\nfolder = "{site.folder}/index"\n')
    private = site.folder / "billing"
    (private / "src").mkdir(parents=True)
    (private / "src" / "client.ts").write_text(CLIENT)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *command],
            check=True,
            cwd=private,
        )
    done = site.run("index", "add", "billing")
    assert done.returncode == 0, done.stderr
    site.start()
    site.ready()
    bundle = other(1) + minified(CLIENT) + other(2)
    site.npm.publish("@acme/one", "1.0.0", {"index.js": bundle}, license="UNLICENSED")
    site.until(lambda: site.slack.messages, "no message came")
    site.until(site.is_idle, "something is left undone")
    (message,) = site.slack.messages
    text = json.dumps(message, ensure_ascii=False)
    assert "is private code of acme" in text
    assert "src/client.ts" in text
    assert "billing" in text
    assert "lines" in text
    assert "CRITICAL" in text
    assert "reconcileWindow" not in text
    assert site.stop() == 0


def test_a_bundle_of_one_of_two_real_projects_is_told_with_its_place(site: Site) -> None:
    table = f'[private_code]\nfolder = "{site.folder}/index"\nesbuild = "{projects.ESBUILD}"\n'
    site.configure(table)
    ranges = projects.repository(projects.SEMVER, site.folder / "ranges")
    projects.repository(projects.EXPRESS, site.folder / "web")
    done = site.run("index", "add", "ranges", "web")
    assert done.returncode == 0, done.stderr
    site.start()
    site.ready()
    files = {"cli.js": projects.bundled(ranges / "index.js")}
    site.npm.publish("@acme/cli", "1.0.0", files, license="UNLICENSED")
    site.until(lambda: site.slack.messages, "no message came")
    site.until(site.is_idle, "something is left undone")
    (message,) = site.slack.messages
    text = json.dumps(message, ensure_ascii=False)
    place = re.search(r"private code of acme: `([^`]+)` of (\w+), lines (\d+) to (\d+)", text)
    assert place is not None, text
    path, repository, first, last = place.groups()
    assert repository == "ranges"
    lines = (ranges / path).read_text().count("\n") + 1
    assert 1 <= int(first) <= int(last) <= lines
    assert "cli.js" in text
    assert " of web" not in text
    assert site.stop() == 0


def test_a_mark_that_comes_later_is_found_in_what_is_kept(site: Site) -> None:
    site.start()
    site.ready()
    site.npm.put("@acme/two", "1.0.0", {"a.js": "class BluefinClient {}\n"}, license="UNLICENSED")
    site.until(lambda: site.rows("select state from artifacts") == [("settled",)], "not settled")
    assert site.slack.messages == []
    assert site.stop() == 0
    config = site.folder / "leakmon.toml"
    named = 'pypi.packages = ["acme*"]\n'
    config.write_text(config.read_text().replace(named, named + 'code_names = ["bluefin"]\n'))
    done = site.run("incidents", "rescan")
    assert done.stdout.startswith("1 artifact to be looked at again"), done.stderr
    site.start()
    site.until(lambda: site.slack.messages, "no message came")
    assert "Code name of acme" in json.dumps(site.slack.messages)
    assert site.stop() == 0
