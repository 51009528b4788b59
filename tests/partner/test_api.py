"""The API as Cyclr documents it: statuses, bodies and words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import event

from bff.partner.account_connectors import store
from bff.partner.api import accounts
from tests.partner.conftest import Api, api_token
from tests.support.connections import connected
from tests.support.world import World

pytestmark = pytest.mark.one_database


def test_an_access_token_looks_like_cyclrs(api: Api) -> None:
    """64 hexadecimal characters, 14 days less a second, and the dotted keys beside the documented ones."""
    answer = api_token(api.url).json()
    assert re.fullmatch("[0-9a-f]{64}", answer["access_token"])
    assert answer["token_type"] == "bearer"
    assert answer["expires_in"] == 1209599
    assert parsedate_to_datetime(answer[".expires"]) > datetime.now(UTC) + timedelta(days=13)
    assert {"clientId", ".issued", ".refresh"} < set(answer)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_a_wrong_token_request_is_refused(api: Api, form: dict[str, str], error: str) -> None:
    """400 and an OAuth error."""
    answer = api_token(api.url, **form)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_no_call_without_a_token(api: Api) -> None:
    """401, in ASP.NET's words."""
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        answer = requests.get(f"{api.url}/v1.0/accounts", headers=headers, timeout=10)
        assert answer.status_code == 401
        assert answer.json() == {"Message": "Authorization has been denied for this request."}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_account_level_calls_need_the_account_header(api: Api) -> None:
    """An empty header is a 401, an unknown account a 404."""
    assert api.call("GET", "/v1.0/account/connectors", account=None).status_code == 401
    assert api.call("GET", "/v1.0/account/connectors", account="").status_code == 401
    assert api.call("GET", "/v1.0/account/connectors", account="nobody").status_code == 404


def test_a_restricted_token_reaches_its_own_account_only(api: Api) -> None:
    """`scope=account:{id}` closes everything else."""
    token = api_token(api.url, scope=f"account:{api.account}").json()["access_token"]
    assert api.call("GET", "/v1.0/account/connectors", token=token).status_code == 200
    assert api.call("GET", "/v1.0/account/connectors", account=None, token=token).status_code == 200
    other = api.call("POST", "/v1.0/accounts", {"Name": "Other"}, account=None).json()["Id"]
    assert api.call("GET", "/v1.0/account/connectors", account=other, token=token).status_code == 401
    assert api.call("GET", f"/v1.0/accounts/{other}", account=None, token=token).status_code == 401
    assert api.call("GET", "/v1.0/accounts", account=None, token=token).status_code == 401


@pytest.mark.both_databases
def test_accounts_are_made_listed_changed_and_removed(api: Api) -> None:
    """An id is any text; a change touches what it names; wrong types are ignored."""
    path = f"/v1.0/accounts/{quote(api.account, safe='')}"
    assert api.call("GET", path, account=None).json()["Name"] == "Acme"
    changed = api.call("PUT", path, {"Description": "d", "Timezone": 7}, account=None).json()
    assert (changed["Name"], changed["Description"], changed["Timezone"]) == ("Acme", "d", "Etc/UTC")
    again = api.call("POST", "/v1.0/accounts", {"Id": api.account, "Name": "x"}, account=None)
    assert (again.status_code, again.json()) == (400, {"Message": "ID already in use"})
    nameless = api.call("POST", "/v1.0/accounts", {}, account=None)
    assert (nameless.status_code, nameless.json()) == (400, {"Message": "Name is required"})
    assert api.call("DELETE", path, account=None).status_code == 200
    assert api.call("GET", path, account=None).status_code == 404


def test_retention_hours_are_bounded(api: Api) -> None:
    """Too many are cut to 744, negative ones refused in Cyclr's words."""
    made = api.call(
        "POST", "/v1.0/accounts", {"Name": "x", "StepDataErroredRetentionHours": 9999}, account=None
    )
    assert made.json()["StepDataErroredRetentionHours"] == 744
    bad = api.call(
        "POST", "/v1.0/accounts", {"Name": "x", "StepDataSuccessRetentionHours": -10}, account=None
    )
    assert bad.json() == {"Message": "StepDataSuccessRetentionHours (-10): must be non negative"}


@pytest.mark.both_databases
def test_users_belong_to_accounts(api: Api) -> None:
    """A sign-in token makes its user; users are listed, added and removed by name."""
    path = f"/v1.0/accounts/{quote(api.account, safe='')}/users"
    api.sign_in_token()
    assert api.call("GET", path, account=None).json() == ["ada"]
    assert api.call("PUT", path, {"UserName": "grace", "Password": "x"}, account=None).status_code == 200
    assert api.call("DELETE", path, {"UserName": "ada"}, account=None).status_code == 200
    assert api.call("GET", path, account=None).json() == ["grace"]


