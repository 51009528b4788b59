"""What the demo's server is told: a webhook receiver as docs/webhooks.md shows one, and what came, listed."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from flask import Flask, Response, jsonify, request
from standardwebhooks import Webhook, WebhookVerificationError

PATH: Final = "/hitchpost"
KEPT: Final = 50


def add_receiver(app: Flask, secret: str) -> None:
    """Take events at ``PATH``, and list the newest ones at ``/told``, the newest first."""
    webhook, told = Webhook(secret), deque[dict[str, Any]](maxlen=KEPT)

    @app.post(PATH, endpoint="told_by_hitchpost")
    def take() -> tuple[Response, int]:
        try:
            event = webhook.verify(request.get_data(), dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return jsonify({"error": "this is not from Hitchpost"}), 400
        if event["id"] not in {each["id"] for each in told}:
            told.appendleft(event)
        return jsonify({}), 200

    @app.get("/told", endpoint="told")
    def listed() -> Response:
        return jsonify(list(told))
