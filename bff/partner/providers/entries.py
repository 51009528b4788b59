"""The schema of a connector catalogue entry."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bff.partner.providers import patterns, templates
from bff.serving.destinations import ForbiddenUrl, Policy, parts_of

Auth = Literal["oauth2", "api_key", "basic", "client_credentials", "none"]
TokenAuth = Literal["client_secret_basic", "client_secret_basic_raw", "client_secret_post", "none"]
LONGEST_LIFE: Final = 365 * 24 * 3600
RENAMED: Final = frozenset(
    {
        "client_id",
        "client_secret",
        "redirect_uri",
        "scope",
        "state",
        "code",
        "token_code",
        "response_type",
        "refresh_token",
    }
)
"""OAuth parameters that an entry may rename.

``code`` is the callback parameter, ``token_code`` the same code in the token request.
"""
CLIENT_SECRET: Final = frozenset({"client_secret", "basic"})
"""Placeholders in a revocation that reveal the client secret. ``basic`` is base64 of ``id:secret``."""
FIELD_NAME: Final = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"
_HOST: Final = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+|localhost")


def _endpoint(value: str) -> str:
    if fault := templates.fault_of(value):
        raise ValueError(fault)
    return value


def _pattern(value: str) -> str:
    patterns.require_possible(value)
    return value


def _link(value: str) -> str:
    try:
        parts_of(value.partition("#")[0])
    except ForbiddenUrl as error:
        raise ValueError(str(error)) from None
    return value


def _json(value: str) -> str:
    try:
        json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from None
    return value


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError("write a host in small letters such as accounts.example.com or *.example.com")
    return value


def _path(value: str) -> str:
    if not all(value.split(".")) or len(value) > 200:
        raise ValueError("write names with dots between them, such as data.user.email")
    return value


def _shown(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("write characters that can be seen, without line breaks and direction marks")
    return value.strip()


def _choice(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("write a choice without line breaks, and without blanks around it")
    return value


Text = Annotated[str, Field(min_length=1, max_length=255)]
Shown = Annotated[str, AfterValidator(_shown), Field(min_length=1, max_length=255)]
"""A name or label that users see."""
Trimmed = Annotated[str, AfterValidator(str.strip)]
"""A text without the white space that a copy brings."""
Choice = Annotated[str, AfterValidator(_choice), Field(min_length=1, max_length=255)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Pattern = Annotated[str, AfterValidator(_pattern), Field(min_length=1, max_length=1000)]
Link = Annotated[str, AfterValidator(_link)]
Host = Annotated[str, AfterValidator(_host)]
JsonText = Annotated[str, AfterValidator(_json), Field(max_length=10_000)]
Path = Annotated[str, AfterValidator(_path), Field(min_length=1)]
"""A dotted path into a JSON document. A number indexes into a list."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Parameter(_Strict):
    """A property that an account must set before it can sign in, such as its subdomain."""

    name: Text
    description: str = ""
    optional: bool = False
    sensitive: bool = False


class AskedField(_Strict):
    """A form field that the user fills in before the sign-in. Stored as the property of the same name.

    ``pattern``: regular expression that the whole value must match.
    ``prefix``, ``suffix``: shown around the input, and not part of the value.
    ``choices``: the allowed values with their labels, shown as a select list in this order.
    """

    name: Annotated[str, Field(pattern=FIELD_NAME)]
    label: Shown
    pattern: Pattern | None = None
    choices: Annotated[dict[Choice, Text], Field(max_length=100)] | None = None
    prefix: Annotated[str, Field(max_length=255)] = ""
    suffix: Annotated[str, Field(max_length=255)] = ""
    help: Annotated[str, Field(max_length=1000)] = ""
    help_url: Link | None = None
    sensitive: bool = False
    optional: bool = False

    @property
    def takes(self) -> str | None:
        """The regular expression for the whole value: ``pattern``, or an alternation of the choices."""
        return "|".join(map(re.escape, self.choices)) if self.choices else self.pattern

    def accepts(self, value: str) -> bool:
        """Whether the value matches ``takes``."""
        return self.takes is None or patterns.matches(self.takes, value)


class Check(_Strict):
    """A request that succeeds (2xx) only with valid credentials. Sent before an account is connected.

    ``basic``: sent base64-encoded as ``Authorization: Basic``.
    ``params``: the fields of the body.
    ``error_at``: path of an error in a 2xx response.
    ``good_at``: path of a flag that says the key is valid.
    """

    url: Endpoint
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = {}
    basic: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    params: dict[str, str] = {}
    request: Literal["form", "json"] = "form"
    error_at: Path | None = None
    good_at: Path | None = None


