"""Revokes grants that are no longer used at their third party (RFC 7009), and retries what fails.

A pending revocation is stored first, in the transaction that takes the grant out of use (``noting.py``). It
is retried until it succeeds, or given up after many tries. A grant that is connected or held is never
revoked: this is checked just before the request (``grants_in_use.py``).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Delete, Row, Update, delete, select, update

from bff.partner import clock
from bff.partner.account_connectors import properties, store
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen
from bff.partner.grants import ending, grants_in_use, noting
from bff.partner.grants.noting import Owner
from bff.partner.grants.stored_times import is_not_ahead
from bff.partner.grants.turns import Turns, fairly
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import Provider, ProviderFailed
from bff.partner.storage import tables
from bff.serving.logs import about

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=6)
MOST_TRIES: Final = 30
"""Tries before a revocation is given up. They take about five days."""
WAITED_FOR: Final = timedelta(days=29)
"""Age at which a revocation is given up in any case, before ``purge`` deletes it."""
TAKEN_FOR: Final = timedelta(minutes=2)
"""How long one process owns a revocation. Longer than its three requests can take."""
OPERATOR_ERRORS: Final = frozenset({"no_revocation_url", "encryption_key_missing"})
"""Errors that the operator can correct. No request is sent, and they are retried once an hour."""
OPERATOR_ERRORS_WAIT: Final = timedelta(hours=1)
UNFORESEEN: Final = "internal_error"

log = structlog.get_logger("hitchpost.embedded")


def take_out_of_use(service: Embedded, connection: Connection, row: Row[Any]) -> str | None:
    """Delete the credentials of an account connector, and store the pending revocation of their grant.

    Returns the id for ``revoke_now``; None if there is nothing to revoke.
    """
    table, revocation_id = tables.account_connector, None
    # Read again, with a lock: a sign-in may have ended since ``row`` was read.
    current = connection.execute(select(table).where(table.c.id == row.id).with_for_update()).one_or_none()
    if current is not None and current.credentials is not None:
        context = store.sealed_in(current, "credentials")
        revocation_id = noting.throw_away_sealed(
            service, connection, noting.owner_of(current), current.credentials, context
        )
    cleared = {
        "authenticated": False,
        "authenticated_at": None,
        "auth_value": None,
        "credentials": None,
        "grant_sha256": None,
        "external_account": None,
        "refresh_not_before": None,
        "refresh_failures": 0,
        "refresh_lease_ends": None,
        "grant_reason": None,
        "next_refresh_at": None,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(cleared))
    properties.forget_secrets(service, connection, row)
    return revocation_id


def let_go(service: Embedded, owner: Owner, credentials: Credentials, *, now: bool) -> None:
    """Revoke a new grant that cannot be used: at once with ``now``, else within a minute.

    Raises nothing, so that the caller can report why the sign-in failed.
    """
    try:
        with service.database.writing() as connection:
            revocation_id = noting.throw_away(service, connection, owner, credentials, new=True)
        if now:
            revoke_now(service, revocation_id)
    except Exception as error:  # noqa: BLE001  # any error would lose the grant
        log.error("a grant cannot be noted: revoked without", **about(error))  # noqa: TRY400
        _revoke_unnoted(service, owner, credentials)


@contextmanager
def revoked_on_error(service: Embedded, owner: Owner, credentials: Credentials | None) -> Iterator[None]:
    """Revoke a new grant, if there is one, within a minute after any exception of the block."""
    try:
        yield
    except Exception:
        if credentials is not None:
            let_go(service, owner, credentials, now=False)
        raise


def _revoke_unnoted(service: Embedded, owner: Owner, credentials: Credentials) -> None:
    item = service.catalogue.by_id(owner.connector_id)
    if item is None or item.revocation_url is None or credentials.client is None:
        return
    about_grant = {"account_connector": owner.account_connector_id}
    try:
        if _ends_another(service, item, owner, credentials, credentials.client):
            audit("grant kept", **about_grant)
            return
        ending.end(service.provider.in_a_hurry(), item, credentials.client, credentials)
    except ProviderFailed as failure:
        audit("revocation given up", **about_grant, error=failure.error)


def _ends_another(
    service: Embedded, item: CatalogueConnector, owner: Owner, credentials: Credentials, client: Client
) -> bool:
    """Whether revoking a new grant may end one in use. If the database does not tell: whether it ever can."""
    grant = grants_in_use.Grant(credentials, client, owner.account_connector_id, owner.external_account)
    try:
        with service.database.reading() as connection:
            return grants_in_use.is_in_use(service, connection, item, grant)
    except Exception:  # noqa: BLE001  # logged by the caller: the database refused before
        return item.revocation_ends == "consent"


def revoke_now(service: Embedded, revocation_id: str | None, provider: Provider | None = None) -> str:
    """Run a pending revocation at once (``revocation_id``: its id, or None), for a caller who waits.

    It takes as long as calls ``in_a_hurry`` may. Pass the ``provider`` of the request if it made some before.
    Returns "", or a sentence for the API's message if the third party has not revoked the grant yet.
    """
    which, error = tables.pending_revocation.c.id == revocation_id, None
    if revocation_id is not None:
        error = _run(service, clock.now(), which, provider or service.provider.in_a_hurry())
    if not error:
        return ""
    return f" The third party has not revoked its grant yet ({error}); this is tried again."


def retry_revocations(
    service: Embedded,
    limit: int,
    *,
    seconds: float = 30.0,
    slow: set[int] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Run at most ``limit`` due revocations, for about ``seconds`` or until ``stop`` returns True.

    Returns how many succeeded. Those of one third party run one after the other; a slow one does not delay
    those of others (see ``upkeep.look_after``).
    """
    table, now = tables.pending_revocation, clock.now()
    is_due = is_not_ahead(table.c.next_at, now, LONGEST_WAIT) & table.c.given_up_at.is_(None)
    with service.database.reading() as connection:
        rows = connection.execute(fairly(table, is_due, table.c.next_at, limit)).all()
    turns = Turns(rows, set() if slow is None else slow, seconds=seconds, most_of_one=1, stop=stop)
    return turns.run(lambda row: _retry(service, now, row.id, (table.c.id == row.id) & is_due))


