# house-allow: long-file: a table, read by what stands in it
"""Every route that is described, by what it takes and what it answers."""

from __future__ import annotations

from typing import Final

from bff.connect.attempt import Hint, Status
from bff.products.webhook_endpoint import EVENT_TYPES, TEST
from bff.web.host_api import access_tokens, exchange, lists, receipts
from bff.web.host_api import calls as host_api
from bff.web.host_api.calls import EndedSessions, NewSession, NewSignInUrl
from bff.web.host_api.exchange import NewExchange
from bff.web.kit.accounts import ID
from bff.web.kit.guards import CUSTOM_HEADER
from bff.web.kit.queries import LONGEST, MOST_LIMIT, USUAL_LIMIT
from bff.web.openapi import shapes
from bff.web.openapi.operation import FORM, Answer, Operation, Parameter, page
from bff.web.popup import completion, forms, pages
from bff.web.public import advice, files, health
from bff.web.widget_api import attempts, connections, press
from bff.web.widget_api.attempts import BeginAttempt, Nothing
from bff.webhooks.log import STATUSES

HOST: Final = ("secretKey",)
WIDGET: Final = (("sessionToken",), ("hostSession", "widgetHeader"))
SERVER: Final = (HOST,)

# A browser sends it by itself; a page cannot choose it.
ORIGIN: Final = Parameter("Origin", "One of the product's registered origins.", "header", required=True)
IDEMPOTENCY: Final = Parameter(
    "Idempotency-Key", "Sent again with the same key, the call begins nothing new.", "header"
)
ANYBODY: Final = (("sessionToken",), HOST, ("hostSession", "widgetHeader"))
CONNECTION: Final = Parameter("connection_id", "The connection's `id`.", "path")
ATTEMPT: Final = Parameter("attempt_id", "The attempt's `id`.", "path")
ACCOUNT: Final = Parameter("account", "The account's id.", required=True, schema=ID.json_schema())
ACCOUNT_OF_SERVER: Final = Parameter(
    "account",
    "The account's id: a host's server has to name it, a page is told of its own.",
    schema=ID.json_schema(),
)
LOCALE: Final = Parameter("locale", "The language to speak, as a tag (RFC 5646); others follow.")
SECRET: Final = Parameter("secret", "The attempt's return secret.", "path")
HINT: Final = Parameter(
    "hint",
    f"The signal that made the page look ({', '.join(Hint)}). It decides nothing; others are ignored.",
)
HINT_AS_HEADER: Final = Parameter(
    CUSTOM_HEADER, "The same in place of `1`, and it comes first: one address needs one preflight.", "header"
)

SOME_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST}
SINCE: Final = Parameter(
    "since",
    "Of this time (RFC 3339, with its zone) or later.",
    schema={"type": "string", "format": "date-time"},
)
PAGE: Final = (
    SINCE,
    Parameter(
        "limit",
        f"How many at most; {USUAL_LIMIT} unless told.",
        schema={"type": "integer", "minimum": 1, "maximum": MOST_LIMIT},
    ),
    Parameter("cursor", "The `next_cursor` of the page before; the other parameters stay the same."),
)

ADDRESSED: Final = ("malformed_request",)
CALLED: Final = (*ADDRESSED, "invalid_request", "rate_limited", "storage_unavailable")
BODY: Final = ("request_timeout", "payload_too_large", "unsupported_media_type")
SIGNED_IN: Final = ("not_signed_in", "origin_not_allowed", *CALLED)
PARTNER: Final = ("partner_unavailable", "connector_unavailable")

