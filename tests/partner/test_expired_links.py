"""A sign-in link that is opened too late: nothing can come of it any more, and that is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import update

from bff.partner import clock
from bff.partner.crypto import sha256
from bff.partner.storage import tables
from tests.partner.conftest import Api, client_of

pytestmark = pytest.mark.one_database


def expire(api: Api, token: str) -> None:
    """Let a token's time have passed."""
    table = tables.sign_in_token
    late = (
        update(table)
        .where(table.c.sha256 == sha256(token))
        .values(expires_at=clock.now() - timedelta(seconds=1))
    )
    with api.world.partner_service.database.writing() as connection:
        assert connection.execute(late).rowcount == 1


def open_link(api: Api, connector_id: object, token: str) -> requests.Response:
    """Open the link of this token and account connector."""
    url = api.sign_in_url(1, token, callbackMessage="done").replace("id=1&", f"id={connector_id}&", 1)
    return requests.get(url, allow_redirects=False, timeout=30)


def sign_ins(api: Api, connector_id: int) -> list[dict[str, Any]]:
    """What is told of each sign-in of an account connector."""
    told = api.call("GET", f"/v1.0/account/connectors/{connector_id}").json()
    found: list[dict[str, Any]] = told["Hitchpost"]["RecentSignIns"]
    return found


@pytest.mark.parametrize("given", ["abc", "%D9%A3", "1.5", "-1", "9" * 16, "9" * 40, ""])
def test_a_late_link_for_no_connector_is_refused_all_the_same(api: Api, given: str) -> None:
    """Whatever stands in the place of the id: a page that says what is wrong, and no trace."""
    installed, token = api.install()["Id"], api.sign_in_token()
    expire(api, token)
    assert open_link(api, given, token).status_code in {400, 403}
    assert sign_ins(api, installed) == []


def test_a_late_link_tells_nothing_of_another_accounts_connector(api: Api) -> None:
    """The connector has to be of the token's own account."""
    other = client_of(api.world)
    theirs, token = other.install()["Id"], api.sign_in_token()
    expire(api, token)
    assert open_link(api, theirs, token).status_code == 403
    assert sign_ins(other, theirs) == []
