"""Where the BFF is within the app that it is part of: which requests are its own, and their paths there."""

from __future__ import annotations

from typing import Final

from flask import Flask, Request, current_app, request

NAME: Final = "hitchpost"
"""The blueprint's; those below it begin with it."""
PREFIX: Final = "hitchpost_prefix"


def normal(url_prefix: str | None) -> str:
    """A prefix as it is used here: with a slash before it and none behind, or empty."""
    inner = (url_prefix or "").strip("/")
    return f"/{inner}" if inner else ""


def place(app: Flask, prefix: str) -> None:
    """Note that the BFF is below ``prefix``."""
    app.extensions[PREFIX] = prefix


def own_path() -> str | None:
    """The path of this request below the mount; None outside of it.

    Neither the public URL nor ``SCRIPT_NAME`` counts: a proxy or a dispatcher may have taken a part away.
    """
    prefix: str = current_app.extensions.get(PREFIX, "")
    return request.path[len(prefix) :] if request.path.startswith(f"{prefix}/") else None


def handles(app: Flask, asked: Request) -> bool:
    """Whether a request is for the BFF: for a route of its own, or for nothing that is below its prefix."""
    if asked.url_rule is not None:
        return asked.blueprint == NAME or (asked.blueprint or "").startswith(f"{NAME}.")
    prefix: str = app.extensions.get(PREFIX, "")
    return bool(prefix) and asked.path.startswith(f"{prefix}/")
