"""A third party takes a grant away, as a host's server meets it."""

from __future__ import annotations

import requests


def revoke(sandbox: str, access_token: str, client_secret: str) -> requests.Response:
    """End the grant that an access token came from, at the third party itself (RFC 7009)."""
    ours = ("hitchpost", client_secret)
    return requests.post(f"{sandbox}/revoke", data={"token": access_token}, auth=ours, timeout=20)


def api_token(partner: str, client_id: str, client_secret: str) -> requests.Response:
    """An API client's own access token at the embedded service."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    return requests.post(f"{partner}/oauth/token", data=form, timeout=20)


def report(partner: str, token: str, account: str, connection: str) -> requests.Response:
    """Tell the embedded service that the third party refuses what seems good: 409 where it is dead indeed."""
    headers = {"Authorization": f"Bearer {token}", "X-Cyclr-Account": account}
    url = f"{partner}/v1.0/account/connectors/{connection}/accesstoken"
    return requests.post(url, json={"Force": True}, headers=headers, timeout=30)
