"""``hitchpost webhooks``: what operators see and send, and how it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bff.cli.main import main
from bff.products.webhook_endpoint import WebhookEndpoint
from tests.support.databases import sqlite_url
from tests.support.receiver import Receiver, new_secret, open_receiver

PRODUCT = """
[[product]]
key = "demo"
name = "Demo"
origins = ["https://app.example"]
secret_keys = ["sk_0a91c7d25b7e4f60a3d8"]
connectors = ["crm"]
[product.messages.default]
text = "done"
[[product.webhook]]
url = "{url}"
secret = "{secret}"
events = ["attempt.*"]
"""


@dataclass
class Installed:
    """A BFF's settings and database, and a product whose server is told."""

    file: Path
    receiver: Receiver
    secret: str
    endpoint: str


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    """One of this test's own, applied."""
    with open_receiver() as receiver:
        secret, file = new_secret(), tmp_path / "products.toml"
        file.write_text(PRODUCT.format(url=receiver.url, secret=secret))
        for name, value in {
            "PUBLIC_URL": "http://127.0.0.1:8001",
            "DATABASE_URL": sqlite_url(tmp_path, "bff"),
            "SECRET_KEYS": "k" * 40,
            "PARTNER_API_URL": "http://127.0.0.1:1",
            "PARTNER_SERVICE_URL": "http://127.0.0.1:1",
            "PARTNER_CLIENT_ID": "client",
            "PARTNER_CLIENT_SECRET": "client-secret-of-no-worth",
        }.items():
            monkeypatch.setenv(f"HITCHPOST_{name}", value)
        assert main(["products", "apply", str(file)]) == 0
        endpoint = WebhookEndpoint("demo", receiver.url, (), ()).id
        yield Installed(file, receiver, secret, endpoint)


def test_an_operator_lists_tests_and_sends_again(
    installed: Installed, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each says what came of it, and its exit status whether it was taken."""
    assert main(["webhooks", "list"]) == 0
    listed = capsys.readouterr().out
    assert f"{installed.endpoint}  demo  on  waiting 0  {installed.receiver.url}  (attempt.*)" in listed
    assert main(["webhooks", "test", installed.endpoint]) == 0
    said = capsys.readouterr().out
    assert "webhook.test" in said
    assert "delivered after 1: answered 204" in said
    delivery = next(word for word in said.split() if word.startswith("whd_"))
    installed.receiver.says = 500
    assert main(["webhooks", "resend", delivery]) == 1
    assert "pending after 1: answered 500" in capsys.readouterr().out
    first, second = installed.receiver.got
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert main(["webhooks", "test", installed.endpoint]) == 1
    capsys.readouterr()
    assert main(["webhooks", "resend", "--failed", installed.endpoint, "--since", "2020-01-01"]) == 0
    assert "queued again: 1" in capsys.readouterr().out
    assert main(["webhooks", "list", "--product", "demo", "--deliveries"]) == 0
    listed = capsys.readouterr().out
    assert "waiting 2" in listed
    assert delivery in listed
    assert installed.secret not in listed
    assert main(["webhooks", "on", installed.endpoint]) == 0


def test_what_is_asked_wrongly_is_told(installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown endpoint or delivery, a time that is none, neither or both: one line, exit status 2."""
    for asked, told in (
        (["test", "whk_none"], "there is no webhook endpoint 'whk_none'"),
        (["on", "whk_none"], "there is no webhook endpoint"),
        (["resend", "whd_none"], "there is no webhook delivery 'whd_none'"),
        (["list", "--product", "nope"], "--product: there is no product 'nope'"),
        (["resend", "whd_none", "--since", "2020-01-01"], "--since: goes with --failed ENDPOINT only"),
        (["resend"], "name one delivery, or --failed ENDPOINT"),
        (["resend", "x", "--failed", "y"], "name one delivery"),
        (
            ["resend", "--failed", installed.endpoint, "--since", "yesterday"],
            "--since: 'yesterday' is no time",
        ),
    ):
        assert main(["webhooks", *asked]) == 2
        assert told in capsys.readouterr().err


def test_a90_a_file_is_applied_only_with_what_it_needs(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Secrets are sealed, so there must be keys; in production the address must be fit for it."""
    monkeypatch.setenv("HITCHPOST_PUBLIC_URL", "https://connect.example.com")
    assert main(["products", "apply", str(installed.file)]) == 2
    assert "webhook: number 1: url" in capsys.readouterr().err
    monkeypatch.setenv("HITCHPOST_PUBLIC_URL", "http://127.0.0.1:8001")
    monkeypatch.delenv("HITCHPOST_SECRET_KEYS")
    assert main(["products", "apply", str(installed.file)]) == 2
    assert "HITCHPOST_SECRET_KEYS: is not set" in capsys.readouterr().err
    monkeypatch.setenv("HITCHPOST_SECRET_KEYS", "short")
    assert main(["products", "apply", str(installed.file)]) == 2
    assert "HITCHPOST_SECRET_KEYS: write one or more random keys" in capsys.readouterr().err
