"""The tables ``[[product.webhook]]`` of a product file: which servers are told of what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import Field

from bff.common.secret import Secret
from bff.content.file import Strict
from bff.products.webhook_endpoint import (
    MAKE_ONE,
    MOST_SECRETS,
    WebhookEndpoint,
    pattern_fault,
    secret_fault,
)
from bff.serving.destinations import ForbiddenUrl, Policy, parts_of

MOST_ENDPOINTS: Final = 20
"""Of a product: each is told by itself of every event that it asks for."""
LONGEST_URL: Final = 2000


class WebhookTable(Strict):
    """``url``, the secret (here or in the variable ``secret_env``), and patterns of ``events``."""

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]
    secret: str | None = None
    secret_env: str | None = None
    events: Annotated[list[str], Field(min_length=1, max_length=50)]

    def faults(self, environ: Mapping[str, str]) -> Iterator[str]:
        """Everything that is wrong with it, each with its key."""
        if fault := url_fault(self.url, Policy(loopback=True), literal=False):
            yield f"url: {self.url!r}: {fault}"
        for pattern in self.events:
            if fault := pattern_fault(pattern):
                yield f"events: {fault}"
        if (self.secret is None) == (self.secret_env is None):
            yield "secret, secret_env: write exactly one of the two"
        else:
            yield from self._secret_faults(environ)

    def endpoint(self, product: str, environ: Mapping[str, str]) -> WebhookEndpoint:
        """As the product has it."""
        secrets = tuple(Secret(text) for text in self._secrets(environ))
        return WebhookEndpoint(product, self.url, tuple(dict.fromkeys(self.events)), secrets)

    def _secrets(self, environ: Mapping[str, str]) -> list[str]:
        text = self.secret if self.secret is not None else environ.get(self.secret_env or "", "")
        return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))

    def _secret_faults(self, environ: Mapping[str, str]) -> Iterator[str]:
        name, found = ("secret" if self.secret is not None else "secret_env"), self._secrets(environ)
        if not found:
            unset = "is empty" if self.secret is not None else f"{self.secret_env} is not set"
            yield f"{name}: {unset}; {MAKE_ONE}"
        if len(found) > MOST_SECRETS:
            yield f"{name}: at most {MOST_SECRETS} secrets sign at a time; take the oldest away"
        for number, text in enumerate(found, 1):
            if fault := secret_fault(text):
                yield f"{name}: secret number {number} {fault}"


def webhook_faults(tables: list[WebhookTable], environ: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the tables of one product, each fault with its place."""
    if len(tables) > MOST_ENDPOINTS:
        yield f"webhook: a product has at most {MOST_ENDPOINTS}; this one has {len(tables)}"
    seen: set[str] = set()
    for number, table in enumerate(tables, 1):
        for fault in table.faults(environ):
            yield f"webhook: number {number}: {fault}"
        if table.url in seen:
            yield f"webhook: number {number}: url: {table.url!r} stands twice; write its events in one table"
        seen.add(table.url)


def url_fault(url: str, policy: Policy, *, literal: bool = True) -> str | None:
    """Why no webhook may go to ``url``; None when one may.

    ``literal``: an address in it is looked at by the policy. A name is resolved when it is connected to.
    """
    try:
        parts = policy.check(url) if literal else parts_of(url)
    except ForbiddenUrl as error:
        return str(error)
    host = (parts.hostname or "").rstrip(".")
    if literal and not policy.loopback and (host == "localhost" or host.endswith(".localhost")):
        return f"{host} is this machine, which no webhook goes to in production"
    return None
