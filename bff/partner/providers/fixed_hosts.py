"""Finds the hosts of a catalogue that no user can choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from bff.partner.providers.entries import CatalogueConnector


def fixed_hosts(connectors: Iterable[CatalogueConnector]) -> frozenset[str]:
    """The host names of all URLs in these entries, without those that contain a placeholder."""
    texts = (text for item in connectors for text in _texts(item.model_dump()))
    return frozenset(host for text in texts if (host := _host_of(text)) is not None)


def _host_of(text: str) -> str | None:
    if not text.startswith(("https://", "http://")):
        return None
    try:
        host = urlsplit(text).hostname
    except ValueError:
        return None
    return host if host and "{" not in host else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(each)
