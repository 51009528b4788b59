"""Well-known providers, as they are documented: connected, refreshed, their grant lost and that noticed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.emulations import EMULATIONS, Emulation
from tests.support.provider import Provider, open_provider
from tests.support.third_party import Connection
from tests.support.world import World

pytestmark = pytest.mark.one_database


@pytest.fixture(params=EMULATIONS.values(), ids=EMULATIONS.keys())
def emulated(request: pytest.FixtureRequest) -> Iterator[tuple[Emulation, Provider]]:
    """Each provider in turn, running."""
    emulation: Emulation = request.param
    with open_provider(emulation.habits) as provider:
        yield emulation, provider


def connection_to(world: World, emulation: Emulation, provider: Provider) -> Connection:
    """An account connector with the fields that its user types."""
    connection = Connection(world, provider.offer(world))
    for name, value in emulation.fields.items():
        answer = connection.api.call("POST", f"{connection.path}/properties", {"Name": name, "Value": value})
        assert answer.status_code == 200, answer.text
    return connection


def test_a_well_known_provider_is_connected_refreshed_and_its_loss_noticed(
    world: World, emulated: tuple[Emulation, Provider]
) -> None:
    """From the link to the end of the grant: account, scopes and extras are told, and a new sign-in heals."""
    emulation, provider = emulated
    connection = connection_to(world, emulation, provider)
    page = provider.sign_in(connection)
    assert page.status_code == 200, page.text
    told = connection.told()["Hitchpost"]
    assert told["LastSignIn"]["ExternalAccount"] == emulation.account
    grant = told["Grant"]
    assert (grant["State"], grant["Reason"]) == ("connected", None)
    assert (grant["Scopes"], grant["Extra"]) == (emulation.scopes, dict(emulation.extra))
    assert grant["WantedScopes"] == provider.habits.entry["scopes"]
    first = connection.access_token().json()["AccessToken"]
    again = connection.force()
    assert again.status_code == 200, again.text
    assert (again.json()["AccessToken"] != first) is emulation.renewable
    assert again.json()["Extra"] == dict(emulation.extra)
    provider.kill()
    lost = connection.force()
    assert lost.status_code == 409, lost.text
    told = connection.told()
    assert (told["Authenticated"], told["Hitchpost"]["Grant"]["State"]) == (False, "needs_reconnect")
    assert told["Hitchpost"]["Grant"]["Reason"] in {"revoked", "expired"}
    provider.count = 0
    assert provider.sign_in(connection).status_code == 200
    assert connection.grant()["State"] == "connected"
    assert connection.access_token().status_code == 200
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    assert connection.grant()["State"] == "none"
    assert provider.requests_of("revoke")
    assert not provider.live