def test_the_catalogue_is_read_by_id_and_by_name(api: Api) -> None:
    """An id gives an object, a name (or key) a list."""
    assert api.call("GET", "/v1.0/connectors/101").json()["Name"] == "Sandbox CRM"
    assert [item["Id"] for item in api.call("GET", "/v1.0/connectors/Sandbox%20CRM").json()] == [101]
    assert [item["Id"] for item in api.call("GET", "/v1.0/connectors/sandbox/1.0").json()] == [101]
    assert api.call("GET", "/v1.0/connectors/999").status_code == 404
    assert api.call("GET", "/v1.0/connectors/nothing").status_code == 404
    assert len(api.call("GET", "/v1.0/connectors?query=slow").json()) == 1


def test_lists_come_in_pages(switched: Callable[..., Api]) -> None:
    """`page` counts from one; `Total-Pages` says how many there are."""
    # A service of its own: tests before this one have added connectors to the shared one's catalogue.
    api = switched()
    answer = api.call("GET", "/v1.0/connectors?pageSize=5&page=2&orderBy=Id")
    assert [item["Id"] for item in answer.json()] == [106, 107, 108, 109, 110]
    assert answer.headers["Total-Pages"] == "2"
    assert api.call("GET", "/v1.0/connectors?pageSize=5&page=3").json() == []
    assert api.call("GET", "/v1.0/connectors?pageSize=x").status_code == 400


def test_a_connector_is_installed_once_under_a_name(api: Api) -> None:
    """200, not yet authenticated; the same name again is a 400 in Cyclr's words."""
    first = api.install()
    assert (first["Name"], first["Authenticated"], first["Connector"]["Id"]) == ("Sandbox CRM", False, 101)
    again = api.call("POST", "/v1.0/connectors/101/install", {})
    assert (again.status_code, again.json()) == (
        400,
        {"Message": "Account connector name 'Sandbox CRM' is in use."},
    )
    second = api.call("POST", "/v1.0/connectors/sandbox/install", {"Name": "Second"}).json()
    listed = api.call("GET", "/v1.0/account/connectors").json()
    assert [item["Id"] for item in listed] == [first["Id"], second["Id"]]


@pytest.mark.both_databases
def test_an_account_connector_is_changed_and_removed(api: Api) -> None:
    """PUT, deauthenticate and DELETE answer 200; an unknown id 404."""
    path = f"/v1.0/account/connectors/{api.install()['Id']}"
    keyed = api.call("PUT", path, {"AuthValue": "key-1", "Description": "d"}).json()
    assert (keyed["Authenticated"], keyed["AuthValue"], keyed["Description"]) == (True, "key-1", "d")
    told = api.call("PUT", path + "/deauthenticate")
    assert told.json() == {"Message": "Connector 'Sandbox CRM' successfully de-authenticated."}
    after = api.call("GET", path).json()
    assert (after["Authenticated"], after["AuthValue"]) == (False, None)
    assert api.call("DELETE", path).status_code == 200
    assert api.call("GET", path).status_code == api.call("PUT", path, {}).status_code == 404


@pytest.mark.both_databases
def test_properties_are_set_by_name(api: Api) -> None:
    """Known names only; each has an id of its own."""
    path = f"/v1.0/account/connectors/{api.install()['Id']}/properties"
    made = api.call("POST", path, {"Name": "ClientId", "Value": "mine", "Id": 0}).json()
    assert (made["Name"], made["Value"]) == ("ClientId", "mine")
    one = f"{path}/{made['Id']}"
    assert api.call("PUT", one, {"Value": "other"}).json()["Value"] == "other"
    assert api.call("GET", path).json() == [{**made, "Value": "other"}]
    bad = api.call("POST", path, {"Name": "Dont exist", "Value": "x"})
    assert bad.json() == {"Message": "There is not a connector property that matches name 'Dont exist'."}
    assert api.call("DELETE", one).status_code == 200
    assert api.call("GET", one).status_code == 404


def test_an_account_sees_its_own_connectors_only(api: Api) -> None:
    """Another account's connector is not found, whatever is asked of it."""
    ours = api.install()["Id"]
    other = api.call("POST", "/v1.0/accounts", {"Name": "Other"}, account=None).json()["Id"]
    for method, path in (
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("PUT", "/deauthenticate"),
        ("GET", "/properties"),
    ):
        answer = api.call(method, f"/v1.0/account/connectors/{ours}{path}", {}, account=other)
        assert answer.status_code == 404


