"""Decides which connector of a product an account connector belongs to: a product file may change.

Two connectors of a product may have the same reference; the account connector then belongs to one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from bff.connections.connection import Stored
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import AccountConnector, KnownConnector, plain_name


class ConnectorKeys:
    """Finds the connector of an account connector. ``of_product``: all connectors of the product of a key."""

    def __init__(
        self, catalogue: Catalogue, of_product: Callable[[str], Sequence[OfferedConnector]] = lambda _key: ()
    ) -> None:
        self._catalogue = catalogue
        self._of_product = of_product

    def everything(self, product: str, offered: Iterable[OfferedConnector] = ()) -> list[OfferedConnector]:
        """The offered connectors, then the product's others, which this session may not use."""
        first = list(offered)
        keys = {each.key for each in first}
        return [*first, *(each for each in self._of_product(product) if each.key not in keys)]

    def of(
        self,
        account: AccountRef,
        row: Stored | None,
        seen: AccountConnector | None,
        offered: Iterable[OfferedConnector],
    ) -> OfferedConnector | None:
        """The offered connector of an account connector; None if it belongs to another one, or to none."""
        offered = list(offered)
        found = next((each for each in offered if row is not None and each.key == row.connector_key), None)
        if found is None and seen is not None:
            everything = self.everything(account.product, offered)
            catalogue = self._catalogue.look_up(account, everything)
            chosen = connector_of(row, seen, everything, catalogue)
            found = chosen if chosen in offered else None
        return found and self._catalogue.named(found)

    def renamed(
        self, account: AccountRef, row: Stored, seen: AccountConnector | None
    ) -> OfferedConnector | None:
        """The connector that offers it now, if the product no longer has the key it is stored with."""
        everything = self.everything(account.product)
        if any(each.key == row.connector_key for each in everything):
            return None
        return self.of(account, row, seen, everything)


def connector_of(
    row: Stored | None,
    item: AccountConnector,
    connectors: Iterable[OfferedConnector],
    catalogue: Mapping[str, KnownConnector],
) -> OfferedConnector | None:
    """The connector of an account connector: the one it is stored with, if that matches, else the first."""
    matching = [each for each in connectors if is_of(each, catalogue.get(each.reference), item)]
    stored = (each for each in matching if row is not None and each.key == row.connector_key)
    return next(stored, matching[0] if matching else None)


def is_of(offered: OfferedConnector, known: KnownConnector | None, item: AccountConnector) -> bool:
    """Whether an account connector is an install of an offered connector. ``known``: its catalogue entry."""
    if known and known.connector:
        return known.connector.is_in(item)
    # Without an entry, compare the name and the id of what is installed.
    by_name = plain_name(offered.reference) == plain_name(item.connector_name)
    return by_name or offered.reference == str(item.connector_id)
