"""A fitting value for every name that a shipped entry uses: what users type, and callbacks bring."""

from __future__ import annotations

from typing import Final

from bff.partner.providers.entries import AskedField, CatalogueConnector

TYPED: Final = (
    "acme",
    "cloud.example.com",
    "ada@example.com",
    "0123456789abcdef0123456789abcdef",
    "ABCDE12345",
    "mercadolibre.com.mx",
    "nl",
    "acme.api-us1",
    "acme.okta.com",
)
"""Each field that is typed takes the first of these that its pattern allows."""
BROUGHT: Final = {
    "accounts-server": "https://accounts.zoho.eu",
    "access_url": "https://api.eu.surveymonkey.com",
    "api_domain": "https://www.zohoapis.eu",
    "apicp": "sharefile.eu",
    "host": "app-eu.wrike.com",
}
"""What a callback or a token answer brings under a name, where not every text will do."""


def typed(field: AskedField) -> str:
    """A value for a field. Raises ``LookupError`` where none fits: then ``TYPED`` needs one more.

    Of choices it is the last: the first may be right by chance.
    """
    if field.choices:
        return list(field.choices)[-1]
    found = next((value for value in TYPED if field.accepts(value)), None)
    if found is None:
        raise LookupError(f"no value in TYPED fits the field {field.name}: {field.pattern}")
    return found


def values_of(item: CatalogueConnector) -> dict[str, str]:
    """By name: what fields hold, and what the callback, the token answer and the user info bring."""
    kept = {name: BROUGHT.get(name, "kept") for name in item.kept}
    return kept | {field.name: typed(field) for field in item.fields}
