"""The BFF's settings, from the environment. All faults are reported at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import NoDecode, SettingsConfigDict

from bff.common.origins import origin_fault, origin_of
from bff.common.secret import Secret
from bff.serving.destinations import Network, networks_of
from bff.serving.environment import (
    debugging,
    from_files,
    is_production,
    unknown_variables,
    variable_of,
    weakness,
)
from bff.serving.settings import Bind, DatabaseUrl, FaultySettings, ServedSettings, fault_line, load

PREFIX: Final = "HITCHPOST_"
OTHER_PROGRAMS: Final = tuple(f"{PREFIX}{name}_" for name in ("EMBEDDED", "SANDBOX", "DEMO", "BUILD"))
MIN_KEY_LENGTH: Final = 32


def _base_url(value: str) -> str:
    value = value.rstrip("/")
    origin = origin_of(value)
    if origin is None or "?" in value or "#" in value:
        raise ValueError("write an absolute URL such as https://connect.example.com, without query")
    if fault := origin_fault(origin):
        raise ValueError(fault)
    return value


def _split_keys(text: str) -> tuple[Secret, ...]:
    return tuple(Secret(key.strip()) for key in text.split(",") if key.strip())


def _keys(value: SecretStr) -> SecretStr:
    keys = _split_keys(value.get_secret_value())
    if not keys or any(len(key.reveal()) < MIN_KEY_LENGTH for key in keys):
        raise ValueError(
            f"write one or more random keys of at least {MIN_KEY_LENGTH} characters, newest first, separated"
            " by commas; make one with: openssl rand -hex 32"
        )
    return value


def _networks(value: str) -> str:
    networks_of(value)
    return value


Url = Annotated[str, AfterValidator(_base_url)]


class Settings(ServedSettings):
    """Every setting of the BFF. ``docs/settings.md`` is generated from the descriptions."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    public_url: Url = Field(
        description="Where browsers reach the BFF, with a path if it is mounted below one."
    )
    database_url: DatabaseUrl = Field(
        default="sqlite:///hitchpost.db",
        description="The database, as a SQLAlchemy URL: SQLite for one machine, PostgreSQL for several."
        " Commands that work on it need it set.",
    )
    secret_keys: Annotated[SecretStr, NoDecode, AfterValidator(_keys)] = Field(
        description="Keys that sign session tokens, comma-separated, newest first; an old one verifies until"
        " it is removed. At least 32 random characters each.",
    )
    partner_api_url: Url = Field(
        description="The partner service's API: https://api.cyclr.com, or the one of your region."
    )
    partner_service_url: Url = Field(
        description="The partner service's pages for browsers: https://{company}-h.cyclr.com (Cyclr's"
        " console, Settings, General Settings).",
    )
    partner_client_id: str = Field(min_length=1, description="Client id of the API credentials there.")
    partner_client_secret: SecretStr = Field(
        min_length=1, description="Client secret of the API credentials there."
    )
    partner_create_accounts: bool = Field(
        default=True,
        description="Whether the first Connect of an account that the partner service does not have creates"
        " it there, with `account.id` as its API ID. `false`: you create accounts yourself, and a Connect of"
        " a missing one is refused with `account_unknown`.",
    )
    products: Path | None = Field(
        default=None, description="A product file (TOML) that is applied at every start, when set."
    )
    bind: Bind = Field(
        default="127.0.0.1:8001", description="Address and port that `hitchpost serve` listens on."
    )
    telemetry: Literal["off", "on"] = Field(
        default="off",
        description="`on` sends traces to `OTEL_EXPORTER_OTLP_ENDPOINT`; needs the extra `opentelemetry`.",
    )
    same_browser: Literal["auto", "required", "off"] = Field(
        default="auto",
        description="Whether a sign-in must be completed by the browser that launched it (A38 in"
        " [security](security.md)). `auto`: where the partner service can, once `HITCHPOST_PUBLIC_URL` is"
        " https. `required`: a launch is refused where it cannot. `off`: no; Cyclr cannot do it.",
    )
    limit_address: int = Field(
        default=12_000,
        ge=1,
        description="Calls a minute from one address to each route that is open to all, such as the launch.",
    )
    limit_failures: int = Field(
        default=60,
        ge=1,
        description="Wrong secret keys and unknown Studio links a minute from one address.",
    )
    limit_user_attempts: int = Field(
        default=600, ge=1, description="Attempts that one user may prepare in a minute."
    )
    limit_user_launches: int = Field(
        default=300, ge=1, description="Sign-ins that one user may launch in a minute."
    )
    limit_account_attempts: int = Field(
        default=3000, ge=1, description="Attempts that the users of one account may prepare in a minute."
    )
    limit_product_attempts: int = Field(
        default=1_000_000, ge=1, description="Attempts that all users of one product may prepare in a day."
    )
    limit_account_launches: int = Field(
        default=1500, ge=1, description="Sign-ins that the users of one account may launch in a minute."
    )
    limit_connection_tokens: int = Field(
        default=120,
        ge=1,
        description="Access tokens of one connection that a host may ask for in a minute.",
    )
    limit_account_tokens: int = Field(
        default=1200, ge=1, description="Access tokens of one account that a host may ask for in a minute."
    )
    health_minutes: int = Field(
        default=60,
        ge=0,
        le=100_000,
        description="Minutes between two checks of the connections of an account at the partner service. A"
        " check is one call, so a thousand accounts with connections make 17 calls a minute. A worker checks"
        " at most one account a second. `0`: no checks, and a connection that ended is noticed when somebody"
        " looks at it. See [connections](connections.md).",
    )
    housekeeping: Literal["on", "off"] = Field(
        default="on",
        description="`off` starts no background threads inside your own Flask app. They settle overdue"
        " attempts, delete old rows, checkpoint SQLite and deliver webhooks; `hitchpost serve` always runs"
        " them.",
    )
    retention_days: int = Field(
        default=90, ge=1, le=3650, description="Days for which launched attempts and their timeline are kept."
    )
    webhook_networks: Annotated[str, AfterValidator(_networks)] = Field(
        default="",
        description="Private networks (CIDR, comma-separated) that webhooks may be delivered to, besides"
        " public addresses. Outside production, this machine is allowed too.",
    )
    webhook_retention_days: int = Field(
        default=30, ge=4, le=3650, description="Days for which webhook deliveries are kept in their log."
    )
    partner_connect_timeout: float = Field(
        default=3.0, gt=0, le=30, description="Seconds to wait for a connection to the partner service."
    )
    partner_read_timeout: float = Field(
        default=10.0,
        gt=0,
        le=60,
        description="Seconds to wait for each piece of the partner service's answer.",
    )
    partner_total_timeout: float = Field(
        default=15.0, gt=0, le=120, description="Seconds that a whole call to the partner service may take."
    )

    def signing_keys(self) -> tuple[Secret, ...]:
        """The signing keys, newest first."""
        return _split_keys(self.secret_keys.get_secret_value())

    @property
    def allowed_webhook_networks(self) -> tuple[Network, ...]:
        """``webhook_networks``, parsed."""
        return networks_of(self.webhook_networks)

    @property
    def public_origin(self) -> str:
        """The origin of ``public_url``."""
        origin = origin_of(self.public_url)
        assert origin is not None  # noqa: S101  # for the type checker
        return origin

    @property
    def partner_origin(self) -> str:
        """The origin that the partner service's messages come from."""
        origin = origin_of(self.partner_service_url)
        assert origin is not None  # noqa: S101  # for the type checker
        return origin


