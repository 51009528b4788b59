"""A partner service that asks to be left alone is left alone, and credentials that it refuses are told."""

from __future__ import annotations

import pytest

from bff.adapters.partner_client import PartnerClient
from bff.core.errors import PartnerUnavailable
from bff.core.ports import AccountRef
from bff.core.secret import Secret
from tests.support.cyclr import Cyclr
from tests.support.world import CLIENT_ID, CLIENT_SECRET


@pytest.mark.parametrize("status", [429, 503])
def test_polls_of_all_attempts_wait_as_long_as_it_says(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef, status: int
) -> None:
    """One is told so; the others do not ask, for whichever account. Whoever clicks is not held up."""
    installed = cyclr.install(account.id, cyclr.releases[0])
    cyclr.habits.busy = {"get_installed": (status, "30")}
    for _ in range(5):
        with pytest.raises(PartnerUnavailable) as told:
            client.get_account_connector(account, installed.id)
    assert len(cyclr.asked("get_installed")) == 1
    assert 25 < (told.value.retry_after or 0) <= 30
    cyclr.habits.busy = {}
    assert client.mint_sign_in_token(account, "ada").value


def test_afterwards_they_ask_again(cyclr: Cyclr, account: AccountRef) -> None:
    """Not before the time that was named."""
    now = [0.0]
    client = PartnerClient(cyclr.api, CLIENT_ID, Secret(CLIENT_SECRET), clock=lambda: now[0])
    installed = cyclr.install(account.id, cyclr.releases[0])
    cyclr.habits.busy = {"get_installed": (429, "30")}
    with pytest.raises(PartnerUnavailable):
        client.get_account_connector(account, installed.id)
    cyclr.habits.busy = {}
    now[0] = 29.0
    with pytest.raises(PartnerUnavailable):
        client.get_account_connector(account, installed.id)
    now[0] = 30.0
    assert client.get_account_connector(account, installed.id) is not None


def test_a_wrong_client_secret_is_told_and_not_tried_at_every_call(
    cyclr: Cyclr, account: AccountRef, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is a call like every other: a line in the log, a count; and one that says what to check."""
    client = PartnerClient(cyclr.api, CLIENT_ID, Secret("wrong"))
    for _ in range(5):
        with pytest.raises(PartnerUnavailable, match="HITCHPOST_PARTNER_CLIENT_SECRET"):
            client.list_account_connectors(account)
    assert len(cyclr.asked("token")) == 1
    told = capfd.readouterr().out
    assert "path=/oauth/token" in told
    assert "no access token" in told
    assert "wrong" not in told
