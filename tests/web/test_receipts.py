"""Receipts over HTTP: one for each connected attempt, good with the published keys."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import requests

from bff.receipts import FixedKeys, KeySet, verify
from tests.support.servers import serve
from tests.support.world import World, build_bff

pytestmark = pytest.mark.one_database

NODE = """
const [receipt, jwks] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const { createPublicKey, verify } = require("node:crypto");
const [header, payload, signature] = receipt.split(".");
const { kid, alg } = JSON.parse(Buffer.from(header, "base64url"));
const key = createPublicKey({ key: jwks.keys.find((found) => found.kid === kid), format: "jwk" });
const good = verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"));
console.log(JSON.stringify({ good, alg, attempt: JSON.parse(Buffer.from(payload, "base64url")).attempt }));
"""


def test_a_connected_attempt_has_a_receipt(world: World) -> None:
    """The receipt says who connected what, and verifies with the keys that the BFF publishes."""
    attempt = world.connect(world.session())
    told = world.read(attempt)
    receipt = verify(
        told["receipt"],
        keys=KeySet(f"{world.bff}/.well-known/jwks.json"),
        issuer=world.bff,
        product="demo",
    )
    assert (receipt.user, receipt.account, receipt.attempt) == ("ada", world.account, attempt)
    assert (receipt.connector, receipt.connection) == ("sandbox", told["connection"]["id"])
    assert receipt.external_account == "ada@sandbox.example"


def test_an_attempt_has_one_receipt(world: World) -> None:
    """Read twice, by the page and by the host's server: the same receipt, so a replay is recognisable."""
    token = world.session()
    attempt = world.connect(token)
    by_page = world.page("GET", f"/v1/attempts/{attempt}?hint=message", token).json()["receipt"]
    assert by_page == world.read(attempt)["receipt"]


def test_no_other_end_has_a_receipt(world: World) -> None:
    """Declined, failed, or not ended: nothing to show."""
    token = world.session()
    for attempt in (
        world.connect(token, decision="deny"),
        world.connect(token, "sandbox-broken"),
        world.begin(token)["id"],
    ):
        assert world.read(attempt)["receipt"] is None


def test_the_published_keys_hold_no_secret(world: World) -> None:
    """Only public parts are published, cacheable, as a JWK set."""
    answer = requests.get(f"{world.bff}/.well-known/jwks.json", timeout=10)
    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    assert "max-age" in answer.headers["Cache-Control"]
    assert [set(key) for key in answer.json()["keys"]] == [{"kty", "crv", "x", "kid", "alg", "use"}]


def test_any_library_can_verify(world: World) -> None:
    """Node's own crypto, which knows nothing of Hitchpost, finds the signature good."""
    attempt = world.connect(world.session())
    told = world.read(attempt)
    jwks = requests.get(f"{world.bff}/.well-known/jwks.json", timeout=10).json()
    given = json.dumps([told["receipt"], jwks])
    done = subprocess.run(["node", "-e", NODE], input=given, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"good": True, "alg": "EdDSA", "attempt": attempt}


def test_keys_rotate(world: World, tmp_path: Path) -> None:
    """A newer secret key in front: old receipts still verify, new ones carry the new key."""
    old = world.read(world.connect(world.session()))["receipt"]

    def both(url: str) -> object:
        return build_bff(url, tmp_path, world.partner, secret_keys="n" * 40 + "," + "k" * 40)

    with serve(both) as rotated:
        jwks = requests.get(f"{rotated}/.well-known/jwks.json", timeout=10).json()
    before = requests.get(f"{world.bff}/.well-known/jwks.json", timeout=10).json()
    assert [key["kid"] for key in jwks["keys"]][1:] == [key["kid"] for key in before["keys"]]
    assert verify(old, keys=FixedKeys(jwks), issuer=world.bff, product="demo").user == "ada"
