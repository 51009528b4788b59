"""Credentials issued by a third party, and the OAuth client they were issued to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Client:
    """An OAuth client registered at the third party: the catalogue's, or the account's own app."""

    id: str
    secret: str | None = field(repr=False)


@dataclass(frozen=True)
class Credentials:
    """The tokens of a grant, and what is needed to refresh and revoke them.

    ``scope``: the granted scopes, space-separated; None if the third party did not state them.
    ``client``: the client they were issued to; None for credentials stored before this was recorded.
    ``obtained_at``, ``grant_obtained_at``: since when the access token and the refresh token are in use.
    ``expires_at``, ``grant_ends_at``: when they expire, if stated.
    ``values``: the account's properties that filled URLs and parameters when the grant was obtained. Later
    changes of the properties do not affect where this grant is refreshed and revoked.
    ``extra``: values of the responses kept for the host (``keep_from_...`` in the catalogue).
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    scope: str | None
    client: Client | None = None
    obtained_at: datetime | None = None
    grant_obtained_at: datetime | None = None
    grant_ends_at: datetime | None = None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
