"""The audit log: one line for each event, in the logger ``hitchpost.audit``."""

from __future__ import annotations

from typing import Any, Final

import structlog
from flask import Response, request

from bff.common import actors
from bff.connect.attempt import Attempt
from bff.identity.principal import Principal
from bff.serving import metrics
from bff.serving.edge import DENIALS, ROUTE, UNMATCHED, request_id
from bff.studio.access import StudioSession

FINISHED: Final = "hitchpost.audited"
CALLER: Final = "hitchpost.caller"
log = structlog.get_logger("hitchpost.audit")


def record(event: str, **about: Any) -> None:
    """Log one event. Pass ids only: no tokens, and no names or mail addresses of users.

    ``actor`` is who did it, in a form of ``bff/common/actors.py``. ``user`` is the host's id of the user.
    """
    log.info(event, client=request.remote_addr, **about)


def session_issued(principal: Principal, actor: str) -> None:
    """A session token was issued for a user, to the host's server or for its assertion."""
    record(
        "session issued",
        actor=actor,
        product=principal.product,
        account=principal.account.id,
        user=principal.user.id,
    )


def launched(attempt: Attempt) -> None:
    """A launch token was used, and a sign-in token minted."""
    metrics.launched(attempt.product, attempt.connector.key, attempt.delivery.value)
    record(
        "launched",
        actor=actors.user(attempt.user.id),
        attempt=attempt.id,
        product=attempt.product,
        account=attempt.account.id,
        user=attempt.user.id,
        connector=attempt.connector.key,
        delivery=attempt.delivery.value,
    )


def disconnected(actor: str, product: str, account: str, connector: str, connection: int) -> None:
    """A user or the host's server ended a connection."""
    record(
        "disconnected",
        actor=actor,
        product=product,
        account=account,
        connector=connector,
        connection=connection,
    )


def token_given(product: str, account: str, connector: str, connection: int) -> None:
    """A host's server was given an access token of a connection."""
    about = {"account": account, "connector": connector, "connection": connection}
    record("access token given", actor=actors.SERVER, product=product, **about)


def form_sent(attempt: Attempt, *, taken: bool) -> None:
    """A user submitted a form. Its values are not logged."""
    record(
        "form sent",
        actor=actors.user(attempt.user.id),
        attempt=attempt.id,
        product=attempt.product,
        account=attempt.account.id,
        user=attempt.user.id,
        connector=attempt.connector.key,
        taken=taken,
    )


def at_studio(event: str, session: StudioSession, **about: Any) -> None:
    """An editor signed in to the Studio, or changed something there."""
    record(event, actor=actors.editor(session.email), product=session.product, user=session.email, **about)


def known_as(actor: str, **about: str) -> None:
    """Note who calls, for a denial of this request: an actor, and ids such as ``product``."""
    request.environ[CALLER] = {"actor": actor, **about}


def begin() -> None:
    """Bind the request's id to its log lines, for apps without the ``Edge`` middleware."""
    structlog.contextvars.bind_contextvars(request_id=request_id(request.environ))


def finish(response: Response) -> Response:
    """Set the route for the request log and ``X-Request-Id``, and log a denial (401, 403, 429). Runs once."""
    if FINISHED in request.environ:
        return response
    request.environ[FINISHED] = True
    rule = request.url_rule
    request.environ[ROUTE] = rule.rule if rule else UNMATCHED
    response.headers["X-Request-Id"] = request_id(request.environ)
    if response.status_code in DENIALS:
        known = request.environ.get(CALLER, {"actor": actors.UNKNOWN})
        about = {"method": request.method, "route": request.environ[ROUTE]}
        record("denied", status=response.status_code, **about, **known)
    return response
