"""The world of the security tests: the same as that of the HTTP tests, and a third party at hand."""

from __future__ import annotations

from tests.http.conftest import shared_world, studio, world
from tests.security.third_party import third

__all__ = ["shared_world", "studio", "third", "world"]
