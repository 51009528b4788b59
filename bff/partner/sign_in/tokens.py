"""Finds and redeems sign-in tokens. Each is redeemed once, by one browser."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, update

from bff.partner import clock
from bff.partner.crypto import sha256
from bff.partner.storage import tables
from bff.serving.statements import Within

LIFE: Final = timedelta(minutes=5)
_TABLE: Final = tables.sign_in_token
_UNUSED: Final = (_TABLE.c.sha256 == bindparam("token")) & _TABLE.c.used_at.is_(None)
_FIND: Final = Within(select(_TABLE).where(_UNUSED, _TABLE.c.expires_at > bindparam("now")))
_REDEEM: Final = Within(update(_TABLE).where(_UNUSED).values(used_at=bindparam("now")))


def find(connection: Connection, token: str) -> Row[Any] | None:
    """The token, if it is neither used nor expired."""
    row: Row[Any] | None = _FIND.first(connection, token=sha256(token), now=clock.now())
    return row


def find_expired(connection: Connection, token: str) -> Row[Any] | None:
    """The token, if it expired unused."""
    table = tables.sign_in_token
    wanted = select(table).where(table.c.sha256 == sha256(token), table.c.used_at.is_(None))
    return connection.execute(wanted.where(table.c.expires_at <= clock.now())).first()


def is_older(connection: Connection, token_sha256: str, moment: datetime | None) -> bool:
    """Whether a token was issued before ``moment``. True for a token that is no longer stored."""
    if moment is None:
        return False
    table = tables.sign_in_token
    expires_at = connection.scalar(select(table.c.expires_at).where(table.c.sha256 == token_sha256))
    return expires_at is None or expires_at - LIFE <= moment


def completion_url(connection: Connection, token_sha256: str) -> str | None:
    """The completion URL of a token; None if the sign-in needs no completion."""
    table = tables.sign_in_token
    wanted = select(table.c.completion_url).where(table.c.sha256 == token_sha256)
    url: str | None = connection.execute(wanted).scalar_one()
    return url


def redeem(connection: Connection, token_sha256: str) -> bool:
    """Mark a token as used. True for one of concurrent callers."""
    return _REDEEM.run(connection, token=token_sha256, now=clock.now()) == 1


def redeem_for(connection: Connection, account_id: str, token_sha256: str) -> bool:
    """Like ``redeem``, if the token belongs to this account and has not expired."""
    table = tables.sign_in_token
    condition = (table.c.account_id == account_id) & (table.c.expires_at > clock.now())
    wanted = select(table.c.sha256).where(table.c.sha256 == token_sha256, condition)
    return connection.execute(wanted).first() is not None and redeem(connection, token_sha256)
