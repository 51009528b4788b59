"""Answers callbacks that are repeated or late with the state of the sign-in.

They come from a reload of a slow callback, a response that is delivered twice, or the browser's back button.
They do not change the result of the sign-in.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from bff.partner import clock
from bff.partner.account_connectors import sign_ins
from bff.partner.context import Embedded
from bff.partner.errors import FlowError
from bff.partner.storage import tables

PATIENCE: Final = timedelta(seconds=60)
"""How long a callback may take to process. The timeouts of its requests are far below."""
LOOK_AGAIN: Final = 2
GO_BACK: Final = 2
EXPIRED: Final = "flow_expired"


def explain(service: Embedded, flow: Row[Any] | None, proved: bool) -> FlowError:  # its answer's
    """The error for a flow that cannot be used. ``proved``: the browser has the cookie of the flow.

    Without the cookie the sign-in goes on, because the right browser may still come. If the flow has
    expired, the sign-in is recorded as failed.
    """
    if flow is None:
        return FlowError(400, "stale_flow")
    target, message = flow.target_origin, flow.callback_message
    if flow.used_at is not None:
        return again(service, flow, since=flow.used_at, proved=proved)
    if flow.expires_at > clock.now():
        return FlowError(400, "no_cookie").concerns(target, message, proved=False)
    with service.database.writing() as connection:
        expire(connection, flow)
    return FlowError(400, "stale_flow", error=EXPIRED).concerns(target, message)


def again(service: Embedded, begun: Row[Any], *, since: datetime, proved: bool) -> FlowError:
    """The error for a response that was already used, at ``since``.

    While it is still processed, the page reloads by itself. Afterwards it posts the message or goes back.
    """
    with service.database.reading() as connection:
        result = sign_ins.result_of(connection, begun.token_sha256)
    if proved and result == "started" and clock.now() - since < PATIENCE:
        return FlowError(400, "finishing", again_in=LOOK_AGAIN)
    goes_back = proved and begun.callback_message is None
    error = FlowError(400, "stale_flow", again_in=GO_BACK if goes_back else None)
    return error.concerns(begun.target_origin, begun.callback_message, proved=proved)


def expire(connection: Connection, flow: Row[Any]) -> None:
    """Record the sign-in as failed, unless another flow of its token has not expired."""
    table = tables.flow
    others = select(table.c.state_sha256).where(
        table.c.token_sha256 == flow.token_sha256,
        table.c.state_sha256 != flow.state_sha256,
        table.c.expires_at > clock.now(),
    )
    if connection.execute(others).first() is None:
        sign_ins.finish(connection, flow.token_sha256, "failed", error=EXPIRED)
