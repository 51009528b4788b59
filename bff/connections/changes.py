"""Decides how a connection changes after its account connector was read from the partner service.

Pure functions. A connection that is seen for the first time makes no event, unless a sign-in by the BFF may
have made it. From Cyclr only the ``authenticated`` flag is known. ``seen``: the account connector as just
read; None if it does not exist.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from bff.connect.attempt import Attempt, Status
from bff.connections.connection import EXISTING, Change, State, Stored
from bff.upstream.protocol import AccountConnector

UNAUTHENTICATED: Final = "unauthenticated"
"""The reason of a connection whose flag is unset, where the partner service gives none."""
REMOVED: Final = "removed"


def state_of(seen: AccountConnector | None) -> State:
    """The state as the partner service reports it. Its flag alone cannot show that a grant was lost."""
    if seen is None:
        return State.DISCONNECTED
    if seen.grant is not None:
        return State.DISCONNECTED if seen.grant.state == "none" else State(seen.grant.state)
    return State.CONNECTED if seen.authenticated else State.DISCONNECTED


def observed(
    row: Stored | None, new: Stored, seen: AccountConnector | None, now: datetime, *, fresh: bool
) -> Change | None:
    """The change that ``seen`` shows; None for no change.

    ``new``: a blank row, used if ``row`` is None. ``fresh``: a sign-in by the BFF may have connected it, so
    that a new row makes an event.
    """
    if row is not None and row.ending_until is not None:
        return None if row.ending_until > now else _abandoned(row, seen, now)
    state = state_of(seen)
    if seen is not None and state in EXISTING:
        if row is None:
            row = _filled(new, seen, state)
            return _joined(row, seen, "connected", now) if fresh else Change(row)
        return _stands(row, seen, now, state)
    return _is_gone(row, seen, now) if row else None


def _is_gone(row: Stored, seen: AccountConnector | None, now: datetime) -> Change | None:
    """The change where the account connector is gone or unauthenticated."""
    if row.state not in EXISTING:
        return Change(replace(row, removed_at=now)) if seen is None and row.removed_at is None else None
    if seen is None or (seen.grant is not None and seen.grant.state == "none"):
        return disconnected(row, now, gone=seen is None)
    if row.state is State.NEEDS_RECONNECT:
        return None
    return _with_event(
        replace(row, state=State.NEEDS_RECONNECT, reason=UNAUTHENTICATED), "needs_reconnect", now
    )


def shown(row: Stored, seen: AccountConnector) -> Stored:
    """The connection to show now, if the change itself is left to an attempt."""
    state = state_of(seen)
    return _filled(row, seen, state) if state in EXISTING else row


def is_lost(row: Stored | None, seen: AccountConnector | None) -> bool:
    """Whether the grant was lost, according to a partner service that reports grants."""
    dead = seen is not None and seen.grant is not None and seen.grant.state == "needs_reconnect"
    return dead and row is not None and row.state is State.CONNECTED


def signed_in(
    row: Stored | None,
    new: Stored,
    attempt: Attempt,
    seen: AccountConnector,
    now: datetime,
    *,
    fresh: bool = False,
) -> Change | None:
    """The change after an attempt succeeded; ``seen`` is the account connector that showed it.

    ``fresh``: another sign-in by the BFF found it unconnected, so this is no reconnect. Makes its event even
    while the connection is being ended; the end makes its own.
    """
    state = state_of(seen)
    if state not in EXISTING:
        return observed(row, new, seen, now, fresh=False)
    before = row or new
    filled = replace(_filled(before, seen, state), **_doer(attempt, before), taken_until=None, taken_by=None)
    # Of two connectors with one reference, it belongs to the one that the user pressed last.
    filled = replace(filled, connector_key=new.connector_key, connector_name=new.connector_name)
    if attempt.external_account:
        filled = replace(filled, external_account=attempt.external_account)
    filled = replace(filled, owner=_first(before, filled) or filled.connected_by)
    if row is not None and _is_reported(row, attempt, seen):
        # Only the owner and account change: the next look reports a change of the state since then.
        filled = replace(filled, state=row.state, reason=row.reason)
        return None if _whose(filled) == _whose(row) else Change(filled)
    again = row.state in EXISTING if row else attempt.authenticated_before is True and not fresh
    if state is State.NEEDS_RECONNECT:
        # The grant was lost before the first look: the next look makes the event of the loss.
        filled = replace(filled, state=State.CONNECTED, reason=None)
    return _joined(filled, seen, "reconnected" if again else "connected", now)


def disconnected(row: Stored, now: datetime, *, gone: bool = False, by: str | None = None) -> Change:
    """The change that ends a connection. ``gone``: its account connector was removed. ``by``: by whom."""
    ended = replace(
        row,
        state=State.DISCONNECTED,
        reason=REMOVED if gone and by is None else None,
        removed_at=now if gone else None,
        changed_at=now,
        connected_at=None,
        connected_by=None,
        connected_by_name=None,
        owner=None,
        authenticated_at=None,
        external_account=None,
        scopes=None,
        expires_at=None,
        extra=None,
        ending_until=None,
        ending_by=None,
    )
    if row.state not in EXISTING:
        return Change(ended)
    return replace(_with_event(ended, "disconnected", now), by=by)


def _stands(row: Stored, seen: AccountConnector, now: datetime, state: State) -> Change | None:
    filled = _filled(row, seen, state)
    if state is State.NEEDS_RECONNECT:
        if row.state is State.CONNECTED:
            return _with_event(filled, "needs_reconnect", now)
    elif row.state is State.DISCONNECTED:
        return _joined(filled, seen, "connected", now)
    elif row.state is State.NEEDS_RECONNECT or _is_newer(row, seen):
        return _joined(filled, seen, "reconnected", now)
    return Change(filled) if _details(filled) != _details(row) else None


def _abandoned(row: Stored, seen: AccountConnector | None, now: datetime) -> Change | None:
    """The change after an end that was not completed: its process died. It has ended, or still exists."""
    if state_of(seen) is State.DISCONNECTED:
        return disconnected(row, now, gone=seen is None, by=row.ending_by)
    return Change(replace(row, ending_until=None, ending_by=None))


def _is_reported(row: Stored, attempt: Attempt, seen: AccountConnector) -> bool:
    """Whether an earlier look has made the event of this sign-in."""
    if seen.authenticated_at is not None:
        # Also if the grant was lost since then: otherwise one loss would make two events.
        return row.state in EXISTING and row.authenticated_at == seen.authenticated_at
    if row.state is not State.CONNECTED:
        return False
    minted = attempt.minted_at or attempt.created_at
    return not attempt.authenticated_before and row.changed_at >= minted


def _is_newer(row: Stored, seen: AccountConnector) -> bool:
    at = seen.authenticated_at
    return at is not None and row.authenticated_at is not None and at > row.authenticated_at


def _filled(row: Stored, seen: AccountConnector, state: State) -> Stored:
    """The row with what the partner service reports; other values stay while the connection exists."""
    grant, newer = seen.grant, row.state not in EXISTING or _is_newer(row, seen)
    reported: dict[str, Any] = {
        "state": state,
        "reason": (grant.reason if grant else None) if state is State.NEEDS_RECONNECT else None,
        "removed_at": None,
        "external_account": _account(seen) or (None if newer else row.external_account),
        "scopes": grant.scopes if grant and grant.scopes is not None else seen.scopes,
        "wanted_scopes": grant.wanted_scopes if grant else None,
        "expires_at": grant.expires_at if grant else None,
        "extra": grant.extra if grant else None,
        "authenticated_at": seen.authenticated_at or row.authenticated_at,
    }
    if newer:
        nobody = {"connected_by": None, "connected_by_name": None}
        reported |= {"connected_at": seen.authenticated_at, **nobody}
        return replace(row, **reported, owner=_first(row, replace(row, **reported)))
    return replace(row, **reported)


def _first(before: Stored, after: Stored) -> str | None:
    """The user who connected it first; None if that no longer counts.

    A reconnect by a colleague does not change the owner. A connection that had ended, or that now has another
    third-party account, has none.
    """
    old, new = before.external_account, after.external_account
    is_another = old is not None and new is not None and old.casefold() != new.casefold()
    return before.owned_by if before.state in EXISTING and not is_another else None


def _doer(attempt: Attempt, before: Stored) -> dict[str, Any]:
    """The user who connected it: the attempt's, if attributed, else the one before."""
    known = attempt.attributed is True or attempt.status is not Status.CONNECTED
    by, name = before.connected_by, before.connected_by_name
    if known:
        by, name = attempt.user.id, attempt.user.name
    return {"connected_by": by, "connected_by_name": name}


def _account(seen: AccountConnector) -> str | None:
    connected = (sign_in for sign_in in seen.sign_ins or () if sign_in.result == "connected")
    latest = next(connected, None)
    return latest.external_account if latest else None


def _details(row: Stored) -> tuple[Any, ...]:
    extra = dict(row.extra) if row.extra else None
    scopes = row.scopes, row.wanted_scopes or None
    return row.state, row.reason, row.external_account, scopes, row.expires_at, extra, row.authenticated_at


def _whose(row: Stored) -> tuple[str | None, ...]:
    return row.connected_by, row.owner, row.external_account, row.connector_key


def _joined(row: Stored, seen: AccountConnector, event: str, now: datetime) -> Change:
    return _with_event(replace(row, connected_at=seen.authenticated_at or now), event, now)


def _with_event(row: Stored, event: str, now: datetime) -> Change:
    return Change(replace(row, sequence=row.sequence + 1, changed_at=now), f"connection.{event}")
