"""A webhook receiver on a real socket: it writes down what it is sent, and answers as it is told to."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

from tests.support.servers import serve


def new_secret() -> str:
    """A secret as an operator makes one."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


@dataclass
class Message:
    """One request: its headers by lower-case name, and its body as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, read."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def verified(self, secret: str) -> dict[str, Any]:
        """The event, if the specification's own library takes it. Raises ``WebhookVerificationError``."""
        found: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return found


@dataclass
class Receiver:
    """``says`` is the status that the next requests are answered with; ``held`` keeps answers back."""

    url: str = ""
    says: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    answer: Callable[[Message], int] | None = None
    got: list[Message] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.held.set()

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What it was told, of one type or of any."""
        return [each.event for each in list(self.got) if kind is None or each.event["type"] == kind]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """One request."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        message = Message(environ["PATH_INFO"], headers, body)
        self.got.append(message)
        self.held.wait(30)
        status = self.answer(message) if self.answer else self.says
        start_response(f"{status} Status", [("Content-Length", "0"), *self.headers.items()])
        return [b""]


@contextlib.contextmanager
def open_receiver() -> Iterator[Receiver]:
    """Serve one."""
    receiver = Receiver()
    with serve(lambda _: receiver) as url:
        receiver.url = f"{url}/hooks"
        yield receiver
        receiver.held.set()
