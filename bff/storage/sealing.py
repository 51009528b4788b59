"""Encrypts secrets at rest: AES-256-GCM, by keys derived from ``HITCHPOST_SECRET_KEYS``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bff.common.secret import Secret
from bff.serving import aes_gcm

VERSION: Final = "v1"
INFO: Final = b"hitchpost.sealing.v1"
KEY_BYTES: Final = 32


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

    A sealed value is ``v1.{key id}.{nonce}.{ciphertext}``, the latter two in base64url. The AES keys are
    derived by HKDF (RFC 5869), so that one setting rotates all keys. A key id is the start of the derived
    key's SHA-256.
    """

    def __init__(self, keys: Sequence[Secret]) -> None:
        derived = [_derive(key) for key in keys]
        self._keys = {(VERSION, hashlib.sha256(key).hexdigest()[:16]): AESGCM(key) for key in derived}
        self._newest = next(iter(self._keys))

    @property
    def key_ids(self) -> list[str]:
        """What a value that one of the keys sealed begins with, before a dot: version and key id."""
        return [".".join(key) for key in self._keys]

    def seal(self, secret: Secret, place: Place) -> str:
        """Encrypt a secret for ``place``."""
        version, key_id = self._newest
        data = _associated_data(key_id, place)
        return f"{version}.{key_id}.{aes_gcm.encrypt(self._keys[self._newest], secret.reveal(), data)}"

    def open(self, sealed: str, place: Place) -> Secret:
        """Decrypt the value of ``place``. Raises ``CannotOpen``."""
        try:
            version, key_id, encrypted = sealed.split(".", 2)
            data = _associated_data(key_id, place)
            return Secret(aes_gcm.decrypt(self._keys[version, key_id], encrypted, data))
        except (InvalidTag, KeyError, ValueError):
            raise CannotOpen(f"a sealed value of {place.table}.{place.column} does not open") from None


def _derive(key: Secret) -> bytes:
    return HKDF(SHA256(), length=KEY_BYTES, salt=None, info=INFO).derive(key.reveal().encode())


def _associated_data(key_id: str, place: Place) -> bytes:
    return f"{VERSION}|{key_id}|{place.table}|{place.row}|{place.column}".encode()
