"""Whatever bytes a third party sends, a sign-in ends with a cause, on a page; and nobody waits for it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Response
from sqlalchemy import update

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.outbound.client import HttpClient
from bff.partner import clock
from bff.partner.grants import revocation
from bff.partner.storage import tables
from bff.upstream.client import PartnerClient
from tests.support.raw_server import QUICK, play
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database

ENDS_AT_ONCE = 5.0
"""Seconds in which a caller is answered who has nothing to wait for: far below a lease."""


def says(text: str) -> Callable[[dict[str, str]], Any]:
    """Answer with exactly this JSON."""
    return lambda _: Response(text, content_type="application/json")


ODD: dict[str, Callable[[dict[str, str]], Any]] = {
    "snow in a token": lambda _: tokens(access_token="snow\u2603man"),
    "a line break in a token": lambda _: tokens(access_token="a\r\nX-Evil: 1"),
    "NUL in a token": lambda _: tokens(access_token="a\x00b"),
    "half a letter in a token": says('{"access_token": "a\\ud800", "token_type": "Bearer"}'),
    "a blank token": lambda _: tokens(access_token=" "),
    "a nested token": lambda _: tokens(access_token={"value": ["a"]}),
    "a list of tokens": lambda _: [[tokens()]],
    "a number": says("7"),
    "NaN": says("NaN"),
    "null": says("null"),
    "a long number": says('{"access_token": ' + "9" * 5000 + "}"),
    "nested": says('{"a":' * 10_000),
    "not UTF-8": lambda _: Response(b'{"access_token": "\xff"}', content_type="application/json"),
    "an odd charset": lambda _: Response(b"\xff\xfe{", content_type="application/json; charset=no-such"),
    "204": lambda _: Response(status=204),
    "206": lambda _: Response(json.dumps({"access_token": "a"}), 206, content_type="application/json"),
    "an odd error": lambda _: Response('{"error": {"a": []}}', 400, content_type="application/json"),
    "an unprintable error": lambda _: refused("a\x00\x1b[31m\u202eb\n"),
    "half a letter as an error": lambda _: Response(
        '{"error": "\\udfff"}', 400, content_type="application/json"
    ),
    "a long error": lambda _: refused("e" * 10_000),
    "a redirect to a broken address": lambda _: Response(status=302, headers={"Location": "http://[::1"}),
    "a redirect to a long label": lambda _: Response(
        status=302, headers={"Location": f"http://{'a' * 64}.example/"}
    ),
    "a redirect to no port": lambda _: Response(status=302, headers={"Location": "http://a:b/"}),
}


class Speaker:
    """Sends ``answer`` to whatever it is asked, and ends the connection."""

    answer = b""

    def __call__(self, connection: Any, _request: bytes, _over: Any) -> None:
        """Answer one request."""
        connection.sendall(self.answer)
        connection.close()


OK, JSON = b"HTTP/1.1 200 OK\r\n", b"Content-Type: application/json\r\n"
RAW: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"\x00\xff\x16\x03\x01" * 20,
    "half a status": b"HTTP/1.1 20",
    "status 0": b"HTTP/1.1 000 X\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 X\r\n\r\n",
    "a negative status": b"HTTP/1.1 -200 X\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "103 and no more": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "cut off": OK + JSON + b'Content-Length: 500\r\n\r\n{"access_token": "a", "token_type": "Bearer"}',
    "a negative length": OK + JSON + b"Content-Length: -1\r\n\r\n{",
    "two lengths": OK + JSON + b"Content-Length: 1\r\nContent-Length: 7\r\n\r\n{}",
    "length of letters": OK + JSON + b"Content-Length: many\r\n\r\n{",
    "a chunk of letters": OK + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "no gzip": OK + JSON + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "a bomb": OK + JSON + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 10_000_000),
    "gzip in gzip": OK + JSON + b"Content-Encoding: " + b"gzip, " * 50 + b"gzip\r\n\r\n{}",
    "a thousand headers": OK + b"".join(b"X-%d: 1\r\n" % number for number in range(1000)) + b"\r\n{}",
    "a long header": OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n{}",
    "a header of bytes": OK + b"Content-Type: \xff\xfe\r\nLocation: \xff\r\n\r\n{}",
    "a redirect of bytes": b"HTTP/1.1 302 X\r\nLocation: \xff\xfe://\x01\r\nContent-Length: 0\r\n\r\n",
    "a redirect without end": b"HTTP/1.1 302 X\r\nLocation: /\r\n\r\n" + b"x" * 1_000_000,
}


def require_failed(connection: Connection, page: Any, said: object = None) -> None:
    """The person is shown a page, and whoever asked for the sign-in is told of its end and the cause."""
    assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8"), said
    told = connection.told()
    last = told["Hitchpost"]["LastSignIn"]
    assert (told["Authenticated"], last["Result"]) == (False, "failed"), said
    assert last["Error"], said
    assert last["Error"].isprintable(), said
    assert len(last["Error"]) <= 100, said


def test_a75_an_odd_answer_ends_the_sign_in_with_a_cause(world: World, third: ThirdParty) -> None:
    """Types, nesting, sizes, letters that fit into no header, redirects to nowhere."""
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo"))
    for name, say in ODD.items():
        third.says["token"] = say
        require_failed(connection, connection.answer(connection.begin(), code="c"), name)


def test_a75_odd_bytes_end_the_sign_in_with_a_cause(world: World, third: ThirdParty) -> None:
    """What is no HTTP, or no whole one; each time the next sign-in begins as if nothing had been."""
    speaker = Speaker()
    with play(speaker) as (url, _):
        connection = Connection(world, third.offer(world, token_url=f"{url}/token"))
        for speaker.answer in RAW.values():
            require_failed(connection, connection.answer(connection.begin(), code="c"), speaker.answer[:80])


def test_a75_a_client_without_a_user_ends_likewise(world: World, third: ThirdParty) -> None:
    """Client credentials are asked for while the link is followed."""
    third.says["token"] = ODD["a redirect to a broken address"]
    connection = Connection(world, third.offer(world, grant="client_credentials"))
    require_failed(connection, connection.start())


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example"])
def test_a75_an_address_that_no_resolver_takes_is_a_cause(world: World, third: ThirdParty, host: str) -> None:
    """The catalogue's own URL may be broken in a way that only a call shows."""
    connection = Connection(world, third.offer(world, token_url=f"https://{host}/token"))
    require_failed(connection, connection.answer(connection.begin(), code="c"))


