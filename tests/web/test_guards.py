"""What may be called from where and by whom, inside a host's Flask app with nothing behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bff import AccountRef, Hitchpost, Principal, User
from bff.content.product import Product
from bff.identity.principal import Principal as AnyPrincipal
from bff.settings import load_settings
from bff.web.kit.services import services_of
from tests.support.databases import sqlite_url
from tests.support.stack import ROOT
from tests.support.world import HOST, OPENED_FOR, OTHER_HOST, OTHER_SECRET_KEY, PRODUCTS, SECRET_KEY

BFF = "http://127.0.0.1:1"
SIGNALS: Final = re.findall(
    r'^  \| "(\w+)"', (ROOT / "static/widget/src/signals.ts").read_text(), re.MULTILINE
)
"""What makes the widget ask."""
NOWHERE = "http://127.0.0.1:9"
"""Nothing answers there: whatever asks the partner service fails at once."""


def identify(request: Request) -> Principal | None:
    """The host app's own session: a cookie that names the user, and their product."""
    name, _, product = request.cookies.get("user", "").partition("@")
    return Principal(product or "demo", AccountRef("acme", "Acme"), User(name)) if name else None


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A host application with the BFF in it."""
    folder: Path = tmp_path_factory.mktemp("guards")
    (folder / "products.toml").write_text(PRODUCTS, encoding="utf-8")
    settings = load_settings(
        public_url=BFF,
        database_url=sqlite_url(folder, "bff"),
        secret_keys="k" * 40,
        partner_api_url=NOWHERE,
        partner_service_url=NOWHERE,
        partner_client_id="client",
        partner_client_secret="c" * 32,
        products=folder / "products.toml",
        limit_failures=3,
    )
    app = Flask("host")
    app.config.update(SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Lax")
    Hitchpost(app, identify=identify, settings=settings, url_prefix="")
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser, or a server, without any cookie."""
    return app.test_client()


@pytest.fixture
def session(client: FlaskClient) -> dict[str, str]:
    """The headers of a page at the host, whose user has a session token."""
    body = {"user": {"id": "ada"}, "account": {"id": "acme"}}
    answer = client.post("/v1/sessions", json=body, headers={"Authorization": f"Bearer {SECRET_KEY}"})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json['token']}", "Origin": HOST}  # type: ignore[index]


def begin(client: FlaskClient, headers: Mapping[str, str]) -> TestResponse:
    """Prepare an attempt: it changes something, and asks the partner service nothing."""
    return client.post("/v1/attempts", json={"connector": "sandbox"}, headers=headers)


def told(answer: TestResponse) -> tuple[int, Any]:
    """Status and code."""
    return answer.status_code, (answer.json or {}).get("code")


class TestCookieCalls:
    """A call that rests on a cookie could be made by any page: it has to prove that it was not."""

    GOOD: Final = MappingProxyType({"X-Hitchpost": "1", "Origin": HOST})

    @pytest.fixture(autouse=True)
    def signed_in(self, client: FlaskClient) -> None:
        """Ada has the host's cookie."""
        client.set_cookie("user", "ada", domain="localhost")

    def test_with_the_header_and_a_registered_origin_it_is_taken(self, client: FlaskClient) -> None:
        """As the widget calls."""
        assert begin(client, self.GOOD).status_code == 201

    @pytest.mark.parametrize("value", [None, "", "0", "11", "True", "1, 1", "closed, closed"])
    def test_without_the_custom_header_it_is_refused(self, client: FlaskClient, value: str | None) -> None:
        """The header says 1, or names one signal; the refusal names it."""
        headers = {"Origin": HOST} | ({} if value is None else {"X-Hitchpost": value})
        answer = begin(client, headers)
        assert told(answer) == (422, "invalid_request")
        assert "X-Hitchpost: 1" in answer.text

    @pytest.mark.parametrize("signal", [*SIGNALS, "of_another_version"])
    def test_a_signal_of_the_widget_does_as_well(self, client: FlaskClient, signal: str) -> None:
        """Also one that is no hint: the flow of a page that sends it goes on."""
        attempt = begin(client, self.GOOD).json["id"]  # type: ignore[index]
        headers = self.GOOD | {"X-Hitchpost": signal}
        assert client.get(f"/v1/attempts/{attempt}", headers=headers).status_code == 200

    def test_a_read_needs_the_header_too(self, client: FlaskClient) -> None:
        """What is read is somebody's."""
        attempt = begin(client, self.GOOD).json["id"]  # type: ignore[index]
        same = {"Sec-Fetch-Site": "same-origin"}
        assert client.get(f"/v1/attempts/{attempt}", headers=same).status_code == 422
        assert client.get(f"/v1/attempts/{attempt}", headers=same | {"X-Hitchpost": "1"}).status_code == 200

    @pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none", "Same-Origin"])
    def test_a_read_without_an_origin_comes_from_the_same_origin(
        self, client: FlaskClient, site: str | None
    ) -> None:
        """Browsers send no Origin with such a GET; they say so in Sec-Fetch-Site."""
        attempt = begin(client, self.GOOD).json["id"]  # type: ignore[index]
        headers = {"X-Hitchpost": "1"} | ({} if site is None else {"Sec-Fetch-Site": site})
        assert told(client.get(f"/v1/attempts/{attempt}", headers=headers)) == (403, "origin_not_allowed")
        good = client.get(f"/v1/attempts/{attempt}", headers={"X-Hitchpost": "1", "Origin": HOST})
        assert good.status_code == 200

    def test_without_a_cookie_nobody_is_signed_in(self, client: FlaskClient) -> None:
        """The header alone says nothing of a user."""
        client.delete_cookie("user", domain="localhost")
        assert told(begin(client, self.GOOD)) == (401, "not_signed_in")

    def test_a_principal_of_an_unknown_product_is_nobody(self, client: FlaskClient) -> None:
        """The host named a product that is none here."""
        client.set_cookie("user", "ada@nope", domain="localhost")
        answer = begin(client, self.GOOD)
        assert told(answer) == (401, "not_signed_in")
        assert "'nope'" in answer.text

    def test_a_bearer_token_comes_before_the_cookie(self, client: FlaskClient) -> None:
        """One that is no good is refused, whatever the cookie says."""
        answer = begin(client, {**self.GOOD, "Authorization": "Bearer forged"})
        assert told(answer) == (401, "not_signed_in")


