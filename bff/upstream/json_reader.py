"""Reads the partner service's JSON: tolerant of what we do not use, strict about what we do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bff.common.errors import PartnerUnavailable
from bff.common.legible import visible_name
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.upstream.protocol import AccountConnector, Connector, SignInRecord, SignInToken

LAST_ID: Final = 2**31 - 1
"""No greater id is kept; Cyclr's are of 32 bits."""
MOST_NAME: Final = 200
MOST_ACCOUNT: Final = 255
MOST_SAID: Final = 700
"""Characters that the columns of a connector's and a third-party account's name have room for."""
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?")


def read_connector(document: Any) -> Connector:
    """A catalogue entry. Raises ``PartnerUnavailable`` naming the field that is wrong."""
    return Connector(_integer(document, "Id"), _text(document, "Name")[:MOST_NAME])


def read_account_connector(document: Any, *, listed: bool = False) -> AccountConnector:
    """An account connector; its ``AuthValue``, a secret, is left behind. Raises ``PartnerUnavailable``.

    One of a list (``listed``) may come without ``Authenticated``, as in a sample of Cyclr's documentation.
    """
    connector = _field(document, "Connector")
    return AccountConnector(
        id=_integer(document, "Id"),
        name=_text(document, "Name"),
        connector_id=_integer(connector, "Id"),
        connector_name=_text(connector, "Name"),
        authenticated=(document.get if listed else partial(_field, document))("Authenticated") is True,
        sign_ins=_sign_ins(document["Hitchpost"]) if "Hitchpost" in document else None,
        listed=listed and "Authenticated" not in document,
    )


def read_account(document: Any) -> AccountRef:
    """An account. Raises ``PartnerUnavailable``."""
    return AccountRef(_text(document, "Id"), _text(document, "Name"))


def read_sign_in_token(document: Any, connector: Connector | None = None) -> SignInToken:
    """A fresh sign-in token, and the account's copy of ``connector``. Raises ``PartnerUnavailable``."""
    value, told = _text(document, "Token"), document.get("Hitchpost")
    extra = told if isinstance(told, dict) else {}
    return SignInToken(
        Secret(value),
        read_moment(_text(document, "ExpiresAtUtc")),
        completes=extra.get("Completion") is True,
        account_connector=_signed_in_for(extra["AccountConnector"], connector)
        if connector and "AccountConnector" in extra
        else None,
    )


def read_finish_id(document: Any) -> Secret:
    """The id of the page that finishes a sign-in. Raises ``PartnerUnavailable``."""
    return Secret(_text(document, "FinishId"))


def read_list(document: Any) -> list[Any]:
    """A JSON array. Raises ``PartnerUnavailable``."""
    if not isinstance(document, list):
        raise PartnerUnavailable("the partner service answered something else than a list")
    return document


def read_moment(text: str) -> datetime:
    """A time with any number of fractional digits (.NET writes seven). Raises ``PartnerUnavailable``."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise PartnerUnavailable("the partner service answered a time that is none")
    try:
        moment = datetime.fromisoformat(f"{match[1]}.{(match[2] or '0')[:6]:0<6}{match[3] or '+00:00'}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PartnerUnavailable("the partner service answered a time that is none") from None


def message_of(document: Any) -> str:
    """The ``Message`` of an error answer, printable and short."""
    message = document.get("Message") if isinstance(document, dict) else None
    return "".join(filter(str.isprintable, message))[:200] if isinstance(message, str) else ""


def _signed_in_for(told: Any, connector: Connector) -> AccountConnector:
    # Told by those only who tell sign-ins, too; of those before this one nothing is needed.
    return AccountConnector(
        id=_integer(told, "Id"),
        name=connector.name,
        connector_id=connector.id,
        connector_name=connector.name,
        authenticated=_field(told, "Authenticated") is True,
        sign_ins=(),
    )


def _sign_ins(told: Any) -> tuple[SignInRecord, ...]:
    if not isinstance(told, dict):
        raise PartnerUnavailable("the partner service answered a Hitchpost field that is no object")
    records = told.get("RecentSignIns")
    if records is None:
        records = [told["LastSignIn"]] if told.get("LastSignIn") else []
    return tuple(_sign_in(record) for record in read_list(records))


def _sign_in(record: Any) -> SignInRecord:
    return SignInRecord(
        token_sha256=_text(record, "TokenSha256"),
        result=_text(record, "Result"),
        error=_optional(record.get("Error")),
        at=read_moment(_text(record, "AtUtc")),
        external_account=(_optional(record.get("ExternalAccount")) or "")[:MOST_ACCOUNT] or None,
        provider_said=_said(record.get("Provider")),
    )


def _said(told: Any) -> str | None:
    """What a third party answered, in one line: endpoint, status, error, and its own words of it."""
    if not isinstance(told, dict):
        return None
    parts = [str(told[name]) for name in ("Endpoint", "Status", "Error") if told.get(name)]
    words = told.get("Description")
    line = " ".join(parts) + (f": {words}" if words else "")
    return visible_name(line[:MOST_SAID])


def _field(document: Any, name: str) -> Any:
    if not isinstance(document, dict) or name not in document:
        raise PartnerUnavailable(f"the partner service left {name} out of its answer")
    return document[name]


def _integer(document: Any, name: str) -> int:
    value = _field(document, name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LAST_ID:
        raise PartnerUnavailable(f"the partner service answered a {name} that is no number of a thing")
    return value


def _optional(value: Any) -> str | None:
    # JSON may hold what no table does: NUL, and halves of surrogate pairs.
    return value if isinstance(value, str) and _UNKEPT.search(value) is None else None


def _text(document: Any, name: str) -> str:
    value = _optional(_field(document, name))
    if not value:
        raise PartnerUnavailable(f"the partner service answered a {name} that is no text")
    return value