FOR_WIDGETS: Final = (
    Operation(
        "get",
        "/v1/config",
        attempts.config,
        "widget",
        (Answer(200, "The product, its connectors and its words.", shapes.Config),),
        SIGNED_IN,
        WIDGET,
        (LOCALE,),
    ),
    Operation(
        "post",
        "/v1/attempts",
        attempts.begin,
        "widget",
        (Answer(201, "The attempt, ready for its click.", shapes.PreparedAttempt),),
        (
            *SIGNED_IN,
            *BODY,
            "unknown_connector",
            "unknown_message",
            "account_of_another_product",
            "connection_not_found",
            "partner_unavailable",
            "connector_unavailable",
        ),
        WIDGET,
        (ORIGIN, IDEMPOTENCY),
        BeginAttempt,
    ),
    Operation(
        "post",
        "/v1/press",
        press.press,
        "widget",
        (Answer(204, "It was heard."),),
        ("origin_not_allowed", "launch_refused", *CALLED, "payload_too_large", "limits_unavailable"),
        parameters=(ORIGIN,),
        body=shapes.PressForm,
        body_type=FORM,
    ),
    Operation(
        "get",
        "/v1/attempts/{attempt_id}",
        attempts.read,
        "widget",
        (Answer(200, "The attempt.", shapes.AttemptState),),
        (*SIGNED_IN, "not_found"),
        (("sessionToken",), HOST, ("hostSession", "widgetHeader")),
        (ATTEMPT, HINT, HINT_AS_HEADER),
    ),
    Operation(
        "post",
        "/v1/attempts/{attempt_id}/cancel",
        attempts.cancel,
        "widget",
        (Answer(200, "The attempt, which has ended.", shapes.AttemptState),),
        (*SIGNED_IN, *BODY, "not_found"),
        WIDGET,
        (ORIGIN, ATTEMPT),
        Nothing,
    ),
    Operation(
        "post",
        "/v1/attempts/{attempt_id}/accept",
        attempts.accept,
        "widget",
        (Answer(200, "The attempt that stands for the choice.", shapes.AttemptState),),
        (*SIGNED_IN, *BODY, "not_found", *PARTNER),
        WIDGET,
        (ORIGIN, ATTEMPT),
        Nothing,
    ),
)

FOR_SERVERS: Final = (
    Operation(
        "get",
        "/v1/attempts",
        lists.attempts,
        "server",
        (Answer(200, "A page of attempts, newest first.", shapes.AttemptPage),),
        ("not_signed_in", *CALLED),
        SERVER,
        (
            Parameter("account", "Of this account.", schema=SOME_TEXT),
            Parameter("user", "Of this user.", schema=SOME_TEXT),
            Parameter("connector", "Of this connector.", schema=SOME_TEXT),
            Parameter("status", "Of this status.", schema={"type": "string", "enum": [*Status]}),
            *PAGE,
        ),
    ),
    Operation(
        "get",
        "/v1/webhook-deliveries",
        lists.webhook_deliveries,
        "server",
        (Answer(200, "A page of webhook deliveries, newest first.", shapes.DeliveryPage),),
        ("not_signed_in", *CALLED),
        SERVER,
        (
            Parameter("endpoint", "To the endpoint of this id.", schema=SOME_TEXT),
            Parameter("status", "Of this status.", schema={"type": "string", "enum": [*STATUSES]}),
            Parameter("event", "Of this type.", schema={"type": "string", "enum": [*EVENT_TYPES, TEST]}),
            *PAGE,
        ),
    ),
    Operation(
        "post",
        "/v1/sessions/exchange",
        exchange.exchange,
        "widget",
        (Answer(201, "The token for the page.", shapes.SessionToken),),
        (*SIGNED_IN, *BODY, "keys_unavailable"),
        parameters=(ORIGIN,),
        body=NewExchange,
    ),
    Operation(
        "post",
        "/v1/sessions/end",
        host_api.end_sessions,
        "server",
        (Answer(200, "They have ended.", shapes.SessionsEnded),),
        ("not_signed_in", *CALLED, *BODY),
        SERVER,
        body=EndedSessions,
    ),
    Operation(
        "post",
        "/v1/sessions",
        host_api.create_session,
        "server",
        (Answer(201, "The token for the page.", shapes.SessionToken),),
        ("not_signed_in", *CALLED, *BODY),
        SERVER,
        body=NewSession,
    ),
    Operation(
        "post",
        "/v1/sign-in-urls",
        host_api.create_sign_in_url,
        "server",
        (Answer(201, "The URL to redirect to, at once.", shapes.MintedUrl),),
        (
            "not_signed_in",
            *CALLED,
            *BODY,
            "unknown_connector",
            "origin_not_allowed",
            "account_of_another_product",
            *PARTNER,
            "account_unknown",
        ),
        SERVER,
        body=NewSignInUrl,
    ),
    Operation(
        "get",
        "/v1/connections",
        connections.connections,
        "widget",
        (Answer(200, "The account's connections.", shapes.Connections),),
        (*SIGNED_IN, "partner_unavailable"),
        ANYBODY,
        (ACCOUNT_OF_SERVER, LOCALE),
    ),
    Operation(
        "delete",
        "/v1/connections/{connection_id}",
        connections.disconnect,
        "widget",
        (Answer(204, "It has ended."),),
        (
            *SIGNED_IN,
            "connection_not_found",
            "not_allowed",
            "partner_unavailable",
            "limits_unavailable",
        ),
        ANYBODY,
        (CONNECTION, ACCOUNT_OF_SERVER),
    ),
    Operation(
        "post",
        "/v1/connections/{connection_id}/token",
        access_tokens.give,
        "server",
        (Answer(200, "The access token.", shapes.AccessToken),),
        (
            "not_signed_in",
            *CALLED,
            *BODY,
            "connection_not_found",
            "needs_reconnect",
            "not_supported_by_partner",
            "partner_unavailable",
            "limits_unavailable",
        ),
        SERVER,
        (CONNECTION, ACCOUNT),
    ),
)

