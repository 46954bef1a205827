"""Formats of messages: chat, mail, telephony, hooks and social networks, from documentation."""

from __future__ import annotations

from tests.bench.shapes import Provider, coded

MESSAGING = (
    # chat
    Provider("slack-rotating-token", "slack_access_token", "xoxe.xoxp-1-{146:n}"),
    Provider("slack-legacy-token", "slack_workspace_token", "xoxa-2-{12:d}-{12:d}-{12:d}-{32:h}"),
    Provider("slack-session-token", "slack_session", "xoxc-{12:d}-{12:d}-{13:d}-{64:h}"),
    Provider("slack-workflow-webhook", "slack_workflow_url",
             "https://hooks.slack.com/workflows/T0{9:u}/A0{9:u}/{18:d}/{24:n}", "connection"),
    Provider("slack-signing-secret", "slack_signing_secret", "{32:h}", "bare"),
    Provider("zoom-client-secret", "zoom_client_secret", "{32:n}", "bare"),
    Provider("webex-access-token", "webex_access_token", "{64:b}_PF84_{uuid}", "bare"),
    Provider("line-channel-access-token", "line_channel_access_token", "{170:B}=", "bare"),
    Provider("sendbird-api-token", "sendbird_api_token", "{40:h}", "bare"),
    Provider("stream-api-secret", "stream_api_secret", "{64:l}", "bare"),
    Provider("pusher-app-secret", "pusher_app_secret", "{20:h}", "bare"),
    Provider("ably-api-key", "ably_api_key", "{6:b}.{6:b}:{43:b}", "bare"),
    Provider("liveblocks-secret-key", "liveblocks_secret_key", "sk_prod_{64:b}", "bare"),
    # telephony and mail
    Provider("twilio-api-key-sid", "twilio_api_key", "SK{32:h}", "bare"),
    Provider("vonage-api-secret", "vonage_api_secret", "{16:n}", "bare"),
    Provider("telnyx-api-key", "telnyx_api_key", "KEY018{29:H}_{22:b}"),
    Provider("plivo-auth-token", "plivo_auth_token", "{40:n}", "bare"),
    Provider("messagebird-access-key", "messagebird_access_key", "{25:n}", "bare"),
    Provider("mailgun-sending-key", "mailgun_sending_key", "{32:h}-{8:h}-{8:h}", "bare"),
    Provider("mandrill-api-key", "mandrill_api_key", "md-{22:b}", "bare"),
    Provider("klaviyo-private-key", "klaviyo_private_key", "pk_{34:h}", "bare"),
    Provider("kit-api-key", "kit_api_key", "kit_{32:h}"),
    Provider("customerio-api-key", "customerio_api_key", "{32:h}", "bare"),
    Provider("nylas-api-key", "nylas_api_key", "nyk_v0_{64:n}"),
    Provider("novu-secret-key", "novu_secret_key", "{32:h}", "bare"),
    Provider("onesignal-api-key", "onesignal_api_key", "os_v2_app_{103:3}"),
    Provider("intercom-access-token", "intercom_access_token",
             coded("tok:{8:h}_{4:h}_{4:h}_{4:h}_{12:h}:1:0")),
    Provider("freshdesk-api-key", "freshdesk_api_key", "{20:n}", "bare"),
    # hooks: whoever knows the address may call it
    Provider("netlify-build-hook", "build_hook", "https://api.netlify.com/build_hooks/{24:h}",
             "connection"),
    Provider("vercel-deploy-hook", "deploy_hook",
             "https://api.vercel.com/v1/integrations/deploy/prj_{28:n}/{10:n}", "connection"),
    Provider("render-deploy-hook", "deploy_hook",
             "https://api.render.com/deploy/srv-{20:l}?key={11:b}", "connection"),
    Provider("make-webhook-url", "make_hook", "https://hook.eu1.make.com/{32:l}", "connection"),
    Provider("ifttt-webhook-key", "ifttt_url",
             "https://maker.ifttt.com/trigger/deployed/with/key/{22:b}", "connection"),
    Provider("tines-webhook-url", "tines_url",
             "https://acme-prod.tines.com/webhook/{32:h}/{32:h}", "connection"),
    Provider("google-chat-webhook-url", "chat_webhook",
             "https://chat.googleapis.com/v1/spaces/AAAA{7:b}/messages?key=AIzaSy{33:b}"
             "&token={43:b}", "connection"),
    Provider("lark-webhook-url", "lark_webhook",
             "https://open.feishu.cn/open-apis/bot/v2/hook/{uuid}", "connection"),
    Provider("dingtalk-webhook-url", "dingtalk_webhook",
             "https://oapi.dingtalk.com/robot/send?access_token={64:h}", "connection"),
    Provider("wecom-webhook-url", "wecom_webhook",
             "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={uuid}", "connection"),
    Provider("microsoft-power-automate-trigger-url", "flow_url",
             "https://prod-12.westeurope.logic.azure.com:443/workflows/{32:h}/triggers/manual/"
             "paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0"
             "&sig={43:b}", "connection"),
    Provider("sumologic-http-source-url", "sumo_url",
             "https://endpoint2.collection.eu.sumologic.com/receiver/v1/http/{86:b}==",
             "connection"),
    # social networks
    Provider("facebook-app-secret", "facebook_app_secret", "{32:h}", "bare"),
    Provider("twitter-consumer-secret", "twitter_consumer_secret", "{50:n}", "bare"),
    Provider("linkedin-client-secret", "linkedin_client_secret", "WPL_AP1.{16:n}.{6:n}=="),
    Provider("spotify-client-secret", "spotify_client_secret", "{32:h}", "bare"),
    Provider("twitch-client-secret", "twitch_client_secret", "{30:l}", "bare"),
    Provider("vk-access-token", "vk_access_token", "vk1.a.{198:b}"),
    Provider("kakao-rest-api-key", "kakao_rest_api_key", "{32:h}", "bare"),
)  # fmt: skip
