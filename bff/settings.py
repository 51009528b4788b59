"""The BFF's environment, validated whole; it refuses to start half-configured."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bff.core.origins import origin_fault, origin_of
from bff.core.secret import Secret

PREFIX: Final = "HITCHPOST_"
MIN_KEY_LENGTH: Final = 32


class FaultySettings(Exception):
    """Settings that cannot be used. ``faults`` has one line a variable, saying what to write instead."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _base_url(value: str) -> str:
    value = value.rstrip("/")
    origin = origin_of(value)
    if origin is None or "?" in value or "#" in value:
        raise ValueError("write an absolute URL such as https://connect.example.com, without query")
    if fault := origin_fault(origin):
        raise ValueError(fault)
    return value


def _keys(value: SecretStr) -> SecretStr:
    keys = [key.strip() for key in value.get_secret_value().split(",") if key.strip()]
    if not keys or any(len(key) < MIN_KEY_LENGTH for key in keys):
        raise ValueError(
            f"write one or more random keys of at least {MIN_KEY_LENGTH} characters, newest first, separated"
            " by commas; make one with: openssl rand -hex 32"
        )
    return value


Url = Annotated[str, AfterValidator(_base_url)]


class Settings(BaseSettings):
    """Every setting of the BFF. ``docs/settings.md`` is kept true to the descriptions here by a test."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    public_url: Url = Field(
        description="Where browsers reach the BFF, with a path if it is mounted below one."
    )
    database_url: str = Field(
        default="sqlite:///hitchpost.db",
        description="The database, as a SQLAlchemy URL: SQLite for one machine, PostgreSQL for several.",
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
    products: Path | None = Field(
        default=None, description="A product file (TOML) that is applied at every start, when set."
    )
    bind: str = Field(
        default="127.0.0.1:8001", description="Address and port that `hitchpost serve` listens on."
    )
    threads: int = Field(default=32, ge=1, le=512, description="Threads of each worker process.")
    workers: int = Field(default=1, ge=1, le=64, description="Worker processes.")
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
        return tuple(
            Secret(key.strip()) for key in self.secret_keys.get_secret_value().split(",") if key.strip()
        )

    @property
    def public_origin(self) -> str:
        """The origin of ``public_url``."""
        origin = origin_of(self.public_url)
        assert origin is not None
        return origin

    @property
    def partner_origin(self) -> str:
        """The origin that the partner service's messages come from."""
        origin = origin_of(self.partner_service_url)
        assert origin is not None
        return origin


def database_url() -> str:
    """The database alone: what commands need that work on nothing else."""
    default: str = Settings.model_fields["database_url"].default
    return os.environ.get(f"{PREFIX}DATABASE_URL") or default


def public_url() -> str:
    """Where browsers reach the BFF: what commands need that make links. Raises ``FaultySettings``."""
    given = os.environ.get(f"{PREFIX}PUBLIC_URL")
    if not given:
        raise FaultySettings([_say({"type": "missing", "loc": ["public_url"]})])
    try:
        return _base_url(given)
    except ValueError as error:
        raise FaultySettings([f"{PREFIX}PUBLIC_URL: {error}"]) from None


def load_settings(**overrides: Any) -> Settings:
    """The settings from the environment. Raises ``FaultySettings`` with every fault at once."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise FaultySettings([_say(fault) for fault in error.errors()]) from None


def _say(fault: Any) -> str:
    name = PREFIX + str(fault["loc"][0]).upper()
    if fault["type"] == "missing":
        field = Settings.model_fields[str(fault["loc"][0])]
        return f"{name}: is not set. {field.description}"
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"
