"""What a third party calls an account: nothing in it is hidden, and no two become one."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask import request
from hypothesis import given
from hypothesis import strategies as st

from bff.partner.account_names import MOST, kept_name
from tests.partner.test_typed_credentials import give
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=600)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("ada@acme.example", "ada@acme.example"),
        ("Åsa Öberg 日本", "Åsa Öberg 日本"),
        ("", None),
        ("  ", "<U+0020><U+0020>"),
        ("\u200b\u3164", "<U+200B><U+3164>"),
        ("ada\u202emoc.live", "ada<U+202E>moc.live"),
        ("a\x1b[2J\x9bb\r\nc", "a<U+001B>[2J<U+009B>b<U+000D><U+000A>c"),
        ("ada<U+202E>", "ada<U+003C>U+202E>"),
        ("<img src=x>", "<img src=x>"),
    ],
)
def test_a_name_hides_nothing(told: str, kept: str | None) -> None:
    """Controls, invisible characters and line ends are written by their number."""
    assert kept_name(told) == kept


@given(TEXTS, TEXTS)
def test_no_two_names_become_one(one: str, other: str) -> None:
    """However long, and whatever differs in them."""
    assert len(kept_name(one) or "") <= MOST
    assert (kept_name(one) == kept_name(other)) == (one == other)


@pytest.mark.parametrize("other", ["x" * 255 + "2", "\u200b", " "], ids=["long", "invisible", "blank"])
def test_another_account_is_noticed_by_its_name(world: World, third: ThirdParty, other: str) -> None:
    """At a reconnect, the connected one stays: also where the names begin alike, or cannot be seen."""
    offered = third.offer(world, userinfo_url=f"{third.url}/userinfo", account_claim="email")
    third.says["userinfo"] = lambda _: {"email": "x" * 255 + "1"}
    connection = Connection(world, offered).connect()
    before = connection.credentials()
    third.says["userinfo"] = lambda _: {"email": other}
    connection.answer(connection.begin(), code="another")
    assert connection.last_sign_in()["Error"] == "account_mismatch"
    assert connection.credentials() == before


KEYS: dict[str, Any] = {"auth": "basic", "account_claim": "email", "revocation_url": None}


def unnamed(world: World, third: ThirdParty, *, key: bool) -> Connection:
    """Ada's connection, by tokens or a key, made when the third party named no account."""
    entry: dict[str, Any] = {"userinfo_url": f"{third.url}/me"}
    if key:
        check = {"url": f"{third.url}/me", "headers": {"Authorization": "Basic {basic}"}}
        entry = {**KEYS, "check": check}
    third.says["me"] = lambda _: {"email": None}
    connection = Connection(world, third.offer(world, **entry))
    sign_in(third, connection, "ada")
    assert (connection.told()["Authenticated"], connection.row().external_account) == (True, None)
    return connection


def sign_in(third: ThirdParty, connection: Connection, who: str) -> None:
    """Somebody signs in, with what tells the third party who it is."""
    pair = base64.b64encode(f"{who}:secret".encode()).decode()
    third.says["token"] = lambda _: tokens(access_token=pair)
    if connection.item.auth == "basic":
        give(connection, pair)
    else:
        connection.answer(connection.begin(), code="c")


def who_asks() -> str:
    """Whose token or key the third party is shown."""
    return base64.b64decode(request.headers["Authorization"].split()[1]).decode().partition(":")[0]


@pytest.mark.both_databases
@pytest.mark.parametrize("key", [False, True], ids=["tokens", "a key"])
@pytest.mark.parametrize(("who", "error"), [("ada", None), ("grace", "account_mismatch")])
def test_who_was_not_named_is_named_before_another_account_takes_the_place(
    world: World, third: ThirdParty, who: str, error: str | None, *, key: bool
) -> None:
    """The guard is on all the same, and the question that a user is asked names both."""
    connection = unnamed(world, third, key=key)
    third.says["me"] = lambda _: {"email": who_asks()}
    sign_in(third, connection, who)
    last, first = connection.told()["Hitchpost"]["RecentSignIns"]
    assert (last["Error"], last["ExternalAccount"], first["ExternalAccount"]) == (error, who, "ada")
    assert connection.row().external_account == "ada"


@pytest.mark.parametrize("key", [False, True], ids=["tokens", "a key"])
@pytest.mark.parametrize("who", ["ada", "grace"])
def test_who_cannot_be_named_any_more_keeps_the_place_until_somebody_chooses(
    world: World, third: ThirdParty, who: str, *, key: bool
) -> None:
    """The stored token or key tells nobody: it is not known whether this is another account."""
    connection = unnamed(world, third, key=key)
    shown: list[str] = []

    def names_the_newest(_: dict[str, str]) -> Any:
        shown.append(who_asks())
        return {"email": who} if len(shown) == 1 else refused("gone", 401)

    third.says["me"] = names_the_newest
    before = connection.row()
    sign_in(third, connection, who)
    last = connection.last_sign_in()
    assert (last["Error"], len(shown)) == ("account_unknown", 2)
    after = connection.row()
    assert (after.credentials, after.auth_value) == (before.credentials, before.auth_value)
    path = f"{connection.path}/signins/{last['TokenSha256']}/accept"
    assert connection.api.call("PUT", path).status_code == 200
    assert connection.row().external_account == who


