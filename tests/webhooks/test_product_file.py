"""``[[product.webhook]]``: what is wrong is told at once, with its place, before anything is applied."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from bff.common.faulty_file import FaultyFile
from bff.products.file import AppliedProduct, read_products
from bff.products.production import require_fit_for_production
from bff.products.webhook_endpoint import EVENT_TYPES, pattern_fault, wants
from bff.serving.destinations import networks_of
from tests.support.receiver import new_secret

HEAD = """
[[product]]
key = "demo"
name = "Demo"
origins = ["https://app.example"]
secret_keys = ["sk_0a91c7d25b7e4f60a3d8"]
connectors = ["crm"]
[product.messages.default]
text = "done"
"""
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def read(tmp_path: Path, *tables: str, environ: dict[str, str] | None = None) -> AppliedProduct:
    """The product of a file with these tables."""
    path = tmp_path / "products.toml"
    path.write_text(HEAD + "".join(f"[[product.webhook]]\n{table}\n" for table in tables))
    [found] = read_products(path, environ or {})
    return found


def hook(
    url: str = "https://hooks.example/x", secret: str = f'secret = "{SECRET}"', events: str = '["*"]'
) -> str:
    """A table."""
    return f'url = "{url}"\n{secret}\nevents = {events}'


def test_endpoints_are_read_with_their_secrets(tmp_path: Path) -> None:
    """From the file or from the environment; several, newest first, with white space around or without."""
    new = new_secret()
    made = read(
        tmp_path,
        hook(),
        hook("https://hooks.example/y?z=1", 'secret_env = "HOOKS"', '["attempt.settled", "connection.*"]'),
        environ={"HOOKS": f"{new}, {SECRET}"},
    )
    first, second = made.webhooks
    assert [secret.reveal() for secret in first.secrets] == [SECRET]
    assert [secret.reveal() for secret in second.secrets] == [new, SECRET]
    assert second.events == ("attempt.settled", "connection.*")
    assert first.id != second.id


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (hook("hooks.example"), "webhook: number 1: url: 'hooks.example': write an absolute URL"),
        (hook("ftp://hooks.example/"), "write https://"),
        (hook("http://hooks.example/"), "write https://"),
        (hook("https://user@hooks.example/"), "without a user name"),
        (hook("https://hooks.example/#x"), "write it without # and what follows"),
        (hook("https://0x7f.1/"), "as four decimal numbers"),
        (hook(events='["attempt.ended"]'), "events: 'attempt.ended' is no event"),
        (hook(events='["settled.*"]'), "is no event"),
        (hook(events="[]"), "webhook: 0: events"),
        (hook(secret=""), "secret, secret_env: write exactly one of the two"),
        (hook(secret=f'secret = "{SECRET}"\nsecret_env = "HOOKS"'), "write exactly one of the two"),
        (hook(secret='secret_env = "HOOKS"'), "secret_env: HOOKS is not set"),
        (hook(secret='secret = " , "'), "secret: is empty"),
        (hook(secret='secret = "hunter2"'), "secret number 1 does not begin with whsec_"),
        (hook(secret='secret = "whsec_***"'), "secret number 1 is no base64"),
        (hook(secret='secret = "whsec_c2hvcnQ="'), "has 5 bytes, and needs 24 to 64"),
        (hook(secret=f'secret = "{",".join(new_secret() for _ in range(5))}"'), "at most 4 secrets"),
        (hook(secret=f'secret = "{SECRET}"\nretries = 3'), "this key is not known here"),
        (hook("https://hooks.example/" + "a" * 2000), "at most 2000 characters"),
    ],
)
def test_every_fault_is_told_with_its_place(tmp_path: Path, table: str, told: str) -> None:
    """And no secret in it."""
    with pytest.raises(FaultyFile) as raised:
        read(tmp_path, table)
    assert "demo" in str(raised.value)
    assert told in str(raised.value)
    assert SECRET not in str(raised.value)


def test_one_url_stands_once_and_there_are_so_many(tmp_path: Path) -> None:
    """The second table of a URL would silently replace the first."""
    with pytest.raises(FaultyFile, match=r"number 2: url: 'https://hooks.example/x' stands twice"):
        read(tmp_path, hook(), hook())
    with pytest.raises(FaultyFile, match="at most 20"):
        read(tmp_path, *(hook(f"https://hooks.example/{number}") for number in range(21)))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://localhost:5000/", "write https://"),
        ("http://127.0.0.1/", "write https://"),
        ("https://localhost/", "this machine"),
        ("https://app.localhost./", "this machine"),
        ("https://127.0.0.1/", "is no public address; HITCHPOST_WEBHOOK_NETWORKS may name its network"),
        ("https://10.1.0.1/", "is no public address"),
        ("https://[fd00::1]/", "is no public address"),
    ],
)
def test_a90_production_takes_no_http_and_no_private_address(tmp_path: Path, url: str, told: str) -> None:
    """What development takes on its own machine is refused when it is applied."""
    made = read(tmp_path, hook(url))
    with pytest.raises(FaultyFile) as raised:
        require_fit_for_production(tmp_path / "products.toml", [made])
    assert told in str(raised.value)
    assert f"demo: webhook: number 1: url: {url!r}" in str(raised.value)


def test_a90_production_takes_what_its_operator_names(tmp_path: Path) -> None:
    """A public name, and an address in a network of the operator's own; a guessable secret it refuses."""
    made = read(tmp_path, hook(), hook("https://10.1.0.1/"))
    require_fit_for_production(tmp_path / "products.toml", [made], networks_of("10.1.0.0/16"))
    weak = read(tmp_path, hook(secret='secret = "whsec_' + "A" * 43 + '="'))
    with pytest.raises(FaultyFile, match="secret number 1 has fewer than"):
        require_fit_for_production(tmp_path / "products.toml", [weak])


def test_a_pattern_stands_for_the_events_it_names() -> None:
    """``*`` is any text, wherever it stands; nothing else is special, and no pattern takes long."""
    assert wants(("*",), "attempt.settled")
    assert wants(("connection.*",), "connection.needs_reconnect")
    assert wants(("*.connected",), "connection.connected")
    assert not wants(("attempt.*", "connection.connected"), "connection.disconnected")
    assert not wants(("attempt?settled", "attempt.settle."), "attempt.settled")
    assert not wants(("*a" * 32,), "a" * 40 + "b")
    assert all(pattern_fault(kind) is None for kind in (*EVENT_TYPES, "*", "attempt.*"))
    assert pattern_fault("*" * 65)
