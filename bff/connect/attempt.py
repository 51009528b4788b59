"""One attempt to connect, from its preparation to its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypedDict

from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef, User


class Status(StrEnum):
    """Where an attempt stands. The last five are final, and a final status never changes."""

    CREATED = "created"
    LAUNCHED = "launched"
    CONNECTED = "connected"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIVE: Final = frozenset({Status.CREATED, Status.LAUNCHED})


GIVEN_UP: Final = frozenset({Status.CANCELLED, Status.EXPIRED})
"""Ended here: the partner service may not know, and let the sign-in succeed."""


LAUNCHED_LIFE: Final = timedelta(minutes=15)
"""So long a user has to finish, from the launch; and again from the form on, where a sign-in follows one."""


class Delivery(StrEnum):
    """How the partner service tells that it is done: by a window message, or by returning to the BFF."""

    MESSAGE = "message"
    RETURN = "return"


class Hint(StrEnum):
    """The signal that made a page look. It decides nothing: it only says that there may be news."""

    MESSAGE = "message"
    RETURNED = "returned"
    TROUBLE = "trouble"
    CLOSED = "closed"
    FOCUS = "focus"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Attempt:
    """One click on Connect, from its preparation to its end. Times are in UTC.

    ``return_error`` is the error with which the browser came back, ``confirmed_at`` when the user said there
    that the sign-in was finished. ``attributed``: the connection is known to be this user's own doing.
    ``seemed_over_at``: a page was woken by what comes at the end of a sign-in. ``wanted_connection``: the
    account connector that it is for, and no other: to reconnect it, or what was added for this attempt.
    ``adds_connection``: where one is connected already, it is for a further one. ``external_account`` is the
    third-party account that signed in, ``connected_account`` the one that is connected where that is
    another. ``provider_said`` is what the third party answered where it failed, in one line for operators.
    """

    id: str
    support_code: str
    status: Status
    product: str
    account: AccountRef
    user: User
    connector: OfferedConnector
    message: str
    callback_message: str
    delivery: Delivery
    locale: str
    origin: str
    return_url: str | None
    launch_token_sha256: str
    created_at: datetime
    expires_at: datetime
    launched_at: datetime | None = None
    minted_at: datetime | None = None
    sign_in_token_sha256: str | None = None
    account_connector_id: int | None = None
    authenticated_before: bool | None = None
    return_secret_sha256: str | None = None
    browser_sha256: str | None = None
    returned_at: datetime | None = None
    return_error: str | None = None
    confirmed_at: datetime | None = None
    attributed: bool | None = None
    seemed_over_at: datetime | None = None
    hinted_at: datetime | None = None
    checked_at: datetime | None = None
    checks: int = 0
    settled_at: datetime | None = None
    error_code: str | None = None
    external_account: str | None = None
    connected_account: str | None = None
    late_success_at: datetime | None = None
    provider_said: str | None = None
    idempotency_sha256: str | None = None
    request_sha256: str | None = None
    wanted_connection: int | None = None
    adds_connection: bool = False


class AttemptChanges(TypedDict, total=False):
    """The fields of an attempt that a transition may set."""

    status: Status
    delivery: Delivery
    launch_token_sha256: str
    expires_at: datetime
    launched_at: datetime
    minted_at: datetime
    sign_in_token_sha256: str
    account_connector_id: int
    wanted_connection: int
    authenticated_before: bool
    return_secret_sha256: str
    browser_sha256: str
    returned_at: datetime
    return_error: str | None
    confirmed_at: datetime
    attributed: bool
    settled_at: datetime
    error_code: str
    external_account: str | None
    connected_account: str | None
    provider_said: str | None
    late_success_at: datetime
    checking_until: datetime | None
