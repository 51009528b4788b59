"""A browser that comes once more with an answer, or too late: what became of the sign-in, and a way on.

An impatient reload of a slow callback, an answer that arrives twice, the way back in a window's history: the
sign-in itself goes on, or has ended, as if nothing had happened.
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
"""So long the third party's answer may be worked at; every call to it has a deadline far below."""
LOOK_AGAIN: Final = 2
GO_BACK: Final = 2
EXPIRED: Final = "flow_expired"


def explain(service: Embedded, flow: Row[Any] | None, proved: bool) -> FlowError:  # its answer's
    """What to say of a flow that cannot be taken up. ``proved``: by the browser that began it.

    Without its cookie nothing is ended: who brings the answer may be anybody, and the right browser may
    still come. After its time nobody can go on with it, and that is recorded.
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
    """What to say of an answer that was brought before, at ``since``.

    While it is worked at, the page looks again by itself; then its window is told, or goes back.
    """
    with service.database.reading() as connection:
        result = sign_ins.result_of(connection, begun.token_sha256)
    if proved and result == "started" and clock.now() - since < PATIENCE:
        return FlowError(400, "finishing", again_in=LOOK_AGAIN)
    goes_back = proved and begun.callback_message is None
    error = FlowError(400, "stale_flow", again_in=GO_BACK if goes_back else None)
    return error.concerns(begun.target_origin, begun.callback_message, proved=proved)


def expire(connection: Connection, flow: Row[Any]) -> None:
    """Record that nothing can come of the sign-in any more, unless another flow of its token still may."""
    table = tables.flow
    others = select(table.c.state_sha256).where(
        table.c.token_sha256 == flow.token_sha256,
        table.c.state_sha256 != flow.state_sha256,
        table.c.expires_at > clock.now(),
    )
    if connection.execute(others).first() is None:
        sign_ins.finish(connection, flow.token_sha256, "failed", error=EXPIRED)
