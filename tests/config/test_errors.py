"""Every mistake in leakmon.toml is one line which names the file, the key and the remedy."""

from __future__ import annotations

import pytest

from monitor.config import parse
from monitor.errors import ConfigError

MISTAKES = [
    ("[databas]\n", "databas: unknown key; did you mean database?"),
    ("[database]\nuri = 'x'\n", "database.uri: unknown key; did you mean url?"),
    (
        "[http]\nzzz = 1\n",
        (
            "http.zzz: unknown key; known keys here: allow_private, connect_seconds, "
            "connections_per_host, contact, idle_seconds, max_artifact_bytes, max_document_bytes, "
            "max_wait_seconds, min_bytes_per_second, seconds_between_requests, slow_seconds, "
            "total_seconds, tries"
        ),
    ),
    (
        "[jobs]\nengine = 'celery'\n",
        "jobs.engine: no engine: write one of auto, embedded, procrastinate",
    ),
    (
        "[jobs]\nengine = 'procrastinate'\n",
        "jobs.engine: procrastinate needs PostgreSQL: write postgresql://host/name",
    ),
    (
        "[registries.npm]\npoll-seconds = 3\n",
        "registries.npm.poll-seconds: unknown key; did you mean poll_seconds?",
    ),
    ("[provenance]\nask = 'always'\n", "provenance.ask: no such wish: write one of hint, all, off"),
    (
        "[provenance]\nroot = 'x'\n",
        "provenance.root: unknown key; known keys here: ask, trusted_root",
    ),
    (
        "[[organisations]]\nname = 'acme'\ngithub_owner_ids = [0]\n",
        (
            'organisations["acme"].github_owner_ids: an id is a whole number above 0: ask the '
            "forge's API"
        ),
    ),
    (
        "[[organisations]]\nname = 'acme'\ngitlab_namespace_ids = ['acme']\n",
        (
            'organisations["acme"].gitlab_namespace_ids[0]: expected a whole number, got a text in '
            "quotes"
        ),
    ),
    ("[registries.nmp]\n", "registries.nmp: unknown key; did you mean npm?"),
    (
        "[registries.github]\nmembers = true\n",
        (
            "registries.github.members: needs a token: without one GitHub answers 60 questions an "
            "hour"
        ),
    ),
    (
        "[registries.gitlab]\ntoken = 'glpat'\n",
        (
            "registries.gitlab.token: a secret must be a reference, not the secret itself: "
            "write env:NAME or file:PATH"
        ),
    ),
    (
        "[registries.gitlab]\napi = 'gitlab'\n",
        "registries.gitlab.api: not a web address: write https://host/path/",
    ),
    (
        "[[organisations]]\nname = 'acme'\nrepositories = ['https://me:pw@git.example/x.git']\n",
        (
            'organisations["acme"].repositories: an address holds a login: leave it to .netrc or '
            "to the token of its forge"
        ),
    ),
    (
        "[[organisations]]\nname = 'acme'\nnpm.scope = ['@acme']\n",
        'organisations["acme"].npm.scope: unknown key; did you mean scopes?',
    ),
    (
        "[[organisations]]\nnames = 'acme'\n",
        "organisations[number 1].names: unknown key; did you mean name?",
    ),
    (
        "[[organisations]]\nname = 'acme'\nallowed_lookalikes = ['*']\n",
        (
            "organisations[\"acme\"].allowed_lookalikes: '*' is every name there is: "
            "name what is yours"
        ),
    ),
    ("[copies]\ndays = 0\n", "copies.days: expected a whole number >= 1"),
    ("[copies]\nfolow = true\n", "copies.folow: unknown key; did you mean follow?"),
    ("[copies]\nunpkg = 'unpkg'\n", "copies.unpkg: not a web address: write https://host/path/"),
    (
        "[copies]\ncdn = true\njsdelivr = ''\nunpkg = ''\n",
        "copies.cdn: there is no CDN to ask: leave out copies.jsdelivr = ''",
    ),
    ("[[organisations]]\n", "organisations[number 1].name: missing; add it to the table"),
    (
        "[organisations]\nname = 'acme'\n",
        "organisations: a list of tables; write [[organisations]] with two brackets",
    ),
    ("[[organisations]]\nname = ' '\n", "organisations[number 1].name: empty: give it a name"),
    (
        "[[organisations]]\nname = 'a'\n[[organisations]]\nname = 'a'\n",
        'organisations["a"]: stands twice: join the two',
    ),
    (
        "[[organisations]]\nname = 'acme'\nposture = 'closed'\n",
        (
            "organisations[\"acme\"].posture: invalid enum value 'closed'; choose one of "
            "open, source-available, proprietary, internal-only, unknown"
        ),
    ),
    (
        "[[organisations]]\nname = 'acme'\ndomains = 'acme.example'\n",
        'organisations["acme"].domains: expected a list, got a text in quotes',
    ),
    (
        "[[organisations]]\nname = 'acme'\ndomains = ['https://acme.example/']\n",
        (
            "organisations[\"acme\"].domains: 'https://acme.example/' is no domain: "
            "write 'acme.example'"
        ),
    ),
    (
        "[[organisations]]\nname = 'acme'\nnpm.scopes = ['acme']\n",
        "organisations[\"acme\"].npm.scopes: 'acme' is no scope: write '@acme'",
    ),
    (
        "[[organisations]]\nname = 'acme'\nnpm.packages = ['acme-[ab']\n",
        (
            "organisations[\"acme\"].npm.packages: 'acme-[ab' has a '[' without its ']': "
            "close it, or write '[[]'"
        ),
    ),
    (
        "[[organisations]]\nname = 'acme'\npypi.packages = ['*']\n",
        "organisations[\"acme\"].pypi.packages: '*' is every name there is: name what is yours",
    ),
    (
        "[[organisations]]\nname = 'acme'\ninternal_hosts = ['']\n",
        "organisations[\"acme\"].internal_hosts: '' is empty or has space around it: remove it",
    ),
    (
        "[[organisations]]\nname = 'acme'\nrepositories = ['acme']\n",
        (
            "organisations[\"acme\"].repositories: 'acme' names no repositories: "
            "write 'github:acme', 'github:acme/repo' or a git address"
        ),
    ),
    (
        "[[organisations]]\nname = 'acme'\ncode_names = ['ab']\n",
        (
            "organisations[\"acme\"].code_names: 'ab' would be found everywhere: "
            "use three letters or more"
        ),
    ),
    (
        "[registries.npm]\npoll_seconds = '5'\n",
        "registries.npm.poll_seconds: expected a number, got a text in quotes",
    ),
    (
        "[registries.npm]\npoll_seconds = 0\n",
        "registries.npm.poll_seconds: expected a number >= 1.0",
    ),
    (
        "[registries.npm]\nurl = '127.0.0.1:4873'\n",
        "registries.npm.url: not a web address: write https://host/path/",
    ),
    (
        "[registries.pypi]\nurl = 'http://[::1/'\n",
        "registries.pypi.url: not an address (Invalid IPv6 URL): write https://host:port/path/",
    ),
    (
        "[registries.pypi]\nurl = 'http://host:99999/'\n",
        (
            "registries.pypi.url: not an address (Port out of range 0-65535): "
            "write https://host:port/path/"
        ),
    ),
    (
        "[registries.npm]\nurl = 'https://me:pass@npm.example/'\n",
        (
            "registries.npm.url: holds credentials: leave them to the client's own configuration "
            "(pip, .npmrc) or to a token reference"
        ),
    ),
    (
        "[registries.github]\napi = 'https://git.example/api?x=1'\n",
        "registries.github.api: ends in a query or fragment: write https://host/path/",
    ),
    (
        "[registries.github]\ntoken = 'very-secret-value'\n",
        (
            "registries.github.token: a secret must be a reference, not the secret itself: "
            "write env:NAME or file:PATH"
        ),
    ),
    (
        "[registries.github]\ntoken = 'env:not a name'\n",
        (
            "registries.github.token: a secret must be a reference, not the secret itself: "
            "write env:NAME or file:PATH"
        ),
    ),
    (
        "[registries.github]\ntoken = 5\n",
        "registries.github.token: expected a text in quotes: write env:NAME or file:PATH",
    ),
    (
        "[alerts.slack]\nchannel = '#leaks'\n",
        "alerts.slack.token: missing; add it to the table",
    ),
    (
        "[alerts.slack]\ntoken = 'env:T'\nchannel = 'leaks'\n",
        "alerts.slack.channel: no channel: write '#name' or the channel's id",
    ),
    (
        "[database]\nurl = 'mysql://host/name'\n",
        (
            "database.url: neither SQLite nor PostgreSQL: "
            "write sqlite:///leakmon.db or postgresql://host/name"
        ),
    ),
    (
        "[database]\nurl = 'sqlite://leakmon.db'\n",
        "database.url: SQLite has no host: write sqlite:///leakmon.db",
    ),
    (
        "[database]\nurl = 'postgresql://me:pass@db.example/leakmon'\n",
        "database.url: holds a password: write env:NAME or file:PATH, which holds the address",
    ),
    (
        "[evidence]\nurl = 'evidence'\n",
        "evidence.url: unknown store: write file:FOLDER or s3://bucket/prefix",
    ),
    (
        "[evidence]\nurl = 's3://key:pass@bucket'\n",
        "evidence.url: no bucket's address: write s3://bucket/prefix",
    ),
    (
        "[http]\nallow_private = ['10.0.0.0/33']\n",
        (
            "http.allow_private: '10.0.0.0/33' is no address, network or host: "
            "write 127.0.0.1, 10.0.0.0/8 or registry.internal"
        ),
    ),
    (
        "[http]\nallow_private = ['1.2.3.400']\n",
        (
            "http.allow_private: '1.2.3.400' is no address, network or host: "
            "write 127.0.0.1, 10.0.0.0/8 or registry.internal"
        ),
    ),
    (
        "[http]\nconnect_seconds = 0\n",
        "http.connect_seconds: 0.0 cannot be meant: write a number above 0",
    ),
    (
        "[http]\nidle_seconds = inf\n",
        "http.idle_seconds: inf cannot be meant: write a number above 0",
    ),
    (
        "[http]\nmax_artifact_bytes = -1\n",
        "http.max_artifact_bytes: -1 cannot be meant: write a number above 0",
    ),
    (
        "[registries.npm]\nusername = 'me'\n",
        "registries.npm.password: missing; a login needs both",
    ),
    (
        "[registries.pypi]\nusername = 'me'\npassword = 'env:P'\n",
        "registries.pypi.url: missing; say where the login is for",
    ),
    (
        "[registries.npm]\ntoken = 'env:T'\n",
        "registries.npm.url: missing; say where the token is for",
    ),
    (
        "http = 5\n",
        "http: expected a table, got a whole number",
    ),
    ("a = \n", "not valid TOML: Invalid value (at line 1, column 5)"),
    ("a = 1\na = 2\n", "not valid TOML: Cannot overwrite a value (at line 2, column 6)"),
]


def test_there_are_mistakes_to_try() -> None:
    assert len(MISTAKES) > 30


@pytest.mark.parametrize(("text", "complaint"), MISTAKES, ids=[c[:60] for _, c in MISTAKES])
def test_a_mistake_is_one_line_with_its_remedy(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(text, source="etc/leakmon.toml")
    assert str(raised.value) == f"etc/leakmon.toml: {complaint}"


@pytest.mark.parametrize(("text", "_"), MISTAKES, ids=[c[:60] for _, c in MISTAKES])
def test_no_complaint_repeats_a_secret(text: str, _: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(text)
    assert "very-secret-value" not in str(raised.value)
    assert "me:pass" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_toml_nested_beyond_reason_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match="not valid TOML"):
        parse("a = " + "[" * 100_000)
