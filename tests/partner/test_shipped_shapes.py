"""Shipped entries of every shape sign in, refresh and revoke as they say. All of them: ``make providers``."""

from __future__ import annotations

import pytest

from bff.partner.providers.shipped_entries import named
from tests.support.key_shapes import get_tokens, try_key
from tests.support.provider import Habits, open_provider
from tests.support.shapes import WrongShape, walk_through
from tests.support.world import World

pytestmark = pytest.mark.one_database

WALKED = {
    "discord": ["sign-in", "account", "refresh", "revocation"],
    "exact-online": ["sign-in", "account", "refresh"],
    "slack-user": ["sign-in", "account", "refresh", "revocation"],
    "square": ["sign-in", "account", "refresh", "revocation"],
    "stripe-connect": ["sign-in", "account", "refresh", "revocation"],
    "surveymonkey": ["sign-in", "account", "refresh"],
    "tiktok": ["sign-in", "account", "refresh", "revocation"],
    "webflow": ["sign-in", "account", "refresh", "revocation"],
    "zoho-books": ["sign-in", "account", "refresh", "revocation"],
    "zoho-crm": ["sign-in", "account", "refresh", "revocation"],
}
"""A host of the account's, an answer inside another, JSON, other names, a region that the callback tells, or
the token answer, and a revocation that names the account."""


@pytest.mark.parametrize("key", WALKED)
def test_an_entry_signs_in_and_refreshes_as_it_says(world: World, key: str) -> None:
    """The provider refuses any request that differs from the entry."""
    with open_provider(Habits()) as provider:
        assert walk_through(world, provider, named(key)).shown == WALKED[key]


def test_a_wrong_fact_in_an_entry_does_not_pass(world: World) -> None:
    """A provider that wants the client in a header refuses an entry that sends it in the body."""
    entry = named("discord")
    wrong = type(entry)(entry.about, {**entry.keys, "token_auth": "client_secret_post"})
    with open_provider(Habits()) as provider, pytest.raises(WrongShape, match="sign-in"):
        walk_through(world, provider, wrong, wants=entry.connector())


@pytest.mark.parametrize("key", ["datadog", "trello", "twilio"])
def test_a_key_is_tried_as_its_entry_says(key: str) -> None:
    """In a header, in the URL, and as a password: good ones pass, wrong ones do not."""
    assert try_key(named(key)).shown == ["check"]


def test_tokens_are_had_by_the_accounts_own_client() -> None:
    """Client credentials, with an audience that the account's domain is part of."""
    assert get_tokens(named("auth0")).shown == ["tokens"]
