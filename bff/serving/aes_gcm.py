"""Encrypts texts with AES-256-GCM (NIST SP 800-38D). Each program has its own keys and associated data."""

from __future__ import annotations

import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bff.serving import base64url

NONCE_BYTES: Final = 12


def encrypt(key: AESGCM, text: str, associated: bytes) -> str:
    """Encrypt ``text`` with a random nonce. Returns ``nonce.ciphertext``, in base64url."""
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = key.encrypt(nonce, text.encode(), associated)
    return f"{base64url.encode(nonce)}.{base64url.encode(ciphertext)}"


def decrypt(key: AESGCM, encrypted: str, associated: bytes) -> str:
    """Decrypt what ``encrypt`` returned. Raises ``InvalidTag``, or ``ValueError`` for another form."""
    nonce, ciphertext = encrypted.split(".")
    return key.decrypt(base64url.decode(nonce), base64url.decode(ciphertext), associated).decode()
