"""The forms that users fill in to connect a connector, as the partner service's catalogue describes them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from bff.common.secret import Secret


class AuthKind(StrEnum):
    """How a connector is connected.

    ``OAUTH``: by a sign-in at the third party. The values of the others are typed into the form.
    ``UNSUPPORTED``: any other kind; there is no form for it.
    """

    OAUTH = "oauth2"
    API_KEY = "api_key"
    BASIC = "basic"
    CLIENT_CREDENTIALS = "client_credentials"
    NONE = "none"
    UNSUPPORTED = "not here"


@dataclass(frozen=True)
class Choice:
    """A value of a field that is chosen from a list, and its label."""

    value: str
    label: str


@dataclass(frozen=True)
class FormField:
    """One value that a user types. Without a ``label``, the standard text of its ``name`` is shown.

    With ``choices``, it is chosen from a list of them. ``default``: the choice if no value is set; empty: the
    user has to choose.
    """

    name: str
    label: str = ""
    help: str = ""
    help_url: str = ""
    prefix: str = ""
    suffix: str = ""
    sensitive: bool = False
    optional: bool = False
    default: str = ""
    choices: tuple[Choice, ...] = ()

    def accepts(self, value: str) -> bool:
        """Whether the value is one of the ``choices``, if there are any."""
        return not self.choices or any(one.value == value for one in self.choices)


@dataclass(frozen=True)
class SignInForm:
    """The fields of a form, in the order shown. ``auth``: how the connector is connected."""

    auth: AuthKind = AuthKind.OAUTH
    fields: tuple[FormField, ...] = ()

    @property
    def replaces_sign_in(self) -> bool:
        """Whether the form is the whole sign-in, without the partner service's own pages."""
        return self.auth not in {AuthKind.OAUTH, AuthKind.UNSUPPORTED}

    @property
    def property_fields(self) -> tuple[FormField, ...]:
        """The fields for properties of the account connector, which are no credentials."""
        standard = {one.name for one in _STANDARD.get(self.auth, ())}
        return tuple(one for one in self.fields if one.name not in standard)

    def lacks(self, values: Mapping[str, str]) -> bool:
        """Whether a required value is missing from ``values``, those that are set already."""
        return bool(self.missing(values))

    def missing(self, values: Mapping[str, str]) -> list[str]:
        """The names of the required values that ``values`` does not have.

        A value that is no longer one of the field's choices counts as missing.
        """
        return [
            one.name
            for one in self.fields
            if not one.optional and not (values.get(one.name) and one.accepts(values[one.name]))
        ]


NO_FORM: Final = SignInForm()
_STANDARD: Final[Mapping[AuthKind, tuple[FormField, ...]]] = {
    AuthKind.API_KEY: (FormField("api_key", sensitive=True),),
    AuthKind.BASIC: (FormField("username"), FormField("password", sensitive=True)),
    AuthKind.CLIENT_CREDENTIALS: (FormField("client_id"), FormField("client_secret", sensitive=True)),
}
"""The fields of each kind of authentication, if the catalogue does not describe them itself."""


_OWN_APP: Final = dict(zip(("client_id", "client_secret"), ("ClientId", "ClientSecret"), strict=True))
"""The names of the properties that hold an account's own OAuth client (Cyclr's names)."""


def with_standard_fields(form: SignInForm, help_text: str = "") -> SignInForm:
    """The form with the fields that its kind of authentication needs; fields that it has stay in place.

    ``help_text``: shown with the first added field.
    """
    described = {one.name for one in form.fields}
    added = [one for one in _STANDARD.get(form.auth, ()) if one.name not in described]
    if added and help_text:
        added[0] = replace(added[0], help=help_text)
    kept = [_as_secret(one) if _is_secret(form.auth, one) else one for one in form.fields]
    return replace(form, fields=(*kept, *added))


def _as_secret(field_: FormField) -> FormField:
    # A secret is never shown in a list.
    return replace(field_, sensitive=True, default="", choices=())


def _is_secret(auth: AuthKind, field_: FormField) -> bool:
    return any(one.name == field_.name and one.sensitive for one in _STANDARD.get(auth, ()))


@dataclass(frozen=True)
class Credentials:
    """What a user typed, as it is sent to the partner service.

    ``properties`` are values of the account connector by name; ``auth_value`` is what Cyclr calls so: the API
    key, or ``base64(username:password)`` (Cyclr's documentation, "Authenticate API key" and "Basic").
    ``sign_in`` is the SHA-256 of the sign-in token whose outcome this is; None where a sign-in follows.
    """

    properties: Mapping[str, Secret] = field(default_factory=dict)
    auth_value: Secret | None = None
    sign_in: str | None = None


def credentials_of(form: SignInForm, values: Mapping[str, Secret], sign_in: str | None) -> Credentials:
    """``values`` by the names of the form's fields, as the partner service takes them."""
    if form.auth is AuthKind.OAUTH:
        return Credentials(values)
    standard = {one.name for one in _STANDARD.get(form.auth, ())}
    own = {name: value for name, value in values.items() if name not in standard}
    if form.auth is AuthKind.API_KEY:
        return Credentials(own, values["api_key"], sign_in)
    if form.auth is AuthKind.BASIC:
        pair = ":".join(values[name].reveal() if name in values else "" for name in ("username", "password"))
        return Credentials(own, Secret(base64.b64encode(pair.encode()).decode()), sign_in)
    return Credentials({_OWN_APP.get(name, name): value for name, value in values.items()}, None, sign_in)


class Fault(StrEnum):
    """Why a value, or all of them, were not taken."""

    MISSING = "missing"
    PATTERN = "pattern"
    TOO_LONG = "too_long"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class RejectedValues:
    """The partner service did not take the values, and nothing has changed.

    ``fields`` says why by the names of fields; ``form_fault`` where it is about none of them.
    """

    fields: Mapping[str, Fault] = field(default_factory=dict)
    form_fault: Fault | None = None
