"""Headers, cookies, forms and bodies as bytes: the BFF and the embedded service refuse, and never break."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.strategies import ODD, damaged, quick
from tests.support.world import HOST, SECRET_KEY, World

TOKEN = b"eyJwcm9kdWN0IjoiZGVtbyJ9.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
FORMS = [b"launch_token=abc&anyway=1", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--']


def as_header(data: bytes) -> str:
    """The text of a header, as a WSGI server hands it over."""
    return data.decode("latin-1")


HEADER = st.binary(max_size=80).map(as_header) | st.sampled_from(ODD)
BODIES = {
    "nothing": (None, None),
    "empty": (b"", "application/json"),
    "broken": (b"{", "application/json"),
    "null": (b"null", "application/json"),
    "list": (b"[]", "application/json"),
    "text": (b'"x"', "application/json"),
    "text/plain": (b"{}", "text/plain"),
    "form": (b"a=b", "application/x-www-form-urlencoded"),
    "extra member": (b'{"surprise": 1}', "application/json"),
    "wrong type": (b'{"user": 7, "connector": 7}', "application/json"),
    "bad UTF-8": (b'{"user": "\xff"}', "application/json"),
    "surrogate": (b'{"connector": "\\ud800", "user": {"id": "\\ud800"}}', "application/json"),
}
"""The twelve hostile bodies."""


def usable(text: str) -> str:
    """What a WSGI server lets through in a header."""
    return text.encode("latin-1", "replace").decode("latin-1").translate({0: "0", 10: "n", 13: "r"})


@pytest.fixture(scope="module")
def bff(fuzz_world: World) -> FlaskClient:
    """The BFF, without a socket between: thousands of requests."""
    return fuzz_world.bff_app.test_client()


@pytest.mark.parametrize(("body", "kind"), BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize(
    "path", ["attempts", "attempts/x/cancel", "attempts/x/accept", "sessions", "sign-in-urls", "sessions/end"]
)
def test_a_hostile_body(
    fuzz_world: World, bff: FlaskClient, path: str, body: bytes | None, kind: str | None
) -> None:
    """400, 415 or 422 wherever a body is read (or 404 where it says nothing)."""
    credentials = SECRET_KEY if path.startswith("s") else fuzz_world.session()
    headers = {"Authorization": f"Bearer {credentials}", "Origin": HOST}
    answer = bff.post(f"/v1/{path}", data=body, content_type=kind, headers=headers)
    assert answer.status_code in {400, 415, 422}
    assert answer.content_type == "application/problem+json"


@quick
@given(header=HEADER | damaged(b"Bearer " + TOKEN).map(as_header))
def test_an_authorization_header(bff: FlaskClient, header: str) -> None:
    """Nobody is signed in by any of these, as a page or as a server."""
    for method, path in (
        ("GET", "/v1/config"),
        ("GET", "/v1/attempts/x"),
        ("GET", "/v1/connections?account=a"),
    ):
        answer = bff.open(path, method=method, headers={"Authorization": usable(header), "Origin": HOST})
        assert answer.status_code == 401


@quick
@given(header=HEADER)
def test_an_origin_and_a_language(bff: FlaskClient, header: str) -> None:
    """No CORS header for any of these, and a page in some language."""
    headers = {"Origin": usable(header), "Accept-Language": usable(header), "User-Agent": usable(header)}
    answer = bff.get("/v1/config", headers=headers)
    assert answer.status_code == 401
    assert "Access-Control-Allow-Origin" not in answer.headers
    page = bff.get("/connect/opening", query_string={"product": "demo", "origin": HOST}, headers=headers)
    assert page.status_code == 200


@quick
@given(
    cookie=HEADER | damaged(b'hitchpost_studio=abc; a="b\\303"; c').map(lambda data: data.decode("latin-1"))
)
def test_a_cookie_of_the_studio(bff: FlaskClient, cookie: str) -> None:
    """Nobody is signed in by any of these."""
    answer = bff.get("/studio/messages", headers={"Cookie": usable(cookie)})
    assert answer.status_code in {401, 404}


@quick
@given(
    body=st.binary(max_size=200)
    | damaged(b"launch_token=abc&anyway=1")
    | damaged(b"--x\r\nContent-Disposition: f"),
    kind=st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""]
    ),
)
def test_a_launch_form(bff: FlaskClient, body: bytes, kind: str) -> None:
    """A page that says what is wrong."""
    answer = bff.post("/connect/launch", data=body, content_type=kind)
    assert answer.status_code in {400, 410, 413}
    assert answer.mimetype == "text/html"


@quick
@given(query=st.binary(max_size=60).map(as_header) | st.sampled_from(ODD))
def test_the_embedded_services_browser_addresses(fuzz_world: World, query: str) -> None:
    """Whatever stands in a link: a page that says what is wrong."""
    client = fuzz_world.partner_calls.app.test_client()
    query = usable(query)
    named = {"id": query, "token": query, "targetOrigin": query, "state": query, "code": query}
    for path in ("/connectorauth/updateaccountconnectoroauth", "/connector/callback"):
        for given_query in (query, named):
            answer = client.get(path, query_string=given_query, headers={"Cookie": query})
            assert answer.status_code in {400, 403, 414}
            assert answer.mimetype == "text/html"
