"""Encrypts secrets at rest, and hashes one-time values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bff.serving import aes_gcm, base64url


class CannotOpen(Exception):
    """A sealed value was tampered with or moved to another row, or its key is not configured."""


class Vault:
    """Encrypts with AES-256-GCM. A sealed value is ``key id.nonce.ciphertext``, the latter two in base64url.

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
        encrypted = aes_gcm.encrypt(self._keys[self.newest], text, self._bound(self.newest, context))
        return f"{self.newest}.{encrypted}"

    def open(self, sealed: str, context: str) -> str:
        """Decrypt a value sealed for ``context``. Raises ``CannotOpen``."""
        try:
            key_id, encrypted = sealed.split(".", 1)
            return aes_gcm.decrypt(self._keys[key_id], encrypted, self._bound(key_id, context))
        except (InvalidTag, KeyError, ValueError) as error:
            raise CannotOpen(f"a sealed value of {context} does not open") from error

    def _bound(self, key_id: str, context: str) -> bytes:
        return f"{key_id}\n{context}".encode()


def sha256(value: str) -> str:
    """Hash a one-time value for storage: hexadecimal SHA-256. The value has at least 122 random bits."""
    return hashlib.sha256(value.encode()).hexdigest()


def challenge_of(verifier: str) -> str:
    """Compute the PKCE code challenge, method S256 (RFC 7636, section 4.2)."""
    return base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())
