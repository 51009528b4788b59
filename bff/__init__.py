"""Hitchpost's backend-for-frontend: it begins sign-ins at the partner service, and decides how they ended.

Inside a Flask app::

    from bff import AccountRef, Hitchpost, Principal, User

    Hitchpost(app, identify=lambda request: Principal("my-product", AccountRef("acme", "Acme"), User("ada")))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bff.app import Hitchpost
    from bff.identity.principal import AccountRef, Principal, User

    __version__: str

__all__ = ["AccountRef", "Hitchpost", "Principal", "User"]

_HOMES = {
    "AccountRef": "bff.identity.principal",
    "Hitchpost": "bff.app",
    "Principal": "bff.identity.principal",
    "User": "bff.identity.principal",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("bff.serving.version").own_version()
    # Imported on demand: ``bff.partner``, a program of its own, would otherwise load the whole BFF.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
