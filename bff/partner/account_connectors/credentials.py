"""Encrypts credentials for storage, and decrypts them."""

from __future__ import annotations

from datetime import datetime

from flask import json

from bff.partner.crypto import Vault
from bff.partner.providers.credentials import Client, Credentials

_MOMENTS = ("expires_at", "obtained_at", "grant_obtained_at", "grant_ends_at")


def seal(vault: Vault, credentials: Credentials, context: str) -> str:
    """Encrypt credentials. They can only be decrypted with the same ``context``."""
    times = {name: getattr(credentials, name) for name in _MOMENTS}
    document = {
        "access_token": credentials.access_token,
        "refresh_token": credentials.refresh_token,
        "scope": credentials.scope,
        "client": [credentials.client.id, credentials.client.secret] if credentials.client else None,
        "values": dict(credentials.values),
        "extra": dict(credentials.extra),
        **{name: time.isoformat() if time else None for name, time in times.items()},
    }
    return vault.seal(json.dumps(document), context)


def unseal(vault: Vault, sealed: str, context: str) -> Credentials:
    """Decrypt credentials. Raises ``CannotOpen``."""
    document = json.loads(vault.open(sealed, context))
    # Typed credentials that are held without a grant have some of the members only (``grants/typed.py``).
    times = {name: document.get(name) for name in _MOMENTS}
    return Credentials(
        access_token=document["access_token"],
        refresh_token=document["refresh_token"],
        scope=document["scope"],
        client=Client(*document["client"]) if document["client"] else None,
        values=document.get("values", {}),
        extra=document.get("extra", {}),
        **{name: datetime.fromisoformat(time) if time else None for name, time in times.items()},
    )
