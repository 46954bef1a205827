"""Files whose name says that they hold credentials, and what in them is one.

Every repeat is bounded where two of them could share one run: the content may be hostile. Each
carrier has a pattern of its format with the groups ``key`` and ``value``; the file is filled in
when a value is no placeholder. Names of keys may be told, values never.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.detectors.carriers.placeholders import is_placeholder, is_random

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_READ = 1 << 20
_MAX_KEYS = 50
_MAX_KEY = 80

_ASSIGNED = r"[ \t]*[:=][ \t]*(?P<value>[^\r\n]+)"
_TELLING_KEY = r"""(?xi)
        (?:^|[_.-]|api|access|secret|private|signing|encryption)key(?:$|[_.\d-])|token|secret
        |passw|passphrase|(?:^|[_.-])(?:pass|pwd|auth|dsn|pat|salt|sid|jwt)(?:$|[_.\d-])
        |credential|private|signature|cookie|webhook|connection_?string|bearer"""
_LOGIN_IN_URL = r"://[^/\s:@]*:([^/\s@]+)@"


class Carrier(Struct, frozen=True):
    """One kind of credential file: how it is told and which of its lines are credentials.

    ``pattern`` is compiled on first use, since nearly no scan meets one; empty for files that are a
    key or hold keys (``key_files``).
    """

    rule: str
    kind: str
    what: str
    pattern: str
    advice: str
    is_quiet_when_blank: bool = False


def _carrier(
    rule: str, what: str, pattern: str, *, kind: str = "credential-file", is_quiet: bool = False
) -> Carrier:
    advice = (
        "Revoke every credential in the file at its provider first, then publish a version "
        "without the file and remove this one."
    )
    return Carrier(f"carrier-{rule}", kind, what, f"(?mi){pattern}", advice, is_quiet)


_YAML = r"""^[ \t-]*["']?(?P<key>{})["']?""" + _ASSIGNED
_JSON = r""""(?P<key>{})"\s*:\s*"(?P<value>[^"]+)\""""

ENV = Carrier(
    "carrier-env-file",
    "credential-file",
    "environment file",
    r"(?m)^[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*(?P<value>[^\r\n]+)",
    "Replace every credential in the file at its provider first, then publish a version "
    "without the file and remove this one.",
)
NPMRC = _carrier(
    "npmrc", "npm configuration", r"^(?P<key>\S{0,200}_(?:authToken|auth|password))" + _ASSIGNED
)
PYPIRC = _carrier("pypirc", "upload configuration", r"^[ \t]*(?P<key>password|token)" + _ASSIGNED)
NETRC = _carrier("netrc", "login file", r"\b(?P<key>password)\s+(?P<value>\S+)")
URLS = _carrier(
    "url-credentials", "file of addresses with passwords", r"(?P<key>\w{1,20})(?P<value>://\S+)"
)
DOCKER = _carrier(
    "docker-config", "container registry login", _JSON.format("auth|identitytoken|password|secret")
)
AWS = _carrier(
    "aws-credentials",
    "cloud credentials file",
    r"^[ \t]*(?P<key>aws_(?:secret_access_key|session_token|access_key_id))" + _ASSIGNED,
)
KUBE = _carrier(
    "kube-config", "cluster access file", _YAML.format("token|client-key-data|password|id-token")
)
YARNRC = _carrier(
    "yarnrc",
    "package manager configuration",
    _YAML.format("npmAuthToken|npmAuthIdent"),
    is_quiet=True,  # without a token it is an ordinary file of a project
)
PIP = _carrier(
    "pip-config",
    "installer configuration",
    r"^(?P<key>[\w-]{0,40})[ \t]{0,8}=?[ \t]{0,8}(?P<value>\S{0,20}://\S+)",
)
PEM = _carrier("private-key", "private key", "", kind="private-key", is_quiet=True)
KEYSTORE = Carrier("carrier-keystore", "private-key", "keystore", "", PEM.advice)
SERVICE = _carrier(
    "service-account",
    "cloud service account",
    _JSON.format("private_key|client_secret|refresh_token"),
    is_quiet=True,
)
TFSTATE = _carrier(
    "terraform-state",
    "infrastructure state",
    _JSON.format(
        r"[\w-]{0,64}(?:password|secret|token|private_key|access_key|credential)[\w-]{0,64}"
    ),
)
TFVARS = _carrier(
    "terraform-variables",
    "infrastructure variables",
    r"^[ \t]*(?P<key>[\w-]{0,64}(?:password|secret|token|key|credential)[\w-]{0,64})" + _ASSIGNED,
)
LOGIN = _carrier(
    "login-file",
    "file of logins",
    r"""(?:^|[\s"'<])(?P<key>[\w.-]{0,64}(?:token|passw(?:or)?d|secret|access_key|api_key)[\w.-]{0,64})["']?"""
    r"""\s*[:=>\s]\s*["']?(?P<value>[^\s"'<]+)""",
)
TOKEN = _carrier("token-file", "file that is one token", r"\A\s*(?P<key>)(?P<value>\S{8,})\s*\Z")
PASSWORDS = _carrier(
    "password-file", "file of passwords", r"^(?P<key>[^:\s#]+):(?P<value>[^\r\n]{6,})"
)

_EXACT = {
    "electron-builder.env": ENV, ".envrc": ENV, ".flaskenv": ENV, ".dev.vars": ENV,
    ".npmrc": NPMRC, ".pypirc": PYPIRC, ".netrc": NETRC, "_netrc": NETRC,
    ".git-credentials": URLS, ".dockercfg": DOCKER, ".dockerconfigjson": DOCKER,
    ".yarnrc.yml": YARNRC, "pip.conf": PIP, "pip.ini": PIP,
    "application_default_credentials.json": SERVICE, "credentials.json": SERVICE,
    "credentials.tfrc.json": LOGIN, ".terraformrc": LOGIN, ".s3cfg": LOGIN, ".boto": LOGIN,
    ".my.cnf": LOGIN, "rclone.conf": LOGIN, ".vault-token": TOKEN, ".htpasswd": PASSWORDS,
    ".pgpass": PASSWORDS,
}  # fmt: skip
_IN_FOLDER = {
    ".docker/config.json": DOCKER, ".aws/credentials": AWS, ".aws/config": AWS,
    ".kube/config": KUBE, ".cargo/credentials": LOGIN, ".cargo/credentials.toml": LOGIN,
    ".gem/credentials": LOGIN, "gh/hosts.yml": LOGIN, ".m2/settings.xml": LOGIN,
}  # fmt: skip
_BY_EXTENSION = {
    "env": ENV, "pem": PEM, "key": PEM, "ppk": PEM, "p8": PEM, "pk8": PEM, "der": PEM, "gpg": PEM,
    "pgp": PEM, "asc": PEM, "id_rsa": PEM, "id_dsa": PEM, "id_ecdsa": PEM, "id_ed25519": PEM,
    "p12": KEYSTORE, "pfx": KEYSTORE, "jks": KEYSTORE,
    "keystore": KEYSTORE, "tfstate": TFSTATE, "tfvars": TFVARS,
}  # fmt: skip
_OPEN_ENDED = (
    r"^(?:(?P<env>\.env\..+)|(?P<pem>id_(?:rsa|dsa|ecdsa|ed25519)[._-].+)|(?P<tfstate>.+\.tfstate\..+)"
    r"|(?P<tfvars>.+\.tfvars\.json)|(?P<service>(?:.*service[-_]?account|.*firebase-adminsdk|gha-creds-).*\.json))$"
)
_FAMILIES = {"env": ENV, "pem": PEM, "tfstate": TFSTATE, "tfvars": TFVARS, "service": SERVICE}
_SPECIMEN = r"[.\-_](?:example|sample|template|dist|defaults?|schema|tpl|tmpl|test|ci)\b"

HINTS = frozenset(_BY_EXTENSION) | {
    name.rpartition(".")[2] for name in (*_EXACT, *_IN_FOLDER) if not name.endswith(".json")
}
"""Extensions (or whole names without a dot) that are worth a closer look."""


def of(path: str, name: str) -> Carrier | None:
    """The carrier that a path names; ``name`` is its last part in lower case."""
    if name.endswith(".json") and not (
        "config" in name or "cred" in name or "service" in name or "firebase" in name
        or "tfvars" in name
    ):  # fmt: skip
        return None  # written out: this is on the path of every package.json
    if name.endswith((".pub", ".crt", ".js", ".ts", ".py", ".map", ".pyc", ".md")):
        return None
    found = _EXACT.get(name) or _BY_EXTENSION.get(name.rpartition(".")[2])
    if found is not None and name != "env":
        return found
    folder = path.rpartition("/")[0].rpartition("/")[2]
    found = _IN_FOLDER.get(f"{folder}/{name}")
    if found is None and (open_ended := re.match(_OPEN_ENDED, name)):
        found = _FAMILIES[str(open_ended.lastgroup)]
    return found


def is_specimen(name: str) -> bool:
    """Whether the name says that the file only shows what to fill in (``.env.example``)."""
    return bool(re.search(_SPECIMEN, name))


def filled_keys(carrier: Carrier, content: bytes | memoryview, *, is_strict: bool) -> list[str]:
    """The keys that have a credential for a value; at most 50, from the first MiB.

    ``is_strict`` asks for values that look generated, for files meant to show placeholders.
    """
    if not carrier.pattern:
        return []
    text = bytes(content[:_MAX_READ]).decode("utf-8", "replace")
    keys: dict[str, None] = {}
    for key, value in _assignments(carrier.pattern, text):
        if len(keys) >= _MAX_KEYS:
            break
        if key not in keys and _is_filled(carrier, key, value, is_strict=is_strict):
            keys[key] = None
    return list(keys)


def has_key(carrier: Carrier, content: bytes | memoryview) -> bool:
    """Whether a credential has its place in the file, filled in or not."""
    text = bytes(content[:_MAX_READ]).decode("utf-8", "replace")
    for key, value in _assignments(carrier.pattern, text):
        is_place = True
        if carrier in (URLS, PIP):
            is_place = bool(re.search(_LOGIN_IN_URL, value))
        elif carrier is ENV:
            is_place = bool(re.search(_TELLING_KEY, key))
        if is_place:
            return True
    return False


def _assignments(pattern: str, text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(pattern, text):
        yield (found["key"] or "token")[:_MAX_KEY], found["value"]


def _is_filled(carrier: Carrier, key: str, value: str, *, is_strict: bool) -> bool:
    if carrier in (URLS, PIP) or "://" in value:
        login = re.search(_LOGIN_IN_URL, value)
        return bool(login) and not is_placeholder(login[1] if login else "")
    bare = value if value[:1] in "\"'" else value.partition(" #")[0]
    if is_placeholder(bare):
        return False
    if carrier is ENV and not re.search(_TELLING_KEY, key):
        return is_random(bare)
    return not is_strict or is_random(bare)
