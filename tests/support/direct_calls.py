"""The token endpoint of a third party, asked by the product's client of it, with no service around that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import Code, Provider, ProviderFailed
from bff.serving.destinations import Policy
from tests.support.third_party import ThirdParty

CLIENT: Final = Client("hitchpost", "third-party-secret")
KEPT: Final = Credentials("at-kept", "rt-kept", datetime(2030, 1, 1, tzinfo=UTC), None, CLIENT)
"""A grant."""
_CALLBACK: Final = "https://connect.example/connector/callback"
PROVIDER: Final = Provider(Policy(loopback=True), _CALLBACK)


def exchanged(third: ThirdParty, code: str = "a-code", **entry: Any) -> Credentials:
    """The tokens for a code. Raises ``ProviderFailed``."""
    sent = Code(code, "verifier", _CALLBACK, {}, {})
    return PROVIDER.exchange_code(third.entry(**entry), CLIENT, sent)[0]


def failed_exchange(third: ThirdParty, code: str = "a-code", **entry: Any) -> ProviderFailed:
    """How the exchange of a code fails."""
    with pytest.raises(ProviderFailed) as failed:
        exchanged(third, code, **entry)
    return failed.value


def failed_refresh(third: ThirdParty, item: CatalogueConnector) -> ProviderFailed:
    """How a refresh fails."""
    with pytest.raises(ProviderFailed) as failed:
        PROVIDER.refresh(item, CLIENT, KEPT)
    return failed.value
