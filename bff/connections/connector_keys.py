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
            chosen = ConnectorIndex(everything, self._catalogue.look_up(account, everything)).of(row, seen)
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


class ConnectorIndex:
    """Finds the connector of each account connector of an account, for one look at it.

    It finds the one that the account connector is stored with, if that matches, else the first that matches.
    The stored one also matches if the catalogue's entry is missing: then nothing shows another connector.
    """

    def __init__(
        self, connectors: Iterable[OfferedConnector], catalogue: Mapping[str, KnownConnector]
    ) -> None:
        self._by_id: dict[str, dict[str, OfferedConnector]] = {}
        self._by_name: dict[str, dict[str, OfferedConnector]] = {}
        self._without_entry: dict[str, OfferedConnector] = {}
        self._places: dict[str, int] = {}
        for place, each in enumerate(connectors):
            self._places[each.key] = place
            known = catalogue.get(each.reference)
            entry = known.connector if known else None
            if entry is None:
                self._without_entry[each.key] = each
            # Without an entry, compare the name and the id of what is installed.
            ids = (entry.id, *entry.others) if entry else (each.reference,)
            for release in ids:
                self._by_id.setdefault(str(release), {})[each.key] = each
            name = plain_name(entry.name if entry else each.reference)
            self._by_name.setdefault(name, {})[each.key] = each

    def of(self, row: Stored | None, item: AccountConnector) -> OfferedConnector | None:
        """The connector of an account connector; None if no connector matches. ``row``: what is stored."""
        by_id = self._by_id.get(str(item.connector_id), {})
        by_name = self._by_name.get(plain_name(item.connector_name), {})
        if row is not None:
            for matching in (by_id, by_name, self._without_entry):
                if stored := matching.get(row.connector_key):
                    return stored
        first = [next(iter(matching.values())) for matching in (by_id, by_name) if matching]
        return min(first, key=lambda each: self._places[each.key], default=None)
