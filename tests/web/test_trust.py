"""No route takes anybody's word: each call shows who makes it, or reads what is anybody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
import requests
from flask import Flask

from tests.support.world import World

pytestmark = pytest.mark.one_database

PUBLIC: Final = frozenset(
    {
        "/.well-known/jwks.json",
        "/connect/assets/<name>",
        "/connect/logo/<name>",
        "/connect/look/<product>/<int:version>.css",
        "/connect/opening",
        "/health/live",
        "/health/ready",
        "/openapi.json",
        "/studio/assets/<name>",
        "/v1/advice",
        "/v1/openapi.json",
        "/widget/<version>/<name>",
    }
)
"""What anybody may read at the BFF: files, health, and the page that waits for a launch token."""
PARTNERS_PUBLIC: Final = frozenset(
    {"/assets/<name>", "/health/live", "/health/ready", "/openapi.json", "/v1.0/openapi.json"}
)
FORGED: Final = {"/v1/sessions/exchange": {"product": "demo", "assertion": "forged"}}
"""Where the credential stands in the body, one that is none."""
FORGED_FORMS: Final = {"/v1/press": {"launch_token": "forged"}}
"""The same where the body is a form."""
REFUSALS: Final = frozenset({400, 401, 403, 404, 410})
"""What a call without any credential is answered: never a success, never a redirect."""


def routes_of(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, rule, and an address by it: each way into the program."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            address = re.sub(r"<(?:(\w+):)?\w+>", lambda match: "1" if match[1] == "int" else "x", rule.rule)
            yield method, rule.rule, address


def knock(origin: str, method: str, address: str) -> requests.Response:
    """A call without any credential, from the program's own origin: only the credential is missing."""
    headers = {"Origin": origin, "X-Hitchpost": "1", "Sec-Fetch-Site": "same-origin"}
    form = FORGED_FORMS.get(address)
    body = None if method == "GET" or form else FORGED.get(address, {})
    return requests.request(
        method, origin + address, json=body, data=form, headers=headers, timeout=20, allow_redirects=False
    )


def taken(app: Flask, origin: str, public: frozenset[str]) -> list[tuple[str, str, int]]:
    """The calls that were not refused, though nobody made them."""
    return [
        (method, rule, answer.status_code)
        for method, rule, address in routes_of(app)
        if not (method == "GET" and rule in public)
        for answer in [knock(origin, method, address)]
        if answer.status_code not in REFUSALS
    ]


def test_a63_the_bff_takes_no_call_without_a_credential(world: World) -> None:
    """A principal, a secret key, a launch token, a return secret, a completion code or a Studio session."""
    seen = list(routes_of(world.bff_app))
    assert len(seen) > 40
    assert taken(world.bff_app, world.bff, PUBLIC) == []


@pytest.mark.both_databases
def test_a63_the_partner_service_takes_none_either(world: World) -> None:
    """An API token, a sign-in token, or the browser that began a flow."""
    app: Flask = world.partner_calls.app
    assert len(list(routes_of(app))) > 20
    assert taken(app, world.partner, PARTNERS_PUBLIC) == []


@pytest.mark.parametrize("program", ["bff", "partner"])
def test_a63_nothing_pushes_events_in(world: World, program: str) -> None:
    """No webhook comes in: the one callback is a browser's, and is bound to the browser that began.

    What is called so at the BFF lists those that it sends, to who is signed in.
    """
    app: Flask = world.bff_app if program == "bff" else world.partner_calls.app
    named = {rule for _, rule, _ in routes_of(app) if re.search(r"hook|callback|notif|event", rule)}
    listed = ("/v1/webhook-deliveries", "/studio/webhooks")
    assert {rule for rule in named if not rule.startswith(listed)} == (
        {"/connector/callback"} if program == "partner" else set()
    )
