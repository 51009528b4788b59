"""Reads and validates JSON request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from bff.common.errors import InvalidRequest
from bff.common.strict_json import FaultyJson, loads
from bff.serving.type_faults import advice_of, place_of

LANGUAGE_TAG: Final = r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"
"""The syntax of language tags (RFC 5646), simplified: only the lengths and characters of subtags."""

HAVE_IDS: Final = frozenset({"HostUser", "HostAccount", "Who"})
AN_ID: Final = 'an object, such as {"id": "42"}'
"""What to write for a user or an account. Most hosts write the bare id first."""

NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Body(BaseModel):
    """Base class of request bodies. Rejects unknown keys and wrong types."""

    model_config = ConfigDict(extra="forbid", strict=True)


B = TypeVar("B", bound=Body)


def read_body(shape: type[B]) -> B:
    """The body as ``shape``. Raises 415, 400 (no JSON object) or ``InvalidRequest`` naming each fault."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("send the body as application/json")
    try:
        document = loads(request.get_data())
    except FaultyJson as fault:
        raise BadRequest(f"the body: {fault}") from None
    if not isinstance(document, dict):
        raise BadRequest("the body must be a JSON object")
    return validate(shape, document)


def read_optional_body(shape: type[B]) -> B:
    """``read_body``, but no body counts as an empty object."""
    is_json_or_nothing = request.mimetype in {"", "application/json"}
    return shape() if is_json_or_nothing and not request.get_data() else read_body(shape)


def validate(shape: type[B], document: object, sources: Mapping[str, str] = NONE) -> B:
    """``document`` as ``shape``. Raises ``InvalidRequest`` naming each fault.

    ``sources``: for a document made of something else, what each of its fields was there.
    """
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        faults = (_describe_fault(fault, sources) for fault in error.errors())
        raise InvalidRequest("; ".join(faults)) from None


def _describe_fault(fault: Any, sources: Mapping[str, str]) -> str:
    path = ".".join(place_of(fault)) or "body"
    path = f"{sources[path]} ({path})" if path in sources else path
    if fault["type"] == "extra_forbidden":
        return f"{path}: is not known here"
    has_id = (fault.get("ctx") or {}).get("class_name") in HAVE_IDS
    return f"{path}: {advice_of(fault, AN_ID if has_id else 'an object')}"