class TestOrigins:
    """A page calls from an origin of its own principal's product."""

    @pytest.mark.parametrize(
        "origin",
        [
            None,
            "null",
            OTHER_HOST,
            HOST.upper(),
            HOST.replace("https:", "http:"),
            HOST + "/",
            HOST + ":443",
            HOST + ".evil.example",
        ],
    )
    def test_a_change_from_elsewhere_is_refused_by_name(
        self, client: FlaskClient, session: dict[str, str], origin: str | None
    ) -> None:
        """No Origin is not enough, nor is another product's."""
        del session["Origin"]
        answer = begin(client, session | ({} if origin is None else {"Origin": origin}))
        assert told(answer) == (403, "origin_not_allowed")
        assert f"origin {origin or '(none)'} is not registered for product demo" in answer.text

    def test_a_read_by_token_needs_no_origin_but_tells_none_to_others(
        self, client: FlaskClient, session: dict[str, str]
    ) -> None:
        """The token speaks for itself, unless a page of another origin has it."""
        attempt = begin(client, session).json["id"]  # type: ignore[index]
        path, bearer = f"/v1/attempts/{attempt}", {"Authorization": session["Authorization"]}
        assert client.get(path, headers=bearer).status_code == 200
        assert client.head(path, headers=bearer).status_code == 200
        assert told(client.get(path, headers=bearer | {"Origin": OTHER_HOST})) == (403, "origin_not_allowed")

    @pytest.mark.parametrize("path", ["/v1/attempts/att_1/cancel", "/v1/attempts/att_1/accept"])
    def test_every_change_is_held_to_it(
        self, client: FlaskClient, session: dict[str, str], path: str
    ) -> None:
        """Before anything is looked up."""
        bearer = {"Authorization": session["Authorization"]}
        assert client.post(path, json={}, headers=bearer).status_code == 403
        assert client.post(path, json={}, headers=session).status_code == 404


class TestBearer:
    """Who calls is read from one header, by its one scheme."""

    @pytest.mark.parametrize("spoilt", ["Basic {}", "Bearer{}", "{}", "Bearer", "Bearer ", ""])
    def test_any_other_form_is_no_token(
        self, client: FlaskClient, session: dict[str, str], spoilt: str
    ) -> None:
        """Then the custom header is asked for, as with a cookie; or it is a token of nobody."""
        token = session["Authorization"].removeprefix("Bearer ")
        answer = begin(client, session | {"Authorization": spoilt.format(token), "X-Hitchpost": "1"})
        assert told(answer) == (401, "not_signed_in")

    @pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
    def test_the_scheme_has_no_case(self, client: FlaskClient, session: dict[str, str], scheme: str) -> None:
        """As in RFC 9110, section 11.1; for a user's token and for a secret key."""
        token = session["Authorization"].removeprefix("Bearer ")
        assert begin(client, session | {"Authorization": f"{scheme} {token}"}).status_code == 201
        body = {"user": {"id": "ada"}, "account": {"id": "acme"}}
        by_server = client.post(
            "/v1/sessions", json=body, headers={"Authorization": f"{scheme} {SECRET_KEY}"}
        )
        assert by_server.status_code == 201

    def test_blanks_around_a_token_are_none_of_it(self, client: FlaskClient, session: dict[str, str]) -> None:
        """As a server may send them."""
        token = session["Authorization"].removeprefix("Bearer ")
        assert begin(client, session | {"Authorization": f"Bearer   {token} "}).status_code == 201

    def test_a_session_of_a_product_that_is_gone_is_nobodys(self, app: Flask, client: FlaskClient) -> None:
        """Its token is still good by itself."""
        gone = AnyPrincipal("gone", AccountRef("acme", "Acme"), User("ada"))
        token, _ = services_of(app).sessions.tokens.issue(gone)
        answer = begin(client, {"Authorization": f"Bearer {token.reveal()}", "Origin": HOST})
        assert told(answer) == (401, "not_signed_in")
        assert "'gone'" in answer.text


