"""The bench's partner service says what our own client reads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bench.partner_stub import Partner
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.upstream.client import PartnerClient
from bff.upstream.protocol import CompletionRequest

ACME = AccountRef("acme", "Acme")


@pytest.fixture
def client() -> Iterator[PartnerClient]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: Partner(0.01), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = server.sockets[0].getsockname()[1]
    yield PartnerClient(f"http://127.0.0.1:{port}", "bff", Secret("secret"))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.close()


def test_an_account_has_the_connector_and_may_sign_in(client: PartnerClient) -> None:
    """Catalogue and account name the same connector, with which nobody has signed in."""
    wanted = client.find_connector(ACME, "sandbox")
    installed = client.list_account_connectors(ACME)
    assert [item.connector_id for item in installed] == [wanted.id]
    assert not installed[0].authenticated
    assert client.install_connector(ACME, wanted) == client.get_account_connector(ACME, installed[0].id)


def test_each_sign_in_token_is_another_and_is_completed_where_that_was_asked(client: PartnerClient) -> None:
    """A launch can be done as with the embedded service: the browser that began is the one that completes."""
    wish = CompletionRequest("https://connect.example.com/connect/complete/1", "https://app.example.com")
    with_wish, without = client.mint_sign_in_token(ACME, "ada", wish), client.mint_sign_in_token(ACME, "ada")
    assert with_wish.value != without.value
    assert (with_wish.completes, without.completes) == (True, False)
