"""The shape of ``leakmon.toml``: one frozen struct per table, with its defaults."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from monitor.config.alerting import Alerts
from monitor.config.secrets import SecretRef
from monitor.config.table import Days, Seconds, Table
from monitor.http.settings import HttpSettings
from monitor.model import Organisation
from monitor.registries.settings import (
    GithubSettings,
    GitlabSettings,
    GitSettings,
    NpmSettings,
    ProvenanceSettings,
    PypiSettings,
)


class Database(Table, frozen=True):
    """``[database]``: ``sqlite:///relative``, ``sqlite:////absolute`` or ``postgresql://``."""

    url: str | SecretRef = "sqlite:///leakmon.db"


class Jobs(Table, frozen=True):
    """``[jobs]``: who hands out the work.

    ``embedded`` is the database's own table, for one process; ``procrastinate`` hands it to any
    number of ``leakmon worker``, on PostgreSQL; ``auto`` is procrastinate where the database is
    PostgreSQL and the library is installed (``pip install 'leakmon[cluster]'``).
    """

    engine: str = "auto"


class Evidence(Table, frozen=True):
    """``[evidence]``: where the bytes are kept, ``file:FOLDER`` or ``s3://BUCKET/PREFIX``.

    With a ``leakmon worker`` on another machine a folder has to be the same shared one on both.
    ``key`` holds one or more keys, the first for what is new; a folder without one gets a key file
    beside it. ``endpoint`` and the rest of S3 come from AWS's own configuration where absent.
    ``keep_days`` counts for artifacts without incidents, ``keep_closed_days`` for those whose
    incidents are all closed; open ones keep their evidence.
    """

    url: str = "file:evidence"
    key: SecretRef | None = None
    endpoint: str = ""
    region: str = ""
    access_key_id: SecretRef | None = None
    secret_access_key: SecretRef | None = None
    keep_days: Days = 30
    keep_closed_days: Days = 365


class Npm(Table, frozen=True):
    """``[registries.npm]``: empty addresses and credentials are taken from npm's own files."""

    url: str = ""
    changes: str = ""
    poll_seconds: Seconds = NpmSettings().poll_seconds
    token: SecretRef | None = None
    username: str = ""
    password: SecretRef | None = None


class Pypi(Table, frozen=True):
    """``[registries.pypi]``: ``simple/``, ``pypi/``, ``rss/`` and XML-RPC lie below ``url``."""

    url: str = ""
    index: str = ""
    poll_seconds: Seconds = PypiSettings().poll_seconds
    username: str = ""
    password: SecretRef | None = None


class Github(Table, frozen=True):
    """``[registries.github]``: the API, the site of the repositories, the token for both.

    ``members`` adds the repositories and gists of an organisation's public members.
    """

    api: str = ""
    url: str = ""
    poll_seconds: Seconds = GithubSettings().poll_seconds
    token: SecretRef | None = None
    members: bool = False


class Gitlab(Table, frozen=True):
    """``[registries.gitlab]``: the API (``.../api/v4/``), the site, the token for both."""

    api: str = ""
    url: str = ""
    poll_seconds: Seconds = GitlabSettings().poll_seconds
    token: SecretRef | None = None


class Git(Table, frozen=True):
    """``[registries.git]``: any other address; where mirrors are kept, and their bytes together.

    ``cache`` is a folder, empty for one in the user's cache; the mirrors of GitHub's and GitLab's
    repositories lie there too.
    """

    cache: str = ""
    poll_seconds: Seconds = GitSettings().poll_seconds
    cache_bytes: Annotated[int, Meta(ge=1 << 20)] = GitSettings().cache_bytes


class Registries(Table, frozen=True):
    """``[registries]``: all of it is optional."""

    npm: Npm = Npm()
    pypi: Pypi = Pypi()
    github: Github = Github()
    gitlab: Gitlab = Gitlab()
    git: Git = Git()


class Provenance(Table, frozen=True):
    """``[provenance]``: whose attestations are asked for, and under which root they are believed.

    ``ask`` says whose: ``hint`` those of our packages and of strangers whose own words may point to
    one of our repositories; ``all`` of every stranger in the feed (a request more for each);
    ``off`` of none. ``trusted_root`` is a file of sigstore's form (relative to the configuration's
    folder) in the place of the one that the ``sigstore`` package ships; neither is refreshed over
    the network.
    """

    ask: str = ProvenanceSettings().ask
    trusted_root: str = ProvenanceSettings().trusted_root


class Advisories(Table, frozen=True):
    """``[advisories]``: the address of an OSV API, and for how long its answers are believed."""

    osv: str = "https://api.osv.dev/"
    cache_hours: Annotated[float, Meta(ge=0, le=720)] = 6


class Service(Table, frozen=True):
    """``[service]``: where the daemon answers for its health (empty: nowhere), and how it works.

    ``workers`` inspect artifacts at once, 0 for one per processor. A canary, a known leak, takes
    the whole way every ``canary_minutes``, 0 for never. ``drain_seconds`` is for what is in hand
    when it is told to stop; the rest of the stop takes a few more.
    """

    listen: str = "127.0.0.1:9464"
    workers: Annotated[int, Meta(ge=0, le=256)] = 0
    canary_minutes: Annotated[int, Meta(ge=0, le=1440)] = 60
    drain_seconds: Annotated[float, Meta(ge=0, le=600)] = 15


class Copies(Table, frozen=True):
    """``[copies]``: what leaked, as others have it. All of it is off unless it is asked for.

    With ``follow`` the sources of an incident are looked for in what anybody publishes under a
    fitting name for ``days``, at most ``downloads_per_day`` releases of theirs. With ``cdn``
    jsDelivr's data API and unpkg are asked for their listings of an incident's npm versions; an
    empty address leaves one out.
    """

    follow: bool = False
    days: Annotated[int, Meta(ge=1, le=365)] = 30
    downloads_per_day: Annotated[int, Meta(ge=1, le=10_000)] = 100
    cdn: bool = False
    jsdelivr: str = "https://data.jsdelivr.com/"
    unpkg: str = "https://unpkg.com/"


class PrivateCode(Table, frozen=True):
    """``[private_code]``: the folder below which each organisation's index is, and its keys.

    An organisation without a key here has one in a file beside its index (``acme.key`` beside
    ``acme``), made once. ``esbuild`` is the program that brings JavaScript into one form.
    """

    folder: str = ""
    keys: dict[str, SecretRef] = field(default_factory=dict)
    esbuild: str = ""


class Settings(Table, frozen=True):
    """Everything that the operator decided. ``source`` is the file, empty for none."""

    database: Database = Database()
    jobs: Jobs = Jobs()
    evidence: Evidence = Evidence()
    alerts: Alerts = Alerts()
    http: HttpSettings = HttpSettings()
    registries: Registries = Registries()
    advisories: Advisories = Advisories()
    provenance: Provenance = Provenance()
    service: Service = Service()
    private_code: PrivateCode = PrivateCode()
    copies: Copies = Copies()
    organisations: list[Organisation] = field(default_factory=list)
