"""The connector catalogue (TOML): which third parties can be connected, and how each is spoken to."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bff.partner.providers import outbound

RESERVED: Final = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    }
)
ENDPOINTS: Final = ("authorize_url", "token_url", "userinfo_url", "revocation_url")
NEEDED_FOR_OAUTH: Final = {
    "authorization_code": ("authorize_url", "token_url", "client_id"),
    "client_credentials": ("token_url", "client_id"),
}


class FaultyCatalogue(Exception):
    """A catalogue that cannot be used. ``faults`` has one line each, naming the file and the key."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _endpoint(value: str) -> str:
    try:
        outbound.parts_of(value)
    except outbound.ForbiddenUrl as error:
        raise ValueError(str(error)) from None
    return value


Endpoint = Annotated[str, AfterValidator(_endpoint)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Parameter(_Strict):
    """A property that an account has to set before it can sign in, such as its own sub-domain."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: str = ""
    optional: bool = False
    sensitive: bool = False


class CatalogueConnector(_Strict):
    """One connector. See ``demo-catalogue.toml`` for each key in use."""

    id: Annotated[int, Field(ge=1, le=2**31 - 1)]
    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: str = ""
    version: str = "1.0"
    status: Literal["Approved", "Draft"] = "Approved"
    icon: str | None = None
    auth: Literal["oauth2", "api_key", "basic", "none"] = "oauth2"
    grant: Literal["authorization_code", "client_credentials"] = "authorization_code"
    authorize_url: Endpoint | None = None
    token_url: Endpoint | None = None
    userinfo_url: Endpoint | None = None
    revocation_url: Endpoint | None = None
    revocation_ends: Literal["grant", "consent"] = "grant"
    account_claim: str = "email"
    client_id: str | None = None
    client_secret: str | None = Field(default=None, repr=False)
    client_secret_env: str | None = None
    scopes: list[str] = []
    authorize_params: dict[str, str] = {}
    issuer: str | None = None
    token_auth: Literal["client_secret_basic", "client_secret_post", "none"] = "client_secret_basic"  # noqa: S105
    properties: Annotated[list[Parameter], Field(alias="property")] = []


class _File(_Strict):
    connector: Annotated[list[CatalogueConnector], Field(min_length=1)]


class Catalogue:
    """The connectors, by id and by key or name."""

    def __init__(self, connectors: list[CatalogueConnector]) -> None:
        self.connectors = tuple(connectors)

    def by_id(self, connector_id: int) -> CatalogueConnector | None:
        """The connector of this id."""
        return next((item for item in self.connectors if item.id == connector_id), None)

    def by_name(self, name: str, version: str | None = None) -> list[CatalogueConnector]:
        """The connectors of this key or name, whatever the case of its letters."""
        wanted = name.casefold()
        return [
            item
            for item in self.connectors
            if wanted in {item.key, item.name.casefold()} and version in {None, item.version}
        ]


def read_catalogue(path: Path, environ: Mapping[str, str] = os.environ) -> Catalogue:
    """The catalogue in ``path``. Raises ``FaultyCatalogue`` with every fault at once."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FaultyCatalogue([f"{path}: cannot be read ({error.strerror})"]) from None
    except (ValueError, RecursionError) as error:
        raise FaultyCatalogue([f"{path}: is no TOML: {error}"]) from None
    if _holds_nul(document):
        raise FaultyCatalogue([f"{path}: there is a NUL character in a text; leave it out"])
    faults: list[str] = []
    try:
        connectors = _File.model_validate(document).connector
    except ValidationError as error:
        connectors = []
        faults = [f"{path}: {_place(fault['loc'], document)}: {_words(fault)}" for fault in error.errors()]
    resolved = [_with_secret(item, environ) for item in connectors]
    faults += [f"{path}: {fault}" for item in resolved for fault in _faults_of(item)]
    faults += [f"{path}: {fault}" for fault in _doubles(resolved)]
    if faults:
        raise FaultyCatalogue(faults)
    return Catalogue(resolved)


def _holds_nul(value: Any) -> bool:
    # PostgreSQL keeps none.
    if isinstance(value, str):
        return "\x00" in value
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(_holds_nul(part) for part in parts)


def require_allowed(catalogue: Catalogue, policy: outbound.Policy) -> None:
    """Every URL passes what the policy can say before a call. Raises ``FaultyCatalogue``."""
    faults = []
    for item in catalogue.connectors:
        for name in ENDPOINTS:
            try:
                policy.check(getattr(item, name) or "https://none.invalid")
            except outbound.ForbiddenUrl as error:
                faults.append(f"catalogue: connector {item.key}: {name}: {error}")
    if faults:
        raise FaultyCatalogue(faults)


def _with_secret(item: CatalogueConnector, environ: Mapping[str, str]) -> CatalogueConnector:
    if item.client_secret is not None or item.client_secret_env is None:
        return item
    return item.model_copy(update={"client_secret": environ.get(item.client_secret_env)})


def _faults_of(item: CatalogueConnector) -> list[str]:
    where, found = f"connector {item.key}", []
    if item.auth == "oauth2":
        needed = NEEDED_FOR_OAUTH[item.grant]
        found += [f"{where}: {name}: is not set" for name in needed if not getattr(item, name)]
        if item.token_auth != "none" and not item.client_secret:  # noqa: S105  # nosec B105  # the name of a method
            found.append(
                f"{where}: client_secret_env: the variable {item.client_secret_env} is not set"
                if item.client_secret_env
                else f'{where}: client_secret: is not set; write it, or client_secret_env = "NAME" (a public'
                ' client writes token_auth = "none")'
            )
    found += [
        f"{where}: authorize_params: {name} is set by the service itself; leave it out"
        for name in sorted(RESERVED & set(item.authorize_params))
    ]
    return found


def _doubles(items: list[CatalogueConnector]) -> list[str]:
    found = []
    for name in ("id", "key", "name"):
        values = [getattr(item, name) for item in items]
        twice = sorted((value for value, times in Counter(values).items() if times > 1), key=str)
        found += [
            f"{name} = {value!r} is used by more than one connector; give each its own" for value in twice
        ]
    return found


def _place(location: tuple[int | str, ...], document: Any) -> str:
    parts = [str(part) for part in location]
    if len(location) > 1 and isinstance(location[1], int):
        try:
            parts[1] = str(document["connector"][location[1]]["key"])
        except (KeyError, IndexError, TypeError):
            parts[1] = f"number {location[1] + 1}"
        return f"connector {parts[1]}: " + ".".join(parts[2:])
    return ".".join(parts) or "file"


def _words(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "is not known here; look for a slip in its spelling"
    if fault["type"] == "missing":
        return "is not set"
    return str(fault["msg"]).removeprefix("Value error, ")
