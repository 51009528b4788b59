"""What a call tells of a third party tells nothing of the partner service, which serves everybody else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final

import pytest

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.outbound.breaker import RULES
from bff.upstream.calls import EMBEDDED_HEADER
from bff.upstream.client import PartnerClient
from bff.upstream.sign_in_forms import Credentials
from tests.support.raw_server import ACCOUNT, CLIENT_SECRET, QUICK, Play, hangs, play, send

TYPED: Final = Credentials(auth_value=Secret("a key"), sign_in="0" * 64)
CALLS: Final[dict[str, Callable[[PartnerClient], object]]] = {
    "access token": lambda client: client.access_token(ACCOUNT, 7),
    "disconnect": lambda client: client.deauthenticate(ACCOUNT, 7),
    "remove": lambda client: client.remove_connector(ACCOUNT, 7),
    "typed credentials": lambda client: client.give_credentials(ACCOUNT, 7, TYPED),
    "accept": lambda client: client.accept_sign_in(ACCOUNT, 7, "0" * 64),
}
"""The calls during which the embedded service asks a third party."""


def waits(status: int) -> Play:
    """It wants to be asked again in four minutes."""
    return lambda connection, _request, _over: send(connection, status, b"{}", "Retry-After: 240")


@contextmanager
def partner(trouble: Play, *, embedded: bool = True) -> Iterator[PartnerClient]:
    """A client of a partner service whose changing calls all meet this trouble."""

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        header = f"{EMBEDDED_HEADER}: 1" if embedded else "X-Other: 1"
        if request.startswith(b"POST /oauth/token"):
            token = {"access_token": "a-token", "expires_in": 3600}
            send(connection, 200, json.dumps(token).encode(), header)
        elif request.startswith(b"GET"):
            send(connection, 200, b"[]", header)
        else:
            trouble(connection, request, over)

    with play(act) as (url, _):
        client = PartnerClient(url, "id", Secret(CLIENT_SECRET), QUICK)
        client.list_account_connectors(ACCOUNT)
        yield client


@pytest.mark.parametrize(
    "trouble", [waits(503), waits(429), hangs], ids=["503 with a time", "429 with a time", "slow"]
)
def test_a56_a_third_party_that_is_away_is_no_outage(trouble: Play) -> None:
    """However often: the calls of everybody else are made, and polls wait for nothing."""
    often = [call for call in CALLS.values() for _ in range(RULES.minimum)]
    with partner(trouble) as client, ThreadPoolExecutor(len(often)) as pool:
        for call in [pool.submit(call, client) for call in often]:
            assert isinstance(call.exception(), PartnerUnavailable)
        assert (client.breaker_state(), client.quiet.left() <= 0) == ("closed", True)
        assert client.list_account_connectors(ACCOUNT) == []


def test_whoever_wants_an_access_token_hears_when_to_ask_again() -> None:
    """And whose trouble it is."""
    with partner(waits(503)) as client, pytest.raises(PartnerUnavailable, match="connection 7") as told:
        client.access_token(ACCOUNT, 7)
    assert told.value.retry_after == 240


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"access token"}))
def test_what_cyclr_says_it_says_for_itself(name: str) -> None:
    """It asks no third party in these calls, which count as every other."""
    with partner(waits(503), embedded=False) as client:
        with pytest.raises(PartnerUnavailable):
            CALLS[name](client)
        assert client.quiet.left() > 200
        for _ in range(RULES.minimum):
            with suppress(PartnerUnavailable):
                CALLS[name](client)
        assert client.breaker_state() == "open"


def test_an_embedded_service_that_takes_no_connection_is_away_in_every_call() -> None:
    """That is no third party's doing."""
    with partner(lambda connection, _, __: connection.shutdown(socket.SHUT_RDWR)) as client:
        for _ in range(RULES.minimum):
            with suppress(PartnerUnavailable):
                CALLS["disconnect"](client)
        assert client.breaker_state() == "open"