def _retry(service: Embedded, now: datetime, revocation_id: str, which: ColumnElement[bool]) -> bool:
    try:
        return _run(service, now, which, service.provider) is None
    except Exception as error:  # noqa: BLE001  # one that cannot be read must not hold up the others
        log.error("a revocation cannot be run", what=revocation_id, **about(error))  # noqa: TRY400
        return False


def pending(connection: Connection, connector_id: int) -> list[Row[Any]]:
    """The pending and given-up revocations of a connector, oldest first."""
    table = tables.pending_revocation
    wanted = select(table).where(table.c.connector_id == connector_id)
    return list(connection.execute(wanted.order_by(table.c.created_at)))


def _run(service: Embedded, now: datetime, which: ColumnElement[bool], provider: Provider) -> str | None:
    """Run one revocation. Returns None on success, "" if another process runs it, else an error code."""
    table = tables.pending_revocation
    with service.database.writing() as connection:
        taken = update(table).where(which).values(next_at=now + TAKEN_FOR).returning(table.c.id)
        revocation_id = connection.execute(taken).scalar()
    if revocation_id is None:
        return ""
    # Read after it is taken: one that cannot be read then waits like any other.
    if (row := _find(service, revocation_id)) is None:
        return ""
    error = _try_to_revoke(service, row, provider)
    change: Delete | Update = delete(table)
    if error is not None:
        # Read again, because a refresh may have changed it.
        tried = _find(service, revocation_id) or row
        change = update(table).values(_after_failure(service, tried, now, error))
    with service.database.writing() as connection:
        connection.execute(change.where(table.c.id == row.id))
    return error


def _find(service: Embedded, revocation_id: str) -> Row[Any] | None:
    table = tables.pending_revocation
    with service.database.reading() as connection:
        return connection.execute(select(table).where(table.c.id == revocation_id)).one_or_none()


def _after_failure(service: Embedded, row: Row[Any], now: datetime, error: str) -> dict[str, Any]:
    """The columns to update after a failed try."""
    if error == ending.LEFT_FOR_LATER:
        return {"error": row.error or error, "next_at": now}
    # That a refresh was not answered is kept until one is.
    stored = row.error if row.error == ending.UNANSWERED and error != ending.LOST else error
    failures = row.failures + (error not in OPERATOR_ERRORS)
    fields = {"connector": row.connector_id, "account_connector": row.account_connector_id, "error": error}
    is_too_old = service.database.clock.has_passed(row.created_at + WAITED_FOR)
    if error != ending.LOST and failures < MOST_TRIES and not is_too_old:
        log.warning("a grant is not revoked yet", **fields)
        wait = OPERATOR_ERRORS_WAIT if error in OPERATOR_ERRORS else _wait(row.failures)
        return {"error": stored, "failures": failures, "next_at": now + wait}
    audit("revocation given up", account=row.account_id, **fields)
    return {"error": stored, "failures": failures, "given_up_at": now}


def _try_to_revoke(service: Embedded, row: Row[Any], provider: Provider) -> str | None:
    """Revoke the grant of a row. Returns None on success, else an error code. Raises nothing."""
    try:
        return _revoke(service, row, provider)
    except CannotOpen:
        return "encryption_key_missing"
    except ProviderFailed as failure:
        return failure.error
    except Exception as error:  # noqa: BLE001  # else it would be retried for ever
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold the grant
        return UNFORESEEN


def _revoke(service: Embedded, row: Row[Any], provider: Provider) -> str | None:
    item = service.catalogue.by_id(row.connector_id)
    if item is None or item.revocation_url is None:
        return "no_revocation_url"
    with service.database.reading() as connection:
        grant = _grant_of(service, connection, item, row)
        if grants_in_use.is_in_use(service, connection, item, grant):
            audit("grant kept", account=row.account_id, account_connector=row.account_connector_id)
            return None
    ending.end(
        provider,
        item,
        grant.client,
        grant.credentials,
        lambda new: noting.note_again(service, row, new),
        # A hurried caller may hang up before the answer. The background has the time to wait for it.
        may_refresh=not provider.is_hurried,
        unanswered=row.error == ending.UNANSWERED,
    )
    return None


def _grant_of(
    service: Embedded, connection: Connection, item: CatalogueConnector, row: Row[Any]
) -> grants_in_use.Grant:
    credentials = noting.opened(service.vault, row)
    client = credentials.client or grants_in_use.client_for(
        service, connection, item, row.account_connector_id
    )
    return grants_in_use.Grant(credentials, client, row.account_connector_id, row.external_account)


def _wait(failures: int) -> timedelta:
    # Exponential backoff. Half of the delay is random, which spreads revocations that failed together.
    longest = min(FIRST_WAIT * 2 ** min(failures, 20), LONGEST_WAIT)
    return timedelta(seconds=longest.total_seconds() * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load
