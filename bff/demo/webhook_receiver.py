"""The demo's webhook receiver, as in docs/webhooks.md, and a list of the events that it has received."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from flask import Flask, Response, jsonify, request
from standardwebhooks import Webhook, WebhookVerificationError

PATH: Final = "/hitchpost"
KEPT: Final = 50


def add_receiver(app: Flask, secret: str) -> None:
    """Add a webhook receiver at ``PATH``, and a list of the latest events, newest first, at ``/told``."""
    webhook, events = Webhook(secret), deque[dict[str, Any]](maxlen=KEPT)

    @app.post(PATH, endpoint="told_by_hitchpost")
    def take() -> tuple[Response, int]:
        try:
            event = webhook.verify(request.get_data(), dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return jsonify({"error": "this is not from Hitchpost"}), 400
        if event["id"] not in {each["id"] for each in events}:
            events.appendleft(event)
        return jsonify({}), 200

    @app.get("/told", endpoint="told")
    def listed() -> Response:
        return jsonify(list(events))
