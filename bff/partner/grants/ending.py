"""Revokes a grant at its third party, with the kind of token that this third party accepts.

Most accept the refresh token, which also revokes the access tokens (RFC 7009, section 2.1). Some accept an
access token only: their catalogue entry uses ``{access_token}``. The access token may have expired while the
grant is still valid. In that case it is refreshed first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bff.partner import clock
from bff.partner.grants import grants_in_use
from bff.partner.providers import refusals, transport
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import Provider, ProviderFailed

LEEWAY: Final = timedelta(seconds=30)
"""A token that expires within this time may have expired when the third party reads it."""
ABOUT_TOKEN: Final = frozenset({200, 400, 401})
"""HTTP statuses with which third parties reject the token itself."""
ABOUT_CLIENT: Final = frozenset({"invalid_client", "unauthorized_client"})
"""OAuth errors that reject the client rather than the token (RFC 6749, section 5.2)."""
LEFT_FOR_LATER: Final = "refresh_needed_first"
"""Error code: a refresh is needed, and the caller has no time to wait for its answer."""
UNANSWERED: Final = "refresh_not_answered"
"""Error code: the answer to the refresh did not arrive. The third party may have replaced the token."""
LOST: Final = "refreshed_token_lost"
"""Error code: the third party rejects the token after an unanswered refresh. The grant may be in use."""


def end(
    provider: Provider,
    item: CatalogueConnector,
    client: Client,
    credentials: Credentials,
    note: Callable[[Credentials], None] = lambda _: None,
    *,
    may_refresh: bool = True,
    unanswered: bool = False,
) -> None:
    """Revoke a grant at its third party. Succeeds if the grant has already ended.

    ``note`` stores the refreshed credentials, if the grant is refreshed first. It is called before they are
    revoked, because a refresh may have invalidated the stored token. ``unanswered``: the answer to an earlier
    refresh was lost. That the token is rejected then does not mean that the grant has ended. Raises
    ``ProviderFailed``.
    """
    if not _needs_access_token(item, credentials):
        _revoke(provider, item, client, credentials)
        return
    if not _has_expired(credentials) and _revoke_by_access_token(provider, item, client, credentials):
        return
    if not may_refresh:
        raise ProviderFailed(LEFT_FOR_LATER)
    refreshed = _refresh(provider, item, client, credentials)
    if refreshed is None:
        if unanswered:
            raise ProviderFailed(LOST)
        return
    try:
        note(refreshed)
    finally:
        # If it cannot be stored, this is the only chance to revoke it.
        _revoke(provider, item, client, refreshed)


def _needs_access_token(item: CatalogueConnector, credentials: Credentials) -> bool:
    return item.revokes_by_access_token and credentials.refresh_token is not None


def _has_expired(credentials: Credentials) -> bool:
    ends = credentials.expires_at
    return not credentials.access_token or (ends is not None and ends <= clock.now() + LEEWAY)


def _revoke_by_access_token(
    provider: Provider, item: CatalogueConnector, client: Client, credentials: Credentials
) -> bool:
    """Revoke by the access token; False if the third party rejects that token. Raises ``ProviderFailed``."""
    try:
        return _revoke(provider, item, client, credentials)
    except ProviderFailed as failure:
        status = failure.said.status if failure.said else None
        if status not in ABOUT_TOKEN or failure.error in ABOUT_CLIENT:
            raise
        return False


def _refresh(
    provider: Provider, item: CatalogueConnector, client: Client, credentials: Credentials
) -> Credentials | None:
    """Refresh the credentials; None if the third party says that the grant has ended.

    Raises ``ProviderFailed``, with ``UNANSWERED`` if the third party may have received the request.
    """
    try:
        refreshed = provider.refresh(item, client, credentials)
    except ProviderFailed as failure:
        if refusals.verdict_of(item, failure.error, failure.said) == "dead":
            return None
        if isinstance(failure.__cause__, transport.NoReply) and failure.error != transport.FORBIDDEN:
            raise ProviderFailed(UNANSWERED, said=failure.said) from failure
        if failure.refused is None:
            raise
        # Tokens that cannot be used can still be revoked.
        refreshed = failure.refused
    return replace(
        credentials,
        access_token=refreshed.access_token,
        refresh_token=refreshed.refresh_token or credentials.refresh_token,
        expires_at=refreshed.expires_at,
        extra={**credentials.extra, **refreshed.extra},
    )


def _revoke(provider: Provider, item: CatalogueConnector, client: Client, credentials: Credentials) -> bool:
    token, values = grants_in_use.token_of(credentials), {**credentials.values, **credentials.extra}
    if credentials.access_token:
        values["access_token"] = credentials.access_token
    return provider.revoke(item, client, token.value, token.hint, values)
