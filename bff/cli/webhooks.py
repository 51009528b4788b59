"""``hitchpost webhooks``: lists, tests and switches on endpoints, and resends deliveries."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bff.cli import FAULTY, audit
from bff.cli.stored_services import stored_services
from bff.common.errors import NotFound
from bff.common.legible import visible_id
from bff.products.file import AppliedProduct
from bff.products.production import NETWORKS, require_webhooks_fit_for_production, webhook_warnings
from bff.serving.destinations import networks_of
from bff.serving.environment import is_production, variable_of
from bff.serving.settings import FaultySettings
from bff.settings import PREFIX
from bff.webhooks.endpoints import StoredEndpoint
from bff.webhooks.log import DeliveryFilter, LoggedDelivery
from bff.webhooks.service import Webhooks

LISTED: Final = 20
"""Deliveries that ``list --deliveries`` prints for each endpoint."""


def add_commands(actions: Any) -> None:
    """Add the subcommands of ``hitchpost webhooks``."""
    about = "each endpoint: its state and what waits; with --deliveries the newest deliveries too"
    listed = actions.add_parser("list", help=about, description=about)
    listed.add_argument("--product", metavar="KEY", help="of this product only")
    listed.add_argument("--deliveries", action="store_true")
    listed.set_defaults(run=_list)
    about = "send an event webhook.test to an endpoint now, and say what came back"
    test = actions.add_parser("test", help=about, description=about)
    test.add_argument("endpoint", metavar="ENDPOINT", help="its id, as `hitchpost webhooks list` prints it")
    test.set_defaults(run=_test)
    about = "send one delivery again now, or every failed one of an endpoint"
    resend = actions.add_parser("resend", help=about, description=about)
    resend.add_argument("delivery", nargs="?", metavar="DELIVERY")
    resend.add_argument("--failed", metavar="ENDPOINT", help="instead: all that failed there")
    resend.add_argument("--since", metavar="TIME", help="with --failed: of events since then (ISO 8601)")
    resend.set_defaults(run=_resend)
    about = "deliver to an endpoint again that was switched off"
    switch_on = actions.add_parser("on", help=about, description=about)
    switch_on.add_argument("endpoint", metavar="ENDPOINT")
    switch_on.set_defaults(run=_on)


def require_webhooks_fit(path: Path, products: Iterable[AppliedProduct]) -> None:
    """Check the webhooks of products. Raises ``FaultySettings``, and ``FaultyFile`` in production."""
    try:
        networks = networks_of(variable_of(NETWORKS))
    except ValueError as error:
        raise FaultySettings([f"{NETWORKS}: {error}"]) from None
    if is_production(variable_of(f"{PREFIX}ENVIRONMENT"), variable_of(f"{PREFIX}PUBLIC_URL")):
        require_webhooks_fit_for_production(path, products, networks)
        return
    for warning in webhook_warnings(path, products, networks):
        print(f"warning: {warning}", file=sys.stderr)


def _webhooks() -> Webhooks:
    return stored_services().webhooks.service


def _list(arguments: argparse.Namespace) -> int:
    services = stored_services()
    webhooks = services.webhooks.service
    product: str | None = arguments.product
    if product is not None and services.products.registration(product) is None:
        raise NotFound(f"--product: there is no product {product!r}")
    endpoints = webhooks.endpoints.of_product(product) if product else webhooks.endpoints.all()
    if not endpoints:
        print(
            "no product has a webhook endpoint" if product is None else f"{product} has no webhook endpoint"
        )
    for endpoint in endpoints:
        print(_endpoint_line(endpoint, webhooks.log.waiting(endpoint.id)))
        if arguments.deliveries:
            wanted = DeliveryFilter(endpoint.product, endpoint=endpoint.id)
            deliveries = webhooks.log.page(wanted, LISTED)[0]
            if not deliveries:
                print("  no deliveries")
            for delivery in deliveries:
                print(f"  {_delivery_line(delivery)}")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    webhooks = _webhooks()
    endpoint = _endpoint(webhooks, arguments.endpoint)
    delivery = webhooks.test(endpoint.product, endpoint.id)
    audit.record("webhook_tested", product=endpoint.product, endpoint=endpoint.id, delivery=delivery.id)
    return _print_result(delivery)


def _resend(arguments: argparse.Namespace) -> int:
    if (arguments.delivery is None) == (arguments.failed is None):
        print("name one delivery, or --failed ENDPOINT", file=sys.stderr)
        return FAULTY
    if arguments.since is not None and arguments.failed is None:
        print("--since: goes with --failed ENDPOINT only", file=sys.stderr)
        return FAULTY
    webhooks = _webhooks()
    if arguments.failed is not None:
        endpoint = _endpoint(webhooks, arguments.failed)
        count = webhooks.send_failed_again(endpoint.product, endpoint.id, _since(arguments.since))
        audit.record("webhook_sent_again", product=endpoint.product, endpoint=endpoint.id, count=count)
        print(f"queued again: {count}")
        return 0
    product = webhooks.log.product_of(arguments.delivery)
    delivery = webhooks.send_again(product or "", arguments.delivery)
    audit.record("webhook_sent_again", product=product, endpoint=delivery.endpoint_id, delivery=delivery.id)
    return _print_result(delivery)


def _on(arguments: argparse.Namespace) -> int:
    webhooks = _webhooks()
    endpoint = _endpoint(webhooks, arguments.endpoint)
    webhooks.switch_on(endpoint.product, endpoint.id)
    audit.record("webhook_switched_on", product=endpoint.product, endpoint=endpoint.id)
    print(f"{endpoint.id} is on; what failed meanwhile: hitchpost webhooks resend --failed {endpoint.id}")
    return 0


def _endpoint(webhooks: Webhooks, endpoint_id: str) -> StoredEndpoint:
    endpoint = webhooks.endpoints.find(endpoint_id)
    if endpoint is None or endpoint.removed_at is not None:
        raise NotFound(f"there is no webhook endpoint {endpoint_id!r}; see: hitchpost webhooks list")
    return endpoint


def _since(text: str | None) -> datetime:
    if text is None:
        return datetime.min.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise FaultySettings([f"--since: {text!r} is no time such as 2026-01-31T12:00:00Z"]) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _print_result(delivery: LoggedDelivery) -> int:
    print(_delivery_line(delivery))
    return 0 if delivery.status == "delivered" else 1


def _endpoint_line(endpoint: StoredEndpoint, waiting: int) -> str:
    state = f"off ({endpoint.off_reason})" if endpoint.off_at else endpoint.state
    events = ", ".join(endpoint.events)
    return f"{endpoint.id}  {endpoint.product}  {state}  waiting {waiting}  {endpoint.url}  ({events})"


def _delivery_line(delivery: LoggedDelivery) -> str:
    answer = (
        f"answered {delivery.answer_status}" if delivery.answer_status else (delivery.error or "not sent")
    )
    took = f" in {delivery.milliseconds} ms" if delivery.milliseconds is not None else ""
    return (
        f"{delivery.created_at:%Y-%m-%d %H:%M:%S}  {delivery.id}  {delivery.type}"
        f"  {visible_id(delivery.subject)}  {delivery.status} after {delivery.attempts}: {answer}{took}"
    )
