"""Products as in their drafts, for the Studio only. A draft's key is the product's key with ``~draft``."""

from __future__ import annotations

from dataclasses import replace

from flask import has_request_context

from bff.common.errors import NotSignedIn
from bff.common.secret import Secret
from bff.content.content import product_of
from bff.content.ports import ContentStore, ProductStore
from bff.content.product import DRAFT, Product, Registration
from bff.web.kit.authenticate import bearer
from bff.web.kit.services import services
from bff.web.studio.access import session_of_request


class DraftProducts:
    """A ``ProductStore`` that also returns drafts to requests that may see them.

    Such a request has the cookie of a Studio session of the product, or a session token for the draft, which
    only the Studio issues. ``origin`` is the BFF's own, the only origin at which drafts may be shown.
    """

    def __init__(self, products: ProductStore, content: ContentStore, origin: str) -> None:
        self.stored = products
        self._content = content
        self._origin = origin

    def get(self, key: str) -> Product | None:
        """The product of this key. Drafts are not cached."""
        if not key.endswith(DRAFT):
            return self.stored.get(key)
        if not has_request_context() or not may_see(key):
            return None
        registration = self.stored.registration(key.removesuffix(DRAFT))
        if registration is None:
            return None
        draft = self._content.draft(registration.key)
        product = product_of(registration, draft.content, draft.revision)
        return replace(product, key=key, origins=(self._origin,))

    def find_by_secret_key(self, secret_key: Secret) -> Product | None:
        """The product of this secret key. Never a draft."""
        return self.stored.find_by_secret_key(secret_key)

    def is_registered_origin(self, origin: str) -> bool:
        """Whether any product registered exactly this origin."""
        return self.stored.is_registered_origin(origin)

    def registration(self, key: str) -> Registration | None:
        """The registration of the product; None for the key of a draft."""
        return self.stored.registration(key)

    def forget(self, key: str) -> None:
        """Remove the product from the cache."""
        self.stored.forget(key)


def may_see(key: str) -> bool:
    """Whether this request may see the draft of this key."""
    session = session_of_request()
    if session is not None and session.product + DRAFT == key:
        return True
    token = bearer()
    try:
        return token is not None and services().sessions.tokens.read(token).product == key
    except NotSignedIn:
        return False
