"""The sandbox's environment, validated whole."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "HITCHPOST_SANDBOX_"


class FaultySettings(Exception):
    """Settings that cannot be used. ``faults`` has one line a variable, saying what to write instead."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """Every setting of the sandbox. ``docs/settings.md`` is kept true to it by a test."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    public_url: str = Field(description="Where browsers and the partner service reach the sandbox.")
    bind: str = Field(default="127.0.0.1:8003", description="Address and port to listen on.")
    client_id: str = Field(default="hitchpost", min_length=1, description="The one client it knows.")
    client_secret: SecretStr = Field(min_length=1, description="That client's secret.")
    redirect_uris: str = Field(
        description="Where answers may be sent, comma-separated: {partner origin}/connector/callback."
    )
    slow_seconds: float = Field(
        default=5.0, ge=0, le=60, description="How long the slow variant's token endpoint takes."
    )

    def allowed_redirects(self) -> frozenset[str]:
        """The registered redirect URIs."""
        return frozenset(filter(None, (uri.strip() for uri in self.redirect_uris.split(","))))


def load_settings() -> Settings:
    """The settings from the environment. Raises ``FaultySettings`` with every fault at once."""
    try:
        settings = Settings()  # type: ignore[call-arg]  # the environment is the argument
    except ValidationError as error:
        raise FaultySettings([_say(fault) for fault in error.errors()]) from None
    urls = {"PUBLIC_URL": [settings.public_url], "REDIRECT_URIS": list(settings.allowed_redirects())}
    faults = [
        f"{PREFIX}{name}: write an absolute URL such as http://127.0.0.1:8003, not {url!r}"
        for name, found in urls.items()
        for url in found or [""]
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname
    ]
    if faults:
        raise FaultySettings(faults)
    return settings


def _say(fault: Any) -> str:
    name = PREFIX + str(fault["loc"][0]).upper()
    if fault["type"] == "missing":
        return f"{name}: is not set. {Settings.model_fields[str(fault['loc'][0])].description}"
    return f"{name}: {fault['msg']}"
