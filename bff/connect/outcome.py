"""Where the outcome of an attempt is decided: by the partner service's word, never by a browser's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from bff.connect.attempt import Attempt, AttemptChanges, Hint, Status

if TYPE_CHECKING:
    from bff.upstream.protocol import AccountConnector, SignInRecord

MISMATCH: Final = "account_mismatch"
DOUBTFUL: Final = frozenset({MISMATCH, "account_unknown"})
"""Errors of sign-ins whose grant is held until the user chooses: another account's, or perhaps another's."""
"""The error of a sign-in to another third-party account than the connected one, which still stands."""
LATE: Final = timedelta(hours=1)
"""So long after it was minted a sign-in may still succeed: none at the partner service lasts longer."""
LEEWAY: Final = timedelta(seconds=30)
"""The flag of a launch was read at most so long before its token was minted."""
DENIALS: Final = frozenset(
    {
        "access_denied",
        "consent_denied",
        "permission_denied",
        "user_cancelled",
        "user_cancelled_authorize",
        "user_cancelled_login",
        "user_denied",
    }
)
"""What third parties call a user's No. RFC 6749 has the first; others say the rest."""
OVER: Final = frozenset({Hint.MESSAGE, Hint.RETURNED, Hint.TROUBLE, Hint.CLOSED, Hint.CANCEL})
"""After these the user most likely signs in no more."""
_RESULTS: Final = {
    "connected": Status.CONNECTED,
    "declined": Status.DECLINED,
    "failed": Status.FAILED,
}
_ERROR: Final = re.compile(r"[a-z0-9_.-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class OtherSignIn:
    """Another sign-in to the account connector of an attempt: an attempt's, or a minted URL's. Times in UTC.

    ``over_at``: it could not succeed any more; None while that is unknown. ``refused``: the partner service
    said that it did not succeed. ``authenticated_before``: the connector was when it began.
    """

    same_user: bool
    minted_at: datetime
    over_at: datetime | None = None
    refused: bool = False
    authenticated_before: bool = False


def decide(
    attempt: Attempt,
    seen: AccountConnector | None,
    now: datetime,
    *,
    hint: Hint | None = None,
    others: Sequence[OtherSignIn] = (),
) -> AttemptChanges | None:
    """What follows for a launched attempt from what the partner service says; None means: keep waiting.

    Where the partner service tells what became of each sign-in token, only the token of this attempt
    counts. Where it does not (Cyclr), this is what counts:

    - An error with which the browser came back is an end of its own.
    - A connector that was not authenticated at the launch and is now was connected by somebody. It was this
      user, unless another user may have done it (``others``): then nobody is named, and the page is told as
      soon as this user's own flow seems over.
    - One that was authenticated before shows nothing by its flag, and coming back shows nothing either: a
      partner service may send back who denied. The user is asked, and named in no case.
    """
    if seen is not None and seen.sign_ins is not None:
        return _decide_by_record(attempt, seen.sign_ins, now)
    if attempt.return_error is not None:
        status = Status.DECLINED if attempt.return_error in DENIALS else Status.FAILED
        return {"status": status, "settled_at": now, "error_code": status.value}
    if seen is None or not seen.authenticated:
        return None
    newly = not attempt.authenticated_before
    if newly and not somebody_else(attempt, others):
        return _connected(now, attributed=True)
    back = attempt.returned_at or attempt.seemed_over_at
    over = hint in OVER or back is not None or now >= attempt.expires_at
    if attempt.confirmed_at is not None or (newly and over):
        return _connected(now, attributed=False)
    return None


def needs_others(attempt: Attempt, seen: AccountConnector | None) -> bool:
    """Whether it matters who else signs in to the same account connector."""
    return bool(seen and seen.sign_ins is None and seen.authenticated and not attempt.authenticated_before)


def others_since(attempt: Attempt) -> datetime:
    """Sign-ins that were minted before then are over, for this attempt."""
    return (attempt.minted_at or attempt.created_at) - LEEWAY - LATE


def somebody_else(attempt: Attempt, others: Sequence[OtherSignIn]) -> bool:
    """Whether another user may have authenticated the connector since the launch of this attempt."""
    return any(not other.same_user and _may_have_done_it(attempt, other) for other in others)


def succeeded_late(
    attempt: Attempt, seen: AccountConnector | None, others: Sequence[OtherSignIn]
) -> AttemptChanges | None:
    """What to note of an attempt that was given up, once its sign-in has succeeded after all.

    The flag alone counts only where no other sign-in may have set it, this user's own later ones included.
    """
    if seen is None:
        return None
    if seen.sign_ins is not None:
        ours = _ours(attempt, seen.sign_ins)
        return {"external_account": ours.external_account} if ours and ours.result == "connected" else None
    newly = seen.authenticated and not attempt.authenticated_before and attempt.return_error is None
    return {} if newly and not any(_may_have_done_it(attempt, other) for other in others) else None


def named_error(text: str) -> str | None:
    """The error in the query of a return, as it may be kept: it is any text from outside. None for none."""
    text = text.strip().lower()
    if not text:
        return None
    return text if _ERROR.fullmatch(text) else "unknown"


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


def _may_have_done_it(attempt: Attempt, other: OtherSignIn) -> bool:
    """Whether ``other`` may have authenticated the connector since the launch of ``attempt``."""
    minted = attempt.minted_at or attempt.created_at
    ended = other.over_at or other.minted_at + LATE
    too_early = ended < minted - LEEWAY
    # It found the connector authenticated, and began well after this one: that was somebody's work before it.
    too_late = other.authenticated_before and other.minted_at > minted + LEEWAY
    return not (other.refused or too_early or too_late)


def _connected(now: datetime, *, attributed: bool) -> AttemptChanges:
    return {"status": Status.CONNECTED, "settled_at": now, "attributed": attributed}


def _decide_by_record(
    attempt: Attempt, records: tuple[SignInRecord, ...], now: datetime
) -> AttemptChanges | None:
    ours = _ours(attempt, records)
    status = _RESULTS.get(ours.result) if ours else None
    if ours is None or status is None:
        return None
    changes: AttemptChanges = {"status": status, "settled_at": now, "external_account": ours.external_account}
    if status is Status.CONNECTED:
        changes["attributed"] = True
    else:
        changes["error_code"] = MISMATCH if ours.error in DOUBTFUL else status.value
        if ours.provider_said is not None:
            changes["provider_said"] = ours.provider_said
    return changes


def _ours(attempt: Attempt, records: tuple[SignInRecord, ...]) -> SignInRecord | None:
    ours = attempt.sign_in_token_sha256
    # house-allow: secret-compare: no browser has a word in either, and a hash opens nothing
    return next((record for record in records if record.token_sha256 == ours), None)
