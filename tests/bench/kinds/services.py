"""Formats of other services: what watches, plans, stores and signs people in."""

from __future__ import annotations

from tests.bench.shapes import Provider, coded, signed

SERVICES = (
    # what watches
    Provider("datadog-access-token", "dd_app_key", "ddpat_{34:n}"),
    Provider("new-relic-insert-key", "new_relic_insert_key", "NRII-{32:b}"),
    Provider("new-relic-license-key", "new_relic_license_key", "{36:h}NRAL"),
    Provider("sentry-legacy-auth-token", "sentry_auth_token", "{64:h}", "bare"),
    Provider("grafana-legacy-api-key", "grafana_api_key", coded('{"k":"{32:n}","n":"ci","id":1}')),
    Provider("honeycomb-api-key", "honeycomb_api_key", "hcaik_01{24:l}{32:l}"),
    Provider("honeycomb-legacy-api-key", "honeycomb_api_key", "{32:h}", "bare"),
    Provider("pagerduty-api-key", "pagerduty_api_key", "u+{18:b}", "bare"),
    Provider("pagerduty-routing-key", "pagerduty_routing_key", "{32:h}", "bare"),
    Provider("opsgenie-api-key", "opsgenie_api_key", "{uuid}", "bare"),
    Provider("opsgenie-genie-key-header", "alert_header", "Authorization: GenieKey {uuid}",
             "connection"),
    Provider("splunk-hec-token", "splunk_hec_token", "{uuid}", "bare"),
    Provider("rollbar-access-token", "rollbar_access_token", "{32:h}", "bare"),
    Provider("coralogix-api-key", "coralogix_api_key", "cxtp_{30:n}"),
    Provider("uptimerobot-api-key", "uptimerobot_api_key", "u{7:d}-{24:h}", "bare"),
    Provider("healthchecks-api-key", "healthchecks_api_key", "{32:b}", "bare"),
    Provider("checkly-api-key", "checkly_api_key", "cu_{32:h}", "bare"),
    Provider("airbrake-project-key", "airbrake_project_key", "{32:h}", "bare"),
    Provider("sumologic-access-key", "sumologic_access_key", "{64:n}", "bare"),
    Provider("rootly-api-key", "rootly_api_key", "rootly_{64:h}"),
    Provider("nightfall-api-key", "nightfall_api_key", "NF-{32:n}", "bare"),
    # what counts
    Provider("segment-public-api-token", "segment_public_api_token", "sgp_{64:n}"),
    Provider("launchdarkly-api-token", "launchdarkly_access_token", "api-{uuid}", "bare"),
    Provider("statsig-secret-key", "statsig_secret_key", "secret-{43:n}", "bare"),
    Provider("amplitude-secret-key", "amplitude_secret_key", "{32:h}", "bare"),
    Provider("mixpanel-secret", "mixpanel_api_secret", "{32:h}", "bare"),
    # who signs in
    Provider("clerk-secret-key", "clerk_secret_key", "sk_live_{42:n}", "bare"),
    Provider("stytch-secret", "stytch_secret", "secret-live-{35:b}="),
    Provider("descope-management-key", "descope_management_key", "K2{25:n}{41:n}", "bare"),
    Provider("jumpcloud-api-key", "jumpcloud_api_key", "jca_{36:n}"),
    Provider("ory-token", "ory_api_key", "ory_pat_{32:n}"),
    Provider("kong-konnect-token", "konnect_token", "kpat_{49:n}"),
    Provider("unkey-root-key", "unkey_root_key", "unkey_{22:n}"),
    Provider("zuplo-api-key", "zuplo_api_key", "zpka_{32:h}_{8:h}"),
    Provider("supabase-service-role-jwt", "supabase_service_role_key", signed(
        '{"alg":"HS256","typ":"JWT"}', '{"iss":"supabase","ref":"{20:l}","role":"service_role",'
        '"iat":1700000000,"exp":4070908800}', 32)),
    # what plans and talks to customers
    Provider("atlassian-admin-key", "atlassian_admin_api_key", "ATCTT3xFfGN0{160:b}={8:H}"),
    Provider("atlassian-legacy-api-token", "jira_api_token", "{24:n}", "bare"),
    Provider("trello-api-token", "trello_token", "ATTA{64:h}{8:H}"),
    Provider("linear-webhook-secret", "linear_webhook_secret", "lin_wh_{40:n}"),
    Provider("notion-legacy-token", "notion_token", "secret_{43:n}", "bare"),
    Provider("airtable-legacy-api-key", "airtable_api_key", "key{14:n}", "bare"),
    Provider("hubspot-legacy-api-key", "hubspot_api_key", "{uuid}", "bare"),
    Provider("salesforce-sfdx-auth-url", "sfdx_auth_url",
             "force://PlatformCLI::5Aep861{80:b}@acme-prod.my.salesforce.com", "connection"),
    Provider("zoho-oauth-token", "zoho_refresh_token", "1000.{32:h}.{32:h}"),
    Provider("pipedrive-api-token", "pipedrive_api_token", "{40:h}", "bare"),
    Provider("close-api-key", "close_api_key", "api_{22:n}.{22:n}"),
    Provider("todoist-api-token", "todoist_api_token", "{40:h}", "bare"),
    Provider("smartsheet-access-token", "smartsheet_access_token", "{37:n}", "bare"),
    Provider("shortcut-api-token", "shortcut_api_token", "{uuid}", "bare"),
    Provider("cal-api-key", "cal_api_key", "cal_live_{32:h}"),
    Provider("retool-access-token", "retool_access_token", "retool_01{30:l}"),
    # contents
    Provider("contentful-delivery-token", "contentful_access_token", "{43:b}", "bare"),
    Provider("sanity-api-token", "sanity_api_token", "sk{178:n}", "bare"),
    Provider("datocms-api-token", "datocms_api_token", "{30:h}", "bare"),
    Provider("webflow-api-token", "webflow_api_token", "{64:h}", "bare"),
    Provider("ghost-admin-api-key", "ghost_admin_api_key", "{24:h}:{64:h}", "bare"),
    Provider("mux-token-secret", "mux_token_secret", "{75:B}", "bare"),
    Provider("imagekit-private-key", "imagekit_private_key", "private_{=20}", "bare"),
    Provider("frameio-developer-token", "frameio_token", "fio-u-{64:b}"),
    Provider("adobe-client-secret", "adobe_client_secret", "p8e-{32:b}"),
    Provider("dropbox-app-secret", "dropbox_app_secret", "{15:l}", "bare"),
    Provider("box-app-secret", "box_client_secret", "{32:n}", "bare"),
)  # fmt: skip
