"""Formats of source hosts, builds, tests, package registries and stores of secrets."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tests.bench.shapes import Provider, coded, filled, joined, signed, unpadded

if TYPE_CHECKING:
    import random


def _testpypi(chance: random.Random) -> str:
    """A macaroon of the index for tests: location, identifier, one caveat, signature."""
    location = base64.b64decode("AgENdGVzdC5weXBpLm9yZw==")
    identifier = filled("{uuid}", chance).encode()
    caveat = filled('[3, "{uuid}"]', chance).encode()
    raw = location + b"\x02" + bytes([len(identifier)]) + identifier + b"\0"
    raw += b"\x02" + bytes([len(caveat)]) + caveat + b"\0\0\x06\x20" + chance.randbytes(32)
    return "pypi-" + unpadded(raw)


def _jetbrains(chance: random.Random) -> str:
    who, name = (base64.b64encode(one).decode().rstrip("=") for one in (b"svc-ci", b"deploy"))
    return filled(f"perm:{who}.{name}.{{30:n}}", chance)


DEVELOPMENT = (
    # source hosts
    Provider("github-user-to-server-token", "github_user_token", "ghu_{36:n}"),
    Provider("github-installation-token-stateless", "github_app_token", joined(
        "ghs_1234567_", signed('{"alg":"RS256","typ":"JWT","kid":"{22:b}"}',
                               '{"iss":"github","sub":"{20:d}","exp":4070908800}', 256))),
    Provider("github-legacy-token", "github_token", "{40:h}", "bare"),
    Provider("gitlab-oauth-secret", "gitlab_application_secret", "gloas-{64:h}"),
    Provider("gitlab-runner-registration-token", "registration_token", "GR1348941{20:b}"),
    Provider("gitlab-ci-job-token", "ci_job_token", "glcbt-66_{20:b}"),
    Provider("gitlab-feed-token", "gitlab_feed_token", "glft-{20:b}"),
    Provider("gitlab-incoming-mail-token", "gitlab_mail_token", "glimt-{25:l}"),
    Provider("gitlab-agent-token", "gitlab_agent_token", "glagent-{50:b}"),
    Provider("gitlab-scim-token", "gitlab_scim_token", "glsoat-{20:b}"),
    Provider("gitlab-feature-flags-token", "unleash_instance_token", "glffct-{20:b}"),
    Provider("bitbucket-access-token", "bitbucket_access_token", "ATCTT3xFfGN0{176:b}={8:H}"),
    Provider("bitbucket-oauth-secret", "bitbucket_oauth_secret", "{32:n}", "bare"),
    Provider("gitea-token", "gitea_token", "{40:h}", "bare"),
    # builds
    Provider("circleci-legacy-token", "circleci_token", "{40:h}", "bare"),
    Provider("travis-token", "travis_api_token", "{22:b}", "bare"),
    Provider("drone-token", "drone_token", "{32:n}", "bare"),
    Provider("jenkins-api-token", "jenkins_api_token", "11{32:h}", "bare"),
    Provider("teamcity-token", "teamcity_token", "eyJ0eXAiOiAiVENWMiJ9.{36:b}.{48:b}"),
    Provider("harness-token", "harness_api_key", "pat.{22:b}.{24:h}.{20:n}"),
    Provider("octopus-api-key", "octopus_api_key", "API-{32:u}", "bare"),
    Provider("expo-token", "expo_token", "{40:b}", "bare"),
    Provider("nx-cloud-token", "nx_cloud_access_token", coded("{uuid}|read-write"), "bare"),
    Provider("turborepo-token", "turbo_token", "{24:n}", "bare"),
    Provider("infracost-api-key", "infracost_api_key", "ico-{32:n}"),
    Provider("bitrise-access-token", "bitrise_access_token", "{86:b}", "bare"),
    Provider("jetbrains-permanent-token", "youtrack_token", _jetbrains),
    Provider("ionic-api-token", "ionic_token", "ion_{42:n}"),
    Provider("dbt-token", "dbt_cloud_api_token", "dbtc_{43:b}"),
    # tests and their coverage
    Provider("sonarcloud-legacy-token", "sonar_token", "{40:h}", "bare"),
    Provider("coveralls-repo-token", "coveralls_repo_token", "{33:n}", "bare"),
    Provider("codacy-token", "codacy_project_token", "{32:h}", "bare"),
    Provider("codeclimate-reporter-id", "cc_test_reporter_id", "{64:h}", "bare"),
    Provider("cypress-record-key", "cypress_record_key", "{uuid}", "bare"),
    Provider("chromatic-project-token", "chromatic_project_token", "chpt_{15:h}"),
    Provider("percy-token", "percy_token", "web_{64:h}", "bare"),
    Provider("browserstack-access-key", "browserstack_access_key", "{20:n}", "bare"),
    Provider("saucelabs-access-key", "sauce_access_key", "{uuid}", "bare"),
    Provider("lambdatest-access-key", "lt_access_key", "{50:n}", "bare"),
    Provider("postman-collection-access-key", "postman_collection_access_key", "PMAT-{26:u}"),
    Provider("socket-api-token", "socket_security_api_token", "sktsec_{43:b}_api"),
    # translation
    Provider("crowdin-access-token", "crowdin_personal_token", "{80:h}", "bare"),
    Provider("lokalise-api-token", "lokalise_api_token", "{40:h}", "bare"),
    Provider("phrase-access-token", "phrase_access_token", "{64:h}", "bare"),
    Provider("transifex-api-token", "tx_token", "1/{40:h}", "bare"),
    # package registries
    Provider("testpypi-api-token", "twine_password", _testpypi),
    Provider("artifactory-reference-token", "artifactory_token",
             coded("reftkn:01:{10:d}:{27:n}")),
    Provider("cloudsmith-api-key", "cloudsmith_api_key", "{40:h}", "bare"),
    Provider("packagist-token", "packagist_token", "packagist_out_{60:h}{8:h}"),
    Provider("hex-api-key", "hex_api_key", "{32:h}", "bare"),
    Provider("openvsx-access-token", "ovsx_pat", "ovsxat_{uuid}"),
    Provider("clojars-token", "clojars_token", "CLOJARS_{60:h}"),
    Provider("sidekiq-pro-credentials", "gem_source",
             "https://{8:h}:{8:h}@gems.contribsys.com/", "connection"),
    # stores of secrets
    Provider("vault-legacy-token", "vault_token", "s.{24:n}", "bare"),
    Provider("vault-unseal-key", "vault_unseal", "Unseal Key 1: {=32}", "connection"),
    Provider("onepassword-secret-key", "op_secret_key", "A3-{6:u}-{6:u}-{5:u}-{5:u}-{5:u}-{5:u}"),
    Provider("onepassword-connect-token", "op_connect_token", signed(
        '{"alg":"ES256","typ":"JWT","kid":"{22:b}"}',
        '{"1password.com/auuid":"{26:u}","1password.com/token":"{32:b}","sub":"{26:u}"}', 64)),
    Provider("infisical-service-token", "infisical_token", "st.{24:h}.{32:h}.{32:h}"),
    Provider("bitwarden-secrets-manager-token", "bws_access_token", "0.{uuid}.{30:n}:{=16}"),
    # frameworks' own keys
    Provider("django-secret-key", "secret_key", "django-insecure-{50:j}"),
    Provider("rails-secret-key-base", "secret_key_base", "{128:h}", "bare"),
    Provider("rails-master-key", "rails_master_key", "{32:h}", "bare"),
    Provider("laravel-app-key", "app_key", "base64:{=32}", "bare"),
)  # fmt: skip
