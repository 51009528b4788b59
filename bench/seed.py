"""Pages that wait, and users who will click: what they bring, written straight into the BFF's database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from bench.load import http_request
from bench.product import HOST, SIGNING_KEY, USERS_OF_AN_ACCOUNT, Product, copy_of
from bench.products_file import PRODUCT
from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import LAUNCHED_LIFE, Status
from bff.identity.principal import AccountRef, Principal, User
from bff.identity.session_store import DatabaseSessionEnds
from bff.serving.database import writing
from bff.storage.tables import account_owners, attempts
from bff.upstream.accounts import fold
from bff.web.kit.session_tokens import SessionTokens

BROWSER: Final = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
    " Safari/537.36",
    "Accept": "*/*",
    "Accept-Language": "en,en-GB",
    "Origin": HOST,
    "Referer": f"{HOST}/",
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "cross-site",
    "X-Hitchpost": "1",
    "Content-Type": "application/json",
}
"""What the widget and its browser send with each call, beside the session token."""


@dataclass(frozen=True)
class Wait:
    """When a page was launched (seconds since 1970), and how often it has asked since, the last time when."""

    launched_at: float
    asked: int = 0
    asked_at: float | None = None


def reads(product: Product, waits: Sequence[Wait]) -> list[bytes]:
    """The request with which each page asks how its attempt stands. Each is of a user of its own."""
    first, rows, found = product.begun_row(), [], []
    sessions = Sessions(product)
    for number, wait in enumerate(waits):
        row = _launched(first, number, wait)
        rows.append(row)
        headers = sessions.headers(row["account_id"], row["user_id"])
        found.append(http_request("GET", f"{product.server.url}/v1/attempts/{row['id']}", headers))
    # A launch makes the account its product's.
    owners = [
        {"name_sha256": fingerprint(fold(account)), "product": PRODUCT, "account_id": account}
        for account in dict.fromkeys(row["account_id"] for row in rows)
    ]
    with writing(product.engine).begin() as connection:
        connection.execute(insert(attempts), rows)
        connection.execute(insert(account_owners).prefix_with("OR IGNORE", dialect="sqlite"), owners)
    return found


class Sessions:
    """Session tokens for any number of users, without a call for each."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._tokens = SessionTokens([Secret(SIGNING_KEY)], _now, DatabaseSessionEnds(product.engine))

    def headers(self, account: str, user: str) -> dict[str, str]:
        """What a page of this user sends."""
        principal = Principal(PRODUCT, AccountRef(account, account), User(user, "Ada Example"))
        token, _ = self._tokens.issue(principal, timedelta(hours=1))
        return self._product.headers | BROWSER | {"Authorization": f"Bearer {token.reveal()}"}


def users(count: int) -> list[tuple[str, str]]:
    """So many users, each with the account."""
    return [(f"account-{number // USERS_OF_AN_ACCOUNT}", f"user-{number}") for number in range(count)]


def _launched(first: dict[str, Any], number: int, wait: Wait) -> dict[str, Any]:
    launched = datetime.fromtimestamp(wait.launched_at, UTC)
    asked = None if wait.asked_at is None else datetime.fromtimestamp(wait.asked_at, UTC)
    return copy_of(first, secrets.token_urlsafe(32), number, launched - timedelta(seconds=3)) | {
        "status": Status.LAUNCHED.value,
        "expires_at": launched + LAUNCHED_LIFE,
        "launched_at": launched,
        "minted_at": launched,
        "sign_in_token_sha256": fingerprint(secrets.token_urlsafe(32)),
        "account_connector_id": 1001,
        "authenticated_before": False,
        "checked_at": asked,
        "checks": wait.asked,
    }


def _now() -> datetime:
    return datetime.now(UTC)
