"""Credentials at rest: one sealed text each."""

from __future__ import annotations

from datetime import datetime

from flask import json

from bff.partner.crypto import Vault
from bff.partner.providers.provider import Client, Credentials


def seal(vault: Vault, credentials: Credentials, context: str) -> str:
    """Credentials as a sealed text that opens in ``context`` only."""
    kept = {
        "access_token": credentials.access_token,
        "refresh_token": credentials.refresh_token,
        "expires_at": credentials.expires_at.isoformat() if credentials.expires_at else None,
        "scope": credentials.scope,
        "client": [credentials.client.id, credentials.client.secret] if credentials.client else None,
    }
    return vault.seal(json.dumps(kept), context)


def unseal(vault: Vault, sealed: str, context: str) -> Credentials:
    """What was sealed. Raises ``CannotOpen``."""
    kept = json.loads(vault.open(sealed, context))
    ends = kept["expires_at"]
    return Credentials(
        access_token=kept["access_token"],
        refresh_token=kept["refresh_token"],
        expires_at=datetime.fromisoformat(ends) if ends else None,
        scope=kept["scope"],
        client=Client(*kept["client"]) if kept.get("client") else None,
    )
