"""What a host's server runs of ours: it raises what it says, ends in time, no forged input delays it."""

from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from socket import SHUT_RDWR, socket
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from bff import receipt_keys
from bff.common.secret import Secret
from bff.connect.receipts import Receipts
from bff.identity.principal import AccountRef, User
from bff.receipts import MAX_RECEIPT, FixedKeys, KeySet, ReceiptRefused, fetch_keys, verify
from tests.connect.test_receipts import CONNECTED, NOW, SIGNER, code_of, sound
from tests.support.raw_server import FAULTS, Play, answers, play, send

JWKS = json.dumps(SIGNER.public_keys()).encode()
KNOWN = SIGNER.public_keys()["keys"][0]["kid"]


def breaks_off_after(said: bytes) -> Play:
    """The beginning of an answer."""

    def act(connection: socket, _request: bytes, _over: threading.Event) -> None:
        connection.sendall(said)
        connection.shutdown(SHUT_RDWR)

    return act


BAD: dict[str, Play] = {
    **FAULTS,
    "breaks off": breaks_off_after(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + JWKS[:20]),
    "breaks off in a chunk": breaks_off_after(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"
    ),
    "sends chunks that are none": answers(200, b"zz\r\n", "Transfer-Encoding: chunked"),
    "says gzip and sends none": answers(200, b"{}", "Content-Encoding: gzip"),
    "nests": answers(200, b"[" * 60_000),
    "nests objects": answers(200, b'{"a":' * 10_000),
    "sends UTF-16": answers(200, JWKS.decode().encode("utf-16")[:-1]),
    "sends no JSON": answers(200, b"<html>"),
    "sends no object": answers(200, b"[]"),
    "sends another object": answers(200, b'{"error": "maintenance"}'),
    "sends no keys": answers(200, b'{"keys": []}'),
    "sends a huge number": answers(200, b'{"keys": ' + b"9" * 10_000 + b"}"),
    "says that it is broken": answers(500, JWKS),
    "redirects with a body": answers(302, JWKS, "Location: http://127.0.0.1:1/"),
}
NOT_KEYS: dict[str, Any] = {
    "no list": {"keys": {"kid": KNOWN}},
    "null": {"keys": None},
    "texts": {"keys": ["x", None, 7, [], {}]},
    "no x": {"keys": [{"kty": "OKP", "crv": "Ed25519"}]},
    "a list as x": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": ["a"]}]},
    "a long x": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A" * 60_000}]},
    "half a pair as x": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "\ud800"}]},
}


def in_time(call: Any) -> Any:
    """What the call returns or raises; a test that fails must not wait for ever."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(call).result(timeout=30)
    finally:
        pool.shutdown(wait=False)


class Office:
    """Where the keys are published; it answers when it is let, and may be told to be broken."""

    def __init__(self, *, opened: bool = True, status: int = 200) -> None:
        self.open, self.asked = threading.Event(), threading.Event()
        self.status, self.body = status, JWKS
        if opened:
            self.open.set()

    def __call__(self, connection: socket, _request: bytes, _over: threading.Event) -> None:
        """One answer."""
        self.asked.set()
        self.open.wait(30)
        send(connection, self.status, self.body)


@pytest.mark.parametrize("fault", BAD)
def test_a78_whatever_answers_a_host_knows_one_exception(fault: str) -> None:
    """Broken off, dripping, nested, of another form: ``keys_unavailable``, within the timeout."""
    with play(BAD[fault]) as (url, _):
        keys = KeySet(url, timeout=0.3)
        with pytest.raises(ReceiptRefused, match="keys_unavailable"):
            in_time(lambda: keys.get("x"))
        with pytest.raises(ReceiptRefused, match="keys_unavailable"):
            in_time(lambda: fetch_keys(url, timeout=0.3))


@pytest.mark.parametrize(
    "url", ["", "x", "http://", "http://[", "http://a\ud800.example", "file:///etc/passwd"]
)
def test_a78_an_address_that_is_none_raises_nothing_else(url: str) -> None:
    """A slip in a host's settings."""
    assert code_of(sound(), keys=KeySet(url, timeout=1)) == "keys_unavailable"


@pytest.mark.parametrize("jwks", NOT_KEYS.values(), ids=NOT_KEYS)
def test_a78_a_set_of_what_is_no_key_has_none(jwks: Any) -> None:
    """Whatever stands there: it is passed over."""
    assert FixedKeys(jwks).get(KNOWN) is None


def test_a78_of_a_set_a_hundred_keys_are_read() -> None:
    """A BFF publishes one for each of its secret keys."""
    many = [OKPKey.generate_key("Ed25519").as_dict(private=False) for _ in range(3)] * 50
    last = SIGNER.public_keys()["keys"]
    assert FixedKeys({"keys": [*last, *many]}).get(KNOWN) is not None
    assert FixedKeys({"keys": [*many, *last]}).get(KNOWN) is None


