"""The grammar of ``leakmon index``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Command = Callable[..., argparse.ArgumentParser]

EPILOG = """\
what is kept, and what it would tell a thief:
  the key      32 random bytes, in a file beside the index (or where [private_code.keys] says).
               Alone it tells nothing. Lost, the index must be made anew: keep a copy elsewhere.
  the index    in clear: each repository's name and address, and of each file, also of those left
               out, path, language, number of lines, commit and time of the first commit. Of its
               text only keyed 54-bit fingerprints of runs of tokens, each with file and line, of
               pairs of words, and keyed digests of the whole. Without the key a thief learns those
               names, and which files have code in common, and can confirm no guess about a file or
               a line. With the key they can test guesses, and chains of guesses (12 to 16 bits a
               step) bring back most of the normalised source: guard index and key as the source.
               Pairs of words have a key of their own. It alone is given to the confined process
               that opens packages, which asks with it what is worth reading; whoever took it over
               could find out which pairs of words your code has, and nothing else.
  the sketch   what 'export' writes for a host that should not hold the index: a quarter of the
               fingerprints, cut to 40 bits, each with the opaque number of its file and no line;
               of each file that number and how many fingerprints it has. No name, path, time,
               whole-file digest or suffix. It has a key of its own, which opens no index. Without
               that key a thief learns how many files you have and how large each is. With it they
               can find out whether a text which they have, or guess in full, is in your code. A
               chain of guesses breaks off: three of four steps are missing, so that the next one
               is some 48 bits away, where (of 10^8 fingerprints) one guess in 44,000 agrees by
               chance.
  copies       repositories named by address are fetched into the cache folder, readable for you
               alone; 'remove' deletes them.

examples:
  leakmon index add ~/src/app ~/src/billing --history
  leakmon index add github:acme/app https://git.acme.example/tools.git
  leakmon index update
  leakmon index export acme.sketch && scp acme.sketch acme.sketch.key scanner:
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    """Add the command; ``command`` makes one action of a group."""
    import argparse

    index = commands.add_parser(
        "index",
        help="fingerprint your private code, so that scans know it again",
        description="Fingerprint your private code, so that scans know it again.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = index.add_subparsers(title="actions", metavar="ACTION", required=True)
    made = [*_reading(actions, command), *_looking(actions, command), *_moving(actions, command)]
    for action in made:
        action.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
        action.add_argument(
            "--organisation", default="", metavar="NAME",
            help="whose code it is (default: the only one that is configured)",
        )  # fmt: skip


def _reading(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], command: Command
) -> list[argparse.ArgumentParser]:
    adding = command(
        actions, "add", "index:add", "fingerprint repositories and folders",
        "Of a git repository what is committed is read, whatever is checked out. What is\n"
        "vendored, generated, minified, built, a licence or no text is left out: 'stats' says how\n"
        "much, and 'list --skipped' what. An interruption loses nothing: run it again.",
    )  # fmt: skip
    adding.add_argument(
        "targets", nargs="+", metavar="TARGET",
        help="a folder, a git repository on this machine, github:owner/name, or a git address",
    )  # fmt: skip
    adding.add_argument("--name", default="", help="what people are told instead of its address")
    adding.add_argument(
        "--ref", action="append", default=[], dest="refs", metavar="REF",
        help="a branch, tag or commit to read (default: the default branch); repeatable",
    )  # fmt: skip
    adding.add_argument(
        "--history", action="store_true",
        help="also read every earlier version: what was deleted or rewritten is known as well",
    )  # fmt: skip
    update = command(actions, "update", "index:update", "read what is new in repositories")
    update.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    rekey = command(
        actions, "rekey", "index:rekey", "make the index anew from its repositories, with a new key"
    )
    for action in (adding, update, rekey):
        action.add_argument(
            "--jobs", "-j", type=int, metavar="N", help="processes (default: one per processor)"
        )
        action.add_argument("--no-progress", action="store_true", help="show no progress bar")
    remove = command(actions, "remove", "index:remove", "forget repositories")
    remove.add_argument("names", nargs="+", metavar="NAME", help="as 'stats' shows it")
    return [adding, update, rekey, remove]


def _looking(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], command: Command
) -> list[argparse.ArgumentParser]:
    stats = command(actions, "stats", "index_pages:stats", "show what the index holds")
    listing = command(actions, "list", "index_pages:listing", "list the files, one a line")
    listing.add_argument("name", nargs="?", default="", metavar="NAME", help="only of this one")
    listing.add_argument("--skipped", action="store_true", help="those left out, with the reason")
    listing.add_argument(
        "--block", action="append", default=[], type=int, dest="blocks", metavar="NUMBER",
        help="the file that has this number in a sketch; repeatable",
    )  # fmt: skip
    verify = command(
        actions,
        "verify",
        "index_pages:verify",
        "check every byte of the index; exit 1 if one is bad",
    )
    for action in (stats, listing, verify):
        action.add_argument("--json", action="store_true", help="as JSON")
    return [stats, listing, verify]


def _moving(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], command: Command
) -> list[argparse.ArgumentParser]:
    export = command(
        actions, "export", "index_moving:export",
        "write a sketch: a sample without names, for a host that should not hold the index",
    )  # fmt: skip
    export.add_argument("file", metavar="FILE", help="a new file; its key goes to FILE.key")
    importing = command(actions, "import", "index_moving:import_", "take a sketch on this host")
    importing.add_argument("file", metavar="FILE", help="what 'export' wrote")
    importing.add_argument("--key", metavar="FILE", help="its key (default: FILE.key)")
    setup = command(
        actions, "setup", "index_learning:setup",
        "fetch the pinned esbuild from the npm registry, once: JavaScript is matched minified too",
    )  # fmt: skip
    setup.add_argument("--force", action="store_true", help="fetch it even if it is there")
    background = command(
        actions, "background", "index_learning:background",
        "learn from public packages what is everybody's code",
        "A fingerprint of yours counts as public, and is never reported, if a package that has it\n"
        "was published before your first commit of each file that has it, or if packages of two\n"
        "unrelated publishers have it. Only fingerprints that your index has are kept. Never\n"
        "learnt from: packages of your organisations, packages with an open incident. Run it\n"
        "again after 'add': what is new is compared then.",
    )  # fmt: skip
    background.add_argument(
        "packages", nargs="*", metavar="PACKAGE",
        help="npm:name or pypi:name, well-known ones (default: a list that leakmon brings)",
    )  # fmt: skip
    background.add_argument("--list", metavar="FILE", help="package names, one a line")
    background.add_argument(
        "--forget", action="store_true", help="take back what was learnt from these packages"
    )
    background.add_argument("--no-progress", action="store_true", help="show no progress bars")
    return [export, importing, setup, background]
