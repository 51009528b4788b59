"""Encrypts secrets at rest, and hashes one-time values."""

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
    """A sealed value was tampered with or moved to another row, or its key is not configured."""


class Vault:
    """Encrypts with AES-256-GCM (NIST SP 800-38D). A sealed value is ``key id.nonce.ciphertext``, base64url.

    ``keys``: 32-byte keys by id, newest first. The newest encrypts; all of them decrypt.
    ``context`` is the associated data and names the row of a value. A value moved to another row does not
    decrypt.
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
        """Decrypt a value sealed for ``context``. Raises ``CannotOpen``."""
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
    """Hash a one-time value for storage: hexadecimal SHA-256. The value has at least 122 random bits."""
    return hashlib.sha256(value.encode()).hexdigest()


def challenge_of(verifier: str) -> str:
    """Compute the PKCE code challenge, method S256 (RFC 7636, section 4.2)."""
    return _encode(hashlib.sha256(verifier.encode("ascii")).digest())


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