PUBLIC: Final = (
    Operation(
        "get",
        "/v1/advice",
        advice.advice,
        "widget",
        (Answer(200, "What to change, or null.", shapes.Advice),),
        (*ADDRESSED, "rate_limited", "storage_unavailable"),
        parameters=(
            Parameter("product", "The product's key, as the page says it.", required=True),
            Parameter("origin", "The page's origin.", required=True),
        ),
    ),
    Operation(
        "get",
        "/health/live",
        health.live,
        "operations",
        (Answer(200, "It answers.", shapes.Health),),
        ADDRESSED,
    ),
    Operation(
        "get",
        "/health/ready",
        health.ready,
        "operations",
        (
            Answer(200, "It can work.", shapes.Health),
            Answer(503, "It cannot, and this is lacking.", shapes.Unready, headers=("Retry-After",)),
        ),
        ADDRESSED,
    ),
    Operation(
        "get",
        "/.well-known/jwks.json",
        receipts.jwks,
        "server",
        (Answer(200, "The JWK set.", shapes.Jwks, "application/jwk-set+json", ("Cache-Control",)),),
        ADDRESSED,
    ),
    Operation(
        "get",
        "/widget/v1/manifest.json",
        files.widget,
        "widget",
        (Answer(200, "What to write into `integrity`.", shapes.WidgetManifest, headers=("Cache-Control",)),),
        ("not_found", *ADDRESSED),
    ),
)

PAGES: Final = (
    Operation(
        "get",
        "/connect/complete/{attempt_id}",
        completion.complete,
        "pages",
        (
            Answer(303, "On to the partner service.", headers=("Location",)),
            *page(400, 403, 404, 410, 502, 503, 500),
        ),
        parameters=(ATTEMPT, Parameter("code", "The partner service's code, good once.", required=True)),
    ),
    Operation(
        "get",
        "/connect/opening",
        pages.opening,
        "pages",
        page(200, 400, 403, 404, 500, 503),
        parameters=(
            Parameter("product", "The product's key.", required=True),
            Parameter("origin", "The origin of the page that opens it.", required=True),
            Parameter("connector", "The connector's key."),
            LOCALE,
        ),
    ),
    Operation(
        "post",
        "/connect/launch",
        pages.launch,
        "pages",
        (
            Answer(303, "On to the partner service.", headers=("Location",)),
            *page(200, 400, 403, 408, 410, 413, 502, 503, 500),
        ),
        body=shapes.LaunchForm,
        body_type=FORM,
    ),
    Operation(
        "get",
        "/connect/form/{attempt_id}",
        forms.show,
        "pages",
        page(200, 400, 403, 404, 410, 502, 500, 503),
        parameters=(ATTEMPT,),
    ),
    Operation(
        "post",
        "/connect/form/{attempt_id}",
        forms.send,
        "pages",
        (
            Answer(200, "How it ended, where to go on, or what is wrong.", shapes.FormAnswer),
            *page(400, 403, 404, 408, 410, 413, 429, 502, 500, 503),
        ),
        parameters=(ATTEMPT, Parameter("Origin", "The BFF's own.", "header", required=True)),
        body=shapes.TypedForm,
        body_type=FORM,
    ),
    Operation(
        "get",
        "/connect/return/{secret}",
        pages.come_back,
        "pages",
        page(200, 400, 404, 500, 503),
        parameters=(SECRET,),
    ),
    Operation(
        "post",
        "/connect/return/{secret}",
        pages.report_return,
        "pages",
        (Answer(200, "How the attempt stands.", shapes.Returned), *page(400, 403, 404, 408, 500, 503)),
        parameters=(SECRET, Parameter("Origin", "The BFF's own.", "header", required=True)),
        body=shapes.ReturnForm,
        body_type=FORM,
    ),
)

OPERATIONS: Final = (*FOR_WIDGETS, *FOR_SERVERS, *PUBLIC, *PAGES)
