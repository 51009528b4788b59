"""Sealing of secrets at rest, and hashes of one-time values."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12


class CannotOpen(Exception):
    """A sealed value was changed, belongs elsewhere, or its key is no longer configured."""


class Vault:
    """AES-256-GCM (NIST SP 800-38D). A sealed value is ``key id.nonce.ciphertext``, base64url.

    ``keys`` are 32 bytes each by id, newest first: the newest seals, every one opens. ``context`` (the
    associated data) says where a value belongs; a value moved to another row does not open.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.newest = next(iter(keys))
        self.ids = tuple(keys)

    def seal(self, text: str, context: str) -> str:
        """Encrypt ``text`` for ``context``."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self.newest].encrypt(nonce, text.encode(), self._bound(self.newest, context))
        return f"{self.newest}.{_encode(nonce)}.{_encode(sealed)}"

    def open(self, sealed: str, context: str) -> str:
        """Decrypt. Raises ``CannotOpen``."""
        try:
            key_id, nonce, ciphertext = sealed.split(".")
            opened = self._keys[key_id].decrypt(
                _decode(nonce), _decode(ciphertext), self._bound(key_id, context)
            )
        except (InvalidTag, KeyError, ValueError) as error:
            raise CannotOpen(f"a sealed value of {context} does not open") from error
        return opened.decode()

    def _bound(self, key_id: str, context: str) -> bytes:
        return f"{key_id}\n{context}".encode()


def sha256(value: str) -> str:
    """How one-time values are stored: the hexadecimal SHA-256 of at least 122 random bits."""
    return hashlib.sha256(value.encode()).hexdigest()


def challenge_of(verifier: str) -> str:
    """The PKCE challenge, method S256 (RFC 7636, section 4.2)."""
    return _encode(hashlib.sha256(verifier.encode("ascii")).digest())


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
