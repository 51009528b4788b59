"""A grant that is replaced, refused or cannot be kept is revoked at its third party; what stands is not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import event, update

from bff.partner import housekeeping, reencryption
from bff.partner.account_connectors import store
from bff.partner.account_connectors.credentials import seal
from bff.partner.crypto import Vault
from bff.partner.grants import revocation
from bff.partner.grants.refresh import take_lease
from bff.partner.storage import tables
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def revoked(third: ThirdParty) -> list[str]:
    """The tokens that the third party was told to revoke."""
    return [form["token"] for form in third.forms("revoke")]


def brings(third: ThirdParty, name: str, account: str = "ada", **changes: Any) -> None:
    """The next sign-ins bring this refresh token, of this account."""
    third.says["token"] = lambda _: tokens(refresh_token=name, **changes)
    third.says["userinfo"] = lambda _: {"email": account}


def keep_house(world: World, connection: Connection) -> None:
    """A round, at the moment when what was noted is due."""
    connection.make_revocations_due()
    housekeeping.keep_house(world.partner_service)


def inventory(connection: Connection) -> list[tuple[str, str | None]]:
    """State and error of the grants of its connector."""
    return [(grant["State"], grant["Error"]) for grant in connection.inventory()]


@contextmanager
def failing(world: World, *beginnings: str, times: int | None = None) -> Iterator[None]:
    """The database takes no statement that begins so, or only refuses it so many times."""
    engine, refusals = world.partner_service.database.engine, 0

    def fail(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal refusals
        if statement.startswith(beginnings) and refusals != times:
            refusals += 1
            raise OSError("the disk is full")

    event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", fail)


def test_a72_a_reconnect_ends_the_grant_that_it_replaces(world: World, third: ThirdParty) -> None:
    """The old refresh token is revoked, once; the new one stands."""
    connection = Connection(world, third.offer(world))
    for name in ("first", "second", "third"):
        brings(third, name)
        connection.connect()
    assert revoked(third) == ["first", "second"]
    keep_house(world, connection)
    assert len(revoked(third)) == 2
    assert inventory(connection) == [("live", None)]


def test_a72_the_same_refresh_token_again_is_no_other_grant(world: World, third: ThirdParty) -> None:
    """Some third parties give a user the one that they gave before."""
    connection = Connection(world, third.offer(world))
    brings(third, "the-same")
    connection.connect().connect()
    keep_house(world, connection)
    assert revoked(third) == []
    assert inventory(connection) == [("live", None)]


def test_a72_a_refresh_token_of_the_first_consent_stays_in_use(world: World, third: ThirdParty) -> None:
    """The same account signs in again and brings none: the old one is kept, and not revoked."""
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo"))
    brings(third, "of-the-first-consent")
    connection.connect()
    third.says["token"] = lambda _: tokens(refresh_token=None)
    connection.connect()
    assert revoked(third) == []
    assert connection.credentials().refresh_token == "of-the-first-consent"


def test_a72_where_nobody_is_named_the_only_refresh_token_is_not_lost(
    world: World, third: ThirdParty
) -> None:
    """A consent that brings none is not the account's first: the token of that one goes on being good."""
    connection = Connection(world, third.offer(world))
    brings(third, "of-the-first-consent")
    connection.connect()
    third.says["token"] = lambda _: tokens(access_token="second", refresh_token=None)
    connection.connect()
    keep_house(world, connection)
    assert revoked(third) == []
    kept = connection.credentials()
    assert (kept.access_token, kept.refresh_token) == ("second", "of-the-first-consent")


@pytest.mark.parametrize("differs", ["client", "typed", "kept"])
def test_a72_a_refresh_token_of_something_else_is_not_kept(
    world: World, third: ThirdParty, differs: str
) -> None:
    """Nobody is named, but the client, the shop or what came with the token is another."""
    shop = {"name": "shop", "label": "Shop"}
    connection = Connection(world, third.offer(world, field=[shop], keep_from_token=["team"]))
    values = {"shop": "north", "ClientId": "one", "ClientSecret": "s"}
    changes = {"client": {"ClientId": "two"}, "typed": {"shop": "south"}}.get(differs, {})
    for given in (values, changes):
        for name, value in given.items():
            connection.api.call("POST", f"{connection.path}/properties", {"Name": name, "Value": value})
        if given is values:
            brings(third, "of-the-first-consent", team="a")
            connection.connect()
    third.says["token"] = lambda _: tokens(refresh_token=None, team="b" if differs == "kept" else "a")
    connection.connect()
    keep_house(world, connection)
    assert connection.credentials().refresh_token is None
    assert revoked(third) == ["of-the-first-consent"]


