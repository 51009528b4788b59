"""Lists that are odd: one strange entry spoils no others, and no spelling makes another thing of one."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bff.common.errors import PartnerUnavailable
from bff.upstream.client import PartnerClient
from bff.upstream.protocol import AccountConnector, Connector
from bff.upstream.releases import connector_of, read_release
from tests.support.raw_server import ACCOUNT, Api, client_of, play, send

CRM = {"Id": 101, "Name": "CRM"}
GOOD: dict[str, Any] = {"Id": 7, "Name": "Ours", "Authenticated": True, "Connector": CRM}


@contextlib.contextmanager
def asked(*pages: list[Any], total: str | None = None) -> Iterator[PartnerClient]:
    """A client of a partner service that answers these pages, and empty ones after them."""
    left = list(pages)

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        if request.startswith(b"POST /oauth/token"):
            Api()(connection, request, over)
        else:
            headers = [f"Total-Pages: {total}"] if total is not None else []
            send(connection, 200, json.dumps(left.pop(0) if left else []).encode(), *headers)

    with play(act) as (url, _):
        yield client_of(url)


def listed(*pages: list[Any], total: str | None = None) -> list[AccountConnector]:
    """What the client makes of an account's list that comes in these pages."""
    with asked(*pages, total=total) as client:
        return client.list_account_connectors(ACCOUNT)


@pytest.mark.parametrize(
    "strange",
    [
        None,
        "text",
        {},
        {**GOOD, "Id": None},
        {**GOOD, "Id": 8.5},
        {**GOOD, "Id": "eight"},
        {**GOOD, "Id": "9" * 5000},
        {**GOOD, "Id": 8, "Connector": None},
        {**GOOD, "Id": 8, "Connector": {"Id": None, "Name": "CRM"}},
    ],
)
def test_a_strange_install_keeps_nobody_from_connecting(strange: Any) -> None:
    """The others are listed as ever, wherever it stands."""
    assert [item.id for item in listed([strange, GOOD])] == [7]
    assert [item.id for item in listed([GOOD, strange])] == [7]


def test_a_list_of_nothing_else_is_no_list() -> None:
    """Whoever took it for an empty one would install all anew."""
    with pytest.raises(PartnerUnavailable):
        listed([{"Id": 8}, None])


@pytest.mark.parametrize("name", [None, 5, {}])
def test_an_install_without_a_name_goes_by_its_connectors(name: Any) -> None:
    """It is found by its release."""
    (found,) = listed([{**GOOD, "Name": name}])
    assert (found.name, found.authenticated) == ("CRM", True)
    (nameless,) = listed([{**GOOD, "Connector": {"Id": 101, "Name": name}}])
    assert Connector(101, "CRM").is_in(nameless)
    assert Connector(102, "CRM", others=(101,)).is_in(nameless)
    assert not Connector(102, "CRM").is_in(nameless)


def test_ids_may_be_texts() -> None:
    """On whichever page."""
    found = listed([{**GOOD, "Id": "7"}], [{**GOOD, "Id": "8", "Connector": {"Id": "101", "Name": "CRM"}}])
    assert [(item.id, item.connector_id) for item in found] == [(7, 101), (8, 101)]


def test_what_is_listed_twice_is_one() -> None:
    """On one page, or on two, as when something was installed meanwhile: else it would have to be chosen."""
    assert [item.id for item in listed([GOOD, GOOD], [GOOD])] == [7]


@pytest.mark.parametrize("total", ["0", "-1", "2.5", "", "many", "9" * 5000, "7"])
def test_a_wrong_number_of_pages_hides_nothing(total: str) -> None:
    """It is read until there is no news."""
    assert [item.id for item in listed([GOOD], [{**GOOD, "Id": 8}], total=total)] == [7, 8]


def test_a_flag_that_is_null_in_a_list_is_not_told() -> None:
    """As one that is left out: it is asked for by itself."""
    (found,) = listed([{**GOOD, "Authenticated": None}])
    assert found.listed
    (no,) = listed([{**GOOD, "Authenticated": False}])
    assert not no.listed


@pytest.mark.parametrize(
    "changes",
    [
        {"Authentication": 5},
        {"Authentication": {"AuthType": "OAuth2"}},
        {"Authentication": [None, "OAuth2"]},
        {"Parameters": "none"},
        {"Status": None, "Version": 3},
        {"Icon": 7, "AuthType": []},
    ],
)
def test_fields_of_other_types_leave_a_release_what_it_is(changes: dict[str, Any]) -> None:
    """What we do not understand of it, we do without."""
    release = read_release({"Id": "12", "Name": "CRM", "Status": "Approved", **changes})
    assert (release.id, release.name) == (12, "CRM")


def test_a_strange_release_hides_no_others() -> None:
    """Of one name, or in the whole catalogue."""
    entries = [{"Id": None, "Name": "CRM", "Version": "9.0"}, {"Id": 12, "Name": "CRM"}]
    with asked(entries) as client:
        assert client.find_connector(ACCOUNT, "CRM").id == 12
    with asked(entries) as client:
        assert [release.id for release in client.catalogue.search(ACCOUNT, "CRM")] == [12]


@pytest.mark.parametrize("spelled", ["crm SUITE", "CRM  Suite", " CRM Suite "])
def test_capitals_and_spaces_make_no_other_connector(spelled: str) -> None:
    """Neither of a release, nor of an install, nor in the product file."""
    releases = [
        read_release({"Id": 12, "Name": "CRM Suite", "Version": "2.0", "Status": "Approved"}),
        read_release({"Id": 11, "Name": spelled, "Version": "1.0", "Status": "Deprecated"}),
        read_release({"Id": 50, "Name": "CRM Suite Plus", "Version": "1.0", "Status": "Approved"}),
    ]
    assert connector_of(releases[::-1], spelled) == Connector(12, "CRM Suite", others=(11,))
    (older,) = listed([{**GOOD, "Connector": {"Id": 3, "Name": spelled}}])
    assert Connector(12, "CRM Suite").is_in(older)


def test_a_catalogue_of_thousands_is_read_to_its_end() -> None:
    """Also where the partner service gives no more than ten on a page."""
    pages = [[{"Id": 10 * page + one, "Name": "Tool"} for one in range(10)] for page in range(500)]
    with asked(*pages) as client:
        assert sum(1 for _ in client.catalogue.search(ACCOUNT, "")) == 5000
