"""Signs deliveries with the Standard Webhooks reference library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from standardwebhooks import Webhook

from bff.common.secret import Secret


def headers(secrets: Sequence[Secret], event_id: str, at: datetime, body: str) -> Mapping[str, str]:
    """The three ``webhook-*`` headers of a delivery.

    Every secret adds a signature, so that a receiver may verify by the old or the new one during a rotation.
    """
    signatures = (Webhook(secret.reveal()).sign(event_id, at, body) for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
