"""What a product file may not hold in production, though it is sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bff.common.faulty_file import FaultyFile
from bff.products.file import AppliedProduct, read_products
from bff.serving.environment import weakness


def require_fit_for_production(path: Path, products: Iterable[AppliedProduct]) -> None:
    """Raises ``FaultyFile`` with every fault."""
    if faults := [f"{path}: {fault}" for product in products for fault in _faults(product)]:
        raise FaultyFile(faults)


def product_faults(path: Path | None, *, production: bool) -> list[str]:
    """Every fault of a product file, a line each; none where there is no file."""
    if path is None:
        return []
    try:
        found = read_products(path)
        if production:
            require_fit_for_production(path, found)
    except FaultyFile as error:
        return error.faults
    return []


def _faults(product: AppliedProduct) -> Iterator[str]:
    key = product.registration.key
    for origin in product.registration.origins:
        if not origin.startswith("https:"):
            yield f"{key}: origins: {origin!r}: use https in production"
    for secret in product.secret_keys:
        if reason := weakness(secret.reveal()):
            yield f"{key}: secret_keys: a key {reason}; make one with: echo sk_$(openssl rand -hex 24)"
