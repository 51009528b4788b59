"""Other sign-ins to an account connector: by other attempts, and by sign-in URLs of the host's server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, bindparam, insert, null, select, union_all

from bff.connect.attempt import GIVEN_UP, Attempt, Status
from bff.connect.outcome import OtherSignIn
from bff.connect.ports import HostSignInUrl
from bff.serving.database import writing
from bff.serving.statements import Read
from bff.storage.tables import attempts, sign_in_urls

_attempt, _url = attempts.c, sign_in_urls.c
_OF_ATTEMPTS_ALONE: Final = (
    _attempt.status,
    _attempt.attributed,
    _attempt.settled_at,
    _attempt.returned_at,
    _attempt.return_error,
    _attempt.origin,
    _attempt.sign_in_token_sha256,
)
"""Columns read of attempts only. For a sign-in URL they are null: it has none of them, or none is used."""
# By account connector alone: the partner service's ids are unique, and two products may share an account.
_FOUND: Final = union_all(
    select(
        _attempt.product,
        _attempt.account_id,
        _attempt.user_id,
        _attempt.minted_at,
        _attempt.authenticated_before,
        *_OF_ATTEMPTS_ALONE,
    ).where(
        _attempt.account_connector_id == bindparam("account_connector_id"),
        _attempt.minted_at >= bindparam("since"),
        _attempt.id != bindparam("except_id"),
    ),
    select(
        _url.product,
        _url.account_id,
        _url.user_id,
        _url.minted_at,
        _url.authenticated_before,
        *(null() for _ in _OF_ATTEMPTS_ALONE),
    ).where(
        _url.account_connector_id == bindparam("account_connector_id"), _url.minted_at >= bindparam("since")
    ),
)


class OtherSignIns:
    """The sign-ins to an account connector that this database knows of."""

    def __init__(self, engine: Engine) -> None:
        self._found = Read(engine, _FOUND)
        self._writer = writing(engine)

    def of(self, attempt: Attempt, since: datetime) -> list[OtherSignIn]:
        """All sign-ins minted at ``since`` or later, except that of ``attempt`` itself."""
        rows = self._found.all(
            account_connector_id=attempt.account_connector_id, since=since, except_id=attempt.id
        )
        return [_other(attempt, row) for row in rows]

    def note(self, minted: HostSignInUrl) -> None:
        """Store a sign-in URL that was minted for the host's server."""
        values = {
            "account_connector_id": minted.account_connector_id,
            "product": minted.product,
            "account_id": minted.account,
            "user_id": minted.user,
            "minted_at": minted.minted_at,
            "authenticated_before": minted.authenticated_before,
            "token_sha256": minted.token_sha256,
        }
        with self._writer.begin() as connection:
            connection.execute(insert(sign_in_urls).values(values))


def _other(attempt: Attempt, row: Sequence[Any]) -> OtherSignIn:
    (
        product, account, user, minted_at, authenticated_before, status,
        attributed, settled_at, returned_at, return_error, origin, token_sha256,
    ) = row  # fmt: skip
    same_user = (product, account, user) == (attempt.product, attempt.account.id, attempt.user.id)
    connected_at = settled_at if status == Status.CONNECTED.value and attributed else None
    is_given_up = same_user and origin == attempt.origin and status in GIVEN_UP
    return OtherSignIn(
        same_user=same_user,
        minted_at=minted_at,
        over_at=connected_at or returned_at,
        refused=return_error is not None,
        authenticated_before=bool(authenticated_before),
        given_up_token_sha256=token_sha256 if is_given_up else None,
    )
