"""TLS on this machine: certificates, good and bad, and servers that show them."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Certificate = tuple[Path, Path]
"""A certificate and its key, as PEM files."""


class TlsFault(StrEnum):
    """What goes wrong before the first byte of a call."""

    UNTRUSTED = "untrusted"  # nobody vouches for the certificate
    WRONG_HOST = "wrong host"  # it is good, and another host's
    NO_TLS = "no TLS"  # what comes back is something else


def self_signed(folder: Path, host: str = "127.0.0.1", name: str = "certificate") -> Certificate:
    """A certificate for ``host`` that is its own authority, in files that begin with ``name``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    named = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    chain, private = folder / f"{name}.pem", folder / f"{name}-key.pem"
    chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, private


class Front:
    """A TLS server's side, whose certificate is changed while it runs. Nobody vouches for ``untrusted``."""

    def __init__(self, folder: Path) -> None:
        self._good = self_signed(folder)
        self._bad: dict[TlsFault | None, Certificate] = {
            TlsFault.UNTRUSTED: self_signed(folder, name="untrusted"),
            TlsFault.WRONG_HOST: self_signed(folder, "other.example", "other"),
        }
        self.authorities = folder / "authorities.pem"
        vouched = (self._good, self._bad[TlsFault.WRONG_HOST])
        self.authorities.write_bytes(b"".join(chain.read_bytes() for chain, _ in vouched))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.show(None)

    def show(self, fault: TlsFault | None) -> None:
        """From now on clients are shown this certificate; the good one where it is not the fault."""
        self.context.load_cert_chain(*self._bad.get(fault, self._good))


def trust(patch: pytest.MonkeyPatch, authorities: Path) -> None:
    """Let both programs' calls trust these authorities and no others, as if they were the system's."""
    patch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(authorities))


def _request(connection: ssl.SSLSocket) -> bytes:
    """One whole request: whoever closes with something unread resets the connection."""
    taken = b""
    while part := connection.recv(65536):
        taken += part
        head, found, body = taken.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if found and len(body) >= (int(length[1]) if length else 0):
            break
    return taken


@contextlib.contextmanager
def serve_tls(context: ssl.SSLContext) -> Iterator[tuple[str, list[bytes]]]:
    """Answers ``{}`` to everything; yields its URL, and what it was sent inside TLS."""
    heard: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                heard.append(_request(connection))
                connection.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}", heard
        finally:
            listening.shutdown(socket.SHUT_RDWR)
