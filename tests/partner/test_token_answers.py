"""How the answer of a token endpoint is read: each form that one was seen in.

Each has its row in ``docs/providers.md``, with the providers or the public bug reports that it was seen at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from flask import Response

from bff.partner import clock
from bff.partner.providers import answers
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.entries import LONGEST_LIFE
from tests.support.direct_calls import CLIENT, exchanged, failed_exchange
from tests.support.third_party import ThirdParty, tokens


def raw(body: str, status: int = 200, media_type: str = "application/json") -> Response:
    """An answer as it is."""
    return Response(body, status, content_type=media_type)


def read(told: dict[str, Any], **entry: Any) -> Credentials:
    """What is read of such an answer."""
    found = answers.tokens_of(told, ThirdParty(url="https://crm.example").entry(**entry), CLIENT)
    assert found is not None
    return found


GOOD: dict[str, tuple[dict[str, Any], Callable[[], Any]]] = {
    "201": ({}, lambda: raw(json.dumps(tokens()), 201)),
    "202": ({}, lambda: raw(json.dumps(tokens()), 202)),
    "a type in capitals": ({}, lambda: tokens(token_type="BEARER")),
    "JSON called a text": ({}, lambda: raw(json.dumps(tokens()), media_type="text/plain")),
    "JSON called a script": ({}, lambda: raw(json.dumps(tokens()), media_type="text/javascript")),
    "JSON of a vendor's own": ({}, lambda: raw(json.dumps(tokens()), media_type="application/vnd.x+json")),
    "a page's media type": ({}, lambda: raw(json.dumps(tokens()), media_type="text/html; charset=UTF-8")),
    "a byte order mark": ({}, lambda: raw("\ufeff" + json.dumps(tokens()))),
    "a form": ({}, lambda: raw("access_token=at&scope=&token_type=bearer", media_type="text/plain")),
    "a form, said to be JSON": ({"token_response": "form"}, lambda: raw("access_token=at&expires_in=60")),
    "no token type": ({}, lambda: {"access_token": "at"}),
    "null as token type": ({}, lambda: tokens(token_type=None)),
    "an odd token type": ({}, lambda: tokens(token_type="BearerToken")),
    "names in other letters": ({}, lambda: {"accessToken": "at", "tokenType": "Bearer", "expiresIn": 60}),
    "inside another object": (
        {"token_root": "data.auth"},
        lambda: {"data": {"auth": {"access_token": "at"}}},
    ),
    "an empty error beside it": ({}, lambda: tokens(error="", error_description="")),
    "scopes as a list": ({}, lambda: tokens(scope=["read", "write"])),
}


@pytest.mark.parametrize("name", GOOD)
def test_a44_a_token_answer_is_read_in_every_form_it_is_seen_in(third: ThirdParty, name: str) -> None:
    """deno-oauth2-client#37, openid-client#666, golang/oauth2#542, agor#2192, oauth2-rs#86.

    RFC 6749, section 5.1: the token's type is read in any case.
    """
    entry, say = GOOD[name]
    third.says["token"] = lambda _: say()
    assert exchanged(third, **entry).access_token.startswith("at")


@pytest.mark.parametrize(
    ("answer", "error", "description"),
    [
        (
            {"error": "bad_verification_code", "error_description": "It is wrong."},
            "bad_verification_code",
            "It is wrong.",
        ),
        ({"ok": False, "error": "invalid_code"}, "invalid_code", None),
        (
            {"error": {"code": 190, "message": "Code was used.", "type": "OAuthException"}},
            "190",
            "Code was used.",
        ),
        (
            {"errors": [{"errorType": "invalid_client", "message": "Bad."}], "success": False},
            "invalid_client",
            "Bad.",
        ),
        ({"status": "BAD_AUTH_CODE", "message": "missing or unknown"}, "BAD_AUTH_CODE", "missing or unknown"),
        ({"errcode": 40029, "errmsg": "invalid code"}, "40029", "invalid code"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_error_is_read_in_every_form_whatever_its_status(
    third: ThirdParty, answer: dict[str, Any], error: str, description: str | None, status: int
) -> None:
    """simple-oauth2#459; with what it says of it, for operators."""
    third.says["token"] = lambda _: raw(json.dumps(answer), status)
    failed = failed_exchange(third)
    expected = {"Endpoint": "token", "Status": status, "Error": error, "Description": description}
    assert failed.said is not None
    assert (failed.error, failed.said.as_json()) == (error, expected)


