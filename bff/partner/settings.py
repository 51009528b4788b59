"""Settings of the embedded service, including switches for behaviour that Cyclr does not document."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bff.partner.providers.outbound import policy_of
from bff.serving.destinations import Policy, networks_of
from bff.serving.environment import (
    debugging,
    from_files,
    is_production,
    unknown_variables,
    weakness,
)
from bff.serving.hosts import LOOPBACK, host_name
from bff.serving.settings import Bind, DatabaseUrl, ServedSettings, load

PREFIX: Final = "HITCHPOST_EMBEDDED_"
KEY_BYTES: Final = 32


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write an absolute URL such as https://partner.example.com, without query")
    if parts.scheme == "http" and host_name(parts.netloc) not in LOOPBACK:
        raise ValueError("use https; plain http is for loopback hosts only")
    return value.rstrip("/")


def encryption_keys(text: str) -> dict[str, bytes]:
    """Parse ``id:key`` entries into keys by id. Raises ``ValueError`` with the expected format."""
    keys: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not key_id.isidentifier() or len(key) != KEY_BYTES or key_id in keys:
            raise ValueError(
                "write `id:key` entries separated by commas, newest first, each key 32 random bytes in"
                " base64; make one with: echo k1:$(openssl rand -base64 32)"
            )
        keys[key_id] = key
    if not keys:
        raise ValueError("write at least one key: echo k1:$(openssl rand -base64 32)")
    return keys


def _sound_keys(value: SecretStr) -> SecretStr:
    encryption_keys(value.get_secret_value())
    return value


def _networks(value: str) -> str:
    networks_of(value)
    return value


Url = Annotated[str, AfterValidator(_url)]


class Settings(ServedSettings):
    """All settings of the embedded service. ``docs/settings.md`` is generated from their descriptions."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    public_url: Url = Field(
        description="Where browsers and API clients reach this service; third parties are given"
        " {public url}/connector/callback."
    )
    database_url: DatabaseUrl = Field(
        default="sqlite:///hitchpost-partner.db", description="Its own database, as a SQLAlchemy URL."
    )
    catalogue: Path = Field(description="The connector catalogue (TOML).")
    client_id: str = Field(min_length=1, description="Client id that API clients present at /oauth/token.")
    client_secret: SecretStr = Field(min_length=16, description="Client secret that goes with it.")
    encryption_keys: Annotated[SecretStr, AfterValidator(_sound_keys)] = Field(
        description="Keys that seal stored credentials: `id:base64 of 32 bytes`, comma-separated, newest"
        " first."
    )
    allowed_networks: Annotated[str, AfterValidator(_networks)] = Field(
        default="",
        description="Networks (CIDR, comma-separated) in which third parties may be called although their"
        " addresses are not public; this machine, too, when the public URL is http:// on it.",
    )
    bind: Bind = Field(default="127.0.0.1:8002", description="Address and port to listen on.")
    limit_address: int = Field(
        default=12_000,
        ge=1,
        description="Sign-in tokens that one address may redeem in a minute; the same for callbacks.",
    )
    limit_failures: int = Field(
        default=60, ge=1, description="Wrong client credentials a minute from one address."
    )
    limit_client_tokens: int = Field(
        default=600, ge=1, description="Access tokens that one API client may fetch in a minute."
    )
    limit_client_mints: int = Field(
        default=60_000, ge=1, description="Sign-in tokens that one API client's address may mint in a minute."
    )

    # Behaviour that Cyclr's documentation does not specify. Each default is the most likely one.
    tell_sign_ins: bool = Field(
        default=True,
        description="Add the `Hitchpost` object to account connectors, which says what became of each sign-in"
        " token. `false` reports no more than Cyclr does.",
    )
    message_form: Literal["text", "object"] = Field(
        default="text",
        description="What is posted: the callback message as `text`, or an `object` {message: text}.",
    )
    message_window: Literal["opener-or-parent", "opener", "parent"] = Field(
        default="opener-or-parent", description="Which window hears the callback message."
    )
    close_window: bool = Field(
        default=False, description="Whether the last page closes its window after posting the message."
    )
    denial: Literal["error-page", "redirect"] = Field(
        default="error-page",
        description="How a denial or a failure ends: on this service's error page, or back at targetOrigin"
        " (only where there is no callback message).",
    )
    used_token_status: Literal[403, 400, 410] = Field(
        default=403, description="Status of the page for a sign-in token that is unknown, used or expired."
    )
    redirect_query: Literal["none", "result"] = Field(
        default="none", description="What is added to targetOrigin on redirect: nothing, or `result=...`."
    )
    wrong_id_status: Literal[404, 403, 400] = Field(
        default=404, description="Status of the page for an account connector of another account, or none."
    )
    sign_in_for_unknown_account: Literal["refuse", "create"] = Field(
        default="refuse",
        description="A sign-in token for an account that does not exist: refused (404), or the account made.",
    )
    sign_in_with_restricted_token: bool = Field(
        default=True, description="Whether an account-restricted access token may mint sign-in tokens."
    )
    complete_elsewhere: bool = Field(
        default=True,
        description="Let the API client say where a sign-in has to be completed before it counts. `false`"
        " ignores that, as Cyclr does.",
    )
    consume_token: Literal["first-visit", "completion"] = Field(
        default="first-visit", description="When a sign-in token is used up."
    )
    speculative_fetches: Literal["refuse", "redeem"] = Field(
        default="refuse",
        description="A sign-in link fetched by something else than a person's window (prefetch, preview of a"
        " link, embedding): refused, and the token stays usable, or redeemed as any other visit.",
    )
    default_page_size: int = Field(default=100, ge=1, le=1000, description="Page size of lists.")

    def keys(self) -> dict[str, bytes]:
        """The encryption keys by id, newest first."""
        return encryption_keys(self.encryption_keys.get_secret_value())

    def outbound_policy(self) -> Policy:
        """The policy for addresses of third parties."""
        return policy_of(self.public_url, networks_of(self.allowed_networks))

    @property
    def redirect_uri(self) -> str:
        """The OAuth redirect URI, to be registered at every third party."""
        return f"{self.public_url}/connector/callback"


def load_settings() -> Settings:
    """Read the settings from the environment and files. Raises ``FaultySettings`` with all faults at once."""
    values, faults = from_files(PREFIX, Settings.model_fields, os.environ)
    return load(Settings, values, faults, _production_faults)


def unknown_settings() -> list[str]:
    """A line for each variable that looks like a setting and is none. The catalogue may name others."""
    return list(unknown_variables(PREFIX, Settings.model_fields, os.environ, "catalogue"))


def _production_faults(values: Mapping[str, str]) -> Iterator[str]:
    if not is_production(values["environment"], values["public_url"]):
        return
    if values["public_url"].lower().startswith("http:"):
        yield f"{PREFIX}PUBLIC_URL: use https in production; browsers go there"
    if reason := weakness(values["client_secret"]):
        yield f"{PREFIX}CLIENT_SECRET: {reason}; make one with: openssl rand -hex 32"
    for entry in values["encryption_keys"].split(","):
        key_id, _, key = entry.strip().partition(":")
        if key_id == "demo" or weakness(key):
            yield f"{PREFIX}ENCRYPTION_KEYS: key {key_id!r} can be guessed; make one as this setting says"
    yield from debugging()
