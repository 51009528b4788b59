"""Settings of the sandbox from the environment."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bff.serving.settings import Address, TrimmedSettings, load

PREFIX: Final = "HITCHPOST_SANDBOX_"


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "#" in value:
        raise ValueError(f"write an absolute URL such as http://127.0.0.1:8003, not {value!r}")
    return value


def _urls(value: str) -> str:
    for uri in _split(value) or [""]:
        _url(uri)
    return value


def _split(value: str) -> list[str]:
    return list(filter(None, (uri.strip() for uri in value.split(","))))


class Settings(TrimmedSettings):
    """All settings of the sandbox. ``docs/settings.md`` is generated from their descriptions."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    public_url: Annotated[str, AfterValidator(_url)] = Field(
        description="Where browsers and the partner service reach the sandbox."
    )
    bind: Address = Field(default="127.0.0.1:8003", description="Address and port to listen on.")
    client_id: str = Field(default="hitchpost", min_length=1, description="The one client it knows.")
    client_secret: SecretStr = Field(min_length=1, description="That client's secret.")
    redirect_uris: Annotated[str, AfterValidator(_urls)] = Field(
        description="Where answers may be sent, comma-separated: {partner origin}/connector/callback."
    )
    slow_seconds: float = Field(
        default=5.0, ge=0, le=60, description="How long the slow variant's token endpoint takes."
    )

    def allowed_redirects(self) -> frozenset[str]:
        """The registered redirect URIs."""
        return frozenset(_split(self.redirect_uris))


def load_settings() -> Settings:
    """Read the settings from the environment. Raises ``FaultySettings`` with all faults at once."""
    return load(Settings, {})
