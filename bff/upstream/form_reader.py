"""Reads from a catalogue entry how it is connected: as the embedded service says it, or as Cyclr does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from bff.upstream.sign_in_forms import FormField, SignInForm, Way, with_standard_fields

MOST_FIELDS: Final = 20
LONGEST_NAME: Final = 255
LONGEST_LABEL: Final = 100
LONGEST_HELP: Final = 500
_CYCLR: Final = {
    "OAuth2": Way.OAUTH,
    "OAuth1": Way.OAUTH,
    "ApiKey": Way.API_KEY,
    "Basic": Way.BASIC,
}
"""Cyclr's ``AuthType``. Of ``None`` and ``AuthFields`` nothing tells when such a connector is connected."""


def read_form(document: dict[str, Any]) -> SignInForm:
    """How the connector of this catalogue entry is connected. What cannot be understood is ``NOT_HERE``."""
    told = document.get("Hitchpost")
    form = _told_by_us(told) if isinstance(told, dict) and "Auth" in told else _told_by_cyclr(document)
    return form if len(form.fields) <= MOST_FIELDS else SignInForm(Way.NOT_HERE)


def _told_by_us(told: dict[str, Any]) -> SignInForm:
    try:
        way = Way(_text(told, "Auth", LONGEST_LABEL))
    except ValueError:
        return SignInForm(Way.NOT_HERE)
    fields = tuple(
        FormField(
            name=_text(one, "Name", LONGEST_NAME),
            label=_text(one, "Label", LONGEST_LABEL),
            help=_text(one, "Help", LONGEST_HELP),
            help_url=_link(one.get("HelpUrl")),
            prefix=_text(one, "Prefix", LONGEST_LABEL),
            suffix=_text(one, "Suffix", LONGEST_LABEL),
            sensitive=one.get("Sensitive") is True,
            optional=one.get("Optional") is True,
        )
        for one in _objects(told.get("Fields"))
        if _text(one, "Name", LONGEST_NAME)
    )
    return with_standard_fields(SignInForm(way, fields))


def _told_by_cyclr(document: dict[str, Any]) -> SignInForm:
    # An entry without any says as much as one of OAuth, as all did before there was more than one way.
    kinds = [kind for one in (document, *_objects(document.get("Authentication"))) if (kind := _kind(one))]
    way = _CYCLR.get(kinds[0], Way.NOT_HERE) if kinds else Way.OAUTH
    if way is Way.NOT_HERE:
        return SignInForm(way)
    fields = tuple(
        FormField(
            name=name,
            label=name[:LONGEST_LABEL],
            help=_text(one, "Description", LONGEST_HELP),
            sensitive=one.get("IsSensitive") is True,
        )
        for one in _objects(document.get("Parameters"))
        if one.get("IsAccountConnectorProperty") is True
        and one.get("IsOptional") is False
        and (name := _text(one, "Name", LONGEST_NAME))
    )
    return with_standard_fields(SignInForm(way, fields), _text(document, "AuthDescription", LONGEST_HELP))


def _kind(way: dict[str, Any]) -> str:
    return _text(way, "AuthType", LONGEST_LABEL)


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(document: dict[str, Any], name: str, most: int) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        return ""
    return "".join(filter(str.isprintable, " ".join(value.split())))[:most]


def _link(value: Any) -> str:
    """A page to read, over https; anything else is no link, a script above all."""
    if not isinstance(value, str) or len(value) > LONGEST_HELP or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme == "https" and parts.hostname else ""
