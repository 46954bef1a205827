from __future__ import annotations

import time

import pytest

from monitor.detectors.carriers import conclude, inspect
from monitor.model import Finding, Inspection, Severity
from tests.detectors.samples import OUTER, match, member, records, rule, token
from tests.rules import key_samples

VALUE = "q7" + token(30)


def _of(path: str, content: str) -> list[Finding]:
    return list(inspect(member(OUTER + path, content), []))


FILLED = {
    ".env": f"NODE_ENV=production\nAPI_TOKEN={VALUE}\n",
    "config/.env.production": f"export STRIPE_SECRET_KEY='{VALUE}'\n",
    "prod.env": f"PASSWORD={VALUE}",
    "electron-builder.env": f"GH_TOKEN={VALUE}",
    ".npmrc": f"//npm.corp.acme.example/:_authToken={VALUE}\n",
    ".pypirc": f"[distutils]\n[acme]\nusername = __token__\npassword = {VALUE}\n",
    ".netrc": f"machine git.acme.example login bot password {VALUE}\n",
    ".git-credentials": f"https://bot:{VALUE}@git.acme.example\n",
    ".dockercfg": f'{{"hub.acme.example": {{"auth": "{VALUE}"}}}}',
    ".docker/config.json": f'{{"auths": {{"x": {{"auth": "{VALUE}"}}}}}}',
    ".aws/credentials": f"[default]\naws_secret_access_key = {VALUE}\n",
    ".kube/config": f"users:\n- user:\n    token: {VALUE}\n",
    ".yarnrc.yml": f"npmAuthToken: {VALUE}\n",
    "pip.conf": f"[global]\nindex-url = https://bot:{VALUE}@pip.acme.example/simple\n",
    "service-account-prod.json": f'{{"type": "service_account", "private_key": "{VALUE}"}}',
    "terraform.tfstate": f'{{"outputs": {{"db_password": "{VALUE}"}}}}',
    "terraform.tfstate.backup": f'{{"api_token": "{VALUE}"}}',
    "prod.tfvars": f'db_password = "{VALUE}"\n',
    "certs/a.p12": "\x30\x05binary",
    "certs/a.jks": "\x00\x01binary",
    ".htpasswd": f"admin:$apr1${VALUE}\n",
    ".cargo/credentials.toml": f'[registry]\ntoken = "{VALUE}"\n',
    ".vault-token": f"hvs.{VALUE}\n",
    "node_modules/dep/.env": f"SECRET={VALUE}\n",
}


@pytest.mark.parametrize("path", FILLED)
def test_a_filled_carrier_is_critical(path: str) -> None:
    (finding,) = _of(path, FILLED[path])
    assert finding.severity is Severity.CRITICAL
    assert finding.detector == "carriers"
    assert VALUE not in repr(finding)


CLEAR_KEYS = {
    "certs/id_rsa": key_samples.PEM["openssh-rsa"][0],
    "certs/id_ed25519_prod": key_samples.PEM["openssh"][0],
    "certs/server.pem": b"-----BEGIN CERTIFICATE-----\nMA==\n" + key_samples.PEM["pkcs1"][0],
    "certs/server.key": key_samples.DER["pkcs8"],
    "certs/server.der": key_samples.DER["sec1"],
    "certs/win.ppk": key_samples.putty(),
    "release.asc": key_samples.armoured(key_samples.openpgp()),
    "secring.gpg": key_samples.openpgp(),
    ".gnupg/private-keys-v1.d/0A1B.key": b"(11:private-key(3:rsa(1:n257:",
    "both.pem": key_samples.PEM["encrypted-pkcs8"][0] + key_samples.PEM["sec1"][0],
}
CLOSED_KEYS = {
    "certs/id_ed25519": key_samples.PEM["openssh-closed"][0],
    "certs/server.pem": key_samples.PEM["encrypted-pkcs8"][0],
    "certs/old.pem": key_samples.PEM["legacy"][0],
    "certs/server.key": key_samples.DER["encrypted"],
    "certs/win.ppk": key_samples.putty(is_encrypted=True),
    "release.asc": key_samples.armoured(key_samples.openpgp(is_encrypted=True)),
    "secring.gpg": key_samples.openpgp(is_encrypted=True),
    ".gnupg/private-keys-v1.d/0A1B.key": b"(21:protected-private-key(3:rsa(1:n257:",
}
NO_KEYS = {
    "cacert.pem": b"-----BEGIN CERTIFICATE-----\n" + token(70).encode(),
    "dist.tgz.asc": b"-----BEGIN PGP SIGNATURE-----\n" + token(70).encode(),
    "slides.key": b"PK\x03\x04keynote",
    "ca.der": b"\x30\x82\x01\x02certificate",
    "backup.gpg": b"\x85\x02\x0c\x03" + bytes(300),
    "i18n.key": b"title=Hello\n",
    "blank.key": b"",
}


