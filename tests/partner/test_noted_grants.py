"""What is noted for revocation belongs to its owner: a row that was tampered with sends nothing anywhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bff.outbound.client import Limits
from bff.partner.grants import revocation
from bff.partner.providers import provider
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def noted(world: World, third: ThirdParty, **entry: Any) -> Connection:
    """A connection that was ended while its third party was away."""
    for endpoint in ("revoke", "evil"):
        third.says[endpoint] = lambda _: refused("server_error", 500)
    connection = Connection(world, third.offer(world, **entry)).connect()
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    third.asked.clear()
    return connection


def revoke(connection: Connection) -> None:
    """Try once more."""
    revocation.revoke_now(connection.world.partner_service, connection.noted().id)


def test_a_noted_grant_never_goes_to_another_third_party(world: World, third: ThirdParty) -> None:
    """Neither by its connector, nor by naming what it is sealed for."""
    connection = noted(world, third)
    other = third.offer(world, revocation_url=f"{third.url}/evil")
    connection.change_noted(connector_id=other.id)
    revoke(connection)
    assert third.asked == []
    assert connection.noted().error == "encryption_key_missing"
    connection.change_noted(connector_id=connection.item.id)
    del third.says["revoke"]
    revoke(connection)
    assert connection.noted() is None


@pytest.mark.parametrize("column", ["credentials", "held"])
def test_what_is_live_cannot_be_noted_for_another(world: World, third: ThirdParty, column: str) -> None:
    """A sealed grant of one account, copied into another's row with the context that it opens in."""
    live = Connection(world, third.offer(world)).connect()
    context = f"account_connector:{live.id}:credentials:{live.item.id}:{live.api.account}"
    if column == "held":
        context = f"sign_in:{'0' * 64}:held:{live.id}:{live.item.id}:{live.api.account}"
    sealed = live.row().credentials
    if column == "held":
        opened = world.partner_service.vault.open(
            sealed, f"account_connector:{live.id}:credentials:{live.item.id}:{live.api.account}"
        )
        sealed = world.partner_service.vault.seal(opened, context)
    connection = noted(world, third, revocation_url=f"{third.url}/evil")
    third.asked.clear()
    connection.change_noted(sealed_grant=sealed, sealed_for=context)
    revoke(connection)
    assert third.asked == []


def test_what_names_no_owner_is_sent_nowhere(world: World, third: ThirdParty) -> None:
    """A row that does not say what it is sealed for, and so for whom."""
    connection = noted(world, third)
    connection.change_noted(sealed_for=None)
    del third.says["revoke"]
    revoke(connection)
    assert third.asked == []
    assert connection.noted().error == "encryption_key_missing"


@pytest.mark.parametrize(
    ("by", "ends"), [("refresh token", "PUT deauthenticate"), ("access token", "DELETE")]
)
def test_a_disconnect_does_not_wait_for_its_third_party(
    world: World, third: ThirdParty, monkeypatch: pytest.MonkeyPatch, by: str, ends: str
) -> None:
    """However many requests a revocation takes, their time is one; what is not done then is tried again."""
    assert Limits().read * 0.75 >= provider.TOGETHER, "the BFF waits no longer for an answer"
    monkeypatch.setattr(provider, "TOGETHER", 0.6)
    over = threading.Event()

    def slowly(answer: Callable[[], Any], seconds: float) -> Callable[[dict[str, str]], Any]:
        def say(_: dict[str, str]) -> Any:
            over.wait(seconds)
            return answer()

        return say

    entry = {"revocation_params": {"token": "{access_token}"}} if by == "access token" else {}
    connection = Connection(world, third.offer(world, **entry)).connect()
    rejected = iter([refused("invalid_token", 401)])
    third.says["token"] = slowly(tokens, 0.4)
    # One that is in time, after which a refresh is left for later, or one that never is.
    third.says["revoke"] = slowly(lambda: next(rejected, {}), 0.3 if entry else 6.0)
    method, _, path = ends.partition(" ")
    answer = connection.api.call(method, f"{connection.path}/{path}".rstrip("/"))
    over.set()
    assert answer.status_code == 200
    assert "this is tried again" in answer.json()["Message"]
    assert connection.noted().error == ("refresh_needed_first" if entry else "third_party_too_slow")
    connection.make_revocations_due()
    revocation.retry_revocations(world.partner_service, 10_000)
    assert connection.noted() is None
