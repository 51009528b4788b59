"""An account is told to the partner service in a header, whose rules make no two accounts one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask import Request, request

from bff import AccountRef, Principal, User
from tests.partner.conftest import client_of
from tests.support.mounted import create_host
from tests.support.servers import serve
from tests.support.world import World, open_world

Host = tuple[str, World]


def named(_request: Request) -> Principal:
    """Whom the browser says: a host that lets its customers choose their ids."""
    account = request.cookies["account"].encode().decode("unicode_escape")
    return Principal("embedded", AccountRef(account, "Acme"), User("ada"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host's app with the BFF in it."""
    folder: Path = tmp_path_factory.mktemp("named")
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(open_world(folder))
        yield stack.enter_context(serve(lambda url: create_host(url, folder, world.partner, named))), world


def states(host: Host, account: str) -> tuple[int, str]:
    """What a customer sees of their connectors."""
    page = {"X-Hitchpost": "1", "Sec-Fetch-Site": "same-origin", "Cookie": f"account={account}"}
    answer = requests.get(f"{host[0]}/hitchpost/v1/config", headers=page, timeout=10)
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    "other", ["acme\\x20", "\\x20acme", "acme\\t", "acme\\u3000", "a\\nb", "a\\x7fb", ".."]
)
def test_a66_a_customer_whose_id_differs_by_space_sees_nothing_of_another(host: Host, other: str) -> None:
    """Whoever names it: of a host's own app such an id is refused, as it is of a host's server."""
    url, world = host
    page = {"X-Hitchpost": "1", "Origin": url, "Cookie": "account=acme"}
    asked = {"connector": "sandbox"}
    made = requests.post(f"{url}/hitchpost/v1/attempts", json=asked, headers=page, timeout=10).json()
    form = {"launch_token": made["launch_token"]}
    launch = f"{url}/hitchpost/connect/launch"
    sent = requests.post(launch, form, headers={"Origin": url}, allow_redirects=False, timeout=10)
    world.sign_in(sent.headers["Location"])
    status, text = states(host, "acme")
    assert '"state": "connected"' in text
    status, text = states(host, other)
    assert status == 422, text
    assert "account.id" in text
    assert '"connected"' not in text


@pytest.mark.parametrize("edge", ["{} ", "{}\u3000", "\u00a0{}", " "], ids=ascii)
def test_a66_the_embedded_service_makes_no_account_that_its_header_cannot_name(
    world: World, edge: str
) -> None:
    """A client that made it would read and change what is another's."""
    api = client_of(world)
    made = api.call("POST", "/v1.0/accounts", {"Id": edge.format(api.account), "Name": "Acme"}, account=None)
    assert made.status_code == 400
    assert "white space" in made.json()["Message"]
