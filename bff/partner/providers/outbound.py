"""The outbound policy: public addresses over TLS, and the networks that the operator allows."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from bff.serving.destinations import LOOPBACK, Network, Policy

SETTING: Final = "HITCHPOST_EMBEDDED_ALLOWED_NETWORKS"


def policy_of(public_url: str, networks: tuple[Network, ...]) -> Policy:
    """The policy of a service at ``public_url``. Loopback is allowed if that URL is http on loopback."""
    parts = urlsplit(public_url)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    return Policy(loopback=is_local, networks=networks, setting=SETTING)
