"""A caller that names a connector is told with the token what its sign-in is for, installed if need be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.partner.conftest import Api, client_of
from tests.support.databases import DatabaseUrl
from tests.support.world import open_world

pytestmark = pytest.mark.one_database


def mint(api: Api, connector: Any = 101, *, account: str | None = None) -> requests.Response:
    """Ask for a token for a new user, and for the account's copy of this connector."""
    path = f"/v1.0/accounts/{quote(account or api.account, safe='')}/signintoken"
    return api.call("POST", path, {"Username": "grace", "Hitchpost": {"Connector": connector}}, account=None)


def told(api: Api, connector: Any = 101) -> dict[str, Any]:
    """What is told with the token."""
    answer = mint(api, connector)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["Hitchpost"]["AccountConnector"]
    return found


def installed(api: Api) -> list[dict[str, Any]]:
    """What the account has."""
    found: list[dict[str, Any]] = api.call("GET", "/v1.0/account/connectors").json()
    return found


def users(api: Api) -> list[str]:
    """Whom the account has."""
    found: list[str] = api.call(
        "GET", f"/v1.0/accounts/{quote(api.account, safe='')}/users", account=None
    ).json()
    return found


def test_what_is_not_there_is_installed_once(api: Api) -> None:
    """Under the connector's own name; the second time it is found."""
    first = told(api)
    (one,) = installed(api)
    assert first == {"Id": one["Id"], "Authenticated": False}
    assert (one["Name"], one["Connector"]["Id"]) == ("Sandbox CRM", 101)
    assert told(api) == first
    assert len(installed(api)) == 1


def test_of_several_the_one_in_use_is_told(api: Api) -> None:
    """Else the oldest; and how many there are, so that a choice is not made silently."""
    old = api.call("POST", "/v1.0/connectors/101/install", {"Name": "old"}).json()
    new = api.call("POST", "/v1.0/connectors/101/install", {"Name": "new"}).json()
    assert told(api) == {"Id": old["Id"], "Authenticated": False, "Installed": 2}
    api.call("PUT", f"/v1.0/account/connectors/{new['Id']}", {"AuthValue": "a-key"})
    assert told(api) == {"Id": new["Id"], "Authenticated": True, "Installed": 2}


def test_another_accounts_copy_is_none_of_it(api: Api) -> None:
    """Each account has its own."""
    other = client_of(api.world)
    assert told(other)["Id"] != told(api)["Id"]
    assert len(installed(api)) == 1


def test_with_a_name_that_is_taken_nothing_is_done(api: Api) -> None:
    """409, and neither the token nor its user is there afterwards."""
    api.call("POST", "/v1.0/connectors/102/install", {"Name": "Sandbox CRM"})
    answer = mint(api)
    assert (answer.status_code, answer.json()["Message"]) == (
        409,
        "Account connector name 'Sandbox CRM' is in use.",
    )
    assert (len(installed(api)), users(api)) == (1, [])


def test_a_connector_that_there_is_not_is_refused(api: Api) -> None:
    """By 409, whatever stands in its place; nothing is done."""
    for unknown in (999, 0, -1, "101", 101.0, True, [101], {}):
        answer = mint(api, unknown)
        assert answer.status_code == 409, unknown
        assert answer.json()["Message"] == "Hitchpost.Connector: there is no such connector."
    assert (installed(api), users(api)) == ([], [])


def test_an_account_that_is_not_known_is_the_callers_to_make(tmp_path: Path) -> None:
    """404, also where accounts are made by their first sign-in: it would not have its name."""
    with open_world(tmp_path, sign_in_for_unknown_account="create") as world:
        api = client_of(world)
        assert mint(api, account="nobody").status_code == 404
        assert api.call("GET", "/v1.0/accounts/nobody", account=None).status_code == 404


def test_where_sign_ins_are_not_told_it_is_passed_over(tmp_path: Path) -> None:
    """As at Cyclr: the caller has to look at the account connector anyway."""
    with open_world(tmp_path, tell_sign_ins=False) as world:
        api = client_of(world)
        answer = mint(api)
        assert (answer.status_code, "Hitchpost" in answer.json(), installed(api)) == (200, False, [])


@pytest.mark.both_databases
def test_of_many_at_once_one_installs(api: Api, database_url: DatabaseUrl) -> None:
    """All are told the same one, and each has a token of its own."""
    with ThreadPoolExecutor(8) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: mint(api), range(16))]
    (one,) = installed(api)
    assert {answer["Hitchpost"]["AccountConnector"]["Id"] for answer in answers} == {one["Id"]}
    assert len({answer["Token"] for answer in answers}) == 16
