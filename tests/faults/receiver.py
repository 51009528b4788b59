"""A webhook receiver as a program: it writes down what is genuine before it answers, and fails now and then.

python -m tests.faults.receiver; ``RECEIVER_PORT``, ``RECEIVER_FILE`` and ``RECEIVER_SECRET`` say the rest.
"""

from __future__ import annotations

import json
import os
import random
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

TROUBLE = 0.1
"""The share of events that it fails to take, and that of those it takes and does not confirm."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """It is there."""
        self._answer(200)

    def do_POST(self) -> None:
        """An event."""
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # Who sends it was killed halfway.
            return
        try:
            Webhook(os.environ["RECEIVER_SECRET"]).verify(body, dict(self.headers.items()))
        except (WebhookVerificationError, ValueError) as error:
            self._write(json.dumps({"forged": str(error)}).encode())
            self._answer(400)
            return
        chance = random.random()
        if chance < TROUBLE:
            self._answer(503)
            return
        self._write(body)
        if chance < 2 * TROUBLE:
            self.close_connection = True
            return
        self._answer(204)

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @staticmethod
    def _write(line: bytes) -> None:
        file = os.open(os.environ["RECEIVER_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line + b"\n")
        os.close(file)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["RECEIVER_PORT"])), Handler).serve_forever()
