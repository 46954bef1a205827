"""Formats that are lines of files or commands: logins, sessions, signed addresses, whole keys."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from tests.bench.keys import private_key
from tests.bench.shapes import Provider, coded, filled, joined, unpadded

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


def _key(kind: str) -> Callable[[random.Random], str]:
    def make(chance: random.Random) -> str:
        return private_key(kind, chance)

    return make


def _service_account(chance: random.Random) -> str:
    """The file that the console of Google Cloud gives once."""
    content = {
        "type": "service_account",
        "project_id": "acme-prod",
        "private_key_id": filled("{40:h}", chance),
        "private_key": _key("pkcs8")(chance),
        "client_email": "deploy@acme-prod.iam.gserviceaccount.com",
        "client_id": filled("{21:d}", chance),
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return json.dumps(content, indent=2)


def _kubeconfig(chance: random.Random) -> str:
    key = base64.b64encode(_key("rsa")(chance).encode()).decode()
    return f"users:\n- name: admin\n  user:\n    client-key-data: {key}\n"


def _kubernetes_secret(chance: random.Random) -> str:
    value = coded("{24:n}")(chance)
    return (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: billing\ntype: Opaque\n"
        f"data:\n  password: {value}\n"
    )


def _laravel_session(chance: random.Random) -> str:
    payload = '{"iv":"{=16}","value":"{=96}","mac":"{64:h}","tag":""}'
    return "laravel_session=" + coded(payload)(chance).replace("=", "%3D")


def _symmetric_jwk(chance: random.Random) -> str:
    key = {"kty": "oct", "kid": "hook-1", "alg": "HS256", "k": unpadded(chance.randbytes(64))}
    return json.dumps(key)


FILES = (
    # keys
    Provider("google-service-account-key", "google_credentials", _service_account, "pem"),
    Provider("kubernetes-client-key", "kubeconfig", _kubeconfig, "pem"),
    Provider("private-key-dsa", "ssh_key", _key("dsa"), "pem"),
    Provider("private-key-encrypted-pem", "tls_key", _key("legacy"), "pem"),
    Provider("private-key-cosign", "cosign_key", _key("cosign"), "pem"),
    Provider("private-key-jwk-symmetric", "signing_jwk", _symmetric_jwk, "pem"),
    Provider("private-key-bip32", "wallet", _key("bip32")),
    # settings of clients
    Provider("npm-basic-auth", "npm_config",
             joined("//npm.acme-prod.net/:_auth=", coded("svc-ci:{20:n}")), "connection"),
    Provider("npm-password", "npm_config",
             joined("//npm.acme-prod.net/:username=svc-ci\n//npm.acme-prod.net/:_password=",
                    coded("{20:n}"), "\n"), "pem"),
    Provider("yarn-npm-auth-token", "yarn_config",
             'npmRegistryServer: "https://npm.acme-prod.net"\nnpmAuthToken: {uuid}\n', "pem"),
    Provider("pypirc-password", "index_config",
             "[acme]\nrepository = https://pip.acme-prod.net/\nusername = svc-ci\n"
             "password = {20:n}\n", "pem"),
    Provider("nuget-cleartext-password", "nuget_config",
             '<packageSourceCredentials><acme><add key="Username" value="svc-ci" />'
             '<add key="ClearTextPassword" value="{20:n}" /></acme></packageSourceCredentials>',
             "connection"),
    Provider("maven-settings-password", "maven_settings",
             "<servers>\n  <server>\n    <id>acme</id>\n    <username>svc-ci</username>\n"
             "    <password>{20:n}</password>\n  </server>\n</servers>\n", "pem"),
    Provider("mysql-option-file-password", "my_cnf",
             "[client]\nuser=svc\npassword={20:n}\nhost=db8.acme-prod.net\n", "pem"),
    Provider("git-extraheader-credential", "git_config",
             joined('[http "https://git.acme-prod.net/"]\n\textraheader = AUTHORIZATION: basic ',
                    coded("x-access-token:{40:n}"), "\n"), "pem"),
    Provider("android-signing-password", "gradle_signing",
             'storeFile file("release.keystore")\nstorePassword "{16:n}"\nkeyAlias "upload"\n'
             'keyPassword "{16:n}"\n', "pem"),
    Provider("kubernetes-secret-value", "manifest", _kubernetes_secret, "pem"),
    # names and looks only
    Provider("generic-password-short", "db_password", "{4:a}{2:d}!{2:a}", "bare"),
    Provider("generic-xml-secret", "settings_xml",
             "<database><user>svc</user><password>{18:n}</password></database>", "connection"),
    Provider("generic-name-value-secret", "container",
             '{"env": [{"name": "DB_PASSWORD", "value": "{20:n}"}]}', "connection"),
    Provider("curl-user-password", "health_check",
             "curl -fsS -u svc-ci:{20:n} https://api.acme-prod.net/v1/health", "connection"),
    Provider("command-line-password", "dump_command",
             "mysqldump --host=db8.acme-prod.net --user=svc --password={20:n} app", "connection"),
    Provider("request-login", "call",
             "requests.get('https://api.acme-prod.net/v1/jobs', auth=('svc-ci', '{20:n}'))",
             "connection"),
    # sessions
    Provider("aspnet-session-cookie", "session_cookie", ".AspNetCore.Cookies=CfDJ8{240:b}",
             "connection"),
    Provider("laravel-session-cookie", "session_cookie", _laravel_session, "connection"),
    Provider("cookie-file-session", "cookie_line",
             "#HttpOnly_.acme-prod.net\tTRUE\t/\tTRUE\t4070908800\tsession_id\t{40:n}",
             "connection"),
    # signed addresses
    Provider("aws-presigned-url-v2", "download_url",
             "https://acme-prod.s3.amazonaws.com/b.tgz?AWSAccessKeyId=AKIA{16:2}"
             "&Expires=4070908800&Signature={27:n}%3D", "connection"),
    Provider("cloudfront-signed-url", "media_url",
             "https://d111111abcdef8.cloudfront.net/b.tgz?Expires=4070908800"
             "&Signature={342:b}__&Key-Pair-Id=K{13:u}", "connection"),
)  # fmt: skip
