"""What the client asks and understands: the same suite against two servers that speak the protocol.

One is the embedded partner service, the other gives the recorded answers of Cyclr's documentation.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bff.common.errors import AccountUnknown, ConnectorUnavailable
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.upstream.client import PartnerClient
from bff.upstream.protocol import Connector
from tests.support import world
from tests.upstream import recorded


@dataclass(frozen=True)
class Subject:
    """A client of one server, and what that server has on offer."""

    client: PartnerClient
    connector: Connector
    tells_sign_ins: bool


@pytest.fixture(scope="module", params=["embedded", "recorded"])
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """Each server in turn."""
    with contextlib.ExitStack() as stack:
        if request.param == "embedded":
            running = stack.enter_context(world.open_world(tmp_path_factory.mktemp("embedded")))
            client = PartnerClient(running.partner, world.CLIENT_ID, Secret(world.CLIENT_SECRET))
            yield Subject(client, Connector(101, "Sandbox CRM"), tells_sign_ins=True)
        else:
            url = stack.enter_context(recorded.serve_recorded())
            client = PartnerClient(url, recorded.CLIENT_ID, Secret(recorded.CLIENT_SECRET))
            yield Subject(client, Connector(2550, "Pipedrive"), tells_sign_ins=False)


@pytest.fixture
def account() -> AccountRef:
    """An account that nobody has made yet; its id is any text."""
    return AccountRef(f"Zoë & Söhne/{secrets.token_hex(6)} 100%", "Zoë & Söhne")


def test_a_connector_is_found_by_id_and_by_name(subject: Subject, account: AccountRef) -> None:
    """An id answers an object, a name a list."""
    subject.client.make_account(account)
    assert subject.client.find_connector(account, str(subject.connector.id)) == subject.connector
    assert subject.client.find_connector(account, subject.connector.name) == subject.connector


def test_an_unknown_connector_is_unavailable(subject: Subject, account: AccountRef) -> None:
    """To an account that exists; one that does not may be told that, and is not made."""
    for _ in range(2):
        with pytest.raises((AccountUnknown, ConnectorUnavailable)):
            subject.client.find_connector(account, "nothing-of-this-name")
    subject.client.make_account(account)
    with pytest.raises(ConnectorUnavailable):
        subject.client.find_connector(account, "nothing-of-this-name")


def test_an_account_that_does_not_exist_has_nothing(subject: Subject, account: AccountRef) -> None:
    """Reading makes no account, and finds none."""
    assert subject.client.list_account_connectors(account) == []
    assert subject.client.get_account_connector(account, 1) is None


def test_a_connector_is_installed_into_a_new_account(subject: Subject, account: AccountRef) -> None:
    """Install makes the account; what is installed is listed and read, not yet authenticated."""
    installed = subject.client.install_connector(account, subject.connector)
    assert (installed.connector_id, installed.authenticated) == (subject.connector.id, False)
    assert subject.client.list_account_connectors(account) == [installed]
    assert subject.client.get_account_connector(account, installed.id) == installed
    assert (installed.sign_ins == ()) is subject.tells_sign_ins
    assert (installed.sign_ins is None) is not subject.tells_sign_ins


def test_installing_twice_finds_the_first(subject: Subject, account: AccountRef) -> None:
    """A name that is in use is no failure: ten at once get the same account connector."""
    with ThreadPoolExecutor(10) as pool:
        found = list(
            pool.map(lambda _: subject.client.install_connector(account, subject.connector), range(10))
        )
    assert len({item.id for item in found}) == 1


def test_a_sign_in_token_is_minted_for_a_new_account(subject: Subject, account: AccountRef) -> None:
    """A token of 44 characters with its end in UTC, whatever the number of fractional digits."""
    token = subject.client.mint_sign_in_token(account, "ada")
    assert len(token.value.reveal()) == 44
    assert token.expires_at > datetime.now(UTC)
    assert token.expires_at.tzinfo is UTC


def test_an_account_connector_that_is_gone_is_none(subject: Subject, account: AccountRef) -> None:
    """404 means that it is not there."""
    subject.client.install_connector(account, subject.connector)
    assert subject.client.get_account_connector(account, 999_999) is None
