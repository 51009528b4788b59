"""Reads from a catalogue entry how it is connected: as the embedded service says it, or as Cyclr does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from bff.upstream.sign_in_forms import AuthKind, Choice, FormField, SignInForm, with_standard_fields

MOST_FIELDS: Final = 20
LONGEST_NAME: Final = 255
LONGEST_LABEL: Final = 100
LONGEST_HELP: Final = 500
LONGEST_CHOICE: Final = 255
MOST_CHOICES: Final = 500
_CYCLR: Final = {
    "OAuth2": AuthKind.OAUTH,
    "OAuth1": AuthKind.OAUTH,
    "ApiKey": AuthKind.API_KEY,
    "Basic": AuthKind.BASIC,
}
"""Cyclr's ``AuthType``. ``None`` and ``AuthFields`` are unsupported: none shows if it is connected."""


def read_form(document: dict[str, Any]) -> SignInForm:
    """The form of this catalogue entry's connector; ``UNSUPPORTED`` if the entry is malformed."""
    entry = document.get("Hitchpost")
    is_embedded = isinstance(entry, dict) and "Auth" in entry
    form = _embedded_form(entry or {}) if is_embedded else _cyclr_form(document)
    return form if len(form.fields) <= MOST_FIELDS else SignInForm(AuthKind.UNSUPPORTED)


def _embedded_form(entry: dict[str, Any]) -> SignInForm:
    try:
        auth = AuthKind(_text(entry, "Auth", LONGEST_LABEL))
    except ValueError:
        return SignInForm(AuthKind.UNSUPPORTED)
    fields = (_embedded_field(one) for one in _objects(entry.get("Fields")))
    return with_standard_fields(SignInForm(auth, tuple(one for one in fields if one.name)))


def _embedded_field(entry: dict[str, Any]) -> FormField:
    sensitive, optional = entry.get("Sensitive") is True, entry.get("Optional") is True
    pairs = ((one.get("Value"), one.get("Label")) for one in _objects(entry.get("Choices")))
    choices = () if sensitive else _choices(pairs)
    return FormField(
        name=_text(entry, "Name", LONGEST_NAME),
        label=_text(entry, "Label", LONGEST_LABEL),
        help=_text(entry, "Help", LONGEST_HELP),
        help_url=_link(entry.get("HelpUrl")),
        prefix=_text(entry, "Prefix", LONGEST_LABEL),
        suffix=_text(entry, "Suffix", LONGEST_LABEL),
        sensitive=sensitive,
        optional=optional,
        default=choices[0].value if choices and not optional else "",
        choices=choices,
    )


def _cyclr_form(document: dict[str, Any]) -> SignInForm:
    # An entry without a kind is of OAuth, as all entries were before there were other kinds.
    kinds = [kind for one in (document, *_objects(document.get("Authentication"))) if (kind := _kind(one))]
    auth = _CYCLR.get(kinds[0], AuthKind.UNSUPPORTED) if kinds else AuthKind.OAUTH
    if auth is AuthKind.UNSUPPORTED:
        return SignInForm(auth)
    fields = (
        _cyclr_field(one)
        for one in _objects(document.get("Parameters"))
        if one.get("IsAccountConnectorProperty") is True and one.get("IsOptional") is False
    )
    form = SignInForm(auth, tuple(one for one in fields if one.name))
    return with_standard_fields(form, _text(document, "AuthDescription", LONGEST_HELP))


def _cyclr_field(entry: dict[str, Any]) -> FormField:
    """A property as Cyclr describes it: ``TargetName`` identifies it, users read ``Name``.

    ``Values`` are the texts that it may be (Cyclr's documentation, "Get the connector ID"). Cyclr
    names no default, so the user has to choose.
    """
    name = _text(entry, "TargetName", LONGEST_NAME) or _text(entry, "Name", LONGEST_NAME)
    sensitive, values = entry.get("IsSensitive") is True, entry.get("Values")
    listed = values if isinstance(values, list) and not sensitive else []
    return FormField(
        name=name,
        label=_text(entry, "Name", LONGEST_LABEL) or name[:LONGEST_LABEL],
        help=_text(entry, "Description", LONGEST_HELP),
        sensitive=sensitive,
        choices=_choices((one, one) for one in listed),
    )


def _choices(pairs: Iterable[tuple[Any, Any]]) -> tuple[Choice, ...]:
    """Values with their labels; none if one of them is malformed: then the value is typed."""
    found: dict[str, Choice] = {}
    for value, label in pairs:
        if not isinstance(value, str) or not value or not value.isprintable() or len(value) > LONGEST_CHOICE:
            return ()
        found.setdefault(value, Choice(value, _short(label, LONGEST_LABEL) or value))
    return tuple(found.values()) if len(found) <= MOST_CHOICES else ()


def _kind(auth: dict[str, Any]) -> str:
    return _text(auth, "AuthType", LONGEST_LABEL)


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(document: dict[str, Any], name: str, most: int) -> str:
    return _short(document.get(name), most)


def _short(value: Any, most: int) -> str:
    if not isinstance(value, str):
        return ""
    return "".join(filter(str.isprintable, " ".join(value.split())))[:most]


def _link(value: Any) -> str:
    """An https URL; empty for anything else, such as ``javascript:``."""
    if not isinstance(value, str) or len(value) > LONGEST_HELP or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme == "https" and parts.hostname else ""
