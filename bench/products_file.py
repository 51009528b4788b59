"""The products of the bench: one, as an operator writes it into the file of products."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final

PRODUCT: Final = "shop"
CONNECTOR: Final = "sandbox"
TEMPLATE: Final = """\
[[product]]
key = "{product}"
name = "Shop"
origins = ["{origin}"]
secret_keys = ["{key}"]
connectors = ["{connector}"]
[product.messages.default]
kind = "sealed"
text = "connected:{{connector}}"
"""
WEBHOOK: Final = """\
[[product.webhook]]
url = "{url}"
secret = "{secret}"
events = {events}
"""


def products_file(origin: str, secret_key: str, webhooks: Mapping[str, Sequence[str]] | None = None) -> str:
    """A file with one product, for pages at ``origin``; ``webhooks`` are the events that each URL is sent."""
    secret = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
    product = TEMPLATE.format(product=PRODUCT, origin=origin, key=secret_key, connector=CONNECTOR)
    return product + "".join(
        WEBHOOK.format(url=url, secret=secret, events=json.dumps(list(events)))
        for url, events in (webhooks or {}).items()
    )
