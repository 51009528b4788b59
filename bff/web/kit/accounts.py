"""Validates the ids and names that hosts send, and finds the account of a call."""

from __future__ import annotations

from typing import Annotated, Final

from flask import request
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from bff.common.errors import InvalidRequest
from bff.common.text import id_fault, text_fault
from bff.content.product import Product
from bff.identity.principal import AccountRef, Principal
from bff.serving.type_faults import advice_of


def _checked_id(value: str) -> str:
    if fault := id_fault(value):
        raise ValueError(fault)
    return value


def _checked_text(value: str) -> str:
    if fault := text_fault(value):
        raise ValueError(fault)
    return value


def _as_text(value: object) -> str:
    """Convert an integer to text, as many hosts have integer ids."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("write a text or a whole number")  # noqa: TRY004  # pydantic reports no TypeError
    return str(value)


Text = Annotated[
    str,
    Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_checked_text),
]
_Id = Annotated[Text, AfterValidator(_checked_id)]
Id = Annotated[_Id, BeforeValidator(_as_text, json_schema_input_type=_Id | int)]
Name = Annotated[Text, AfterValidator(str.strip)]
ConnectionId = Annotated[
    str | None, Field(min_length=1, max_length=20, description="The id of the connection to reconnect.")
]
ID: Final = TypeAdapter[str](_Id)


def account_of(product: Product, principal: Principal | None) -> AccountRef:
    """The account of this call. Raises ``InvalidRequest`` if it is missing, or not the principal's."""
    named = request.args.get("account")
    if principal is None:
        account = _checked(named or "")
        return AccountRef(account, account, product.key)
    if named is not None and named != principal.account.id:
        raise InvalidRequest("account: a page gets its own account only; leave it out")
    return principal.account


def _checked(account: str) -> str:
    try:
        return ID.validate_python(account)
    except ValidationError as error:
        fault = advice_of(error.errors()[0])
        raise InvalidRequest(f"account: name the account in the query, as ?account=ID: {fault}") from None
