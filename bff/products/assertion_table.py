"""The table ``[product.assertion]`` of a product file: how to verify the host's assertions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from bff.common.origins import origin_fault, origin_of
from bff.common.strict_json import FaultyJson, loads
from bff.content.file_tables import Strict
from bff.identity.jwks import FaultyKey, public_key
from bff.identity.sessions import AssertionRule
from bff.serving.text_files import text_of

Name = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[\x21-\x7e]+$")]


class AssertionTable(Strict):
    """``issuer``, ``audience``, and the public keys in one of ``jwks_url``, ``jwks_file`` and ``keys``."""

    issuer: Name
    audience: Name | None = None
    jwks_url: str | None = None
    jwks_file: str | None = None
    keys: Annotated[list[dict[str, Any]], Field(default_factory=list)]

    def take_keys(self, folder: Path) -> list[str]:
        """Read the keys of ``jwks_file``, relative to ``folder``. Returns every fault of the table."""
        given = [name for name in ("jwks_url", "jwks_file", "keys") if getattr(self, name)]
        if len(given) != 1:
            return ["jwks_url, jwks_file, keys: write exactly one of the three"]
        if self.jwks_url is not None:
            return list(_url_faults(self.jwks_url))
        if self.jwks_file is not None:
            try:
                self.keys = _keys_of(folder / self.jwks_file)
            except ValueError as fault:
                return [f"jwks_file: {folder / self.jwks_file}: {fault}"]
        return list(_key_faults(given[0], self.keys))

    def rule(self) -> AssertionRule:
        """Convert the table."""
        return AssertionRule(self.issuer, self.audience, self.jwks_url, tuple(self.keys))


def _keys_of(path: Path) -> list[dict[str, Any]]:
    try:
        document = loads(text_of(path.read_bytes()))
    except OSError:
        raise FaultyJson("there is no such file") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise FaultyJson('it is no JWK set, {"keys": [...]}')
    return keys


def _key_faults(where: str, keys: list[dict[str, Any]]) -> Iterator[str]:
    if not keys:
        yield f"{where}: there is no key in it"
    for number, jwk in enumerate(keys, 1):
        try:
            public_key(jwk)
        except FaultyKey as fault:
            yield f"{where}: key number {number}: {fault}"
    ids = [jwk.get("kid") for jwk in keys]
    if len(keys) > 1 and (None in ids or len(set(map(str, ids))) < len(ids)):
        yield f"{where}: of several keys each needs a kid of its own"


def _url_faults(url: str) -> Iterator[str]:
    origin = origin_of(url)
    if origin is None or urlsplit(url).fragment or not url.isprintable() or " " in url:
        yield "jwks_url: write an absolute URL such as https://app.example.com/.well-known/jwks.json"
    elif fault := origin_fault(origin):
        yield f"jwks_url: {fault}"
