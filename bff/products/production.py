"""Rules for product files in production: https origins, strong secrets, public webhook addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bff.common.faulty_file import FaultyFile
from bff.products.file import AppliedProduct, read_products
from bff.products.webhook_endpoint import MAKE_ONE, SECRET_PREFIX
from bff.products.webhook_table import url_fault
from bff.serving.destinations import Network, Policy
from bff.serving.environment import weakness

NETWORKS: Final = "HITCHPOST_WEBHOOK_NETWORKS"


def webhook_policy(networks: tuple[Network, ...], *, production: bool) -> Policy:
    """Allow webhooks to public addresses and ``networks``, and outside production also to this machine."""
    return Policy(loopback=not production, networks=networks, setting=NETWORKS)


def require_fit_for_production(
    path: Path, products: Iterable[AppliedProduct], networks: tuple[Network, ...] = ()
) -> None:
    """Check products for production. ``networks`` are allowed for webhooks. Raises ``FaultyFile``."""
    if faults := [f"{path}: {fault}" for product in products for fault in _faults(product, networks)]:
        raise FaultyFile(faults)


def require_webhooks_fit_for_production(
    path: Path, products: Iterable[AppliedProduct], networks: tuple[Network, ...]
) -> None:
    """Check only the webhooks of products for production. Raises ``FaultyFile``."""
    if faults := [
        f"{path}: {product.registration.key}: {fault}"
        for product in products
        for fault in _webhook_faults(product, networks)
    ]:
        raise FaultyFile(faults)


def product_faults(path: Path | None, *, production: bool, networks: tuple[Network, ...] = ()) -> list[str]:
    """Every fault of a product file, a line each. Empty if ``path`` is None."""
    if path is None:
        return []
    try:
        found = read_products(path)
        if production:
            require_fit_for_production(path, found, networks)
    except FaultyFile as error:
        return error.faults
    return []


def webhook_warnings(
    path: Path, products: Iterable[AppliedProduct], networks: tuple[Network, ...]
) -> Iterator[str]:
    """Outside production: the webhooks whose address is refused at each delivery."""
    policy = webhook_policy(networks, production=False)
    for product in products:
        for number, endpoint in enumerate(product.webhooks, 1):
            if fault := url_fault(endpoint.url, policy):
                where = f"{path}: {product.registration.key}: webhook: number {number}: url"
                yield f"{where}: {endpoint.url!r}: deliveries are refused: {fault}"


def product_warnings(
    path: Path | None, *, production: bool, networks: tuple[Network, ...] = ()
) -> Iterator[str]:
    """What is allowed in a product file, and may surprise. Nothing if it cannot be read: that is a fault."""
    try:
        found = read_products(path) if path else []
    except FaultyFile:
        return
    if path and not production:
        yield from webhook_warnings(path, found, networks)
    for product in found:
        by_reference: dict[str, list[str]] = {}
        for connector in product.registration.connectors:
            by_reference.setdefault(connector.reference, []).append(connector.key)
        for reference, keys in by_reference.items():
            if len(keys) > 1:
                yield (
                    f"{path}: {product.registration.key}: connectors {', '.join(keys)} have the reference"
                    f" {reference!r}: they share one connection, which is listed under the one pressed last"
                )


def _faults(product: AppliedProduct, networks: tuple[Network, ...]) -> Iterator[str]:
    key = product.registration.key
    yield from (f"{key}: {fault}" for fault in _webhook_faults(product, networks))
    for origin in product.registration.origins:
        if not origin.startswith("https:"):
            yield f"{key}: origins: {origin!r}: use https in production"
    for offered in product.registration.connectors:
        if (offered.logo or "").lower().startswith("http:"):
            yield f"{key}: connector.{offered.key}.logo: use https in production; pages of https block others"
    for secret in product.secret_keys:
        if reason := weakness(secret.reveal()):
            yield f"{key}: secret_keys: a key {reason}; make one with: echo sk_$(openssl rand -hex 24)"


def _webhook_faults(product: AppliedProduct, networks: tuple[Network, ...]) -> Iterator[str]:
    policy = webhook_policy(networks, production=True)
    for number, endpoint in enumerate(product.webhooks, 1):
        if fault := url_fault(endpoint.url, policy):
            yield f"webhook: number {number}: url: {endpoint.url!r}: {fault}"
        for place, secret in enumerate(endpoint.secrets, 1):
            if reason := weakness(secret.reveal().removeprefix(SECRET_PREFIX)):
                yield f"webhook: number {number}: secret number {place} {reason}; {MAKE_ONE}"
