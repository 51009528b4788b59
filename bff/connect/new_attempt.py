"""Makes a new attempt from what its page asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bff.common.errors import InvalidRequest
from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import Attempt, Delivery, Status
from bff.connect.context import ConnectContext
from bff.connect.offered_connectors import chosen_message
from bff.content import messages
from bff.content.minted_url import check_url_of_message
from bff.content.product import OfferedConnector, Product
from bff.content.wording import FALLBACK
from bff.identity.principal import Principal

UNLAUNCHED_LIFE: Final = timedelta(minutes=10)
"""Time from the preparation of an attempt in which it may be launched."""
SUPPORT_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without 0, O, 1, I, L and U, which are easily misread."""


@dataclass(frozen=True)
class BeginRequest:
    """What the page asks for. ``origin`` is checked already: it is one of the product's.

    ``connection``: the account connector to reconnect. It is checked already: it is one of the account's.
    """

    connector: str
    origin: str
    message: str | None = None
    locale: str | None = None
    delivery: Delivery = Delivery.MESSAGE
    return_url: str | None = None
    idempotency_sha256: str | None = None
    request_sha256: str | None = None
    connection: int | None = None


def new_attempt(
    product: Product,
    principal: Principal,
    connector: OfferedConnector,
    request: BeginRequest,
    context: ConnectContext,
) -> tuple[Attempt, Secret]:
    """The attempt, not stored yet, and its launch token.

    Raises ``UnknownMessage`` or ``InvalidRequest``.
    """
    if request.return_url is not None and request.delivery is not Delivery.RETURN:
        raise InvalidRequest('return_url goes with delivery "return" only')
    if messages.has_control(request.return_url or ""):
        raise InvalidRequest(f"return_url: {messages.CONTROL}")
    attempt_id, locale = "att_" + context.random_token()[:24], request.locale or FALLBACK
    template = chosen_message(product, request.message, connector.key, locale)
    variables = _variables(attempt_id, connector, principal, locale)
    rendered = messages.render_for(template, variables, attempt=attempt_id, nonce=context.random_token())
    if request.delivery is Delivery.MESSAGE:
        check_url_of_message(context.partner_service_url, request.origin, rendered.callback_message)
    launch_token, now = Secret(context.random_token()), context.clock()
    attempt = Attempt(
        id=attempt_id,
        support_code=support_code(context.random_token()),
        status=Status.CREATED,
        product=product.key,
        account=principal.account,
        user=principal.user,
        connector=connector,
        message=rendered.message,
        callback_message=rendered.callback_message,
        delivery=request.delivery,
        locale=locale,
        origin=request.origin,
        return_url=request.return_url,
        launch_token_sha256=fingerprint(launch_token.reveal()),
        created_at=now,
        expires_at=now + UNLAUNCHED_LIFE,
        idempotency_sha256=request.idempotency_sha256,
        request_sha256=request.request_sha256,
        wanted_connection=request.connection,
        adds_connection=connector.multiple and request.connection is None,
    )
    return attempt, launch_token


def _variables(
    attempt_id: str, connector: OfferedConnector, principal: Principal, locale: str
) -> dict[str, str]:
    return {
        "attempt": attempt_id,
        "connector": connector.key,
        "connector_name": connector.name,
        "account": principal.account.id,
        "user": principal.user.id,
        "locale": locale,
    }


def support_code(random_token: str) -> str:
    """Eight characters that a person can read out over the telephone: 39 random bits."""
    number = int.from_bytes(bytes.fromhex(fingerprint(random_token))[:8])
    digits = []
    for _ in range(8):
        number, index = divmod(number, len(SUPPORT_ALPHABET))
        digits.append(SUPPORT_ALPHABET[index])
    return "".join(digits[:4]) + "-" + "".join(digits[4:])