def database_url() -> str:
    """The database URL, for commands that need no other setting. Raises ``FaultySettings``.

    Here it has no default: a command run in another folder would create a new SQLite file there.
    """
    values, faults = from_files(PREFIX, ["database_url"], os.environ)
    given = values.get("database_url") or variable_of(f"{PREFIX}DATABASE_URL")
    if not given and not faults:
        faults = [f"{PREFIX}DATABASE_URL: is not set; write the URL that `hitchpost serve` runs with"]
    if faults:
        raise FaultySettings(faults)
    try:
        return TypeAdapter(DatabaseUrl).validate_python(given)
    except ValidationError as error:
        fault = {**error.errors()[0], "loc": ["database_url"]}
        raise FaultySettings([fault_line(Settings, fault)]) from None


def signing_keys() -> tuple[Secret, ...]:
    """The signing keys, newest first, for commands that only encrypt secrets. Raises ``FaultySettings``."""
    values, faults = from_files(PREFIX, ["secret_keys"], os.environ)
    if faults:
        raise FaultySettings(faults)
    given = values.get("secret_keys") or variable_of(f"{PREFIX}SECRET_KEYS")
    if not given:
        raise FaultySettings([fault_line(Settings, {"type": "missing", "loc": ["secret_keys"]})])
    try:
        _keys(SecretStr(given))
    except ValueError as error:
        raise FaultySettings([f"{PREFIX}SECRET_KEYS: {error}"]) from None
    return _split_keys(given)


def public_url() -> str:
    """The URL at which browsers reach the BFF, for commands that print links. Raises ``FaultySettings``."""
    given = variable_of(f"{PREFIX}PUBLIC_URL")
    if not given:
        raise FaultySettings([fault_line(Settings, {"type": "missing", "loc": ["public_url"]})])
    try:
        return _base_url(given)
    except ValueError as error:
        raise FaultySettings([f"{PREFIX}PUBLIC_URL: {error}"]) from None


def public_url_if_set() -> str:
    """The same; empty if it is not set, or faulty."""
    try:
        return public_url()
    except FaultySettings:
        return ""


def load_settings(**overrides: Any) -> Settings:
    """Load the settings from the environment, from the files that it names, and from ``overrides``.

    Raises ``FaultySettings`` with all faults, including those that count in production only.
    """
    values, faults = from_files(PREFIX, Settings.model_fields, os.environ)
    return load(Settings, values | overrides, faults, _production_faults)


def unknown_settings() -> list[str]:
    """A line for each variable that looks like a setting and is none. The product file may name others."""
    return list(unknown_variables(PREFIX, Settings.model_fields, os.environ, "products", OTHER_PROGRAMS))


def _production_faults(values: Mapping[str, str]) -> Iterator[str]:
    if not is_production(values["environment"], values["public_url"]):
        return
    for name in ("public_url", "partner_service_url"):
        if values[name].lower().startswith("http:"):
            yield f"{PREFIX}{name.upper()}: use https in production; browsers go there"
    for number, key in enumerate(values["secret_keys"].split(","), 1):
        if reason := weakness(key.strip()):
            yield f"{PREFIX}SECRET_KEYS: key {number} {reason}; make one with: hitchpost keys new"
    if reason := weakness(values["partner_client_secret"]):
        yield f"{PREFIX}PARTNER_CLIENT_SECRET: {reason}; it is none that a partner service gave"
    yield from debugging()
