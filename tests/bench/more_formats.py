"""Further kinds of secrets for the benchmark: signed addresses, logins, sessions, keys, services.

Written, as ``formats`` is, from the providers' own documentation and apart from ``rules/``.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from tests.bench.shapes import Provider, filled, random_uuid, unpadded

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_SIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA{16:2}%2F20990101%2Feu-west-1%2Fs3"


def _key(kind: str) -> Callable[[random.Random], str]:
    def make(chance: random.Random) -> str:
        from tests.bench.keys import private_key  # noqa: PLC0415 - cryptography is slow to import

        return private_key(kind, chance)

    return make


def _basic(chance: random.Random) -> str:
    return "Basic " + base64.b64encode(filled("svc-ci:{18:n}", chance).encode()).decode()


def _dockerconfig(chance: random.Random) -> str:
    auth = base64.b64encode(filled("ci:{24:n}", chance).encode()).decode()
    return json.dumps({"auths": {"registry.acme-prod.net": {"auth": auth}}})


def _wireguard(chance: random.Random) -> str:
    raw = bytearray(chance.randbytes(32))
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return f"[Interface]\nPrivateKey = {base64.b64encode(raw).decode()}\nAddress = 10.8.0.2/32\n"


def _kubernetes(chance: random.Random) -> str:
    claims = {
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "ci",
        "sub": "system:serviceaccount:ci:" + filled("{8:l}", chance),
    }
    header = {"alg": "RS256", "kid": filled("{43:b}", chance)}
    parts = [unpadded(json.dumps(one, separators=(",", ":")).encode()) for one in (header, claims)]
    return ".".join([*parts, unpadded(chance.randbytes(256))])


def _routable(chance: random.Random) -> str:
    payload = unpadded(
        chance.randbytes(16) + b"o:1\nu:" + filled("{3:l}", chance).encode() + b"\x0a"
    )
    token = f"glpat-{payload}.01.{_base36(len(payload), 2)}"
    return token + _base36(binascii.crc32(token.encode()), 7)


def _base36(number: int, length: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits.rjust(length, "0")


MORE = (
    # signed addresses
    Provider("aws-presigned", "download_url", "https://acme-prod.s3.eu-west-1.amazonaws.com/b.tgz?"
             + _SIGNED + "%2Faws4_request&X-Amz-Date=20990101T000000Z&X-Amz-Expires=604800"
             "&X-Amz-SignedHeaders=host&X-Amz-Signature={64:h}", "connection"),
    Provider("gcs-signed", "export_url", "https://storage.googleapis.com/acme-prod/b.tgz?"
             "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=x%40a.iam.gserviceaccount.com"
             "&X-Goog-Expires=604800&X-Goog-Signature={512:h}", "connection"),
    Provider("azure-sas", "backup_url", "https://acmeprod.blob.core.windows.net/b/db.tgz?"
             "sv=2024-11-04&ss=b&srt=co&sp=rl&se=2099-01-01T00:00:00Z&spr=https&sig={43:n}%3D",
             "connection"),
    # logins, headers, sessions
    Provider("netrc", "netrc", "machine git.acme-prod.net login deploy password {20:n}",
             "connection"),
    Provider("basic-header", "authorization", _basic, "bare"),
    Provider("django-session", "session_cookie", "sessionid={32:l}; theme=dark", "connection"),
    Provider("express-session", "session_cookie", "connect.sid=s%3A{32:b}.{43:n}", "connection"),
    Provider("php-session", "session_cookie", "PHPSESSID={26:l}", "connection"),
    Provider("java-session", "session_cookie", "JSESSIONID={32:H}", "connection"),
    Provider("docker-login", "docker_auth_config", _dockerconfig, "connection"),
    Provider("npmrc", "npm_config", "//npm.acme-prod.net/:_authToken={36:n}", "connection"),
    Provider("kubernetes", "kube_token", _kubernetes),
    # connection strings
    Provider("mysql", "mysql_url", "mysql://svc:{18:n}@db8.acme-prod.net:3306/app", "connection"),
    Provider("clickhouse", "ch_url", "clickhouse://svc:{18:n}@ch.acme-prod.net:9000/x",
             "connection"),
    Provider("smtp", "mail_url", "smtps://mailer:{18:n}@smtp.acme-prod.net:465", "connection"),
    Provider("ldap", "ldap_url", "ldaps://reader:{18:n}@ldap.acme-prod.net", "connection"),
    Provider("sftp", "upload_url", "sftp://up:{18:n}@files.acme-prod.net/in", "connection"),
    Provider("jdbc", "jdbc_url",
             "jdbc:postgresql://db.acme-prod.net:5432/app?user=svc&password={18:n}", "connection"),
    Provider("jdbc-oracle", "oracle_url",
             "jdbc:oracle:thin:svc/{18:n}@//db.acme-prod.net:1521/app", "connection"),
    Provider("ado", "sql_connection", "Server=tcp:acme.database.windows.net,1433;"
             "Initial Catalog=app;User ID=svc;Password={18:n};Encrypt=True;", "connection"),
    Provider("servicebus", "bus_connection", "Endpoint=sb://acmeprod.servicebus.windows.net/;"
             "SharedAccessKeyName=Root;SharedAccessKey={42:B}M=", "connection"),
    Provider("cosmos", "cosmos_connection",
             "AccountEndpoint=https://acmeprod.documents.azure.com:443/;AccountKey={84:B}Tg==;",
             "connection"),
    # keys
    Provider("encrypted-pkcs8", "tls_key", _key("encrypted"), "pem"),
    Provider("pgp-key", "gpg_key", _key("pgp"), "pem"),
    Provider("putty-key", "ssh_key", _key("putty"), "pem"),
    Provider("jwk-ec", "signing_jwk", _key("jwk"), "pem"),
    Provider("wireguard", "vpn_config", _wireguard, "pem"),
    # names and looks only
    Provider("generic-uuid", "partner_api_key", random_uuid, "bare"),
    Provider("generic-small", "billing_api_key", "{32:l}", "bare"),
    Provider("generic-capitals", "gateway_api_key", "{32:u}", "bare"),
    Provider("generic-hex", "app_secret", "{32:h}", "bare"),
    Provider("generic-hex-64", "webhook_secret", "{64:h}", "bare"),
    Provider("generic-letters", "encryption_key", "{40:a}", "bare"),
    Provider("generic-base64", "session_secret", "{43:B}=", "bare"),
    Provider("generic-token", "relay_token", "{24:n}", "bare"),
    Provider("generic-short-password", "smtp_password", "{5:a}{2:d}!{4:a}", "bare"),
    # services
    Provider("gitlab-routable", "gitlab_access_token", _routable),
    Provider("gitlab-trigger", "trigger_token", "glptt-{40:h}"),
    Provider("github-refresh", "github_refresh_token", "ghr_{76:n}"),
    Provider("anthropic-admin", "anthropic_admin_key", "sk-ant-admin01-{93:b}AA"),
    Provider("openai-admin", "openai_admin_key", "sk-admin-{58:b}T3BlbkFJ{58:b}"),
    Provider("nvidia", "nvidia_api_key", "nvapi-{64:b}"),
    Provider("fireworks", "fireworks_api_key", "fw_{24:n}"),
    Provider("cerebras", "cerebras_api_key", "csk-{48:l}"),
    Provider("pinecone", "pinecone_api_key", "pcsk_{6:n}_{63:n}"),
    Provider("tavily", "tavily_api_key", "tvly-dev-{32:n}"),
    Provider("firecrawl", "firecrawl_api_key", "fc-{32:h}"),
    Provider("e2b", "e2b_api_key", "e2b_{40:h}"),
    Provider("langfuse", "langfuse_secret_key", lambda chance: "sk-lf-" + random_uuid(chance)),
    Provider("elevenlabs", "elevenlabs_api_key", "sk_{48:h}"),
    Provider("google-refresh", "google_refresh_token", "1//0{60:b}"),
    Provider("google-access", "google_access_token", "ya29.a0{160:b}"),
    Provider("alibaba", "alibaba_access_key_id", "LTAI5t{18:n}"),
    Provider("tencent", "tencent_secret_id", "AKID{32:n}"),
    Provider("render", "render_api_key", "rnd_{28:n}"),
    Provider("neon", "neon_api_key", "napi_{64:l}"),
    Provider("supabase-secret", "supabase_secret_key", "sb_secret_{22:b}_{8:b}"),
    Provider("fly", "fly_api_token", "FlyV1 fm2_lJPE{200:B}"),
    Provider("vercel", "vercel_token", "vcp_{56:n}"),
    Provider("stripe-organisation", "stripe_org_key", "sk_org_live_{60:n}"),
    Provider("hubspot", "hubspot_token", lambda chance: "pat-na1-" + random_uuid(chance)),
    Provider("salesforce", "salesforce_token", "00D{12:n}!AQ{90:n}"),
    Provider("facebook", "facebook_access_token", "EAA{150:n}"),
    Provider("twitter", "twitter_bearer_token",
             "AAAAAAAAAAAAAAAAAAAAAMLheAAAAAAA{17:n}%2B{9:n}%3D{50:n}"),
    Provider("telegram-url", "telegram_api", "https://api.telegram.org/bot{10:d}:AA{33:b}/sendMessage",
             "connection"),
    Provider("teams", "teams_webhook", lambda chance: "https://acme.webhook.office.com/webhookb2/"
              f"{random_uuid(chance)}@{random_uuid(chance)}/IncomingWebhook/"
             + filled("{32:h}/", chance) + random_uuid(chance), "connection"),
    Provider("zapier", "zapier_hook", "https://hooks.zapier.com/hooks/catch/{7:d}/{7:l}/",
             "connection"),
    Provider("sourcegraph", "src_access_token", "sgp_{16:h}_{40:h}"),
    Provider("vault-batch", "vault_batch_token", "hvb.AAAAAQ{140:b}"),
    Provider("inngest", "inngest_signing_key", "signkey-prod-{64:h}"),
    Provider("trigger", "trigger_secret_key", "tr_prod_{20:n}"),
    Provider("axiom", "axiom_token", lambda chance: "xaat-" + random_uuid(chance)),
    Provider("yandex", "yandex_token", "y0_Ag{54:b}"),
    Provider("woocommerce", "wc_consumer_secret", "cs_{40:h}", "bare"),
    Provider("snyk", "snyk_token", random_uuid, "bare"),
    Provider("codecov", "codecov_token", random_uuid, "bare"),
    Provider("cloudflare", "cloudflare_api_token", "{40:b}", "bare"),
    Provider("cloudflare-origin", "cf_origin_key", "v1.0-{24:h}-{146:h}"),
    Provider("algolia", "algolia_admin_api_key", "{32:h}", "bare"),
    Provider("wandb", "wandb_api_key", "{40:h}", "bare"),
    Provider("cohere", "cohere_api_key", "{40:n}", "bare"),
    Provider("mistral", "mistral_api_key", "{32:n}", "bare"),
    Provider("plaid", "plaid_secret", "{30:h}", "bare"),
    Provider("auth0", "auth0_client_secret", "{64:b}", "bare"),
    Provider("okta", "okta_api_token", "00{40:b}", "bare"),
    Provider("postmark", "postmark_server_token", random_uuid, "bare"),
    Provider("zendesk", "zendesk_api_token", "{40:n}", "bare"),
    Provider("snowflake", "snowflake_password", "{18:n}", "bare"),
    Provider("sentry-dsn", "sentry_dsn_with_secret",
             "https://{32:h}:{32:h}@o123456.ingest.sentry.io/4500001", "connection"),
)  # fmt: skip
