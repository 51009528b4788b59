"""Encrypts secrets at rest: AES-256-GCM (NIST SP 800-38D), by keys derived from ``HITCHPOST_SECRET_KEYS``."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bff.common.secret import Secret

VERSION: Final = "v1"
INFO: Final = b"hitchpost.sealing.v1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class CannotOpen(Exception):
    """A sealed value was tampered with or moved to another place, or its key is no longer configured."""


@dataclass(frozen=True)
class Place:
    """The cell of the database that a sealed value belongs to. It is authenticated with the value."""

    table: str
    row: str
    column: str


class Sealing:
    """Encrypts and decrypts values. ``keys`` newest first: the newest encrypts, every one decrypts.

    A sealed value is ``v1.{key id}.{nonce}.{ciphertext}``, in base64url. The AES keys are derived by HKDF
    (RFC 5869), so that one setting rotates all keys. A key id is the start of the derived key's SHA-256.
    """

    def __init__(self, keys: Sequence[Secret]) -> None:
        derived = [_derive(key) for key in keys]
        self._keys = {(VERSION, hashlib.sha256(key).hexdigest()[:16]): AESGCM(key) for key in derived}
        self._newest = next(iter(self._keys))

    def seal(self, secret: Secret, place: Place) -> str:
        """Encrypt a secret for ``place``."""
        version, key_id = self._newest
        nonce = os.urandom(NONCE_BYTES)
        data = _associated_data(key_id, place)
        sealed = self._keys[self._newest].encrypt(nonce, secret.reveal().encode(), data)
        return f"{version}.{key_id}.{_encode(nonce)}.{_encode(sealed)}"

    def open(self, sealed: str, place: Place) -> Secret:
        """Decrypt the value of ``place``. Raises ``CannotOpen``."""
        try:
            version, key_id, nonce, ciphertext = sealed.split(".")
            key = self._keys[version, key_id]
            opened = key.decrypt(_decode(nonce), _decode(ciphertext), _associated_data(key_id, place))
        except (InvalidTag, KeyError, ValueError):
            raise CannotOpen(f"a sealed value of {place.table}.{place.column} does not open") from None
        return Secret(opened.decode())


def _derive(key: Secret) -> bytes:
    return HKDF(SHA256(), length=KEY_BYTES, salt=None, info=INFO).derive(key.reveal().encode())


def _associated_data(key_id: str, place: Place) -> bytes:
    return f"{VERSION}|{key_id}|{place.table}|{place.row}|{place.column}".encode()


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