class CatalogueConnector(_Strict):
    """One connector. ``docs/providers.md`` documents each key, and which providers need it."""

    id: Annotated[int, Field(ge=1, le=2**31 - 1)]
    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    name: Shown
    description: str = ""
    version: str = "1.0"
    status: Literal["Approved", "Draft"] = "Approved"
    icon: Link | None = None
    auth: Auth = "oauth2"
    grant: Literal["authorization_code", "client_credentials"] = "authorization_code"
    authorize_url: Endpoint | None = None
    token_url: Endpoint | None = None
    refresh_url: Endpoint | None = None
    userinfo_url: Endpoint | None = None
    userinfo_method: Literal["GET", "POST"] = "GET"
    userinfo_headers: dict[str, str] = {}
    userinfo_body: JsonText | None = None
    token_headers: dict[str, str] = {}
    revocation_url: Endpoint | None = None
    revocation_method: Literal["POST", "DELETE", "GET"] = "POST"
    revocation_request: Literal["form", "json", "none"] = "form"
    revocation_params: dict[str, str] = {}
    revocation_headers: dict[str, str] = {}
    revocation_ends: Literal["grant", "consent"] = "grant"
    allowed_hosts: list[Host] = []
    account_claim: Path = "email"
    client_id: Trimmed | None = None
    client_secret: Trimmed | None = Field(default=None, repr=False)
    client_secret_env: str | None = None
    scopes: list[str] = []
    scope_separator: Annotated[str, Field(min_length=1, max_length=3)] = " "
    pkce: bool = True
    authorize_params: dict[str, str] = {}
    token_params: dict[str, str] = {}
    refresh_params: dict[str, str] = {}
    parameter_names: dict[str, Text] = {}
    issuer: Trimmed | None = None
    token_auth: TokenAuth = "client_secret_basic"  # noqa: S105  # the name of a method
    token_request: Literal["form", "json"] = "form"  # noqa: S105  # the name of a form
    token_response: Literal["auto", "json", "form"] = "auto"  # noqa: S105  # as above
    token_root: Path | None = None
    expires_in_default: Annotated[int, Field(ge=1, le=LONGEST_LIFE)] | None = None
    dead_refresh: list[Text] = []
    declined_errors: list[Text] = []
    keep_from_token: list[Path] = []
    keep_from_callback: list[Text] = []
    keep_from_userinfo: list[Path] = []
    properties: Annotated[list[Parameter], Field(alias="property")] = []
    fields: Annotated[list[AskedField], Field(alias="field")] = []
    check: Check | None = None

    @property
    def user_fields(self) -> list[Parameter]:
        """All values that an account supplies: its properties and the form fields."""
        fields = [
            Parameter(name=f.name, description=f.label, optional=f.optional, sensitive=f.sensitive)
            for f in self.fields
        ]
        return [*self.properties, *fields]

    @property
    def optional_names(self) -> set[str]:
        """The names of the values that an account may leave out."""
        return {field.name for field in self.user_fields if field.optional}

    @property
    def patterns(self) -> dict[str, str]:
        """The regular expression of each field that restricts its values, by field name."""
        return {field.name: field.takes for field in self.fields if field.takes is not None}

    @property
    def state_name(self) -> str:
        """What the parameter ``state`` is called here."""
        return self.parameter_names.get("state", "state")

    @property
    def kept(self) -> list[str]:
        """The values kept from the token response, the callback and the user info, by name or path."""
        # A token request may repeat the state. It is used up then, and tells the host nothing.
        callback = [name for name in self.keep_from_callback if name != self.state_name]
        return [*self.keep_from_token, *callback, *self.keep_from_userinfo]

    @property
    def needs_no_user(self) -> bool:
        """Whether tokens are issued without user consent (client credentials: RFC 6749, section 4.4)."""
        return self.auth == "client_credentials" or self.grant == "client_credentials"

    @property
    def revokes_as_it_says(self) -> bool:
        """Whether the revocation templates authenticate the client, in place of ``token_auth``."""
        texts = [*self.revocation_headers.values(), *self.revocation_params.values()]
        named = {name for text in texts for name in templates.names_in(text)}
        return bool(named & CLIENT_SECRET) or "authorization" in map(str.lower, self.revocation_headers)

    @property
    def revokes_by_bearer(self) -> bool:
        """Whether a revocation is authenticated by the token that it revokes."""
        named = {name for text in self.revocation_headers.values() for name in templates.names_in(text)}
        return bool(named & {"token", "access_token"})

    @property
    def revokes_by_access_token(self) -> bool:
        """Whether a revocation sends the access token even if there is a refresh token."""
        tables = (self.revocation_headers, self.revocation_params)
        texts = [self.revocation_url or "", *(text for table in tables for text in table.values())]
        return any("access_token" in templates.names_in(text) for text in texts)

    def policy(self, template: str, policy: Policy) -> Policy:
        """The policy for calls to one of this entry's URLs."""
        return templates.policy_for(template, self.patterns, tuple(self.allowed_hosts), policy)

    def url(self, template: str, values: Mapping[str, str]) -> str:
        """Fill the placeholders of one of this entry's URLs. Raises ``templates.Unfit``."""
        return templates.fill_url(template, values, self.patterns, tuple(self.allowed_hosts), self.kept)