@pytest.mark.parametrize("path", CLEAR_KEYS)
def test_a_key_in_the_clear_is_critical(path: str) -> None:
    (finding,) = inspect(member(OUTER + path, CLEAR_KEYS[path]), [])
    assert (finding.rule, finding.severity) == ("carrier-private-key", Severity.CRITICAL)
    assert finding.evidence["encrypted"] is False


@pytest.mark.parametrize("path", CLOSED_KEYS)
def test_a_key_behind_a_passphrase_is_medium(path: str) -> None:
    (finding,) = inspect(member(OUTER + path, CLOSED_KEYS[path]), [])
    assert (finding.rule, finding.severity) == ("carrier-private-key", Severity.MEDIUM)
    assert "passphrase" in finding.message


@pytest.mark.parametrize("path", NO_KEYS)
def test_what_is_no_key_is_quiet(path: str) -> None:
    assert inspect(member(OUTER + path, NO_KEYS[path]), []) == ()


def test_the_frame_of_a_key_without_one_is_low() -> None:
    content = f"-----BEGIN RSA PRIVATE KEY-----\n{token(70)}\n-----END RSA PRIVATE KEY-----\n"
    (finding,) = _of("certs/fake.pem", content)
    assert finding.severity is Severity.LOW
    assert token(70) not in repr(finding)


def test_the_names_of_the_keys_are_told() -> None:
    (finding,) = _of(".env", f"A_TOKEN={VALUE}\nPORT=3000\nB_SECRET={VALUE}\nNODE_ENV=production\n")
    assert finding.evidence["keys"] == ["A_TOKEN", "B_SECRET"]
    assert finding.message.startswith("An environment file with 2 filled-in credentials")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".env", "TOKEN=${TOKEN}\nPASSWORD=changeme\nKEY=xxxxxxxxxxxx\nSECRET=<your-secret>\n"),
        (".env", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY\n"),
        (".npmrc", "//npm.corp.acme.example/:_authToken=${NPM_TOKEN}\n"),
        ("pip.conf", "[global]\nindex-url = https://bot:${PIP_TOKEN}@pip.acme.example/simple\n"),
        ("terraform.tfstate", '{"outputs": {"db_password": "changeme"}}'),
    ],
)
def test_a_carrier_with_a_place_for_a_credential_is_medium(path: str, content: str) -> None:
    (finding,) = _of(path, content)
    assert finding.severity is Severity.MEDIUM
    assert "no credential" in finding.message


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".env", ""),
        (".env", "NODE_ENV=production\nPORT=3000\nURL=https://api.acme.example/\n"),
        (".npmrc", "package-lock=true\nregistry=https://npm.corp.acme.example/\n"),
        (".pypirc", "[acme]\nusername = __token__\n"),
        ("pip.conf", "[global]\nindex-url = https://pip.acme.example/simple\n"),
        ("terraform.tfstate", '{"version": 4}'),
    ],
)
def test_a_carrier_without_a_place_for_a_credential_is_low(path: str, content: str) -> None:
    (finding,) = _of(path, content)
    assert finding.severity is Severity.LOW
    assert "nothing in it is the place of a credential" in finding.message


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".env.example", "API_KEY=\nTOKEN=your-token-here\nPASSWORD=postgres\n"),
        (".env.sample", "API_KEY=\nAWS_ACCESS_KEY_ID=AKIA" + "IOSFODNN7EXAMPLE\n"),
        ("id_rsa.pub", "ssh-rsa " + token(70)),
        ("config.json", '{"auth": "' + VALUE + '"}'),
        ("src/env.ts", "export const TOKEN = 1"),
        ("bin/env", "#!/bin/sh"),
        ("package.json", "{}"),
        ("service-account.json", '{"type": "none"}'),
        ("credentials.json", '{"client_secret": "={{$credentials.clientSecret}}"}'),
        (".yarnrc.yml", "nodeLinker: node-modules\n"),
        ("tsconfig.json", "{}"),
    ],
)
def test_what_is_no_carrier_is_quiet(path: str, content: str) -> None:
    assert _of(path, content) == []


def test_a_specimen_with_a_generated_value_is_told_with_care() -> None:
    (finding,) = _of(".env.example", f"API_KEY={VALUE}\n")
    assert finding.severity is Severity.MEDIUM


def test_a_secret_that_a_rule_found_fills_the_carrier() -> None:
    content = f"# {VALUE}\n"
    found = match(content.encode(), VALUE)
    (finding,) = inspect(member(OUTER + ".env", content), [found])
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence["rules"] == ["acme-token"]
    public = match(content.encode(), VALUE, rule(kind="public-key"))
    assert inspect(member(OUTER + ".env", content), [public])[0].severity is Severity.LOW


