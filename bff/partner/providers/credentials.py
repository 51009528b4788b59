"""What a third party gives: credentials, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Client:
    """Our registration at the third party: the catalogue's, or one that the account brings."""

    id: str
    secret: str | None = field(repr=False)


@dataclass(frozen=True)
class Credentials:
    """What the third party gave. ``scope`` is what it granted, space-separated, where it said so.

    ``client`` is whom it was given to; None in what was stored before that was kept. ``expires_at`` is the
    end of the access token, ``grant_ends_at`` that of the refresh token, where it was said. ``values`` are
    the account's own that stood in URLs and parameters when it was got, ``extra`` what was kept for the host:
    whatever the account sets later, this grant goes on being refreshed and revoked where it came from.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    scope: str | None
    client: Client | None = None
    obtained_at: datetime | None = None
    grant_ends_at: datetime | None = None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