class TestHostServer:
    """A host's server shows its secret key, and reaches its own product only."""

    def test_the_key_opens_what_is_the_servers(self, client: FlaskClient, session: dict[str, str]) -> None:
        """It reads every attempt of its product, with its timeline, which no page is told."""
        attempt = begin(client, session).json["id"]  # type: ignore[index]
        path = f"/v1/attempts/{attempt}"
        by_page = client.get(path, headers=session)
        by_server = client.get(path, headers={"Authorization": f"Bearer {SECRET_KEY}"})
        assert (by_page.status_code, by_server.status_code) == (200, 200)
        assert "timeline" in (by_server.json or {})
        assert "timeline" not in (by_page.json or {})
        other = {"Authorization": f"Bearer {OTHER_SECRET_KEY}"}
        assert told(client.get(path, headers=other)) == (404, "not_found")

    def test_nothing_else_does(self, client: FlaskClient, session: dict[str, str]) -> None:
        """A page's token, no key, or a wrong one."""
        body = {"user": {"id": "ada"}, "account": {"id": "acme"}}
        assert told(client.post("/v1/sessions", json=body, headers=session)) == (401, "not_signed_in")
        for headers in ({}, {"Authorization": "Bearer "}):
            assert told(client.post("/v1/sessions", json=body, headers=headers)) == (401, "not_signed_in")
        assert told(client.get("/v1/attempts/att_1")) in {(401, "not_signed_in"), (422, "invalid_request")}
        wrong = {"Authorization": "Bearer sk_wrong"}
        assert told(client.get("/v1/attempts/att_1", headers=wrong)) == (401, "not_signed_in")

    def test_guessing_is_counted_and_a_missing_key_is_not(self, client: FlaskClient) -> None:
        """After a few wrong keys an address is answered 429; no key at all is no guess."""
        where = {"REMOTE_ADDR": "203.0.113.7"}
        body = {"user": {"id": "ada"}, "account": {"id": "acme"}}
        for _ in range(6):
            assert client.post("/v1/sessions", json=body, environ_base=where).status_code == 401
        wrong = {"Authorization": "Bearer sk_wrong"}
        seen = {
            client.post("/v1/sessions", json=body, headers=wrong, environ_base=where).status_code
            for _ in range(6)
        }
        assert seen == {401, 429}


class TestLaunch:
    """A launch goes on at once only from the opening page, or from the page that began."""

    @pytest.fixture
    def launch_token(self, client: FlaskClient, session: dict[str, str]) -> str:
        """Ada's."""
        return str(begin(client, session).json["launch_token"])  # type: ignore[index]

    @pytest.mark.parametrize("origin", [BFF, HOST])
    def test_from_there_it_asks_the_partner_service(
        self, client: FlaskClient, launch_token: str, origin: str
    ) -> None:
        """Which does not answer here: the window waits, and the token stays good."""
        form = {"launch_token": launch_token, **OPENED_FOR}
        answer = client.post("/connect/launch", data=form, headers={"Origin": origin})
        assert answer.status_code == 503
        again = client.post("/connect/launch", data=form, headers={"Origin": origin})
        assert (again.status_code, "data-seconds" in again.text) == (503, True)

    @pytest.mark.parametrize("opened_for", [{}, OPENED_FOR], ids=["nothing said", "the right page named"])
    @pytest.mark.parametrize("origin", [None, "null", OTHER_HOST, "https://staging.example:8443", HOST + "/"])
    def test_a20_a_launch_comes_from_the_page_that_began(
        self, client: FlaskClient, launch_token: str, origin: str | None, opened_for: dict[str, str]
    ) -> None:
        """From anywhere else, another page of the same product included, a page asks first.

        Whatever the form says of itself; nothing is used up.
        """
        headers = {} if origin is None else {"Origin": origin}
        form = {"launch_token": launch_token, **opened_for}
        for _ in range(2):
            answer = client.post("/connect/launch", data=form, headers=headers)
            assert (answer.status_code, "confirmation" in answer.text) == (200, True)
            assert launch_token in answer.text