def test_a75_odd_user_info_names_nobody(world: World, third: ThirdParty) -> None:
    """The sign-in is good all the same: whose account it is, is not known."""
    speaker = Speaker()
    with play(speaker) as (url, _):
        item = third.offer(world, userinfo_url=f"{url}/userinfo")
        for speaker.answer in RAW.values():
            connection = Connection(world, item).connect()
            assert connection.last_sign_in()["ExternalAccount"] is None


CARRIED: list[dict[str, Any]] = [
    {"error": "a\x00b"},
    {"error": "\x00"},
    {"error": "\u202e\x1b[31m" + "e" * 3000},
    {"error": b"\xed\xa0\x80"},
    {"error": ["a\x00", "b"]},
    {"code": ""},
    {"code": "\x00"},
    {"iss": ["\x00", "b"]},
]


def test_a75_whatever_a_callback_carries_ends_with_a_cause(world: World, third: ThirdParty) -> None:
    """Its parameters come through the browser, and may be anything."""
    third.says["token"] = lambda _: refused("invalid_grant")
    connection = Connection(world, third.offer(world))
    for values in CARRIED:
        require_failed(connection, connection.answer(connection.begin(), **values), values)


@pytest.mark.parametrize("name", ["snow in a token", "a redirect to a broken address", "NaN"])
def test_a75_nobody_waits_for_a_refresh_that_went_wrong(world: World, third: ThirdParty, name: str) -> None:
    """The next caller is answered at once, and the third party is left alone for a while."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = ODD[name]
    connection.age()
    began = time.monotonic()
    answers = [connection.access_token() for _ in range(3)]
    assert time.monotonic() - began < ENDS_AT_ONCE
    assert [answer.status_code for answer in answers] == [503] * 3
    assert connection.row().refresh_lease_ends is None
    del third.says["token"]
    connection.change(refresh_not_before=clock.now() - timedelta(seconds=1))
    assert connection.access_token().status_code == 200


def test_a75_a_refresh_that_fails_on_our_side_keeps_nobody_waiting(world: World, third: ThirdParty) -> None:
    """The properties that it needs do not open: 503 at once, and the lease is free."""
    connection = Connection(world, third.offer(world))
    connection.api.call("POST", f"{connection.path}/properties", {"Name": "ClientId", "Value": "own"})
    connection.connect()
    table = tables.property_value
    with world.partner_service.database.writing() as database:
        ours = update(table).where(table.c.account_connector_id == connection.id)
        database.execute(ours.values(value="gone.AAAA.AAAA"))
    connection.age()
    began = time.monotonic()
    assert [connection.access_token().status_code for _ in range(2)] == [503] * 2
    assert time.monotonic() - began < ENDS_AT_ONCE
    assert connection.row().refresh_lease_ends is None
    assert connection.api.call("DELETE", connection.path).status_code == 200


def test_a75_odd_bytes_are_tries_of_a_revocation(world: World, third: ThirdParty) -> None:
    """Each counts as one, whatever it was; after the last it is given up, and that is told."""
    speaker, done = Speaker(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    # With status 200 a token is revoked, whatever comes with it (RFC 7009, section 2.2), if it comes at all.
    tries = [answer for answer in RAW.values() if not answer.startswith(OK)]
    tries += [RAW["cut off"], RAW["a bomb"], RAW["a chunk of letters"]]
    assert len(tries) < revocation.MOST_TRIES
    tries += [tries[0]] * (revocation.MOST_TRIES - len(tries))
    with play(speaker) as (url, asked):
        connection = Connection(world, third.offer(world, revocation_url=f"{url}/revoke")).connect()
        speaker.answer = tries[0]
        told = connection.api.call("PUT", f"{connection.path}/deauthenticate").json()
        assert "has not revoked" in told["Message"]
        for number, speaker.answer in enumerate(tries[1:], 2):
            retry(world, connection)
            (left,) = connection.inventory()
            given_up = number == revocation.MOST_TRIES
            assert left["State"] == f"revocation {'given up' if given_up else 'pending'}", speaker.answer
            assert left["Error"]
        speaker.answer = done
        retry(world, connection)
        assert len(asked) == revocation.MOST_TRIES


def retry(world: World, connection: Connection) -> None:
    """Try again what is to be revoked, at the moment when it is due."""
    connection.make_revocations_due()
    revocation.retry_revocations(world.partner_service, 100)


@pytest.mark.parametrize(
    "say",
    [lambda _: Response(status=204), lambda _: refused("invalid_token")],
    ids=["204", "invalid_token"],
)
def test_a75_a_token_that_is_no_good_needs_no_revoking(world: World, third: ThirdParty, say: Any) -> None:
    """Not everybody answers 200 (RFC 7009, section 2.2): nothing is left, and nothing tried again."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["revoke"] = say
    told = connection.api.call("PUT", f"{connection.path}/deauthenticate").json()
    assert "not revoked" not in told["Message"]


