"""The route that begins an attempt, and how often it may be called."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from flask import Blueprint, Response, request
from pydantic import Field

from bff.common.errors import InvalidRequest, LimitsUnavailable, RateLimited
from bff.common.origins import origin_of
from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Delivery
from bff.connect.new_attempt import BeginRequest
from bff.connect.offered_connectors import offered_connector
from bff.content.language_names import tag_fault
from bff.content.product import Product
from bff.identity.principal import Principal
from bff.openapi.operation import Answer
from bff.web.kit import cors
from bff.web.kit.accounts import ConnectionId
from bff.web.kit.authenticate import signed_in
from bff.web.kit.bodies import Body, read_body
from bff.web.kit.guards import calling_origin
from bff.web.kit.idempotency import idempotency_key
from bff.web.kit.limits import Limit, Purpose
from bff.web.kit.locales import attempt_locale
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters, shapes
from bff.web.openapi.describe import Access
from bff.web.widget_api.press import mint_ahead

BEGIN_PURPOSES: Final = (Purpose.ATTEMPT, Purpose.REPEAT)
"""``count_begin`` counts a call under one of these."""

LONGEST_RETURN_URL: Final = 16_000
"""Characters: more than servers accept in a URL, as applications keep state in its fragment."""

routes = Blueprint("hitchpost_beginning", __name__)
routes.after_request(cors.grant)


class BeginAttempt(Body):
    """The body of ``POST /v1/attempts``."""

    connector: Annotated[str, Field(min_length=1, max_length=64)]
    connection: ConnectionId = None
    message: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    locale: (
        Annotated[str, Field(max_length=100, description="A language tag; an invalid one is ignored.")] | None
    ) = None
    delivery: Literal["message", "return"] = "message"
    return_url: Annotated[str, Field(max_length=LONGEST_RETURN_URL)] | None = None
    product: Annotated[
        str | None,
        Field(max_length=300, description="The key that the page names; it must be the session's."),
    ] = None
    pressed: Annotated[bool, Field(description="The button is pressed: mint for the launch now.")] = False


@routes.post("/v1/attempts")
@describe.operation(
    Answer(201, "The new attempt, with its launch token.", shapes.PreparedAttempt),
    access=Access.PAGE,
    limit=Limit((*BEGIN_PURPOSES, Purpose.PRESS)),
    parameters=(parameters.ORIGIN, parameters.IDEMPOTENCY),
    body=BeginAttempt,
    refusals=(
        *("unknown_connector", "unknown_message", "account_of_another_product", "connection_not_found"),
        *describe.PARTNER,
    ),
)
def begin() -> Response:
    """Prepare an attempt. If ``pressed``, also mint for its launch, in the background.

    Before the reply the partner service is asked only about a ``connection`` that is not stored here and, if
    another product has an account of this id, once per process whether it accepts any id for a new account.
    """
    product, principal = signed_in()
    origin, body = calling_origin(product), read_body(BeginAttempt)
    if body.product not in {None, product.key}:
        raise InvalidRequest(
            f"product: this page names {body.product!r} (data-product, or configure), "
            f"and its session is of {product.key!r}: write {product.key!r} there"
        )
    if body.return_url is not None and origin_of(body.return_url) != origin:
        raise InvalidRequest("return_url: must be a page of the origin that this call comes from")
    begin_request = BeginRequest(
        connector=body.connector,
        origin=origin,
        message=body.message,
        locale=attempt_locale(product, principal, body.locale, body.connector, body.message),
        delivery=Delivery(body.delivery),
        return_url=body.return_url,
    )
    services().accounts.require(principal.account)
    key = idempotency_key()
    repeated = key is not None and services().attempts.idempotent_begin.was_used(principal, key)
    count_begin(principal, repeated=repeated)
    if body.connection is not None:
        offered = offered_connector(product, principal, body.connector)
        account_connector_id = services().connections.service.known(
            principal.account, offered, body.connection
        )
        begin_request = replace(begin_request, connection=account_connector_id)
    attempt, launch_token = _begin(product, principal, begin_request, key, _press if body.pressed else None)
    reply: dict[str, Any] = {
        "id": attempt.id,
        "status": attempt.status.value,
        "launch_token": launch_token.reveal() if launch_token else None,
        "partner_origin": services().urls.partner_origin,
        "callback_message": attempt.callback_message,
        "expires_at": attempt.expires_at.isoformat(),
        "expires_in": max(0, int((attempt.expires_at - services().clock()).total_seconds())),
        "support_code": attempt.support_code,
    }
    if begin_request.delivery is Delivery.RETURN and not request.headers.get("Referer"):
        # The page's form would carry "Origin: null", so the launch would have to ask the user to confirm.
        reply["origin_hidden"] = "set Referrer-Policy to strict-origin, to show this page's origin"
    if body.locale and (fault := tag_fault(body.locale)):
        reply["advice"] = fault
    return answer(reply, 201)


def count_begin(principal: Principal, *, repeated: bool) -> None:
    """Count a call that begins an attempt. A repeated call counts as REPEAT, not as ATTEMPT.

    The two limits are equally high. Raises ``RateLimited`` or ``LimitsUnavailable``.
    """
    purpose = Purpose.REPEAT if repeated else Purpose.ATTEMPT
    services().limits.spend(purpose, principal.product, principal.account.id, principal.user.id)


def _begin(
    product: Product,
    principal: Principal,
    begin_request: BeginRequest,
    key: str | None,
    on_new: Callable[[Attempt], None] | None,
) -> tuple[Attempt, Secret | None]:
    if key is None:
        return services().attempts.service.begin(product, principal, begin_request, on_new)
    return services().attempts.idempotent_begin.begin(product, principal, begin_request, key, on_new)


def _press(attempt: Attempt) -> None:
    # The attempt has been stored: a press over its limit must not fail the request.
    with contextlib.suppress(RateLimited, LimitsUnavailable):
        mint_ahead(attempt)