@pytest.mark.parametrize(
    ("told", "default", "seconds"),
    [
        ("3600", None, 3600),
        (" 3600 ", None, 3600),
        ("3600 seconds", None, 3600),
        ("3600s", None, 3600),
        ("a time since 1970", None, 3600),
        (10**9, None, LONGEST_LIFE),
        ("3599.5", None, 3599.5),
        (3599.5, None, 3599.5),
        (None, 7200, 7200),
        (0, 7200, 7200),
        ("soon", 7200, 7200),
        (None, None, None),
        ("absent", None, None),
        (-5, None, None),
        (True, None, None),
        ([], None, None),
        (10**15, None, LONGEST_LIFE),
        ("9" * 400, None, LONGEST_LIFE),
    ],
)
def test_a44_a_life_is_read_in_every_form(told: Any, default: int | None, seconds: float | None) -> None:
    """bluebutton-web-server#512; where there is none, the catalogue may say it. No sign-in fails by it."""
    if told == "a time since 1970":
        told = int(clock.now().timestamp()) + 3600
    answered = tokens(expires_in=told)
    if told == "absent":
        del answered["expires_in"]
    ends = read(answered, **({} if default is None else {"expires_in_default": default})).expires_at
    if seconds is None:
        assert ends is None
    else:
        assert ends is not None
        assert abs((ends - clock.now()).total_seconds() - seconds) < 30


OF_ACCESS = ("expires", "access_token_expires_in", "access_token_expire_in", "accessTokenExpiresIn")
ENDS_OF_ACCESS = ("expires", "access_token_expires_at", "expires_on")
OF_REFRESH = ("refresh_token_expire_in", "refresh_expires_in")
TOLD_SECONDS: dict[str, Callable[[datetime], Any]] = {
    "a life": lambda _: 3600,
    "a life as a text": lambda _: "3600",
    "a time": lambda end: int(end.timestamp()),
    "milliseconds": lambda end: int(end.timestamp() * 1000),
}
TOLD_TIMES: dict[str, Callable[[datetime], Any]] = {
    "a time": TOLD_SECONDS["a time"],
    "ISO 8601": datetime.isoformat,
    "an HTTP date": lambda end: format_datetime(end, usegmt=True),
}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *((name, told) for name in (*OF_ACCESS, *OF_REFRESH) for told in TOLD_SECONDS.values()),
        *((name, told) for name in ENDS_OF_ACCESS for told in TOLD_TIMES.values()),
    ],
)
def test_a_life_is_read_under_every_name(name: str, told: Callable[[datetime], Any]) -> None:
    """It is a life or a time, as its value shows."""
    end = clock.now().astimezone(UTC) + timedelta(hours=1)
    answered = tokens(**{name: told(end)})
    del answered["expires_in"]
    kept = read(answered)
    found, other = kept.expires_at, kept.grant_ends_at
    if name in OF_REFRESH:
        found, other = other, found
    assert found is not None
    assert abs(found - end) < timedelta(seconds=30)
    assert other is None


@pytest.mark.parametrize(
    "told",
    [
        {"scope": "read, write"},
        {"scope": "read,write"},
        {"scope": "read,  write,"},
        {"scope": ["read", "write"]},
        {"scopes": "read write"},
        {"scopes": ["read", "write"]},
        {"scope": None, "scopes": "read, write"},
        {"scope": "read write", "scopes": "admin"},
    ],
)
def test_the_scopes_of_an_answer_are_read_in_every_form(told: dict[str, Any]) -> None:
    """Bitbucket and others: ``scopes``, and commas with blanks."""
    assert read(tokens(**told)).scope == "read write"


@pytest.mark.parametrize("token", [" at-1", "at-1\n", "\tat-1 \r\n"])
def test_a_token_with_blanks_around_it_is_taken_without(token: str) -> None:
    """A line feed of the program that wrote it."""
    kept = read(tokens(access_token=token, refresh_token=f"{token} "))
    assert (kept.access_token, kept.refresh_token) == ("at-1", "at-1")


SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
"""An end that a provider may tell."""
TIMES = {
    "Square": SOON.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "a fraction of a second": SOON.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    "another offset": SOON.astimezone(timezone(timedelta(hours=-5))).isoformat(),
    "an offset after a blank": SOON.strftime("%Y-%m-%d %H:%M:%S +0000"),
    "a zone by name": SOON.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "an HTTP date": format_datetime(SOON, usegmt=True),
    "no offset": SOON.strftime("%Y-%m-%d %H:%M:%S"),
    "seconds": int(SOON.timestamp()),
    "seconds as a text": str(int(SOON.timestamp())),
    "milliseconds": int(SOON.timestamp() * 1000),
    "milliseconds as a text": str(int(SOON.timestamp() * 1000)),
    "nanoseconds": int(SOON.timestamp()) * 10**9,
}


@pytest.mark.parametrize("told", TIMES.values(), ids=TIMES.keys())
def test_an_end_is_read_in_every_form(told: Any) -> None:
    """simple-oauth2#277: the time itself, in place of a life, also for the refresh token."""
    credentials = read(tokens(expires_in=None, expires_at=told, refresh_token_expires_at=told))
    for end in (credentials.expires_at, credentials.grant_ends_at):
        assert end is not None
        assert abs(end - SOON) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "told", ["", "soon", "2001-01-01T00:00:00Z", 1, [], {}, True, "9" * 5000, "0000-00-00"]
)
def test_an_end_that_is_none_is_replaced_by_the_entrys_default(told: Any) -> None:
    """And never stops a sign-in."""
    ends = read(tokens(expires_in=None, expires_at=told), expires_in_default=7200).expires_at
    assert ends is not None
    assert ends > SOON