@pytest.mark.parametrize("answer", RAW.values(), ids=RAW.keys())
def test_a75_odd_bytes_of_the_partner_service_are_its_failure(answer: bytes) -> None:
    """To the BFF the partner service is such a third party: unavailable, and nothing else."""
    speaker = Speaker()
    speaker.answer = answer
    with play(speaker) as (url, _):
        try:
            HttpClient(url, QUICK).send("POST", "/oauth/token", form={}).document()
        except PartnerUnavailable:
            return
    assert answer.startswith(OK)


@pytest.mark.parametrize(
    "given",
    [
        {"access_token": "snow\u2603man", "expires_in": 60},
        {"access_token": "a\r\nb", "expires_in": 60},
        {"access_token": "a", "expires_in": 10**400},
        {"access_token": "a", "expires_in": "9" * 5000},
    ],
    ids=["snow", "line break", "long number", "long text"],
)
def test_a75_an_odd_access_token_of_the_partner_service_is_its_failure(given: dict[str, Any]) -> None:
    """It fits into no header, or lasts beyond all reckoning: refused, or cut to what can be."""

    def act(connection: Any, request: bytes, _over: Any) -> None:
        body = json.dumps(given).encode() if request.startswith(b"POST /oauth/token") else b"nonsense"
        connection.sendall(OK + JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    with play(act) as (url, _), pytest.raises(PartnerUnavailable):
        PartnerClient(url, "id", Secret("secret"), QUICK).list_account_connectors(AccountRef("acme", "Acme"))
