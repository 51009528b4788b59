"""Where the outcome of an attempt is decided: by the partner service's word, never by a browser's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from bff.core.model import Attempt, AttemptChanges, Status

if TYPE_CHECKING:
    from bff.core.ports import AccountConnector, SignInRecord

MISMATCH: Final = "account_mismatch"
"""The error of a sign-in to another third-party account than the connected one, which still stands."""
_RESULTS: Final = {
    "connected": Status.CONNECTED,
    "declined": Status.DECLINED,
    "failed": Status.FAILED,
}


def decide(attempt: Attempt, seen: AccountConnector | None, now: datetime) -> AttemptChanges | None:
    """What follows for a launched attempt from what the partner service says; None means: keep waiting.

    Where the partner service tells what became of each sign-in token, only the token of this attempt
    counts. Where it does not (Cyclr), a connector that was not authenticated at the launch and is now has
    been connected; one that was authenticated before proves nothing until the flow has also come back to
    this attempt's own return page.
    """
    if seen is None:
        return None
    if seen.sign_ins is not None:
        return _decide_by_record(attempt, seen.sign_ins, now)
    newly = seen.authenticated and not attempt.authenticated_before
    returned = seen.authenticated and attempt.returned_at is not None
    if newly or returned:
        return {"status": Status.CONNECTED, "settled_at": now}
    return None


def begun_at(attempt: Attempt, seen: AccountConnector | None) -> datetime | None:
    """When the browser arrived at the partner service with this attempt's token, where that is told."""
    records = (seen.sign_ins if seen else None) or ()
    ours = _ours(attempt, records)
    return ours.at if ours and ours.result == "started" else None


def expire(attempt: Attempt, now: datetime) -> AttemptChanges | None:
    """The end of an attempt whose time is over; None while it has some left."""
    if now < attempt.expires_at:
        return None
    return {"status": Status.EXPIRED, "settled_at": now, "error_code": "expired"}


def _decide_by_record(
    attempt: Attempt, records: tuple[SignInRecord, ...], now: datetime
) -> AttemptChanges | None:
    ours = _ours(attempt, records)
    status = _RESULTS.get(ours.result) if ours else None
    if ours is None or status is None:
        return None
    changes: AttemptChanges = {"status": status, "settled_at": now, "external_account": ours.external_account}
    if status is not Status.CONNECTED:
        changes["error_code"] = MISMATCH if ours.error == MISMATCH else status.value
    return changes


def _ours(attempt: Attempt, records: tuple[SignInRecord, ...]) -> SignInRecord | None:
    ours = attempt.sign_in_token_sha256
    # house-allow: secret-compare: no browser has a word in either, and a hash opens nothing
    return next((record for record in records if record.token_sha256 == ours), None)