@pytest.mark.both_databases
def test_a72_another_account_that_is_accepted_ends_the_old_grant(world: World, third: ThirdParty) -> None:
    """Twenty choices at once are one: all are answered alike, and one grant is revoked, once."""
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo"))
    brings(third, "of-ada")
    connection.connect()
    brings(third, "of-grace", "grace")
    assert connection.answer(connection.begin(), code="c").status_code == 400
    assert revoked(third) == []
    token = connection.last_sign_in()["TokenSha256"]
    with ThreadPoolExecutor(20) as pool:
        path = f"{connection.path}/signins/{token}/accept"
        answers = list(pool.map(lambda _: connection.api.call("PUT", path), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert connection.credentials().refresh_token == "of-grace"
    keep_house(world, connection)
    assert revoked(third) == ["of-ada"]


def test_a72_a_grant_that_stands_elsewhere_stays(world: World, third: ThirdParty) -> None:
    """Two companies connected one account and got the same token: the last one that disconnects ends it."""
    item = third.offer(world)
    brings(third, "shared")
    one, two = Connection(world, item).connect(), Connection(world, item).connect()
    assert one.api.call("PUT", f"{one.path}/deauthenticate").status_code == 200
    assert revoked(third) == []
    assert two.api.call("DELETE", two.path).status_code == 200
    assert revoked(third) == ["shared"]


def test_a72_what_is_connected_again_is_not_revoked_late(world: World, third: ThirdParty) -> None:
    """A revocation failed; meanwhile the user signed in again and got the same token."""
    connection = Connection(world, third.offer(world))
    brings(third, "the-same")
    connection.connect()
    third.says["revoke"] = lambda _: refused("server_error", 503)
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    connection.connect()
    del third.says["revoke"]
    keep_house(world, connection)
    assert revoked(third) == ["the-same"]
    assert inventory(connection) == [("live", None)]


def test_a72_where_one_token_ends_all_of_an_account_the_last_one_does(
    world: World, third: ThirdParty
) -> None:
    """`revocation_ends = "consent"`: nothing of an account is revoked while a connection of it stands."""
    item = third.offer(world, userinfo_url=f"{third.url}/userinfo", revocation_ends="consent")
    one, two = Connection(world, item), Connection(world, item)
    brings(third, "first")
    one.connect()
    brings(third, "second")
    one.connect()
    brings(third, "elsewhere")
    two.connect()
    one.api.call("PUT", f"{one.path}/deauthenticate")
    assert revoked(third) == []
    brings(third, "of-grace", "grace")
    Connection(world, item).connect()
    two.api.call("PUT", f"{two.path}/deauthenticate")
    assert revoked(third) == ["elsewhere"]


@pytest.mark.both_databases
def test_a72_who_does_not_know_the_account_ends_nothing_that_stands(world: World, third: ThirdParty) -> None:
    """Likewise for a reconnect where the third party names no account."""
    connection = Connection(world, third.offer(world, revocation_ends="consent"))
    for name in ("first", "second"):
        brings(third, name)
        connection.connect()
    assert revoked(third) == []
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    assert revoked(third) == ["second"]


@pytest.mark.parametrize("why", ["disconnected", "removed", "unusable", "not stored", "not noted"])
@pytest.mark.parametrize("named", [True, False])
def test_a72_a_refused_sign_in_ends_no_other_connection_of_the_account(
    world: World, third: ThirdParty, why: str, named: bool
) -> None:
    """Another tenant's, where one token ends all of an account. The end of that one ends both."""
    names = {"userinfo_url": f"{third.url}/userinfo"} if named else {}
    item = third.offer(world, revocation_ends="consent", **names)
    brings(third, "theirs")
    theirs, mine = Connection(world, item), Connection(world, item)
    theirs.connect()
    brings(third, "refused")
    state, answered = mine.begin(), third.says["token"]
    if why == "disconnected":
        mine.api.call("PUT", f"{mine.path}/deauthenticate")
    if why == "unusable":
        brings(third, "refused", token_type="mac")
    if why == "removed":
        third.says["token"] = lambda form: [mine.api.call("DELETE", mine.path), answered(form)][1]
    refuses = {
        "not stored": ("UPDATE account_connector",),
        "not noted": ("UPDATE account_connector", "INSERT"),
    }
    with failing(world, *refuses.get(why, ("no such statement",))):
        assert mine.answer(state, code="c").status_code in {400, 410}
    keep_house(world, mine)
    assert revoked(third) == []
    theirs.api.call("PUT", f"{theirs.path}/deauthenticate")
    assert revoked(third) == ["theirs"]


def test_a72_a_grant_for_a_connector_that_was_removed_meanwhile(world: World, third: ThirdParty) -> None:
    """The code was being exchanged: what it brought is of no use to anybody, and is revoked."""
    connection = Connection(world, third.offer(world))

    def meanwhile(_: dict[str, str]) -> Any:
        assert connection.api.call("DELETE", connection.path).status_code == 200
        return tokens(refresh_token="too-late")

    third.says["token"] = meanwhile
    assert connection.answer(connection.begin(), code="c").status_code == 410
    assert revoked(third) == ["too-late"]


@pytest.mark.parametrize("also", [(), ("INSERT INTO pending_revocation",)], ids=["noted", "not even noted"])
def test_a72_a_grant_that_cannot_be_stored_is_revoked(
    world: World, third: ThirdParty, also: tuple[str, ...]
) -> None:
    """The sign-in has failed, on a page, and nothing is left at the third party."""
    connection = Connection(world, third.offer(world))
    brings(third, "unkept")
    state = connection.begin()
    with failing(world, "UPDATE account_connector SET", *also):
        page = connection.answer(state, code="c")
    assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    told = connection.told()
    assert (told["Authenticated"], told["Hitchpost"]["LastSignIn"]["Result"]) == (False, "failed")
    assert told["Hitchpost"]["LastSignIn"]["Error"] == "internal_error"
    assert revoked(third) == ["unkept"]


@pytest.mark.both_databases
def test_a72_a_second_answer_that_nobody_can_choose_is_revoked(world: World, third: ThirdParty) -> None:
    """Its sign-in has ended already, so its grant is not held."""
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo")).connect()
    brings(third, "of-grace", "grace")
    state = connection.begin()
    ended = update(tables.sign_in).where(tables.sign_in.c.account_connector_id == connection.id)
    with world.partner_service.database.writing() as database:
        database.execute(ended.where(tables.sign_in.c.result == "started").values(result="failed"))
    assert connection.answer(state, code="c").status_code == 400
    assert revoked(third) == ["of-grace"]


@pytest.mark.parametrize("answer", [{"token_type": "mac"}, {"access_token": "\u2603"}], ids=["type", "snow"])
def test_a72_tokens_of_an_answer_that_is_refused_are_revoked(
    world: World, third: ThirdParty, answer: dict[str, str]
) -> None:
    """The third party has given them: with the next round they end."""
    connection = Connection(world, third.offer(world))
    brings(third, "refused", **answer)
    assert connection.answer(connection.begin(), code="c").status_code == 400
    keep_house(world, connection)
    assert revoked(third) == ["refused"]


def test_a72_a_refresh_that_comes_after_a_new_sign_in_is_revoked(world: World, third: ThirdParty) -> None:
    """While it was under way the user signed in again: its token belongs to the grant that was replaced."""
    connection = Connection(world, third.offer(world))
    brings(third, "first")
    connection.connect()

    def refreshes(_: dict[str, str]) -> Any:
        brings(third, "second")
        connection.connect()
        return tokens(refresh_token="late")

    third.says["token"] = refreshes
    connection.age()
    assert connection.access_token().status_code == 200
    assert revoked(third) == ["first", "late"]
    assert connection.credentials().refresh_token == "second"


@pytest.mark.parametrize("brought", [None, "first"], ids=["none", "the same"])
@pytest.mark.parametrize("unusable", [{}, {"token_type": "mac"}], ids=["usable", "unusable"])
def test_a_refresh_during_a_sign_in_without_a_new_refresh_token_brings_its_next_one(
    world: World, third: ThirdParty, brought: str | None, unusable: dict[str, str]
) -> None:
    """The refresh has spent the token that both have: its successor is stored, and not revoked.

    Nobody else refreshes with the spent token until then. The access token stays that of the sign-in.
    """
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo"))
    brings(third, "first")
    connection.connect()

    def refreshes(_: dict[str, str]) -> Any:
        third.says["token"] = lambda _: tokens(access_token="of-the-sign-in", refresh_token=brought)
        connection.connect()
        third.says["token"] = lambda _: refused("invalid_grant")
        assert take_lease(world.partner_service, connection.row(), connection.credentials()) is None
        return tokens(refresh_token="next", refresh_token_expires_in=86400, **unusable)

    third.says["token"] = refreshes
    connection.age()
    assert connection.access_token().json()["AccessToken"] == "of-the-sign-in"
    keep_house(world, connection)
    assert revoked(third) == []
    kept = connection.credentials()
    assert (kept.access_token, kept.refresh_token) == ("of-the-sign-in", "next")
    assert kept.grant_ends_at is not None
    assert connection.row().refresh_lease_ends is None


@pytest.mark.parametrize("answer", [{}, {"error": "invalid_grant"}], ids=["nothing", "dead"])
def test_a_failed_refresh_during_a_sign_in_with_its_refresh_token_lets_the_next_one_begin(
    world: World, third: ThirdParty, answer: dict[str, str]
) -> None:
    """Its failure is that of the grant before the sign-in."""
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo")).connect()

    def refreshes(_: dict[str, str]) -> Any:
        third.says["token"] = lambda _: tokens(access_token="of-the-sign-in", refresh_token=None)
        connection.connect()
        del third.says["token"]
        return answer

    third.says["token"] = refreshes
    connection.age()
    assert connection.access_token().json()["AccessToken"] == "of-the-sign-in"
    assert (connection.row().refresh_lease_ends, connection.row().refresh_failures) == (None, 0)
    assert connection.force().status_code == 200


def test_a72_a_spent_grant_is_revoked(world: World, third: ThirdParty) -> None:
    """Of a refresh token that was used already, the third party may still keep the successor."""
    connection = Connection(world, third.offer(world))
    brings(third, "spent")
    connection.connect()
    third.says["token"] = lambda _: refused("invalid_grant")
    connection.age()
    assert connection.access_token().status_code == 409
    keep_house(world, connection)
    assert revoked(third) == ["spent"]


def test_a72_a_grant_is_revoked_as_it_is_when_it_is_taken_out_of_use(world: World, third: ThirdParty) -> None:
    """Not as it was when somebody looked: a sign-in may have ended in between."""
    connection = Connection(world, third.offer(world))
    seen = connection.row()
    brings(third, "newest")
    connection.connect()
    with world.partner_service.database.writing() as database:
        noted = revocation.take_out_of_use(world.partner_service, database, seen)
    revocation.revoke_now(world.partner_service, noted)
    assert revoked(third) == ["newest"]


@pytest.mark.parametrize("way", ["disconnect", "replace"])
def test_a72_a_grant_whose_key_is_missing_waits_for_it(world: World, third: ThirdParty, way: str) -> None:
    """It is noted as it is sealed, and listed; with the key back it is sealed anew, and revoked."""
    connection, vault = Connection(world, third.offer(world)).connect(), world.partner_service.vault
    old = Vault({"lost": b"l" * 32})
    kept = connection.credentials()
    connection.change(credentials=seal(old, kept, store.sealed_in(connection.row(), "credentials")))
    if way == "disconnect":
        connection.api.call("PUT", f"{connection.path}/deauthenticate")
    else:
        connection.connect()
    assert ("revocation pending", "encryption_key_missing") in inventory(connection)
    assert revoked(third) == []
    vault._keys["lost"] = AESGCM(b"l" * 32)
    try:
        assert reencryption.re_encrypt(world.partner_service.database, vault).left["lost"] == 0
    finally:
        del vault._keys["lost"]
    keep_house(world, connection)
    assert revoked(third) == [kept.refresh_token]
    assert ("revocation pending", "encryption_key_missing") not in inventory(connection)


def test_a72_a_grant_is_revoked_as_the_client_that_it_was_given_to(world: World, third: ThirdParty) -> None:
    """The account has brought an app of its own since: the old grant is not that one's."""
    connection = Connection(world, third.offer(world, token_auth="client_secret_post")).connect()
    for name in ("ClientId", "ClientSecret"):
        connection.api.call("POST", f"{connection.path}/properties", {"Name": name, "Value": "own"})
    connection.connect()
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    clients = [(form["client_id"], form["client_secret"]) for form in third.forms("revoke")]
    assert clients == [("hitchpost", "third-party-secret"), ("own", "own")]


def test_a72_a_grant_of_a_connector_that_left_the_catalogue_waits(world: World, third: ThirdParty) -> None:
    """Nobody knows where to revoke it until its entry is back."""
    connection = Connection(world, third.offer(world)).connect()
    kept, catalogue = connection.credentials(), world.partner_service.catalogue
    catalogue.connectors = tuple(item for item in catalogue.connectors if item is not connection.item)
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    assert inventory(connection) == [("revocation pending", "no_revocation_url")]
    catalogue.connectors += (connection.item,)
    keep_house(world, connection)
    assert revoked(third) == [kept.refresh_token]


@pytest.mark.both_databases
def test_a72_a_revocation_is_given_up_in_the_end_and_told(world: World, third: ThirdParty) -> None:
    """After so many tries; what is missing here counts for none, and waits."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["revoke"] = lambda _: refused("server_error", 500)
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    table = tables.pending_revocation
    with world.partner_service.database.writing() as database:
        ours = update(table).where(table.c.connector_id == connection.item.id)
        database.execute(ours.values(failures=revocation.MOST_TRIES - 2))
    for _ in range(5):
        keep_house(world, connection)
    assert len(revoked(third)) == 3
    assert inventory(connection) == [("revocation given up", "server_error")]