@pytest.mark.both_databases
def test_a77_a_page_of_a_list_costs_what_it_shows(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what there is: all else of the account's connections stays sealed."""
    ids = [api.install()["Id"]]
    for number in range(4):
        body = {"Name": f"another {number}"}
        ids.append(api.call("POST", "/v1.0/connectors/101/install", body).json()["Id"])
    shown, as_json = [], store.as_json

    def counted(service: Any, connection: Any, row: Any) -> Any:
        shown.append(row.id)
        return as_json(service, connection, row)

    monkeypatch.setattr(store, "as_json", counted)
    answer = api.call("GET", "/v1.0/account/connectors?pageSize=2&page=2")
    assert [item["Id"] for item in answer.json()] == shown == ids[2:4]
    assert answer.headers["Total-Pages"] == "3"
    backwards = api.call("GET", "/v1.0/account/connectors?pageSize=2&sortOrderAsc=false").json()
    assert [item["Id"] for item in backwards] == ids[:2:-1]


def test_a77_a_page_of_the_accounts_is_cut_out_by_the_database(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page goes on where the one before ends, oldest first."""
    made, document_of = [], accounts._document

    def counted(row: Any) -> Any:
        made.append(row.id)
        return document_of(row)

    monkeypatch.setattr(accounts, "_document", counted)
    pages = [
        api.call("GET", f"/v1.0/accounts?pageSize=1&page={page}", account=None).json() for page in (1, 2)
    ]
    assert len(made) == 2
    assert [each["Id"] for page in pages for each in page] == made
    assert pages[0][0]["CreatedDate"] <= pages[1][0]["CreatedDate"]


def test_a77_an_account_connector_that_is_not_there_costs_one_call(world: World) -> None:
    """Whoever names one: the embedded service's own answer is believed."""
    session = world.session()
    connected(world, session)
    world.partner_calls.seen.clear()
    body = {"connector": "sandbox", "connection": "900001"}
    assert world.page("POST", "/v1/attempts", session, json=body).status_code == 404
    assert [call for call in world.partner_calls.seen if "accounts" in call[1]] == []


@pytest.mark.both_databases
def test_a_page_of_accounts_reads_no_others(api: Api) -> None:
    """It costs the same however many accounts there are, and comes in the order of their creation."""
    made = [
        api.call(
            "POST", "/v1.0/accounts", {"Name": str(number), "ParentAccountId": api.account}, account=None
        )
        for number in range(3)
    ]
    ids = [each.json()["Id"] for each in made]
    own = f"/v1.0/accounts/{quote(api.account, safe='')}/subaccounts"
    with hears_statements(api) as asked:
        told = api.call("GET", "/v1.0/accounts?page=1&pageSize=2", account=None)
    assert (len(told.json()), int(told.headers["Total-Pages"]) >= 2) == (2, True)
    assert all("LIMIT" in each or "count(*)" in each for each in asked if "account.details" in each)
    pages = [api.call("GET", f"{own}?pageSize=2&page={page}", account=None) for page in (1, 2)]
    assert [each["Id"] for page in pages for each in page.json()] == ids
    last = api.call("GET", f"{own}?pageSize=1&sortOrderAsc=false", account=None)
    assert ([each["Id"] for each in last.json()], last.headers["Total-Pages"]) == (ids[-1:], "3")


def test_a_page_of_installed_connectors_reads_no_others(api: Api) -> None:
    """So a whole list, page by page, costs twice as much where there are twice as many."""
    ids, asked = [], []
    for number in range(6):
        made = api.call("POST", "/v1.0/connectors/101/install", {"Name": f"CRM {number}"})
        ids.append(made.json()["Id"])
        with hears_statements(api) as statements:
            last = api.call("GET", "/v1.0/account/connectors?pageSize=1&sortOrderAsc=false").json()
        assert [each["Id"] for each in last] == ids[-1:]
        asked.append(len(statements))
    assert asked == asked[:1] * 6
    pages = [api.call("GET", f"/v1.0/account/connectors?pageSize=4&page={page}") for page in (1, 2, 3)]
    assert [[each["Id"] for each in page.json()] for page in pages] == [ids[:4], ids[4:], []]
    assert pages[0].headers["Total-Pages"] == "2"


@contextmanager
def hears_statements(api: Api) -> Iterator[list[str]]:
    """The statements that the service runs meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = api.world.partner_service.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
