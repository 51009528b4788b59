"""Decides the outcome of an attempt from what the partner service reports.

A browser's report proves no success. It can end an attempt as declined or failed. Where a connection cannot
be attributed, it can show that this user is done, which ends the attempt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from bff.connect.attempt import Attempt, AttemptChanges, Hint, Status

if TYPE_CHECKING:
    from bff.upstream.protocol import AccountConnector, SignInRecord

MISMATCH: Final = "account_mismatch"
"""The error of a sign-in to a third-party account that is not the connected one, or may not be.

The connected one stays connected.
"""
HELD: Final = frozenset({MISMATCH, "account_unknown"})
"""Errors of a sign-in whose grant the partner service holds until the user chooses between two accounts.

The third-party account that signed in is another than the connected one, or it is unknown whether it is.
"""
SIGN_IN_LIFE: Final = timedelta(hours=1)
"""How long after it was minted a sign-in may still succeed: longer than any known partner service allows."""
LEEWAY: Final = timedelta(seconds=30)
"""The most time between reading an account connector's ``authenticated`` flag and minting its token."""
DENIALS: Final = frozenset(
    {
        "access_denied",
        "authorization_declined",
        "cancel",
        "canceled",
        "cancelled",
        "consent_declined",
        "consent_denied",
        "denied",
        "login_cancelled",
        "permission_denied",
        "permissions_declined",
        "user_canceled",
        "user_cancelled",
        "user_cancelled_authorize",
        "user_cancelled_login",
        "user_declined",
        "user_denied",
        "user_rejected",
    }
)
"""Error codes for a denial by the user: the first is RFC 6749's, the others are some third parties' own.

The embedded service, which imports nothing from here, has the same.
"""
ENDING_HINTS: Final = frozenset({Hint.MESSAGE, Hint.RETURNED, Hint.TROUBLE, Hint.CLOSED, Hint.CANCEL})
"""Hints after which the user has most likely stopped signing in."""
_RESULTS: Final = {
    "connected": Status.CONNECTED,
    "declined": Status.DECLINED,
    "failed": Status.FAILED,
}
_BETWEEN_WORDS: Final = re.compile(r"[ -]+")
_ERROR: Final = re.compile(r"[a-z0-9_.-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class OtherSignIn:
    """Another sign-in to the account connector of an attempt. Times in UTC.

    It is another attempt's, or that of a URL minted for the host's server (``HostSignInUrl``).

    ``over_at``: from then on it could not succeed; None while that is unknown. ``refused``: the partner
    service reported an error. ``authenticated_before``: the account connector was authenticated when it was
    minted. ``given_up_token_sha256``: the SHA-256 of its sign-in token, if it is a cancelled or expired
    attempt of the same user and origin; its popup may still be open.
    """

    same_user: bool
    minted_at: datetime
    over_at: datetime | None = None
    refused: bool = False
    authenticated_before: bool = False
    given_up_token_sha256: str | None = None


def decide(
    attempt: Attempt,
    account_connector: AccountConnector | None,
    now: datetime,
    *,
    hint: Hint | None = None,
    others: Sequence[OtherSignIn] = (),
) -> AttemptChanges | None:
    """The changes that end a launched attempt; None to keep waiting. ``expire`` ends one whose time is over.

    Where the partner service records each sign-in token's result, this attempt's record counts. If the user
    finished the sign-in in the popup of another attempt of the same origin, which was given up, that
    attempt's success since the launch counts too. Cyclr keeps no such records. Without them:

    - An error in the query of the return ends the attempt.
    - If the account connector was not authenticated when the token was minted, and is now, the attempt is
      connected. The connection is attributed to this user unless another user may have made it (``others``).
      Unattributed, the attempt ends once this user's own sign-in seems over, or its time is over.
    - For one that was authenticated then, neither the flag nor the return proves anything, since a partner
      service may also send back a user who denied. The user is asked, and the connection is not attributed.
    """
    if account_connector is not None and account_connector.sign_ins is not None:
        records = account_connector.sign_ins
        own = _decide_by_own_record(attempt, records)
        return own or _decide_by_given_up_attempts(attempt, records, others)
    if attempt.return_error is not None:
        status = Status.DECLINED if attempt.return_error in DENIALS else Status.FAILED
        return {"status": status, "error_code": status.value}
    if account_connector is None or not account_connector.authenticated:
        return None
    became_authenticated = not attempt.authenticated_before
    if became_authenticated and not another_user_may_have_connected(attempt, others):
        return _connected(attributed=True)
    seemed_over_at = attempt.returned_at or attempt.seemed_over_at
    over = hint in ENDING_HINTS or seemed_over_at is not None or now >= attempt.expires_at
    if attempt.confirmed_at is not None or (became_authenticated and over):
        return _connected(attributed=False)
    return None


def needs_others(attempt: Attempt, account_connector: AccountConnector | None) -> bool:
    """Whether it matters who else signs in to the same account connector."""
    if account_connector is None:
        return False
    if account_connector.sign_ins is not None:
        return bool(_connected_meanwhile(attempt, account_connector.sign_ins))
    return account_connector.authenticated and not attempt.authenticated_before


def may_succeed_until(attempt: Attempt) -> datetime | None:
    """When the sign-in of an attempt can no longer succeed; None if it was never launched."""
    if attempt.launched_at is None:
        return None
    return (attempt.minted_at or attempt.launched_at) + SIGN_IN_LIFE


def others_since(attempt: Attempt) -> datetime:
    """The earliest minting time of a sign-in that can still interfere with this attempt (UTC)."""
    return (attempt.minted_at or attempt.created_at) - LEEWAY - SIGN_IN_LIFE


def another_user_may_have_connected(attempt: Attempt, others: Sequence[OtherSignIn]) -> bool:
    """Whether another user may have authenticated the account connector since this token was minted."""
    return any(not other.same_user and _may_have_connected(attempt, other) for other in others)


def succeeded_late(
    attempt: Attempt, account_connector: AccountConnector | None, others: Sequence[OtherSignIn]
) -> AttemptChanges | None:
    """The changes for a given-up attempt whose sign-in has succeeded and whose connection still stands.

    None for any other; the changes may be empty. Without records the flag counts only if no other sign-in
    may have set it, not even a later one of the same user.
    """
    if account_connector is None:
        return None
    if account_connector.sign_ins is not None:
        record, grant = _record_of(attempt, account_connector.sign_ins), account_connector.grant
        # The connection may have been ended since the sign-in.
        if record is None or record.result != "connected" or (grant is not None and grant.state == "none"):
            return None
        return {"external_account": record.external_account}
    became_authenticated = (
        account_connector.authenticated and not attempt.authenticated_before and attempt.return_error is None
    )
    return (
        {}
        if became_authenticated and not any(_may_have_connected(attempt, other) for other in others)
        else None
    )


def error_of_query(text: str) -> str | None:
    """The error in the query of a return; ``unknown`` if it is malformed, None if it is empty.

    In lower case, with an underscore for blanks and hyphens, in which third parties differ.
    """
    text = _BETWEEN_WORDS.sub("_", text.strip()).lower()
    if not text:
        return None
    return text if _ERROR.fullmatch(text) else "unknown"


def redeemed_at(attempt: Attempt, account_connector: AccountConnector | None) -> datetime | None:
    """When the browser arrived at the partner service with this attempt's token, if its sign-in still runs.

    None if it has not arrived, if the sign-in has ended, and where sign-ins are not recorded.
    """
    records = (account_connector.sign_ins if account_connector else None) or ()
    record = _record_of(attempt, records)
    return record.at if record and record.result == "started" else None


def as_of(attempt: Attempt, now: datetime) -> Attempt:
    """The attempt as it stands at ``now``: one that was not launched in time has expired.

    That is not stored, and makes no event: most of the attempts that a page prepares are never launched.
    """
    if attempt.status is not Status.CREATED or now < attempt.expires_at:
        return attempt
    return replace(attempt, status=Status.EXPIRED, error_code="expired", settled_at=attempt.expires_at)


def expire(attempt: Attempt, now: datetime) -> AttemptChanges | None:
    """The changes that expire an attempt; None while it has time left."""
    if now < attempt.expires_at:
        return None
    return {"status": Status.EXPIRED, "error_code": "expired"}


def _may_have_connected(attempt: Attempt, other: OtherSignIn) -> bool:
    """Whether ``other`` may have authenticated the account connector since the token was minted."""
    minted = attempt.minted_at or attempt.created_at
    ended = other.over_at or other.minted_at + SIGN_IN_LIFE
    too_early = ended < minted - LEEWAY
    # The other token was minted well after this one, and the account connector was authenticated by then:
    # a sign-in other than ``other`` had done that.
    too_late = other.authenticated_before and other.minted_at > minted + LEEWAY
    return not (other.refused or too_early or too_late)


def _connected(*, attributed: bool) -> AttemptChanges:
    return {"status": Status.CONNECTED, "attributed": attributed}


def _decide_by_own_record(attempt: Attempt, records: tuple[SignInRecord, ...]) -> AttemptChanges | None:
    record = _record_of(attempt, records)
    status = _RESULTS.get(record.result) if record else None
    if record is None or status is None:
        return None
    changes: AttemptChanges = {"status": status, "external_account": record.external_account}
    if status is Status.CONNECTED:
        changes["attributed"] = True
    else:
        changes["error_code"] = MISMATCH if record.error in HELD else status.value
        if record.third_party_error is not None:
            changes["third_party_error"] = record.third_party_error
    if changes.get("error_code") == MISMATCH:
        connected = (record.external_account for record in records if record.result == "connected")
        changes["connected_account"] = next(connected, None)
    return changes


def _decide_by_given_up_attempts(
    attempt: Attempt, records: tuple[SignInRecord, ...], others: Sequence[OtherSignIn]
) -> AttemptChanges | None:
    given_up = {other.given_up_token_sha256 for other in others}
    for record in _connected_meanwhile(attempt, records):
        if record.token_sha256 in given_up:
            return {**_connected(attributed=True), "external_account": record.external_account}
    return None


def _connected_meanwhile(attempt: Attempt, records: tuple[SignInRecord, ...]) -> list[SignInRecord]:
    """The records of other sign-ins that have connected since the launch of this attempt."""
    since = attempt.launched_at or attempt.created_at
    found = (record for record in records if record.result == "connected" and record.at >= since)
    # house-allow: secret-compare: as in _record_of
    return [record for record in found if record.token_sha256 != attempt.sign_in_token_sha256]


def _record_of(attempt: Attempt, records: tuple[SignInRecord, ...]) -> SignInRecord | None:
    token_sha256 = attempt.sign_in_token_sha256
    # house-allow: secret-compare: both hashes come from our own stores, neither from a browser
    return next((record for record in records if record.token_sha256 == token_sha256), None)
