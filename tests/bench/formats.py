"""What tokens look like, by provider, as the providers' own documentation and consoles show them.

Written apart from ``rules/``, so that a rule which is wrong about its provider is found out. In a
format ``{20:n}`` stands for twenty random characters of alphabet ``n``; everything else is itself.
No whole token stands here; all are made at run time, with valid checksums where there are any.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import string
import uuid
from typing import TYPE_CHECKING

from tests.bench.kinds.index import KINDS
from tests.bench.more_formats import MORE
from tests.bench.shapes import Provider, filled, random_uuid, unpadded

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


def token(provider: Provider, chance: random.Random) -> str:
    """One new token."""
    if callable(provider.make):
        return provider.make(chance)
    return filled(provider.make, chance)


def _base62_crc(body: str) -> str:
    number, digits = binascii.crc32(body.encode()), ""
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = alphabet[rest] + digits
    return digits


def _checked(prefix: str) -> Callable[[random.Random], str]:
    def make(chance: random.Random) -> str:
        body = filled("{30:n}", chance)
        return prefix + body + _base62_crc(body)

    return make


def _pypi(chance: random.Random) -> str:
    """A macaroon: location, identifier, one caveat, signature (PyPI's inside-out documentation)."""
    location = base64.b64decode("AgEIcHlwaS5vcmc=")
    identifier = str(uuid.UUID(int=chance.getrandbits(128), version=4)).encode()
    user = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    caveat = json.dumps([3, user]).encode()
    raw = location + b"\x02" + bytes([len(identifier)]) + identifier + b"\0"
    raw += b"\x02" + bytes([len(caveat)]) + caveat + b"\0\0\x06\x20" + chance.randbytes(32)
    return "pypi-" + unpadded(raw)


def _jwt(chance: random.Random) -> str:
    claims = {"sub": filled("{12:n}", chance), "role": "service", "exp": 4_000_000_000}
    header = {"alg": "HS256", "typ": "JWT"}
    parts = [unpadded(json.dumps(one).encode()) for one in (header, claims)]
    body = ".".join(parts)
    mac = hmac.new(chance.randbytes(32), body.encode(), hashlib.sha256).digest()
    return f"{body}.{unpadded(mac)}"


def _mapbox(chance: random.Random) -> str:
    claims = {"u": filled("{8:l}", chance), "a": filled("c{24:l}", chance)}
    body = unpadded(json.dumps(claims, separators=(",", ":")).encode())
    return f"sk.{body}.{filled('{22:b}', chance)}"


def _discord(chance: random.Random) -> str:
    snowflake = unpadded(filled("1{17:d}", chance).encode())
    return snowflake + filled(".G{5:b}.{38:b}", chance)


def _vault(chance: random.Random) -> str:
    return "hvs." + "CAESI" + filled("{90:b}", chance)


def _sentry(chance: random.Random) -> str:
    claims = {"iat": 1_700_000_000.5, "url": "https://sentry.io", "region_url": "", "org": "acme"}
    body = base64.b64encode(json.dumps(claims).encode()).decode()
    return f"sntrys_{body}{filled('_{43:B}', chance)}"


def _grafana_cloud(chance: random.Random) -> str:
    claims = {"o": "651234", "n": "deploy", "k": filled("{24:n}", chance), "m": {"r": "eu"}}
    return "glc_" + base64.b64encode(json.dumps(claims).encode()).decode()


def _one_password(chance: random.Random) -> str:
    claims = {"signInAddress": "acme.1password.com", "userAuth": {"method": "SRPg-4096"}}
    claims["secretKey"] = filled("A3-{6:u}-{6:u}-{5:u}-{5:u}-{5:u}-{5:u}", chance)
    claims["muk"] = {"k": filled("{43:b}", chance), "kid": "mp", "alg": "A256GCM"}
    return "ops_" + unpadded(json.dumps(claims, separators=(",", ":")).encode())


def _grafana(chance: random.Random) -> str:
    body = filled("glsa_{32:n}", chance)
    return f"{body}_{binascii.crc32(body.encode()).to_bytes(4, 'little').hex()}"


def _age(_: random.Random) -> str:
    from tests.rules.key_samples import age  # noqa: PLC0415 - cryptography is slow to import

    return age().decode()


def _pem(kind: str) -> Callable[[random.Random], str]:
    def make(chance: random.Random) -> str:
        from tests.bench.keys import private_key  # noqa: PLC0415 - cryptography is slow to import

        return private_key(kind, chance)

    return make


NAMED = (
    Provider("github-classic", "github_token", _checked("ghp_")),
    Provider("github-oauth", "github_oauth_token", _checked("gho_")),
    Provider("github-app", "github_app_token", _checked("ghs_")),
    Provider("github-fine-grained", "gh_pat", "github_pat_{22:n}_{59:n}"),
    Provider("npm", "npm_token", _checked("npm_")),
    Provider("pypi", "twine_password", _pypi),
    Provider("gitlab", "gitlab_token", "glpat-{20:b}"),
    Provider("gitlab-runner", "runner_token", "glrt-{20:b}"),
    Provider("gitlab-deploy", "deploy_token", "gldt-{20:b}"),
    Provider("aws-key-id", "aws_access_key_id", "AKIA{16:2}"),
    Provider("aws-secret", "aws_secret_access_key", "{40:B}", "bare"),
    Provider("google-oauth-secret", "google_client_secret", "GOCSPX-{28:b}"),
    Provider("azure-storage", "azure_storage", "DefaultEndpointsProtocol=https;"
             "AccountName=acmeprod;AccountKey={86:B}==;EndpointSuffix=core.windows.net",
             "connection"),
    Provider("azure-client-secret", "azure_client_secret", "{3:n}8Q~{34:n}"),
    Provider("azure-devops", "azure_devops_pat", "{52:n}JQQJ99{18:n}AZDO{4:n}"),
    Provider("slack-bot", "slack_bot_token", "xoxb-{12:d}-{13:d}-{24:n}"),
    Provider("slack-user", "slack_user_token", "xoxp-{12:d}-{12:d}-{13:d}-{32:h}"),
    Provider("slack-app", "slack_app_token", "xapp-1-A0{9:u}-{13:d}-{64:h}"),
    Provider("slack-webhook", "slack_webhook",
             "https://hooks.slack.com/services/T0{9:u}/B0{9:u}/{24:n}", "connection"),
    Provider("stripe", "stripe_secret_key", "sk_live_51{97:n}"),
    Provider("stripe-restricted", "stripe_key", "rk_live_51{97:n}"),
    Provider("stripe-webhook", "stripe_endpoint_secret", "whsec_{32:n}"),
    Provider("openai-project", "openai_api_key", "sk-proj-{74:b}T3BlbkFJ{74:b}"),
    Provider("openai-legacy", "openai_key", "sk-{20:n}T3BlbkFJ{20:n}"),
    Provider("anthropic", "anthropic_api_key", "sk-ant-api03-{93:b}AA"),
    Provider("huggingface", "hf_token", "hf_{34:a}"),
    Provider("groq", "groq_api_key", "gsk_{52:n}"),
    Provider("perplexity", "perplexity_api_key", "pplx-{48:n}"),
    Provider("replicate", "replicate_api_token", "r8_{37:n}"),
    Provider("xai", "xai_api_key", "xai-{80:n}"),
    Provider("openrouter", "openrouter_api_key", "sk-or-v1-{64:h}"),
    Provider("langsmith", "langsmith_api_key", "lsv2_pt_{32:h}_{10:h}"),
    Provider("deepseek", "deepseek_api_key", "sk-{32:h}", "bare"),
    Provider("sendgrid", "sendgrid_api_key", "SG.{22:b}.{43:b}"),
    Provider("mailgun", "mailgun_api_key", "key-{32:h}", "bare"),
    Provider("mailchimp", "mailchimp_api_key", "{32:h}-us21"),
    Provider("brevo", "brevo_api_key", "xkeysib-{64:h}-{16:n}"),
    Provider("resend", "resend_api_key", "re_{8:n}_{24:n}"),
    Provider("twilio", "twilio_auth_token", "{32:h}", "bare"),
    Provider("discord-bot", "discord_bot_token", _discord),
    Provider("discord-webhook", "discord_webhook",
             "https://discord.com/api/webhooks/1{18:d}/{68:b}", "connection"),
    Provider("telegram", "telegram_bot_token", "{10:d}:AA{33:b}"),
    Provider("datadog", "datadog_api_key", "{32:h}", "bare"),
    Provider("datadog-app", "dd_app_key", "{40:h}", "bare"),
    Provider("newrelic", "new_relic_api_key", "NRAK-{27:u}"),
    Provider("sentry-org", "sentry_auth_token", _sentry),
    Provider("sentry-user", "sentry_user_token", "sntryu_{64:h}"),
    Provider("grafana-service", "grafana_token", _grafana),
    Provider("grafana-cloud", "grafana_cloud_token", _grafana_cloud),
    Provider("digitalocean", "do_token", "dop_v1_{64:h}"),
    Provider("heroku", "heroku_api_key", "HRKU-AA{58:b}"),
    Provider("netlify", "netlify_auth_token", "nfp_{36:n}"),
    Provider("supabase", "supabase_access_token", "sbp_{40:h}"),
    Provider("planetscale", "pscale_token", "pscale_tkn_{43:b}"),
    Provider("databricks", "databricks_token", "dapi{32:h}"),
    Provider("vault", "vault_token", _vault),
    Provider("terraform-cloud", "tfe_token", "{14:n}.atlasv1.{67:b}"),
    Provider("doppler", "doppler_token", "dp.pt.{43:n}"),
    Provider("1password", "op_service_account_token", _one_password),
    Provider("pulumi", "pulumi_access_token", "pul-{40:h}"),
    Provider("docker-hub", "docker_password", "dckr_pat_{27:b}"),
    Provider("jfrog", "artifactory_api_key", "AKCp8{68:n}"),
    Provider("rubygems", "gem_host_api_key", "rubygems_{48:h}"),
    Provider("nuget", "nuget_api_key", "oy2{43:l}"),
    Provider("crates", "cargo_registry_token", "cio{32:n}"),
    Provider("atlassian", "jira_api_token", "ATATT3xFfGF0{179:b}={8:H}"),
    Provider("bitbucket", "bitbucket_app_password", "ATBB{24:n}{8:H}"),
    Provider("linear", "linear_api_key", "lin_api_{40:n}"),
    Provider("notion", "notion_token", "ntn_{11:d}{35:n}"),
    Provider("figma", "figma_token", "figd_{40:b}"),
    Provider("airtable", "airtable_api_key", "pat{14:n}.{64:h}"),
    Provider("asana", "asana_token", "2/{16:d}/{16:d}:{32:h}", "bare"),
    Provider("clickup", "clickup_token", "pk_{8:d}_{32:u}"),
    Provider("shopify-admin", "shopify_token", "shpat_{32:h}"),
    Provider("shopify-secret", "shopify_secret", "shpss_{32:h}"),
    Provider("square", "square_access_token", "EAAA{60:b}"),
    Provider("braintree", "braintree_token", "access_token$production${16:l}${32:h}"),
    Provider("postman", "postman_api_key", "PMAK-{24:h}-{34:h}"),
    Provider("sonarqube", "sonar_token", "squ_{40:h}"),
    Provider("circleci", "circleci_token", "CCIPAT_{22:n}_{40:h}"),
    Provider("buildkite", "buildkite_token", "bkua_{40:h}"),
    Provider("dropbox", "dropbox_token", "sl.{140:b}"),
    Provider("mapbox", "mapbox_secret_token", _mapbox),
    Provider("launchdarkly", "launchdarkly_sdk_key",
             lambda chance: "sdk-" + random_uuid(chance), "bare"),
    Provider("posthog", "posthog_personal_key", "phx_{47:n}"),
    Provider("dynatrace", "dynatrace_token", "dt0c01.{24:2}.{64:2}"),
    Provider("prefect", "prefect_api_key", "pnu_{36:n}"),
    Provider("typeform", "typeform_token", "tfp_{44:b}_{14:n}"),
    Provider("readme", "readme_api_key", "rdme_{70:l}"),
    Provider("contentful", "contentful_management_token", "CFPAT-{43:b}"),
    Provider("tailscale", "ts_authkey", "tskey-auth-k{11:n}CNTRL-{32:n}"),
    Provider("easypost", "easypost_api_key", "EZAK{54:n}"),
    Provider("shippo", "shippo_token", "shippo_live_{40:h}"),
    Provider("flutterwave", "flutterwave_secret", "FLWSECK-{32:h}-X"),
    Provider("age", "age_key", _age),
    Provider("jwt", "session_jwt", _jwt),
    Provider("postgres", "database_url", "postgresql://svc_app:{18:n}@db7.acme-prod.net:5432/app",
             "connection"),
    Provider("mongodb", "mongo_url", "mongodb+srv://svc_app:{18:n}@c0.ab1cd.mongodb.net/app",
             "connection"),
    Provider("redis", "redis_url", "rediss://default:{32:n}@cache.acme-prod.net:6379/0",
             "connection"),
    Provider("amqp", "broker_url", "amqps://worker:{22:n}@mq.acme-prod.net:5671/jobs",
             "connection"),
    Provider("basic-url", "proxy_url", "https://deploy:{20:n}@git.acme-prod.net/team/app.git",
             "connection"),
    Provider("rsa-key", "tls_key", _pem("rsa"), "pem"),
    Provider("pkcs8-key", "signing_key", _pem("pkcs8"), "pem"),
    Provider("ec-key", "jwt_signing_key", _pem("ec"), "pem"),
    Provider("openssh-key", "deploy_key", _pem("openssh"), "pem"),
    Provider("generic-password", "db_password", "{9:n}#{6:n}%{4:n}7", "bare"),
    Provider("generic-key", "internal_api_key", "{40:n}", "bare"),
)  # fmt: skip


PROVIDERS = (*NAMED, *MORE, *KINDS)
_SALT = "28 November 2026, every kind"  # a new one where the held-out half has been looked at
_BY_CHANCE = sorted(
    PROVIDERS, key=lambda one: hashlib.sha256(f"{_SALT} {one.name}".encode()).digest()
)
HELD_OUT = frozenset(one.name for one in _BY_CHANCE[::2])
"""The half of the providers for which no rule is mended one by one after a look at the misses."""
