"""What a host's server must not believe."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Delivery, Status
from bff.connect.receipts import Receipts
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef, User
from bff.receipts import FixedKeys, KeySet, ReceiptRefused, verify

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
ISSUER = "https://bff.example"
SIGNER = Receipts([Secret("s" * 40)], ISSUER)
CONNECTED = Attempt(
    id="att_1",
    support_code="ABCD-2345",
    status=Status.CONNECTED,
    product="demo",
    account=AccountRef("acme", "Acme"),
    user=User("ada"),
    connector=OfferedConnector("crm", "CRM", "crm"),
    message="done",
    callback_message="done",
    delivery=Delivery.MESSAGE,
    locale="en",
    origin="https://app.example",
    return_url=None,
    launch_token_sha256="0",
    created_at=NOW,
    expires_at=NOW,
    settled_at=NOW,
    account_connector_id=7,
    attributed=True,
)


def code_of(receipt: Any, **changes: Any) -> str:
    """How the verifier refuses; ``fine`` when it does not."""
    options: dict[str, Any] = {
        "keys": FixedKeys(SIGNER.public_keys()),
        "issuer": ISSUER,
        "product": "demo",
        "clock": lambda: NOW + timedelta(seconds=5),
    }
    try:
        verify(receipt, **{**options, **changes})
    except ReceiptRefused as refused:
        return refused.code
    return "fine"


def sound() -> str:
    """A good receipt."""
    signed = SIGNER.sign(CONNECTED)
    assert signed is not None
    return signed


def encode(document: Any) -> str:
    """A part of a JWS."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def decode(part: str) -> dict[str, Any]:
    """The JSON of a part."""
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def resigned(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A receipt of our own key with other contents; a claim of None is left out."""
    old_header, payload, _ = sound().split(".")
    body = {name: value for name, value in (decode(payload) | claims).items() if value is not ...}
    key = SIGNER._keys[0]
    return jws.serialize_compact(decode(old_header) | (header or {}), json.dumps(body), key, ["EdDSA"])


def test_a_sound_receipt_is_believed() -> None:
    """Nothing is wrong with it."""
    assert code_of(sound()) == "fine"


@pytest.mark.parametrize("unit", [timedelta(seconds=1), 1, 1.0])
def test_the_greatest_age_is_a_timedelta_or_seconds(unit: Any) -> None:
    """A minute more is allowed, as clocks differ."""
    later = {"clock": lambda: NOW + timedelta(seconds=100)}
    assert code_of(sound(), max_age=41 * unit, **later) == "fine"
    assert code_of(sound(), max_age=39 * unit, **later) == "too_old"


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "....", "é.é.é", "x" * 10_000, None, 7])
def test_what_is_no_receipt_is_malformed(text: Any) -> None:
    """Anything may arrive where a receipt is expected."""
    assert code_of(text) == "malformed"


@given(st.text())
def test_no_text_breaks_the_verifier(text: str) -> None:
    """Whatever arrives, the answer is a refusal."""
    assert code_of(text) == "malformed"


def test_an_unsigned_one_is_refused() -> None:
    """``alg`` none proves nothing."""
    _, payload, _ = sound().split(".")
    assert (
        code_of(f"{encode({'alg': 'none', 'typ': 'hitchpost-receipt+jwt'})}.{payload}.") == "wrong_algorithm"
    )


def test_the_public_key_is_no_shared_secret() -> None:
    """A receipt signed by HMAC with the public key as its secret is refused."""
    header, payload, _ = sound().split(".")
    public = json.dumps(SIGNER.public_keys()["keys"][0]).encode()
    forged = jws.serialize_compact(
        decode(header) | {"alg": "HS256"}, json.dumps(decode(payload)), OctKey.import_key(public), ["HS256"]
    )
    assert code_of(forged) == "wrong_algorithm"


def test_a_changed_claim_breaks_the_signature() -> None:
    """Somebody else's name on Ada's receipt."""
    header, payload, signature = sound().split(".")
    assert code_of(f"{header}.{encode(decode(payload) | {'sub': 'eve'})}.{signature}") == "bad_signature"


def test_another_key_is_unknown() -> None:
    """A key that the issuer does not publish; one that claims the published id does not fit either."""
    other = Receipts([Secret("o" * 40)], ISSUER).sign(CONNECTED)
    assert code_of(other) == "unknown_key"
    header, payload, _ = sound().split(".")
    key = OKPKey.generate_key("Ed25519")
    forged = jws.serialize_compact(decode(header), json.dumps(decode(payload)), key, ["EdDSA"])
    assert code_of(forged) == "bad_signature"


@pytest.mark.parametrize(
    ("receipt", "code"),
    [
        (resigned({"typ": "JWT"}), "wrong_type"),
        (resigned(iss="https://evil.example"), "wrong_issuer"),
        (resigned(aud="other"), "wrong_product"),
        (resigned(aud=["demo", "other"]), "malformed"),
        (resigned(iat=int(NOW.timestamp()) + 3600), "from_the_future"),
        (resigned(iat=int(NOW.timestamp()) - 3600), "too_old"),
        (resigned(iat=True), "malformed"),
        *[
            (resigned(**{name: ...}), "malformed")
            for name in ("iss", "aud", "sub", "account", "connector", "connection", "attempt", "jti", "iat")
        ],
        (resigned(external_account=...), "malformed"),
    ],
)
def test_each_claim_is_checked(receipt: str, code: str) -> None:
    """Another type, issuer, product or time, or a claim that is missing or of another kind."""
    assert code_of(receipt) == code


def test_each_attempt_has_an_id_of_its_own() -> None:
    """A host tells a replay by ``jti``: the same for one attempt, another for another."""
    again, other = SIGNER.sign(CONNECTED), SIGNER.sign(replace(CONNECTED, id="att_2"))
    assert again == sound()
    assert other is not None
    assert decode(other.split(".")[1])["jti"] != decode(sound().split(".")[1])["jti"]


def test_keys_that_cannot_be_read_are_said_to_be() -> None:
    """Nobody answers where the keys should be: a refusal, not a fault."""
    nowhere = KeySet("http://127.0.0.1:9/.well-known/jwks.json", timeout=1)
    assert code_of(sound(), keys=nowhere) == "keys_unavailable"
