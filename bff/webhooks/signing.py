"""Signatures of the Standard Webhooks specification, by its own library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from standardwebhooks import Webhook

from bff.common.secret import Secret


def headers(secrets: Sequence[Secret], event_id: str, at: datetime, body: str) -> Mapping[str, str]:
    """The three headers of a delivery: every secret signs, so that a receiver may know the old or the new."""
    signatures = (Webhook(secret.reveal()).sign(event_id, at, body) for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
