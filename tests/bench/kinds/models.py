"""Formats of services for models, search and the data they are fed, from their documentation."""

from __future__ import annotations

from tests.bench.shapes import Provider

MODELS = (
    # models
    Provider("huggingface-organisation-token", "huggingface_token", "api_org_{34:a}"),
    Provider("together-api-key", "together_api_key", "tgp_v1_{43:b}"),
    Provider("together-legacy-api-key", "together_api_key", "{64:h}", "bare"),
    Provider("dashscope-api-key", "dashscope_api_key", "sk-{32:h}", "bare"),
    Provider("moonshot-api-key", "moonshot_api_key", "sk-{48:n}", "bare"),
    Provider("voyage-api-key", "voyage_api_key", "pa-{43:b}", "bare"),
    Provider("stability-api-key", "stability_api_key", "sk-{48:n}", "bare"),
    Provider("assemblyai-api-key", "assemblyai_api_key", "{32:h}", "bare"),
    Provider("deepgram-api-key", "deepgram_api_key", "{40:h}", "bare"),
    Provider("jina-api-key", "jina_api_key", "jina_{60:b}"),
    Provider("anyscale-api-key", "anyscale_api_key", "esecret_{26:l}"),
    Provider("helicone-api-key", "helicone_api_key", "sk-helicone-{7:l}-{7:l}-{7:l}-{7:l}"),
    Provider("llamacloud-api-key", "llama_cloud_api_key", "llx-{48:n}"),
    Provider("runpod-api-key", "runpod_api_key", "rpa_{40:u}{6:l}"),
    Provider("modal-token-secret", "modal_token_secret", "as-{22:n}", "bare"),
    Provider("anthropic-oauth-token", "claude_code_oauth_token", "sk-ant-oat01-{93:b}AA"),
    Provider("anthropic-session-key", "session_key", "sk-ant-sid01-{86:b}-{6:b}AA"),
    Provider("openai-session-token", "client_secret", "ek_{32:h}", "bare"),
    Provider("fal-key", "fal_key", "{uuid}:{32:h}", "bare"),
    Provider("baseten-api-key", "baseten_api_key", "{8:n}.{32:n}", "bare"),
    Provider("mem0-api-key", "mem0_api_key", "m0-{40:n}", "bare"),
    Provider("vercel-ai-gateway-key", "ai_gateway_api_key", "vck_{56:n}"),
    Provider("daytona-api-key", "daytona_api_key", "dtn_{64:h}"),
    Provider("roboflow-api-key", "roboflow_api_key", "{20:n}", "bare"),
    Provider("deepl-api-key", "deepl_auth_key", "{uuid}:fx", "bare"),
    # search, scraping, data
    Provider("apify-api-token", "apify_token", "apify_api_{36:n}"),
    Provider("browserbase-api-key", "browserbase_api_key", "bb_live_{27:b}"),
    Provider("brave-search-api-key", "brave_search_api_key", "BSA{28:b}", "bare"),
    Provider("serper-api-key", "serper_api_key", "{40:h}", "bare"),
    Provider("serpapi-key", "serpapi_api_key", "{64:h}", "bare"),
    Provider("scraperapi-key", "scraperapi_key", "{32:h}", "bare"),
    Provider("scrapingbee-api-key", "scrapingbee_api_key", "{80:u}", "bare"),
    Provider("zyte-api-key", "zyte_api_key", "{32:h}", "bare"),
    Provider("maxmind-license-key", "maxmind_license_key", "{6:n}_{29:n}_mmk"),
    Provider("rapidapi-key", "rapidapi_key", "{10:h}msh{15:h}p1{6:h}jsn{12:h}"),
    Provider("ipinfo-access-token", "ipinfo_token", "{14:h}", "bare"),
    Provider("openweather-api-key", "openweather_api_key", "{32:h}", "bare"),
    Provider("apilayer-access-key", "ipstack_url",
             "http://api.ipstack.com/134.201.250.155?access_key={32:h}", "connection"),
    Provider("esri-arcgis-api-key", "arcgis_api_key", "AAPK{32:h}{60:b}"),
)  # fmt: skip
