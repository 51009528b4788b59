"""Finds what more than one entry of a catalogue uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bff.partner.providers.entries import CatalogueConnector


def doubles(items: list[CatalogueConnector]) -> list[str]:
    """Ids, keys and names that more than one entry uses.

    Products name a connector by either, without regard to case and spaces: a name that is another's key
    would lead to either of the two.
    """
    faults = []
    for name in ("id", "key", "name"):
        faults += [
            f"{name} = {value!r} is used by more than one connector; give each its own"
            for value in duplicates(getattr(item, name) for item in items)
        ]
    users: dict[str, list[CatalogueConnector]] = {}
    for item in items:
        for text in {item.key, " ".join(item.name.split()).casefold()}:
            users.setdefault(text, []).append(item)
    for text, (first, *others) in users.items():
        faults += [
            f"connector {other.key}: {text!r} is the key or name of connector {first.key}, too; give each its"
            " own, which differs in more than case and spaces"
            for other in others
            if first.key != other.key and first.name != other.name
        ]
    return faults


def duplicates(values: Iterable[object]) -> list[object]:
    """The values that occur more than once, in the order of their texts."""
    return sorted((value for value, times in Counter(values).items() if times > 1), key=str)
