"""What to do next, in order: what the incident is about decides, then where it was published.

The steps are for any channel, which makes the words in ``told`` and ``command`` safe for itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.incidents import CONFUSION, COPY, VANISHED, impostors, outliving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.model import Incident

NPM_WINDOW = timedelta(hours=72)
"""How long npm lets a version be unpublished that nothing depends on."""


class Step(Struct, frozen=True):
    """One thing to do: what, in a few words of ours; why or how; a command, and what it needs."""

    do: str
    told: str = ""
    command: str = ""
    needs: str = ""


def steps(incident: Incident, now: datetime) -> list[Step]:
    """The order of work for this incident, most urgent first."""
    if incident.cause == "not-inspected":
        return list(_uninspected(incident))
    if incident.cause == VANISHED:
        return list(_vanished(incident))
    if impostors.is_impostor(incident):
        return list(_strangers(incident))
    return [
        *_preserve(incident),
        *_rotate(incident),
        *_clean_up(incident, now),
        *_copies(incident),
    ]


def is_secret(incident: Incident) -> bool:
    """Whether somebody can act with what leaked: it has to be rotated, not only removed."""
    cause = incident.cause
    return cause.startswith(("secret", "carriers:")) or cause.endswith(":signed-url")


def worst(incident: Incident) -> Mapping[str, Any]:
    """The observation that an alert shows: the worst and newest artifact."""
    seen: Sequence[Mapping[str, Any]] = incident.detail.get("observations", ())
    return seen[0] if seen else {}


def _preserve(incident: Incident) -> Iterator[Step]:
    sha256 = str(worst(incident).get("sha256") or "")
    if sha256:
        get = f"leakmon evidence get {sha256[:12]} --reason leak --output FILE"
        yield Step("Keep the bytes", "before anything is removed; leakmon has them:", get)
    else:
        yield Step("Keep the bytes", "download the artifact before anything is removed")


def _rotate(incident: Incident) -> Iterator[Step]:
    advice = str(next(iter(worst(incident).get("advice", ())), ""))
    if is_secret(incident):
        why = "Removing it does not help: leaked keys are tried within minutes."
        yield Step("Rotate now", advice or why)
        if "audit" not in advice:
            yield Step("Read its audit log", "for uses since the time of publication")
    elif advice and incident.cause != "source-maps":
        yield Step("Judge it", advice)


def _clean_up(incident: Incident, now: datetime) -> Iterator[Step]:
    is_many = len(incident.versions) > 1
    if incident.ecosystem == "npm":
        version = incident.versions[-1] if incident.versions else ""
        yield Step("Publish a clean version", "so that latest no longer points here")
        yield Step(
            "Unpublish",
            "each affected version:" if is_many else "",
            f"npm unpublish {incident.package}@{version}",
            f"{_window(incident, now)}; if others depend on it, ask npm support",
        )
    elif incident.ecosystem == "pypi":
        yield Step("Publish a clean version", "so that installers no longer choose this one")
        files = "the files of each affected version" if is_many else "the files of this version"
        yield Step("Delete", f"{files}: after a yank they can still be downloaded")
    else:
        yield Step("Remove it", "at its source and from the history that serves it")


def _window(incident: Incident, now: datetime) -> str:
    if incident.published_at is None:
        return "within 72 h of publishing"
    last = max(_times(incident), default=incident.published_at) + NPM_WINDOW
    if last <= now:
        return "the 72 h for that are over"
    return f"until {last:%Y-%m-%d %H:%M} UTC"


def _times(incident: Incident) -> list[datetime]:
    published = incident.detail.get("published", {})
    return [datetime.fromisoformat(each) for each in published.values()]


def _copies(incident: Incident) -> Iterator[Step]:
    served = outliving.told(incident)
    if served:
        yield Step(
            f"Ask {served} to remove it",
            "what is gone from npm is there still; jsDelivr takes an issue, a purge alone does not "
            "reach what it stored",
        )
    if incident.ecosystem == "npm":
        where = "on jsDelivr (open an issue, a purge is not enough), unpkg, npmmirror"
    elif incident.ecosystem == "pypi":
        where = "on mirrors and caches of the index"
    else:
        where = "in forks and caches"
    yield Step("Chase copies", f"{where}; takedowns name each repository")
    close = f"leakmon incidents resolve {incident.id}"
    yield Step("Watch for re-uploads", "for 30 days; close this when it is dealt with:", close)


def _vanished(incident: Incident) -> Iterator[Step]:
    yield Step("Ask who published it", "what it held, and why it went; get the file from them")
    yield Step("Rotate", "whatever it may have held; what was public for seconds was copied")
    yield next(_copies(incident))
    close = f"leakmon incidents resolve {incident.id}"
    yield Step("Decide", "whether it was a leak; until then treat it as one. When it is:", close)


def _uninspected(incident: Incident) -> Iterator[Step]:
    target = str(worst(incident).get("purl") or incident.package)
    yield Step("Look by hand", "what was left out, and why:", f"leakmon scan {target}")
    yield Step("Decide", "whether it may hold what must not be public; until then treat it as such")


def _strangers(incident: Incident) -> Iterator[Step]:
    """A stranger's package is not ours to unpublish: keep it out and have it removed."""
    kind = incident.cause.partition(":")[0]
    if kind == COPY:
        yield Step("Have it removed", f"{_desk(incident)}: it republishes code of yours (DMCA)")
        yield Step("Keep the bytes", "as evidence of who spread it; the package may go any minute")
    elif kind == CONFUSION:
        yield Step("Stop builds from taking it", _pinned(incident))
        yield Step(
            "Look for who has it",
            "in lock files, caches and build logs since it was published; what such a machine "
            "held is to be rotated",
        )
        yield Step("Report it", f"{_desk(incident)}; if you published it yourself, remove it")
        yield Step("Reserve the name", "once it is free: an empty package of yours keeps it")
    else:
        yield Step("Look at it", "without installing:", f"leakmon scan {_target(incident)}")
        yield Step("Check lock files", f"and manifests for {incident.package}")
        yield Step("Report it", f"{_desk(incident)}, if it is meant to be mistaken")
        yield Step("Reserve names", "that people mistype the most, before others do")
    if kind == COPY:
        close = f"leakmon incidents resolve {incident.id}"
        yield Step(
            "Close this", "when it is gone; leakmon does so if its registry removes it:", close
        )
        return
    close = f"leakmon incidents ignore {incident.id} --reason TEXT"
    yield Step("If it is harmless", "say so; allowed_lookalikes keeps more of a kind quiet:", close)


def _desk(incident: Incident) -> str:
    if incident.ecosystem == "npm":
        return "to npm: Report malware on the package's page"
    if incident.ecosystem == "pypi":
        return "to PyPI: Report project as malware on its page"
    return "to whoever hosts it"


def _pinned(incident: Incident) -> str:
    if incident.ecosystem == "npm":
        return "name your registry for it in .npmrc (a scope's registry line), and pin lock files"
    return "one index-url that asks yours first, no extra-index-url, hashes in requirements files"


def _target(incident: Incident) -> str:
    return f"{incident.ecosystem}:{incident.package}"
