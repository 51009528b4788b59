"""Interfaces of the stores of products, their content and their images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bff.common.secret import Secret
from bff.content.drafts import Clash, Draft, Edit, Version
from bff.content.logos.logo import Logo
from bff.content.product import Product, Registration


class ProductStore(Protocol):
    """Where products live."""

    def sharing(self, key: str) -> tuple[str, ...]:
        """The keys of the products that share their accounts with this one, which is the first."""

    def get(self, key: str) -> Product | None:
        """The product of this key."""

    def find_by_secret_key(self, secret_key: Secret) -> Product | None:
        """The product that this secret key belongs to."""

    def is_registered_origin(self, origin: str) -> bool:
        """Whether any product registered exactly this origin."""

    def registration(self, key: str) -> Registration | None:
        """What operators said of the product of this key."""

    def forget(self, key: str) -> None:
        """Read the product anew next time: something has changed."""


class ContentStore(Protocol):
    """Where it is kept what product teams wrote. Each change is one transaction."""

    def published(self, product: str) -> Version:
        """What users meet now."""

    def version(self, product: str, number: int) -> Version:
        """One published version. Raises ``NotFound``."""

    def history(self, product: str, most: int = 100) -> list[Version]:
        """What was published, newest first."""

    def draft(self, product: str) -> Draft:
        """What is not published yet."""

    def save(self, product: str, edits: Sequence[Edit], who: str) -> tuple[Draft, list[Clash]]:
        """Put edits into the draft; the clashes are those that were left out."""

    def rebase(self, product: str) -> tuple[Draft, list[Clash]]:
        """Bring the draft up to the newest published version; its own changes stay."""

    def discard(self, product: str, revision: int) -> None:
        """Forget the draft. Raises ``Outdated``."""

    def publish_draft(self, product: str, revision: int, who: str, note: str = "") -> Version:
        """Make the draft what users meet. Raises ``Outdated``."""

    def restore(self, product: str, number: int, who: str, *, expected: int) -> Version:
        """Publish an earlier version's content again. Raises ``NotFound`` or ``Outdated``."""


class ImageStore(Protocol):
    """Where the images of the looks live."""

    def get(self, name: str) -> Logo | None:
        """The image of this name."""

    def put(self, logo: Logo, product: str, most: int | None = None) -> None:
        """Keep an image that was checked. Raises ``FaultyImage`` when the product has ``most`` already."""
