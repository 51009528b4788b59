"""How a grant is ended at its third party: by the token that this one takes for it.

Most take the refresh token, with which the access tokens end as well (RFC 7009, section 2.1). Some take an
access token only (``{access_token}`` in the entry's texts), and that one may be past its end although the
grant is not: then it is refreshed first, so that the grant ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bff.partner import clock
from bff.partner.grants import standing
from bff.partner.providers import refusals
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import Provider, ProviderFailed

LEEWAY: Final = timedelta(seconds=30)
"""A token that is about to end may have ended when it is read."""
ABOUT_TOKEN: Final = frozenset({200, 400, 401})
"""Statuses by which third parties refuse a token that they are sent."""
ABOUT_CLIENT: Final = frozenset({"invalid_client", "unauthorized_client"})


def end(
    provider: Provider,
    item: CatalogueConnector,
    client: Client,
    kept: Credentials,
    note: Callable[[Credentials], None] = lambda _: None,
) -> None:
    """End a grant there; one that has ended already counts. Raises ``ProviderFailed``.

    ``note`` is given what the grant was refreshed to, before anything else is done with it.
    """
    if not _by_access(item, kept):
        _revoke(provider, item, client, kept)
        return
    if not _is_over(kept) and _is_taken(provider, item, client, kept):
        return
    renewed = _renewed(provider, item, client, kept)
    if renewed is not None:
        note(renewed)
        _revoke(provider, item, client, renewed)


def _by_access(item: CatalogueConnector, kept: Credentials) -> bool:
    return item.revokes_by_access_token and kept.refresh_token is not None


def _is_over(kept: Credentials) -> bool:
    ends = kept.expires_at
    return not kept.access_token or (ends is not None and ends <= clock.now() + LEEWAY)


def _is_taken(provider: Provider, item: CatalogueConnector, client: Client, kept: Credentials) -> bool:
    """Whether the grant was ended by its access token; not, where that one is refused."""
    try:
        return _revoke(provider, item, client, kept)
    except ProviderFailed as failure:
        status = failure.said.status if failure.said else None
        if status not in ABOUT_TOKEN or failure.error in ABOUT_CLIENT:
            raise
        return False


def _renewed(
    provider: Provider, item: CatalogueConnector, client: Client, kept: Credentials
) -> Credentials | None:
    """The grant with a new access token; None where the third party says that it has ended."""
    try:
        new = provider.refresh(item, client, kept)
    except ProviderFailed as failure:
        if refusals.is_dead(item, failure.error, (failure.said and failure.said.description) or ""):
            return None
        raise
    return replace(
        kept,
        access_token=new.access_token,
        refresh_token=new.refresh_token or kept.refresh_token,
        expires_at=new.expires_at,
        extra={**kept.extra, **new.extra},
    )


def _revoke(provider: Provider, item: CatalogueConnector, client: Client, kept: Credentials) -> bool:
    token, values = standing.token_of(kept), {**kept.values, **kept.extra}
    if kept.access_token:
        values["access_token"] = kept.access_token
    return provider.revoke(item, client, token.value, token.hint, values)