@pytest.mark.parametrize("told", [True, False], ids=["its life was told", "its life was not told"])
@pytest.mark.parametrize(("who", "error"), [("ada", None), ("grace", "account_mismatch")])
def test_who_was_not_named_is_named_with_a_new_access_token(
    world: World, third: ThirdParty, who: str, error: str | None, *, told: bool
) -> None:
    """The stored one has expired. It is refreshed once, and what the refresh brought is kept."""
    connection = unnamed(world, third, key=False)
    connection.age() if told else connection.replace_credentials(expires_at=None)
    old, asked = connection.credentials(), []

    def token(form: dict[str, str]) -> Any:
        asked.append(form["grant_type"])
        whose = "ada:new" if form["grant_type"] == "refresh_token" else f"{who}:again"
        return tokens(access_token=base64.b64encode(whose.encode()).decode())

    def me(_: dict[str, str]) -> Any:
        expired = request.headers["Authorization"].endswith(old.access_token)
        return refused("expired", 401) if expired else {"email": who_asks()}

    third.says["token"], third.says["me"] = token, me
    connection.answer(connection.begin(), code="c")
    last, first = connection.told()["Hitchpost"]["RecentSignIns"]
    assert (last["Error"], last["ExternalAccount"], first["ExternalAccount"]) == (error, who, "ada")
    assert asked == ["authorization_code", "refresh_token"]
    kept = base64.b64decode(connection.credentials().access_token).decode()
    assert kept == ("ada:new" if error else "ada:again")


@pytest.mark.parametrize("failure", [400, 503], ids=["refused", "away"])
def test_who_cannot_be_named_as_no_new_token_comes_keeps_the_place(
    world: World, third: ThirdParty, failure: int
) -> None:
    """The refresh fails, for good or for now: what signed in is held, and the other as after any refresh."""
    connection = unnamed(world, third, key=False)
    connection.age()
    before = connection.credentials()

    def token(form: dict[str, str]) -> Any:
        if form["grant_type"] == "refresh_token":
            return refused("invalid_grant" if failure == 400 else "unavailable", failure)
        return tokens(access_token=base64.b64encode(b"ada:again").decode())

    third.says["token"] = token
    third.says["me"] = lambda _: {"email": "ada"} if who_asks_with() == "again" else refused("expired", 401)
    connection.answer(connection.begin(), code="c")
    last = connection.last_sign_in()
    assert (last["Error"], last["ExternalAccount"]) == ("account_unknown", "ada")
    if failure == 400:
        assert connection.row().grant_reason == "revoked"
    else:
        assert connection.credentials() == before
    assert connection.api.call("PUT", f"{connection.path}/signins/{last['TokenSha256']}/accept").ok


def who_asks_with() -> str:
    """What tells the token or key from others of the same account."""
    return base64.b64decode(request.headers["Authorization"].split()[1]).decode().partition(":")[2]


def test_who_was_not_named_and_has_ended_is_replaced_by_choice(world: World, third: ThirdParty) -> None:
    """The host still has the data of that account, whosever it was."""
    connection = unnamed(world, third, key=False)
    third.says["token"] = lambda _: refused("invalid_grant")
    connection.age()
    assert connection.access_token().status_code == 409
    third.says["me"] = lambda _: {"email": who_asks()}
    sign_in(third, connection, "grace")
    assert connection.last_sign_in()["Error"] == "account_unknown"


@pytest.mark.parametrize(
    ("granted", "told"),
    [
        ("contacts.read admin", ["contacts.read", "admin"]),
        ('a\x1b[2J \u202eb <b>c</b> "d" e', ["<b>c</b>", "e"]),
        ("s " * 20_000, ["s"] * 4000),
        ("", []),
        (["a"], ["a"]),
        ({"a": 1}, None),
    ],
    ids=["wider", "odd", "many", "none", "a list", "an object"],
)
def test_granted_scopes_are_told_as_scopes(
    world: World, third: ThirdParty, granted: object, told: list[str] | None
) -> None:
    """What is none is left out, and no third party makes the list of an account's connectors too long."""
    third.says["token"] = lambda _: tokens(scope=granted)
    connection = Connection(world, third.offer(world)).connect()
    assert connection.told()["Hitchpost"]["Scopes"] == told
