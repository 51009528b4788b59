"""Two connectors of a product with one reference: allowed, and said by check-config."""

from __future__ import annotations

from pathlib import Path

from bff.products.production import product_warnings
from tests.support.world import PRODUCTS


def test_connectors_that_share_a_connection_are_named(tmp_path: Path) -> None:
    """An operator may not know that one connection of theirs is under one of them."""
    path = tmp_path / "products.toml"
    path.write_text(PRODUCTS)
    (said,) = product_warnings(path, production=True)
    assert said.startswith(f"{path}: demo: connectors sandbox, google-drive have the reference 'sandbox'")


def test_a_file_that_cannot_be_read_is_a_fault_and_no_warning(tmp_path: Path) -> None:
    """It is said once."""
    assert all(not list(product_warnings(path, production=False)) for path in (None, tmp_path / "none.toml"))