Change = Callable[[Product], Product | None]
WITHDRAWN: Final[dict[str, Change]] = {
    "the product": lambda _: None,
    "the connector": lambda product: replace(product, connectors=product.connectors[1:]),
    "the connector's reference": lambda product: replace(
        product, connectors=(replace(product.connectors[0], reference="another"), *product.connectors[1:])
    ),
    "the origin": lambda product: replace(product, origins=(OTHER_HOST,)),
}


class TestWithdrawn:
    """A launch token is good as long as what it was issued for."""

    @pytest.fixture
    def form(self, client: FlaskClient, session: dict[str, str]) -> dict[str, str]:
        """What a page posts to launch the first connector."""
        return {"launch_token": begin(client, session).json["launch_token"], **OPENED_FOR}  # type: ignore[index]

    def statuses(self, client: FlaskClient, form: dict[str, str]) -> tuple[int, int]:
        """Of a press and a launch."""
        pressed = client.post(
            "/v1/press", data={"launch_token": form["launch_token"]}, headers={"Origin": HOST}
        )
        launched = client.post("/connect/launch", data=form, headers={"Origin": HOST})
        assert ("no longer good" in launched.text) is (launched.status_code == 410)
        return pressed.status_code, launched.status_code

    @pytest.mark.parametrize("what", WITHDRAWN)
    def test_what_an_operator_withdrew_is_not_launched(
        self,
        app: Flask,
        client: FlaskClient,
        form: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        what: str,
    ) -> None:
        """Nothing is used up: it is launched once the product file is as it was."""
        products = services_of(app).products
        product = products.get("demo")
        assert product is not None
        changed = WITHDRAWN[what](product)
        with monkeypatch.context() as patch:
            patch.setattr(products, "get", lambda _: changed)
            assert self.statuses(client, form) == (410, 410)
        assert self.statuses(client, form) == (204, 503)

    def test_an_ended_session_launches_nothing(
        self, client: FlaskClient, session: dict[str, str], form: dict[str, str]
    ) -> None:
        """Of this user in this account; what the user prepares afterwards is launched."""
        server = {"Authorization": f"Bearer {SECRET_KEY}"}
        for user, account, expected in (
            ("grace", "acme", (204, 503)),
            ("ada", "other", (204, 503)),
            ("ada", "acme", (410, 410)),
        ):
            ended = {"user": {"id": user}, "account": {"id": account}}
            assert client.post("/v1/sessions/end", json=ended, headers=server).status_code == 200
            assert self.statuses(client, form) == expected
        body = {"user": {"id": "ada"}, "account": {"id": "acme"}}
        token = client.post("/v1/sessions", json=body, headers=server).json["token"]  # type: ignore[index]
        again = begin(client, session | {"Authorization": f"Bearer {token}"})
        assert self.statuses(client, {**form, "launch_token": again.json["launch_token"]}) == (204, 503)  # type: ignore[index]


class TestRepeated:
    """What comes twice can mean two things to two readers."""

    @pytest.mark.parametrize("more", [f"&origin={OTHER_HOST}", "&product=other", f"&origin={HOST}"])
    def test_in_a_query(self, client: FlaskClient, more: str) -> None:
        """Also the same value; a page says so."""
        opening = f"/connect/opening?product=demo&origin={HOST}"
        assert client.get(opening).status_code == 200
        twice = client.get(opening + more)
        assert (twice.status_code, twice.mimetype) == (400, "text/html")

    def test_a15_a_launch_token_that_comes_twice_is_refused(
        self, client: FlaskClient, session: dict[str, str]
    ) -> None:
        """Neither is used up: each once asks the partner service, which does not answer here."""
        one, two = (str(begin(client, session).json["launch_token"]) for _ in range(2))  # type: ignore[index]
        headers = {"Origin": HOST}
        for pair in ([one, two], [one, one], ["", one]):
            twice = client.post("/connect/launch", data={"launch_token": pair}, headers=headers)
            assert twice.status_code == 400
        for token in (one, two):
            once = client.post("/connect/launch", data={"launch_token": token}, headers=headers)
            assert once.status_code == 503


@pytest.mark.parametrize("address", ["/v1/attempts/a%00b", "/v1/attempts/att_1?hint=%00"])
def test_a_nul_character_in_an_address_is_refused(
    client: FlaskClient, session: dict[str, str], address: str
) -> None:
    """Whoever calls: not every database can be asked for one."""
    assert client.get(address, headers=session).status_code == 400
    assert client.get(address.replace("%00", ""), headers=session).status_code == 404
