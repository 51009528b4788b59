"""Reads the partner service's JSON: tolerant of fields that are not used, strict about those that are."""

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
"""The greatest id that is accepted: Cyclr's are 32-bit integers."""
MOST_DIGITS: Final = 10
MOST_NAME: Final = 200
MOST_ACCOUNT: Final = 255
MOST_SAID: Final = 700
"""Most characters of a connector's name, a third-party account's name and a third party's error."""

Item = TypeVar("Item")

log = structlog.get_logger("hitchpost.partner")


def read_connector(document: Any) -> Connector:
    """A catalogue entry. Raises ``PartnerUnavailable`` naming the field that is wrong."""
    return Connector(_integer(document, "Id"), _text(document, "Name")[:MOST_NAME])


def read_account_connector(document: Any, *, listed: bool = False) -> AccountConnector:
    """An account connector without its ``AuthValue``, a secret. Raises ``PartnerUnavailable``.

    In a list (``listed``), ``Authenticated`` may be missing, as in a sample of Cyclr's documentation. Without
    a name, it gets that of its connector.
    """
    connector = _field(document, "Connector")
    connector_name = _name(connector)
    flag = document.get("Authenticated") if listed else _field(document, "Authenticated")
    extension = document.get("Hitchpost")
    extra = extension if isinstance(extension, dict) else {}
    return AccountConnector(
        id=_integer(document, "Id"),
        name=_name(document) or connector_name,
        connector_id=_integer(connector, "Id"),
        connector_name=connector_name,
        authenticated=flag is True,
        sign_ins=_sign_ins(document["Hitchpost"]) if "Hitchpost" in document else None,
        listed=listed and flag is None,
        authenticated_at=moment(extra.get("AuthenticatedAtUtc")),
        scopes=scopes(extra.get("Scopes")),
        grant=read_grant(extra.get("Grant")),
    )


def read_account(document: Any) -> AccountRef:
    """An account. Raises ``PartnerUnavailable``."""
    return AccountRef(_text(document, "Id"), _text(document, "Name"))


def read_sign_in_token(document: Any, connector: Connector | None = None) -> SignInToken:
    """A fresh sign-in token, and the account's copy of ``connector``. Raises ``PartnerUnavailable``."""
    value, extension = _text(document, "Token"), document.get("Hitchpost")
    extra = extension if isinstance(extension, dict) else {}
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
    properties = {as_kept(one.get("Name")): as_kept(one.get("Value")) for one in found}
    return {name: value for name, value in properties.items() if name and value}


def read_not_taken(document: Any, *, unreachable: bool = False) -> RejectedValues:
    """Why a user's values were rejected: for each field that the answer names, else for the form.

    ``unreachable``: the third party did not answer. The fields are then those of its host.
    """
    extension = document.get("Hitchpost") if isinstance(document, dict) else None
    fields = extension.get("Fields") if isinstance(extension, dict) else None
    form_fault = Fault.UNREACHABLE if unreachable else None
    if not isinstance(fields, dict) or not fields:
        return RejectedValues(form_fault=form_fault or Fault.REFUSED)
    known = set(Fault)
    return RejectedValues(
        {name: Fault(why) if why in known else Fault.REFUSED for name, why in fields.items()}, form_fault
    )


def read_list(document: Any) -> list[Any]:
    """A JSON array. Raises ``PartnerUnavailable``."""
    if not isinstance(document, list):
        raise PartnerUnavailable("the partner service answered something else than a list")
    return document


def readable(items: Iterable[Any], read: Callable[[Any], Item]) -> list[Item]:
    """The items of a list, without those that ``read`` refuses, so that one malformed item hides no others.

    Raises ``PartnerUnavailable`` if it refuses all: then the list itself is malformed.
    """
    found, fault = [], None
    for item in items:
        try:
            found.append(read(item))
        except PartnerUnavailable as error:
            fault = error
    if fault and not found:
        raise fault
    if fault:
        log.info("item left out", error_text=fault.detail)
    return found


def message_of(document: Any) -> str:
    """The ``Message`` of an error answer, printable and short."""
    message = document.get("Message") if isinstance(document, dict) else None
    return "".join(filter(str.isprintable, message))[:200] if isinstance(message, str) else ""


def _signed_in_for(document: Any, connector: Connector) -> AccountConnector:
    # Only a partner service that records sign-ins sends this. Earlier records are not needed.
    return AccountConnector(
        id=_integer(document, "Id"),
        name=connector.name,
        connector_id=connector.id,
        connector_name=connector.name,
        authenticated=_field(document, "Authenticated") is True,
        sign_ins=(),
    )


def _install_count(document: Any) -> int:
    count = document.get("Installed") if isinstance(document, dict) else None
    return count if type(count) is int else 1


def _sign_ins(document: Any) -> tuple[SignInRecord, ...]:
    if not isinstance(document, dict):
        raise PartnerUnavailable("the partner service answered a Hitchpost field that is no object")
    records = document.get("RecentSignIns")
    if records is None:
        records = [document["LastSignIn"]] if document.get("LastSignIn") else []
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


def _said(document: Any) -> str | None:
    """A third party's error in one line: endpoint, status, error code and description."""
    if not isinstance(document, dict):
        return None
    parts = [str(document[name]) for name in ("Endpoint", "Status", "Error") if document.get(name)]
    words = document.get("Description")
    line = " ".join(parts) + (f": {words}" if words else "")
    return visible_name(line[:MOST_SAID])


def _field(document: Any, name: str) -> Any:
    if not isinstance(document, dict) or name not in document:
        raise PartnerUnavailable(f"the partner service left {name} out of its answer")
    return document[name]


def _name(document: Any) -> str:
    """The name; empty if there is none, as the id suffices."""
    return as_kept(document.get("Name")) or "" if isinstance(document, dict) else ""


def _integer(document: Any, name: str) -> int:
    value = _field(document, name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LAST_ID:
        raise PartnerUnavailable(f"the partner service answered a {name} that is no id")
    return value


def _text(document: Any, name: str) -> str:
    value = as_kept(_field(document, name))
    if not value:
        raise PartnerUnavailable(f"the partner service answered a {name} that is no text")
    return value
