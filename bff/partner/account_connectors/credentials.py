"""Credentials at rest: one sealed text each."""

from __future__ import annotations

from datetime import datetime

from flask import json

from bff.partner.crypto import Vault
from bff.partner.providers.credentials import Client, Credentials

_MOMENTS = ("expires_at", "obtained_at", "grant_ends_at")


def seal(vault: Vault, credentials: Credentials, context: str) -> str:
    """Credentials as a sealed text that opens in ``context`` only."""
    moments = {name: getattr(credentials, name) for name in _MOMENTS}
    kept = {
        "access_token": credentials.access_token,
        "refresh_token": credentials.refresh_token,
        "scope": credentials.scope,
        "client": [credentials.client.id, credentials.client.secret] if credentials.client else None,
        "values": dict(credentials.values),
        "extra": dict(credentials.extra),
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
    }
    return vault.seal(json.dumps(kept), context)


def unseal(vault: Vault, sealed: str, context: str) -> Credentials:
    """What was sealed, by this release or an older one. Raises ``CannotOpen``."""
    kept = json.loads(vault.open(sealed, context))
    moments = {name: kept.get(name) for name in _MOMENTS}
    return Credentials(
        access_token=kept["access_token"],
        refresh_token=kept["refresh_token"],
        scope=kept["scope"],
        client=Client(*kept["client"]) if kept.get("client") else None,
        values=kept.get("values", {}),
        extra=kept.get("extra", {}),
        **{name: datetime.fromisoformat(moment) if moment else None for name, moment in moments.items()},
    )