def test_a78_while_the_keys_cannot_be_fetched_they_are_not_asked_for_with_each_call() -> None:
    """A BFF that is down is asked once; the next calls are told so at once."""
    with play(answers(500, b"")) as (url, requests):
        keys = KeySet(url, timeout=5)
        assert {code_of(sound(), keys=keys) for _ in range(20)} == {"keys_unavailable"}
        assert len(requests) == 1


def test_a78_after_a_while_they_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A BFF that came back is believed again."""
    office = Office(status=500)
    with play(office) as (url, _):
        keys = KeySet(url, timeout=5)
        assert code_of(sound(), keys=keys) == "keys_unavailable"
        office.status = 200
        monkeypatch.setattr(receipt_keys, "RETRY_SECONDS", 0.0)
        assert code_of(sound(), keys=keys) == "fine"


def test_a78_the_wait_between_failures_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five seconds, ten, and so on: a BFF that comes back is not met by every host at once."""
    now = [1000.0]
    monkeypatch.setattr(receipt_keys, "now", lambda: now[0])
    with play(answers(500, b"")) as (url, requests):
        keys = KeySet(url, timeout=5)
        seen = []
        for after in (0.0, 5.0, 5.0, 5.0, 15.0, 5.0):
            now[0] += after
            assert code_of(sound(), keys=keys) == "keys_unavailable"
            seen.append(len(requests))
    assert seen == [1, 2, 2, 3, 3, 4]


def test_a78_a_forged_receipt_delays_no_good_one() -> None:
    """While a fetch for an unknown key hangs, a receipt whose key is known is believed at once."""
    office = Office()
    with play(office) as (url, _), ThreadPoolExecutor(1) as pool:
        keys = KeySet(url, timeout=20)
        assert code_of(sound(), keys=keys) == "fine"
        office.open.clear()
        office.asked.clear()
        keys._fetch = None  # as if the minute between two fetches were over
        forged = pool.submit(keys.get, "forged")
        assert office.asked.wait(10)
        assert code_of(sound(), keys=keys) == "fine"
        assert not forged.done()
        office.open.set()
        assert forged.result(timeout=20) is None


@pytest.mark.parametrize("body", [b'{"keys": []}', b"{}", b"<html>", b""])
def test_a78_a_failed_fetch_forgets_no_key(body: bytes) -> None:
    """A forged key id asks at a bad moment: receipts of known keys are believed before and after."""
    office = Office()
    with play(office) as (url, _):
        keys = KeySet(url, timeout=5)
        assert code_of(sound(), keys=keys) == "fine"
        office.body = body
        keys._fetch = None  # as if the minute between two fetches were over
        with pytest.raises(ReceiptRefused, match="keys_unavailable"):
            keys.get("forged")
        assert code_of(sound(), keys=keys) == "fine"


def test_a78_many_that_wait_make_one_fetch() -> None:
    """A host's threads that all need keys at its start ask once."""
    office = Office(opened=False)
    with play(office) as (url, requests), ThreadPoolExecutor(8) as pool:
        keys = KeySet(url, timeout=20)
        waiting = [pool.submit(code_of, sound(), keys=keys) for _ in range(8)]
        assert office.asked.wait(10)
        office.open.set()
        assert {found.result(timeout=20) for found in waiting} == {"fine"}
        assert len(requests) == 1


@pytest.mark.parametrize("letter", ["\U0001f600", "é", '"', "\\", "\x01", "ﷺ"])
def test_a78_the_longest_receipt_is_one_that_its_verifier_takes(letter: str) -> None:
    """Every text as long as its column, of the letters that take most."""
    address = f"https://{'b' * 60}.{'c' * 60}.example/{'d' * 800}"
    signer = Receipts([Secret("s" * 40)], address)
    longest = letter * 255
    told = replace(
        CONNECTED,
        product="p" * 63,
        account=AccountRef(longest, longest),
        user=User(longest, longest, longest),
        external_account=longest,
    )
    signed = signer.sign(told)
    assert signed is not None
    assert len(signed) <= MAX_RECEIPT
    found = verify(
        signed,
        keys=FixedKeys(signer.public_keys()),
        issuer=address,
        product="p" * 63,
        clock=lambda: NOW + timedelta(seconds=5),
    )
    assert (found.user, found.account, found.external_account) == (longest, longest, longest)


@pytest.mark.parametrize(
    "header", ['{"alg":["EdDSA"]}', "[]", "null", '{"alg":"EdDSA","crit":["x"]}', '{"b64":false}', "9" * 5000]
)
def test_a78_odd_headers_are_refused_as_others_are(header: str) -> None:
    """Parts that are JSON, and no header that JOSE knows."""
    part = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
    assert code_of(f"{part}.e30.AAAA") in {"malformed", "wrong_algorithm", "wrong_type"}
