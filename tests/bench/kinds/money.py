"""Formats of payment, commerce and coins, from their providers' own documentation."""

from __future__ import annotations

from tests.bench.shapes import Provider

MONEY = (
    # payment
    Provider("stripe-test-key", "stripe_test_secret_key", "sk_test_51{97:n}"),
    Provider("square-oauth-secret", "square_application_secret", "sq0csp-{43:b}"),
    Provider("braintree-private-key", "braintree_private_key", "{32:h}", "bare"),
    Provider("paypal-client-secret", "paypal_client_secret", "E{79:b}", "bare"),
    Provider("adyen-api-key", "adyen_api_key", "AQE{93:B}==-{43:B}=-{16:n}"),
    Provider("plaid-access-token", "plaid_access_token", "access-production-{uuid}"),
    Provider("razorpay-key-id", "razorpay_key_id", "rzp_live_{14:n}"),
    Provider("razorpay-key-secret", "razorpay_key_secret", "{24:n}", "bare"),
    Provider("mollie-api-key", "mollie_api_key", "live_{30:n}", "bare"),
    Provider("paddle-api-key", "paddle_api_key",
             "pdl_live_apikey_01{24:l}_{22:n}_{3:n}"),
    Provider("paddle-sandbox-key", "paddle_sandbox_api_key",
             "pdl_sdbx_apikey_01{24:l}_{22:n}_{3:n}"),
    Provider("checkout-secret-key", "checkout_secret_key",
             "sk_{27:3}", "bare"),
    Provider("midtrans-server-key", "midtrans_server_key", "Mid-server-{24:b}"),
    Provider("xendit-secret-key", "xendit_secret_key", "xnd_production_{60:n}"),
    Provider("mercadopago-access-token", "mercadopago_access_token",
             "APP_USR-{16:d}-{6:d}-{32:h}-{9:d}"),
    Provider("omise-secret-key", "omise_secret_key", "skey_5{18:l}"),
    Provider("cashfree-secret-key", "cashfree_client_secret", "cfsk_ma_prod_{32:h}_{8:h}"),
    Provider("mercury-api-token", "mercury_api_token",
             "secret-token:mercury_production_rma_{44:n}_yrucrem"),
    Provider("onfido-api-token", "onfido_api_token", "api_live.{11:b}.{32:b}"),
    Provider("persona-api-key", "persona_api_key", "persona_production_{uuid}"),
    Provider("recurly-private-key", "recurly_private_key", "{32:h}", "bare"),
    Provider("chargebee-api-key", "chargebee_api_key", "live_{32:n}", "bare"),
    Provider("gocardless-access-token", "gocardless_access_token", "live_{40:b}", "bare"),
    Provider("revenuecat-secret-key", "revenuecat_secret_key", "sk_{32:a}", "bare"),
    Provider("polar-access-token", "polar_access_token", "polar_oat_{43:n}"),
    # commerce
    Provider("ebay-certificate-id", "ebay_cert_id", "PRD-{12:h}-{4:h}-{4:h}-{4:h}-{4:h}"),
    Provider("amazon-lwa-client-secret", "lwa_client_secret", "amzn1.oa2-cs.v1.{64:h}"),
    Provider("amazon-lwa-refresh-token", "lwa_refresh_token", "Atzr|IwEBI{320:b}"),
    Provider("lob-api-key", "lob_api_key", "live_{35:h}", "bare"),
    Provider("duffel-access-token", "duffel_access_token", "duffel_live_{43:b}"),
    # coins
    Provider("ethereum-private-key", "private_key", "0x{64:h}", "bare"),
    Provider("blockfrost-project-id", "blockfrost_project_id", "mainnet{32:n}"),
    Provider("infura-api-key-secret", "rpc_url", "https://mainnet.infura.io/v3/{32:h}",
             "connection"),
    Provider("alchemy-api-key", "alchemy_api_key", "{32:b}", "bare"),
    Provider("etherscan-api-key", "etherscan_api_key", "{34:u}", "bare"),
    Provider("quicknode-endpoint", "rpc_url",
             "https://rough-morning-star.quiknode.pro/{40:h}/", "connection"),
    Provider("settlemint-access-token", "settlemint_access_token", "sm_pat_{16:n}"),
)  # fmt: skip
