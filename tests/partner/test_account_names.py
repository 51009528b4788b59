"""What a third party calls an account: nothing in it is hidden, and no two become one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff.partner.account_names import MOST, kept_name
from tests.support.third_party import Connection, ThirdParty, tokens
from tests.support.world import World

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
    assert connection.told()["Hitchpost"]["LastSignIn"]["Error"] == "account_mismatch"
    assert connection.credentials() == before


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
