"""One attempt to connect: its fields, its statuses, and the signals about it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypedDict

from bff.common.secret import Secret, fingerprint
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef, User


class Status(StrEnum):
    """An attempt is created, then launched, until it ends. The last five are final and never change."""

    CREATED = "created"
    LAUNCHED = "launched"
    CONNECTED = "connected"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIVE: Final = frozenset({Status.CREATED, Status.LAUNCHED})
"""Statuses of an attempt that has not ended."""


GIVEN_UP: Final = frozenset({Status.CANCELLED, Status.EXPIRED})
"""Statuses of an attempt that the BFF no longer waits for. Its sign-in may still succeed."""


LAUNCHED_LIFE: Final = timedelta(minutes=15)
"""Time to finish a sign-in, from the launch, and again from a submitted form that leads on to a sign-in."""


class Delivery(StrEnum):
    """How the end of a sign-in is reported: by a window message to the page, or by a redirect to the BFF."""

    MESSAGE = "message"
    RETURN = "return"


class Hint(StrEnum):
    """The signal that made a page ask for the status. It is no proof that a sign-in succeeded.

    A hint affects when the BFF polls and which step it reports. Where the partner service does not record
    sign-ins, it may also end an attempt: the account connector has become authenticated, it is unknown by
    whom, and the hint shows that this user is done. ``outcome.decide`` has the rules.

    ``trouble``: a page in the popup showed an error. ``closed``: the popup seems closed. ``focus``: the user
    is back on the host page.
    """

    MESSAGE = "message"
    RETURNED = "returned"
    TROUBLE = "trouble"
    CLOSED = "closed"
    FOCUS = "focus"
    CANCEL = "cancel"


READ_HINTS: Final = tuple(hint for hint in Hint if hint is not Hint.CANCEL)
"""Hints that a read may send: all but ``cancel``, as only ``POST .../cancel`` cancels an attempt."""


@dataclass(frozen=True)
class Attempt:
    """One try to sign in, from its preparation to its end. Times are in UTC.

    ``message``: the product's own text. ``callback_message``: what the partner service posts to the page for
    it: the same text, or for a sealed message a JSON object with the text and a nonce.

    ``wanted_connection``: the id of the account connector to sign in to, and no other: the one to reconnect,
    or the one that was claimed for an attempt that adds a connection; None if the minter chooses it.
    ``adds_connection``: connect another third-party account beside those that are connected.
    ``authenticated_before``: the account connector was authenticated when the sign-in token was minted.

    ``return_error``: the error in the query with which the browser returned. ``confirmed_at``: when the user
    said on the return page that the sign-in was finished. ``seemed_over_at``: when a hint was last noted
    after which the user has probably stopped (``outcome.ENDING_HINTS``). ``attributed``: it is known that
    this user made the connection; None unless connected.

    ``polls``: how often the partner service was polled; ``polled_at``: when last. ``hinted_at``: when a hint
    was last noted: a page sent it, or the BFF saw its cause. ``browser_sha256``: of the secret in the cookie
    of the launching browser; set when a form is opened, or when completion will be asked for.
    ``idempotency_sha256``, ``request_sha256``: of the idempotency key, and of the request sent with it.

    ``external_account``: the third-party account that signed in. ``connected_account``: the third-party
    account that stays connected after an ``account_mismatch``. ``third_party_error``: its error, in one line
    for operators.
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
    polled_at: datetime | None = None
    polls: int = 0
    settled_at: datetime | None = None
    error_code: str | None = None
    external_account: str | None = None
    connected_account: str | None = None
    late_success_at: datetime | None = None
    third_party_error: str | None = None
    idempotency_sha256: str | None = None
    request_sha256: str | None = None
    wanted_connection: int | None = None
    adds_connection: bool = False

    def is_bound_to(self, browser_secret: Secret) -> bool:
        """Whether this is the secret of the launching browser's cookie."""
        expected = self.browser_sha256
        return expected is not None and hmac.compare_digest(fingerprint(browser_secret.reveal()), expected)


class AttemptChanges(TypedDict, total=False):
    """The columns that a transition may set: fields of ``Attempt``, and two that it has not.

    ``lease_end``: when the lease of the process that polls the attempt or tries its launch expires; None
    releases it. ``recheck_at``: when to check, without a request, whether an attempt that was given up has
    succeeded; None for never.
    """

    status: Status
    delivery: Delivery
    launch_token_sha256: str
    expires_at: datetime
    launched_at: datetime
    minted_at: datetime
    sign_in_token_sha256: str
    account_connector_id: int | None
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
    third_party_error: str | None
    late_success_at: datetime
    lease_end: datetime | None
    recheck_at: datetime | None
