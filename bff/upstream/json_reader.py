"""Reads the partner service's JSON: tolerant of what we do not use, strict about what we do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import structlog

from bff.common.errors import PartnerUnavailable
from bff.common.legible import visible_name
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.upstream.grant_reader import moment, read_grant, scopes
from bff.upstream.json_values import as_kept, read_moment
from bff.upstream.protocol import AccountConnector, Connector, SignInRecord, SignInToken
from bff.upstream.sign_in_forms import Fault, RejectedValues

LAST_ID: Final = 2**31 - 1
"""No greater id is kept; Cyclr's are of 32 bits."""
MOST_DIGITS: Final = 10
MOST_NAME: Final = 200
MOST_ACCOUNT: Final = 255
MOST_SAID: Final = 700
"""Characters that the columns of a connector's and a third-party account's name have room for."""

Item = TypeVar("Item")

log = structlog.get_logger("hitchpost.partner")


def read_connector(document: Any) -> Connector:
    """A catalogue entry. Raises ``PartnerUnavailable`` naming the field that is wrong."""
    return Connector(_integer(document, "Id"), _text(document, "Name")[:MOST_NAME])


def read_account_connector(document: Any, *, listed: bool = False) -> AccountConnector:
    """An account connector; its ``AuthValue``, a secret, is left behind. Raises ``PartnerUnavailable``.

    One of a list (``listed``) may come without ``Authenticated``, as in a sample of Cyclr's documentation.
    One that has no name of its own goes by its connector's.
    """
    connector = _field(document, "Connector")
    connector_name = _name(connector)
    told_flag = document.get("Authenticated") if listed else _field(document, "Authenticated")
    told = document.get("Hitchpost")
    extra = told if isinstance(told, dict) else {}
    return AccountConnector(
        id=_integer(document, "Id"),
        name=_name(document) or connector_name,
        connector_id=_integer(connector, "Id"),
        connector_name=connector_name,
        authenticated=told_flag is True,
        sign_ins=_sign_ins(document["Hitchpost"]) if "Hitchpost" in document else None,
        listed=listed and told_flag is None,
        authenticated_at=moment(extra.get("AuthenticatedAtUtc")),
        scopes=scopes(extra.get("Scopes")),
        grant=read_grant(extra.get("Grant")),
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
        install_count=_install_count(extra.get("AccountConnector")),
    )


def read_finish_id(document: Any) -> Secret:
    """The id of the page that finishes a sign-in. Raises ``PartnerUnavailable``."""
    return Secret(_text(document, "FinishId"))


def read_properties(document: Any) -> dict[str, str]:
    """The properties of an account connector that have a value, by name. Raises ``PartnerUnavailable``."""
    found = [one for one in read_list(document) if isinstance(one, dict)]
    told = {as_kept(one.get("Name")): as_kept(one.get("Value")) for one in found}
    return {name: value for name, value in told.items() if name and value}


def read_not_taken(document: Any, *, unreachable: bool = False) -> RejectedValues:
    """Why a user's values were not taken: of which fields it is told, else of all of them."""
    if unreachable:
        return RejectedValues(form_fault=Fault.UNREACHABLE)
    told = document.get("Hitchpost") if isinstance(document, dict) else None
    fields = told.get("Fields") if isinstance(told, dict) else None
    if not isinstance(fields, dict) or not fields:
        return RejectedValues(form_fault=Fault.REFUSED)
    known = set(Fault)
    return RejectedValues(
        {name: Fault(why) if why in known else Fault.REFUSED for name, why in fields.items()}
    )


def read_list(document: Any) -> list[Any]:
    """A JSON array. Raises ``PartnerUnavailable``."""
    if not isinstance(document, list):
        raise PartnerUnavailable("the partner service answered something else than a list")
    return document


def readable(items: Iterable[Any], read: Callable[[Any], Item]) -> list[Item]:
    """Each item of a list, without those that ``read`` refuses: one that is strange spoils no others.

    Raises ``PartnerUnavailable`` where it refuses all: then it is the list that has another shape.
    """
    found, fault = [], None
    for item in items:
        try:
            found.append(read(item))
        except PartnerUnavailable as told:
            fault = told
    if fault and not found:
        raise fault
    if fault:
        log.info("item left out", error_text=fault.detail)
    return found


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


def _install_count(told: Any) -> int:
    count = told.get("Installed") if isinstance(told, dict) else None
    return count if type(count) is int else 1


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
        error=as_kept(record.get("Error")),
        at=read_moment(_text(record, "AtUtc")),
        external_account=(as_kept(record.get("ExternalAccount")) or "")[:MOST_ACCOUNT] or None,
        third_party_error=_said(record.get("Provider")),
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


def _name(document: Any) -> str:
    """The name, or an empty text where there is none: its id says what a thing is."""
    return as_kept(document.get("Name")) or "" if isinstance(document, dict) else ""


def _integer(document: Any, name: str) -> int:
    value = _field(document, name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LAST_ID:
        raise PartnerUnavailable(f"the partner service answered a {name} that is no number of a thing")
    return value


def _text(document: Any, name: str) -> str:
    value = as_kept(_field(document, name))
    if not value:
        raise PartnerUnavailable(f"the partner service answered a {name} that is no text")
    return value
