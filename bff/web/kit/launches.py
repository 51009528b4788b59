"""Checks that what an attempt was begun with still stands: its product, connector, origin and session."""

from __future__ import annotations

from bff.common.errors import LaunchRefused
from bff.common.secret import Secret
from bff.connect.attempt import Attempt
from bff.content.product import DRAFT, is_draft
from bff.identity.principal import Principal
from bff.web.kit.services import services


def launchable(token: Secret) -> Attempt:
    """The attempt of a launch token, without using it up. Raises ``LaunchRefused`` if it is unusable."""
    attempt = services().attempts.service.peek(token)
    require_authorised(attempt)
    return attempt


def require_authorised(attempt: Attempt) -> None:
    """Raise ``LaunchRefused`` if nobody could begin this attempt any more.

    No session comes with a launch, a form or a completion: their tokens and cookies prove only that it was
    allowed when the attempt began.
    """
    # A request without the Studio's cookie sees no draft. Its product has the same connectors.
    product = services().products.get(attempt.product.removesuffix(DRAFT))
    if product is None:
        raise LaunchRefused(f"product {attempt.product} was removed")
    offered = product.connector(attempt.connector.key)
    if offered is None or offered.reference != attempt.connector.reference:
        raise LaunchRefused(f"connector {attempt.connector.key!r} is no longer offered")
    origins = (services().urls.public_origin,) if is_draft(attempt.product) else product.origins
    if attempt.origin not in origins:
        raise LaunchRefused(f"origin {attempt.origin} is no longer registered for {product.key}")
    principal = Principal(attempt.product, attempt.account, attempt.user)
    if services().sessions.ends.is_ended(principal, attempt.created_at):
        raise LaunchRefused("the host has ended the session in which this attempt began")
