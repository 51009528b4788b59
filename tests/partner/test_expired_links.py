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
from tests.partner.test_oauth_flow import consent, record


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
    found: list[dict[str, Any]] = record(api, connector_id)["Hitchpost"]["RecentSignIns"]
    return found


def test_a_link_opened_too_late_is_a_failed_sign_in(api: Api) -> None:
    """The record names its token and says why; opened again, it is the same."""
    installed, token = api.install()["Id"], api.sign_in_token()
    expire(api, token)
    for _ in range(2):
        assert open_link(api, installed, token).status_code == 403
        (told,) = sign_ins(api, installed)
        assert told["TokenSha256"] == sha256(token)
        assert (told["Result"], told["Error"]) == ("failed", "token_expired")


def test_a_late_link_says_nothing_of_another(api: Api) -> None:
    """Another token of the same account that still has time is no failed sign-in by it."""
    installed, late, good = api.install()["Id"], api.sign_in_token(), api.sign_in_token()
    expire(api, late)
    open_link(api, installed, late)
    assert [told["TokenSha256"] for told in sign_ins(api, installed)] == [sha256(late)]
    consent(requests.Session(), api.sign_in_url(installed, good, callbackMessage="done"))
    assert sign_ins(api, installed)[0]["Result"] == "connected"


def test_a_used_link_stays_what_it_became(api: Api) -> None:
    """Opened again, also after its time, it is refused, and its sign-in stays connected."""
    installed, token = api.install()["Id"], api.sign_in_token()
    consent(requests.Session(), api.sign_in_url(installed, token, callbackMessage="done"))
    for later in (False, True):
        if later:
            expire(api, token)
        assert open_link(api, installed, token).status_code == 403
        (told,) = sign_ins(api, installed)
        assert (told["Result"], told["Error"]) == ("connected", None)


def test_an_unknown_link_leaves_no_trace(api: Api) -> None:
    """A token that nobody minted is no sign-in, also while others are past their time."""
    installed, token = api.install()["Id"], api.sign_in_token()
    expire(api, token)
    assert open_link(api, installed, "unknown").status_code == 403
    assert sign_ins(api, installed) == []


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
