"""Statuses that mean more than they seem: a 404 of whatever stands before the API, and successes but 200."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.upstream.client import PartnerClient
from bff.upstream.protocol import AccountConnector, Connector
from bff.upstream.sign_in_forms import Credentials, Fault, RejectedValues
from tests.support.cyclr.world import CyclrWorld
from tests.support.raw_server import ACCOUNT, Api, client_of, play, send

CRM = {"Id": 101, "Name": "CRM"}
INSTALLED: dict[str, Any] = {"Id": 7, "Name": "CRM", "Authenticated": True, "Connector": CRM}
TOKEN = {"Token": "a+b/", "ExpiresAtUtc": "2099-01-01T00:00:00Z"}

Call = Callable[[PartnerClient], object]


def answered(call: Call, answer: Callable[[bytes], tuple[int, bytes]]) -> object:
    """What a call of the client returns where the API answers so."""

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        if request.startswith(b"POST /oauth/token"):
            Api()(connection, request, over)
        else:
            send(connection, *answer(request))

    with play(act) as (url, _):
        return call(client_of(url))


LOOKS: dict[str, Call] = {
    "list": lambda client: client.list_account_connectors(ACCOUNT),
    "get": lambda client: client.get_account_connector(ACCOUNT, 7),
    "properties": lambda client: client.properties(ACCOUNT, 7),
    "find": lambda client: client.find_connector(ACCOUNT, "CRM"),
    "remove": lambda client: client.remove_connector(ACCOUNT, 7),
    "deauthenticate": lambda client: client.deauthenticate(ACCOUNT, 7),
}


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize(
    "body",
    [
        b"<html><h1>404 Not Found</h1>nginx</html>",
        b"404 page not found",
        b"default backend - 404",
        b'{"message": "no Route matched with those values"}',
        b'{"Message": "Resource not found"}',
        b"",
    ],
)
def test_an_api_that_is_not_there_tells_nothing_gone(name: str, body: bytes) -> None:
    """A proxy answers 404 to everything: that is an outage."""
    with pytest.raises(PartnerUnavailable, match=r"HITCHPOST_PARTNER_API_URL|does not know"):
        answered(LOOKS[name], lambda _: (404, body))


@pytest.mark.parametrize("name", LOOKS)
def test_a_proxys_page_among_answers_tells_nothing_gone(name: str) -> None:
    """While some of its backends are away it answers 404 now and then."""

    def now_and_then(request: bytes) -> tuple[int, bytes]:
        return (200, b"[]") if b"/v1.0/accounts" in request else (404, b"<h1>404 Not Found</h1>")

    with pytest.raises(PartnerUnavailable, match="404"):
        answered(LOOKS[name], now_and_then)


CHANGES: dict[str, Call] = {
    "give credentials": lambda client: client.give_credentials(ACCOUNT, 7, Credentials()),
    "install": lambda client: client.install_connector(ACCOUNT, Connector(101, "CRM")),
    "make an account": lambda client: client.make_account(ACCOUNT),
    "remove": LOOKS["remove"],
    "deauthenticate": LOOKS["deauthenticate"],
    "accept": lambda client: client.accept_sign_in(ACCOUNT, 7, "a" * 64),
    "refuse": lambda client: client.refuse_sign_in(ACCOUNT, 7, "a" * 64, Secret("code")),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("page", [b"<!doctype html><title>Sign in</title>", b"OK"])
def test_a_proxys_page_is_no_success(name: str, page: bytes) -> None:
    """Whatever its status: nobody knows whether the change was made."""
    with pytest.raises(PartnerUnavailable, match=r"200 .*JSON"):
        answered(CHANGES[name], lambda _: (200, page))


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_empty_answer_is_a_success(name: str, status: int) -> None:
    """What the change made is read, where it is needed."""

    def answer(request: bytes) -> tuple[int, bytes]:
        if not request.startswith(b"GET"):
            return status, b""
        return 200, json.dumps([INSTALLED] if b"page" in request else INSTALLED).encode()

    told = answered(CHANGES[name], answer)
    if isinstance(told, AccountConnector):
        assert (told.id, told.authenticated) == (7, True)
    else:
        assert told in (True, None)


def test_an_install_without_an_answer_is_not_made_twice() -> None:
    """It is not listed yet: the next try finds it."""
    installs = []

    def answer(request: bytes) -> tuple[int, bytes]:
        if request.startswith(b"GET"):
            return 200, b"[]"
        installs.append(request)
        return 200, b""

    with pytest.raises(PartnerUnavailable, match="not listed yet"):
        answered(CHANGES["install"], answer)
    assert len(installs) == 1


def test_a_proxys_page_does_not_say_which_partner_service_this_is() -> None:
    """Otherwise the embedded service would be taken for Cyclr, and its own calls not be made."""
    with pytest.raises(PartnerUnavailable):
        answered(lambda client: client.takes_any_account_id(), lambda _: (200, b"<h1>Please wait</h1>"))


def test_connections_stand_while_the_api_is_not_there(cyclr_world: CyclrWorld) -> None:
    """Their state is unknown, and as before once it is back."""
    cyclr = cyclr_world.cyclr
    cyclr.install(cyclr_world.account, cyclr.releases[0], authenticated=True)
    path = f"/v1/connections?account={cyclr_world.account}"
    assert [item["state"] for item in cyclr_world.server("GET", path).json()["connections"]] == ["connected"]
    cyclr.habits.busy["*"] = (404, None)
    cyclr_world.bff_app.extensions["hitchpost"].connections.overview._kept.clear()
    assert [item["state"] for item in cyclr_world.server("GET", path).json()["connections"]] == ["unknown"]
    cyclr.habits.busy.clear()
    cyclr_world.bff_app.extensions["hitchpost"].connections.overview._kept.clear()
    assert [item["state"] for item in cyclr_world.server("GET", path).json()["connections"]] == ["connected"]


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [
        (lambda client: client.mint_sign_in_token(ACCOUNT, "ada").value.reveal(), 201, TOKEN),
        (lambda client: client.install_connector(ACCOUNT, Connector(101, "CRM")).id, 201, INSTALLED),
        (lambda client: client.get_account_connector(ACCOUNT, 7).id, 203, INSTALLED),
        (lambda client: client.remove_connector(ACCOUNT, 7), 204, None),
        (lambda client: client.remove_connector(ACCOUNT, 7), 200, None),
        (lambda client: client.deauthenticate(ACCOUNT, 7), 202, None),
    ],
)
def test_any_2xx_is_a_success(call: Call, status: int, body: Any) -> None:
    """Cyclr documents 200 alone, and says of some calls nothing."""
    sent = b"" if body is None else json.dumps(body).encode()
    assert answered(call, lambda _: (status, sent)) in {True, 7, "a+b/"}


@pytest.mark.parametrize(
    "last", [(400, b'{"Message": "page"}'), (404, b"{}"), (416, b""), (204, b""), (200, b"null"), (200, b"")]
)
def test_a_list_ends_however_the_page_after_it_is_answered(last: tuple[int, bytes]) -> None:
    """Where no number of pages was told."""

    def paged(request: bytes) -> tuple[int, bytes]:
        return (200, json.dumps([INSTALLED]).encode()) if b"page=1&" in request else last

    found = answered(LOOKS["list"], paged)
    assert [item.id for item in found] == [7]  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("body", [b"", b"<h1>Bad Request</h1>", b"null", b'"no"'])
def test_refused_values_are_no_outage_however_the_refusal_is_written(status: int, body: bytes) -> None:
    """The status says it: the form asks again, and no field is named."""
    typed = Credentials({"Shop": Secret("wrong")})
    found = answered(lambda client: client.give_credentials(ACCOUNT, 7, typed), lambda _: (status, body))
    assert found == RejectedValues(form_fault=Fault.REFUSED)
