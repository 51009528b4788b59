"""The TLS context of all HTTP clients."""

from __future__ import annotations

import ssl
from typing import Any

from requests.adapters import HTTPAdapter


class Adapter(HTTPAdapter):
    """An adapter for requests that uses ``client_context``."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create a pool manager with this context."""
        super().init_poolmanager(*arguments, ssl_context=client_context(), **options)


def client_context() -> ssl.SSLContext:
    """A context that verifies the certificate and the host name. It trusts no certificate authority yet."""
    # Not the default context of ssl, requests or urllib3: it writes the session keys to the file that
    # SSLKEYLOGFILE names.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