@pytest.mark.parametrize(
    ("path", "content", "severity"),
    [
        (".claude/settings.local.json", '{"allow": ["Bash(ls)"]}', Severity.MEDIUM),
        (".claude/settings.local.json", f'["curl -H Bearer {VALUE}"]', Severity.CRITICAL),
        (".claude/settings.local.json", f'["Bash(API_KEY={VALUE} npm test)"]', Severity.CRITICAL),
        (".claude/settings.local.json", '["Bash(API_KEY=$API_KEY npm test)"]', Severity.MEDIUM),
        (".mcp.json", '{"mcpServers": {}}', Severity.HIGH),
        (".mcp.json", f'{{"headers": {{"Authorization": "Bearer {VALUE}"}}}}', Severity.CRITICAL),
        (".mcp.json", f'{{"env": {{"ACME_API_KEY": "{VALUE}"}}}}', Severity.CRITICAL),
        (".aider.conf.yml", "model: x\n", Severity.HIGH),
        (".cursor/mcp.json", "{}", Severity.HIGH),
        (".git/config", f"url = https://bot:{VALUE}@git.acme.example/x\n", Severity.CRITICAL),
    ],
)  # fmt: skip
def test_agents_settings_and_git_credentials(path: str, content: str, severity: Severity) -> None:
    (finding,) = _of(path, content)
    assert finding.severity is severity
    assert VALUE not in repr(finding)


def test_git_configuration_without_a_credential_is_left_to_the_folder() -> None:
    assert _of(".git/config", "[remote]\nurl = https://git.acme.example/x\n") == []


@pytest.mark.parametrize(
    ("path", "rule_id", "severity"),
    [
        (".git/HEAD", "carrier-git", Severity.HIGH),
        (".claude/commands/ship.md", "carrier-agent-folder", Severity.HIGH),
        ("CLAUDE.md", "carrier-agent-instructions", Severity.MEDIUM),
        ("docs/AGENTS.md", "carrier-agent-instructions", Severity.MEDIUM),
        ("lib/.DS_Store", "carrier-debris", Severity.LOW),
        ("lib/a.js~", "carrier-debris", Severity.LOW),
        ("lib/.a.js.swp", "carrier-debris", Severity.LOW),
        (".idea/workspace.xml", "carrier-debris", Severity.LOW),
        ("dump.sql", "carrier-dump", Severity.HIGH),
        ("backup.sql.gz!/backup.sql", "carrier-dump", Severity.HIGH),
        ("users.sqlite!/rows", "carrier-dump", Severity.HIGH),
        ("x.heapsnapshot", "carrier-dump", Severity.HIGH),
        ("npm-debug.log", "carrier-log", Severity.MEDIUM),
        (".bash_history", "carrier-history", Severity.HIGH),
        (".github/workflows/release.yml", "carrier-ci", Severity.MEDIUM),
        (".gitlab-ci.yml", "carrier-ci", Severity.MEDIUM),
        ("lib/app.pdb", "carrier-debug-symbols", Severity.HIGH),
        ("lib/app.dSYM/Contents/x", "carrier-debug-symbols", Severity.HIGH),
    ],
)
def test_presence_alone_tells(path: str, rule_id: str, severity: Severity) -> None:
    found = conclude(Inspection(members=records(OUTER + path)))
    assert (rule_id, severity) in {(each.rule, each.severity) for each in found}


@pytest.mark.parametrize(
    "path",
    ["index.js", ".github/FUNDING.yml", "log", "sql", "lib/catalog.js", "claude.md.js", "~",
     "dist/cli.js.map!/src/a.ts", ".claude/settings.local.json", "lib/mod.pyc!/constants"],
)  # fmt: skip
def test_ordinary_names_tell_nothing(path: str) -> None:
    assert conclude(Inspection(members=records(OUTER + path))) == []


def test_one_finding_for_a_thousand_files() -> None:
    paths = [f"{OUTER}.git/objects/{number}" for number in range(1000)]
    (finding,) = conclude(Inspection(members=records(*paths)))
    assert finding.evidence["count"] == 1000
    assert len(finding.evidence["paths"]) == 20


def test_debris_of_bundled_dependencies_is_no_more_than_info() -> None:
    (finding,) = conclude(Inspection(members=records(OUTER + "node_modules/dep/.travis.yml")))
    assert finding.severity is Severity.INFO
    (kept,) = conclude(Inspection(members=records(OUTER + "node_modules/dep/.git/HEAD")))
    assert kept.severity is Severity.HIGH


HOSTILE = {
    "prod.tfvars": "secret" * 100_000,
    "a.tfstate": '"' + "secret" * 100_000,
    ".git-credentials": "a" * 700_000,
    "pip.conf": "a" * 700_000,
    ".git/config": "https://" + ":" * 700_000,
    ".kube/config": " " * 700_000,
    ".npmrc": "_auth" * 140_000,
    "rclone.conf": "token" * 140_000,
    ".mcp.json": '"token' * 120_000,
    ".env": "A" * 700_000,
    "x.pem": "PRIVATE KEY" * 60_000,
    "y.pem": "-----BEGIN PRIVATE KEY-----" * 30_000,
    "x.ppk": "PuTTY-User-Key-File-3: ssh-rsa\n" + "Private-Lines: 999\n" * 30_000,
    "x.key": "0" * 700_000,
}


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_content_costs_little(path: str) -> None:
    started = time.process_time()
    _of(path, HOSTILE[path])
    assert time.process_time() - started < 2
