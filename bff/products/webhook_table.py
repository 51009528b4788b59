"""The tables ``[[product.webhook]]`` of a product file: webhook endpoints and their subscriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import Field

from bff.common.secret import Secret
from bff.content.file_tables import Strict
from bff.products.webhook_endpoint import (
    MAKE_ONE,
    MOST_SECRETS,
    WebhookEndpoint,
    pattern_fault,
    secret_fault,
)
from bff.serving.destinations import ForbiddenUrl, Policy, parts_of

MOST_ENDPOINTS: Final = 20
"""Endpoints of one product. Every event is delivered to each of them separately."""
LONGEST_URL: Final = 2000


class WebhookTable(Strict):
    """``url``, ``events`` (patterns), and one or more secrets separated by commas.

    The secrets are in ``secret``, or in the environment variable that ``secret_env`` names.
    """

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]
    secret: str | None = None
    secret_env: str | None = None
    events: Annotated[list[str], Field(min_length=1, max_length=50)]

    def faults(self, environ: Mapping[str, str]) -> Iterator[str]:
        """Every fault of the table, each with its key."""
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
        """Convert the table."""
        secrets = tuple(Secret(text) for text in self._secrets(environ))
        return WebhookEndpoint(product, self.url, tuple(dict.fromkeys(self.events)), secrets)

    def _secrets(self, environ: Mapping[str, str]) -> list[str]:
        text = self.secret if self.secret is not None else environ.get(self.secret_env or "", "")
        return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))

    def _secret_faults(self, environ: Mapping[str, str]) -> Iterator[str]:
        name, secrets = ("secret" if self.secret is not None else "secret_env"), self._secrets(environ)
        if not secrets:
            unset = "is empty" if self.secret is not None else f"{self.secret_env} is not set"
            yield f"{name}: {unset}; {MAKE_ONE}"
        if len(secrets) > MOST_SECRETS:
            yield f"{name}: at most {MOST_SECRETS} secrets sign at a time; take the oldest away"
        for number, text in enumerate(secrets, 1):
            if fault := secret_fault(text):
                yield f"{name}: secret number {number} {fault}"


def webhook_faults(tables: list[WebhookTable], environ: Mapping[str, str]) -> Iterator[str]:
    """Every fault of the tables of one product, each with the table's number."""
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
    """Say why webhooks cannot be sent to ``url``. None if they can.

    With ``literal``, an IP address in the URL is checked by the policy. A host name is resolved, and its
    addresses are checked, when a delivery connects.
    """
    try:
        parts = policy.check(url) if literal else parts_of(url)
    except ForbiddenUrl as error:
        return str(error)
    host = (parts.hostname or "").rstrip(".")
    if literal and not policy.loopback and (host == "localhost" or host.endswith(".localhost")):
        return f"{host} is this machine, which no webhook goes to in production"
    return None
