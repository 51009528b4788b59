"""Interfaces of the stores of products, their content and their images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bff.common.secret import Secret
from bff.content.drafts import Clash, Draft, Edit, Version
from bff.content.logos.logo import Logo
from bff.content.product import Product, Registration


class ProductStore(Protocol):
    """Store of products."""

    def get(self, key: str) -> Product | None:
        """The product with this key. None if there is none."""

    def find_by_secret_key(self, secret_key: Secret) -> Product | None:
        """The product that this secret key belongs to. None if there is none."""

    def is_registered_origin(self, origin: str) -> bool:
        """Whether any product has registered exactly this origin."""

    def registration(self, key: str) -> Registration | None:
        """The operators' registration of the product with this key. None if there is none."""

    def forget(self, key: str) -> None:
        """Drop the product from the cache, after a change."""


class ContentStore(Protocol):
    """Store of the content that product teams edit. Each change is one transaction."""

    def published(self, product: str) -> Version:
        """The published version. Number 0 and no content if nothing was published."""

    def version(self, product: str, number: int) -> Version:
        """An earlier version. Raises ``NotFound``."""

    def history(self, product: str, most: int = 100) -> list[Version]:
        """At most ``most`` versions, newest first."""

    def draft(self, product: str) -> Draft:
        """The draft. It equals the published content if nothing was changed."""

    def save(self, product: str, edits: Sequence[Edit], who: str) -> tuple[Draft, list[Clash]]:
        """Apply edits to the draft. Returns it, and a clash for each edit that was not applied."""

    def rebase(self, product: str) -> tuple[Draft, list[Clash]]:
        """Move the draft's changes onto the newest published version."""

    def discard(self, product: str, revision: int) -> None:
        """Delete the draft. Raises ``Outdated`` if it is not at ``revision``."""

    def publish_draft(self, product: str, revision: int, who: str, note: str = "") -> Version:
        """Publish the draft. Raises ``Outdated`` if it is not at ``revision`` or needs ``rebase``."""

    def restore(self, product: str, number: int, who: str, *, expected: int) -> Version:
        """Publish an earlier version's content again. Raises ``NotFound`` or ``Outdated``."""


class ImageStore(Protocol):
    """Store of the images of looks."""

    def get(self, name: str) -> Logo | None:
        """The image with this name. None if there is none."""

    def put(self, logo: Logo, product: str, most: int | None = None) -> None:
        """Store a checked image. Raises ``FaultyImage`` if the product has ``most`` images already."""
