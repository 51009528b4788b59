"""The product as its draft has it, for the Studio alone: found by its key and ``~draft``."""

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
    """A ``ProductStore`` that knows drafts too, where the request may see them.

    That is: it carries the cookie of a Studio session of that product, or a session token for the draft,
    which only the Studio issues. ``origin`` is the BFF's own, the only one whose pages may show it.
    """

    def __init__(self, products: ProductStore, content: ContentStore, origin: str) -> None:
        self.stored = products
        self._content = content
        self._origin = origin

    def get(self, key: str) -> Product | None:
        """The product of this key; a draft is made anew each time, so that it is never late."""
        if not key.endswith(DRAFT):
            return self.stored.get(key)
        if not has_request_context() or not may_see(key):
            return None
        found = self.stored.registration(key.removesuffix(DRAFT))
        if found is None:
            return None
        draft = self._content.draft(found.key)
        made = product_of(found, draft.content, draft.revision)
        return replace(made, key=key, origins=(self._origin,))

    def find_by_secret_key(self, secret_key: Secret) -> Product | None:
        """The product that this secret key belongs to: never a draft."""
        return self.stored.find_by_secret_key(secret_key)

    def sharing(self, key: str) -> tuple[str, ...]:
        """The products that share their accounts with this one. A draft's are the Studio's: nobody else's."""
        return (key,) if key.endswith(DRAFT) else self.stored.sharing(key)

    def is_registered_origin(self, origin: str) -> bool:
        """Whether any product registered exactly this origin."""
        return self.stored.is_registered_origin(origin)

    def registration(self, key: str) -> Registration | None:
        """What operators said of the product of this key: of none that is a draft's."""
        return self.stored.registration(key)

    def forget(self, key: str) -> None:
        """Read the product anew next time."""
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
