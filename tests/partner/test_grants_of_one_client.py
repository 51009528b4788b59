"""Several catalogue entries of one OAuth client: a grant that one of them uses is not revoked by another."""

from __future__ import annotations

from typing import Any

import pytest

from tests.partner.test_replaced_grants import brings, keep_house, revoked
from tests.support.third_party import Connection, ThirdParty
from tests.support.world import World

pytestmark = pytest.mark.one_database


def disconnect(connection: Connection) -> None:
    """End it, as its account does."""
    assert connection.api.call("PUT", f"{connection.path}/deauthenticate").status_code == 200


def consenting(world: World, third: ThirdParty, **changes: Any) -> Connection:
    """An account connector of a new entry, of the same third party and client unless ``changes`` say more."""
    usual = {"userinfo_url": f"{third.url}/userinfo", "revocation_ends": "consent"}
    return Connection(world, third.offer(world, **{**usual, **changes}))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({}, id="alike", marks=pytest.mark.both_databases),
        pytest.param({"revocation_url": None}, id="never revoked"),
        pytest.param({"account_claim": "sub"}, id="named by another claim"),
        pytest.param({"userinfo_url": None}, id="not named"),
    ],
)
def test_a_consent_that_another_entry_uses_is_not_revoked(
    world: World, third: ThirdParty, other: dict[str, Any]
) -> None:
    """`revocation_ends = "consent"` is about account and client: the last connection of both ends it."""
    mail, calendar = consenting(world, third), consenting(world, third, **other)
    for name, connection in (("mail", mail), ("calendar", calendar)):
        brings(third, name)
        third.says["userinfo"] = lambda _: {"email": "ada", "sub": "17"}
        connection.connect()
    disconnect(mail)
    keep_house(world, mail)
    assert revoked(third) == []
    assert calendar.access_token().status_code == 200
    disconnect(calendar)
    assert revoked(third) == ([] if "revocation_url" in other else ["calendar"])


@pytest.mark.parametrize("differs", ["client", "client of an older grant", "account", "third party", "token"])
def test_a_consent_that_no_other_entry_uses_is_revoked(world: World, third: ThirdParty, differs: str) -> None:
    """Another client or account has a consent of its own. The client is that of the other's own entry."""
    elsewhere = {"token_url": f"{third.url}/token?", "revocation_url": f"{third.url}/revoke?"}
    changes: dict[str, dict[str, Any]] = {
        "client": {"client_id": "another"},
        "client of an older grant": {"client_id": "another"},
        "third party": elsewhere,
    }
    one = {"revocation_ends": "grant"} if differs == "token" else {}
    brings(third, "mail")
    mail = consenting(world, third, **one).connect()
    brings(third, "calendar", "grace" if differs == "account" else "ada")
    calendar = consenting(world, third, **changes.get(differs, {})).connect()
    if differs == "client of an older grant":
        calendar.replace_credentials(client=None)
    disconnect(mail)
    assert revoked(third) == ["mail"]


@pytest.mark.parametrize("ends", ["grant", "consent"])
def test_a_token_that_two_entries_share_is_not_revoked(world: World, third: ThirdParty, ends: str) -> None:
    """The token of one app, which the third party gives to each sign-in."""
    brings(third, "of-the-app")
    items = [third.offer(world, revocation_ends=ends) for _ in range(2)]
    one, other = (Connection(world, item).connect() for item in items)
    disconnect(one)
    assert revoked(third) == []
    disconnect(other)
    assert revoked(third) == ["of-the-app"]


@pytest.mark.parametrize("ends", ["grant", "consent"])
def test_a_grant_that_another_entry_holds_is_not_revoked(world: World, third: ThirdParty, ends: str) -> None:
    """It may still be accepted."""
    mail, calendar = (consenting(world, third, revocation_ends=ends) for _ in range(2))
    brings(third, "of-ada")
    calendar.connect()
    brings(third, "of-grace", "grace")
    mail.connect()
    # Another account than the connected one: the user is asked first.
    assert calendar.answer(calendar.begin(), code="c").status_code == 400
    disconnect(mail)
    assert revoked(third) == []
