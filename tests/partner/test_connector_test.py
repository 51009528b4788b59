"""``connectors test``: a sign-in in a terminal, for whoever writes an entry of the catalogue."""

from __future__ import annotations

import requests

from bff.partner.connector_test import Walk
from tests.support.emulations import EMULATIONS
from tests.support.provider import Provider, open_provider
from tests.support.world import World

REDIRECT = "http://127.0.0.1:1/connector/callback"


def walk(world: World, provider: Provider, **values: str) -> tuple[int, str]:
    """Go through it as an operator with a browser does; the exit status, and all that was printed."""
    said: list[str] = []

    def browse(question: str) -> str:
        said.append(question)
        url = said[-2].strip()
        return requests.get(url, allow_redirects=False, timeout=30).headers["Location"]

    service = world.partner_service.provider
    status = Walk(provider.offer(world), service, values, browse, said.append).go(REDIRECT)
    return status, "\n".join(said)


def test_each_step_of_a_sign_in_is_told_without_a_token(world: World) -> None:
    """What came back, scopes, account, what is kept; refreshed and revoked in the end."""
    with open_provider(EMULATIONS["slack bot"].habits) as provider:
        status, told = walk(world, provider)
        assert status == 0, told
        for part in (
            "came back with: code, state",
            "scopes: chat:write",
            "account: Acme",
            "team.id = T9TK3CUKW",
        ):
            assert part in told
        assert "refreshed: with a new refresh token" in told
        assert told.endswith("6. revoked")
        assert provider.requests_of("revoke")
        tokens = [given.get("refresh_token", "") for _, given, _ in provider.asked] + [*provider.live]
        assert not any(token in told for token in tokens if token)


def test_a_failing_step_says_what_was_answered(world: World) -> None:
    """The provider's own status, error and words."""
    habits = EMULATIONS["github"].habits
    with open_provider(habits) as provider:
        provider.refusal = {"error": "access_denied", "error_description": "No, thank you."}
        status, told = walk(world, provider)
        assert status == 1
        assert "authorize access_denied No, thank you." in told


def test_a_field_that_is_needed_is_asked_for(world: World) -> None:
    """A shop, say; with it the sign-in goes on."""
    with open_provider(EMULATIONS["shopify"].habits) as provider:
        status, told = walk(world, provider)
        assert (status, told) == (1, "set these fields: --set shop=VALUE")
        status, told = walk(world, provider, shop="acme")
        assert (status, "account: acme.myshopify.com" in told) == (0, True), told
