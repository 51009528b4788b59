"""Reads from a catalogue entry how it is connected: as the embedded service says it, or as Cyclr does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from bff.upstream.sign_in_forms import Choice, FormField, SignInForm, Way, with_standard_fields

MOST_FIELDS: Final = 20
LONGEST_NAME: Final = 255
LONGEST_LABEL: Final = 100
LONGEST_HELP: Final = 500
LONGEST_CHOICE: Final = 255
MOST_CHOICES: Final = 500
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
    fields = (_our_field(one) for one in _objects(told.get("Fields")))
    return with_standard_fields(SignInForm(way, tuple(one for one in fields if one.name)))


def _our_field(told: dict[str, Any]) -> FormField:
    sensitive, optional = told.get("Sensitive") is True, told.get("Optional") is True
    pairs = ((one.get("Value"), one.get("Label")) for one in _objects(told.get("Choices")))
    choices = () if sensitive else _choices(pairs)
    return FormField(
        name=_text(told, "Name", LONGEST_NAME),
        label=_text(told, "Label", LONGEST_LABEL),
        help=_text(told, "Help", LONGEST_HELP),
        help_url=_link(told.get("HelpUrl")),
        prefix=_text(told, "Prefix", LONGEST_LABEL),
        suffix=_text(told, "Suffix", LONGEST_LABEL),
        sensitive=sensitive,
        optional=optional,
        default=choices[0].value if choices and not optional else "",
        choices=choices,
    )


def _told_by_cyclr(document: dict[str, Any]) -> SignInForm:
    # An entry without any says as much as one of OAuth, as all did before there was more than one way.
    kinds = [kind for one in (document, *_objects(document.get("Authentication"))) if (kind := _kind(one))]
    way = _CYCLR.get(kinds[0], Way.NOT_HERE) if kinds else Way.OAUTH
    if way is Way.NOT_HERE:
        return SignInForm(way)
    fields = (
        _cyclrs_field(one)
        for one in _objects(document.get("Parameters"))
        if one.get("IsAccountConnectorProperty") is True and one.get("IsOptional") is False
    )
    form = SignInForm(way, tuple(one for one in fields if one.name))
    return with_standard_fields(form, _text(document, "AuthDescription", LONGEST_HELP))


def _cyclrs_field(told: dict[str, Any]) -> FormField:
    """A property as Cyclr tells it: by ``TargetName`` it is set, ``Name`` is what users read.

    ``Values`` are the texts that it may be (Cyclr's documentation, "Get the connector ID"). Nothing says
    which of them is usual, so that the user has to choose.
    """
    name = _text(told, "TargetName", LONGEST_NAME) or _text(told, "Name", LONGEST_NAME)
    sensitive, values = told.get("IsSensitive") is True, told.get("Values")
    listed = values if isinstance(values, list) and not sensitive else []
    return FormField(
        name=name,
        label=_text(told, "Name", LONGEST_LABEL) or name[:LONGEST_LABEL],
        help=_text(told, "Description", LONGEST_HELP),
        sensitive=sensitive,
        choices=_choices((one, one) for one in listed),
    )


def _choices(pairs: Iterable[tuple[Any, Any]]) -> tuple[Choice, ...]:
    """Values with what users read; none of them where one cannot be understood: then it is typed."""
    found: dict[str, Choice] = {}
    for value, label in pairs:
        if not isinstance(value, str) or not value or not value.isprintable() or len(value) > LONGEST_CHOICE:
            return ()
        found.setdefault(value, Choice(value, _short(label, LONGEST_LABEL) or value))
    return tuple(found.values()) if len(found) <= MOST_CHOICES else ()


def _kind(way: dict[str, Any]) -> str:
    return _text(way, "AuthType", LONGEST_LABEL)


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(document: dict[str, Any], name: str, most: int) -> str:
    return _short(document.get(name), most)


def _short(value: Any, most: int) -> str:
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
