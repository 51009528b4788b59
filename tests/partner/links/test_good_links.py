"""Where a good sign-in link leads, as which client, and what is kept of it."""

from __future__ import annotations

import pytest

from bff.partner.crypto import sha256
from bff.partner.storage import tables
from tests.partner.links.office import MACHINE, PLAIN, TARGET, Office, asked_of
from tests.support.third_party import refused

pytestmark = pytest.mark.one_database


def test_a_link_leads_to_the_third_party_with_all_that_oauth_asks_for(office: Office) -> None:
    """Our client, redirect URI, scopes, the connector's own parameters; and nothing of the link."""
    token = office.token()
    answer = office.open(office.install(), token)
    asked = asked_of(answer)
    assert answer.headers["Location"].startswith(f"{office.third.url}/authorize?")
    assert {name: asked[name] for name in ("response_type", "client_id", "redirect_uri", "scope")} == {
        "response_type": "code",
        "client_id": "catalogue-client",
        "redirect_uri": "http://localhost/connector/callback",
        "scope": "contacts.read contacts.write",
    }
    assert (asked["access_type"], asked["code_challenge_method"]) == ("offline", "S256")
    assert token not in answer.headers["Location"]
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("hitchpost_flow_", "HttpOnly", "SameSite=Lax"))


def test_what_a_link_says_is_kept_until_its_end(office: Office) -> None:
    """Account connector, token, target and message of the flow are those of the link; no text is markup."""
    connector, token, message = office.install(), office.token(), 'hello "&<'
    state = office.begin(connector, token, targetOrigin="http://app.example:8080/x", callbackMessage=message)
    flow = next(row for row in office.rows(tables.flow) if row.state_sha256 == sha256(state))
    assert (flow.account_connector_id, flow.token_sha256) == (connector, sha256(token))
    assert (flow.target_origin, flow.callback_message) == ("http://app.example:8080/x", message)
    assert office.sign_ins(connector) == [("started", None)]
    page = office.answer(state, code="a-code")
    posted = 'data-target="http://app.example:8080/x" data-message="hello &#34;&amp;&lt;"'
    assert posted in page.text
    told = office.told(connector)
    assert (told["Authenticated"], told["AuthValue"]) == (True, None)
    assert office.sign_ins(connector) == [("connected", None)]


def test_an_account_brings_its_own_client(office: Office) -> None:
    """ClientId and ClientSecret of the account are used at both endpoints in place of the catalogue's."""
    connector = office.install(ClientId="own-client", ClientSecret="own-secret")
    asked = asked_of(office.open(connector))
    assert asked["client_id"] == "own-client"
    office.answer(asked["state"], code="a-code")
    (form,) = office.third.forms("token")
    assert (form["client_id"], form["client_secret"]) == ("own-client", "own-secret")
    assert (form["code"], form["redirect_uri"]) == ("a-code", "http://localhost/connector/callback")


def test_an_account_without_its_own_client_uses_the_catalogues(office: Office) -> None:
    """Another installation's ClientId is no other's."""
    office.install(ClientId="own-client", ClientSecret="own-secret")
    office.answer(office.begin(office.install()), code="a-code")
    (form,) = office.third.forms("token")
    assert (form["client_id"], form["client_secret"]) == ("catalogue-client", "catalogue-secret")


def test_client_credentials_need_no_visit_to_the_third_party(office: Office) -> None:
    """The link ends on the last page at once: connected, and no flow begun."""
    connector, before = office.install(MACHINE), len(office.rows(tables.flow))
    page = office.open(connector)
    assert (page.status_code, f'data-target="{TARGET}" data-message="done"' in page.text) == (200, True)
    assert "Set-Cookie" not in page.headers
    (form,) = office.third.forms("token")
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "contacts.read contacts.write")
    assert form["client_id"] == "catalogue-client"
    assert office.told(connector)["Authenticated"] is True
    assert office.sign_ins(connector) == [("connected", None)]
    assert len(office.rows(tables.flow)) == before


def test_client_credentials_of_the_accounts_own_client(office: Office) -> None:
    """Its ClientId and ClientSecret are used here as well."""
    office.open(office.install(MACHINE, ClientId="own-client", ClientSecret="own-secret"))
    (form,) = office.third.forms("token")
    assert (form["client_id"], form["client_secret"]) == ("own-client", "own-secret")


def test_client_credentials_that_are_refused_are_a_failure(office: Office) -> None:
    """The page says the third party's error, and so does the record."""
    office.third.says["token"] = lambda _: refused("invalid_client", 401)
    connector = office.install(MACHINE)
    page = office.open(connector)
    assert (page.status_code, ">invalid_client<" in page.text) == (400, True)
    assert f'data-target="{TARGET}"' in page.text
    assert office.sign_ins(connector) == [("failed", "invalid_client")]


@pytest.mark.parametrize("connector", [PLAIN, MACHINE])
def test_without_a_message_the_browser_goes_back(office: Office, connector: int) -> None:
    """An empty message is none; the target is where it goes, as it was given."""
    for nothing in (None, ""):
        page = office.open(office.install(connector), targetOrigin=f"{TARGET}/x?y=1", callbackMessage=nothing)
        if connector == PLAIN:
            page = office.answer(asked_of(page)["state"], code="a-code")
        assert (page.status_code, page.headers["Location"]) == (302, f"{TARGET}/x?y=1")


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:3000",
        "HTTPS://APP.example",
        "https://app.example:1",
        "https://[::1]:8080/x",
        "https://app.example/@x",
        "https://app.example/".ljust(2000, "x"),
    ],
)
def test_any_address_of_a_page_is_a_target(office: Office, target: str) -> None:
    """By http or https, up to 2,000 characters; the message goes there and nowhere else."""
    page = office.open(office.install(MACHINE), targetOrigin=target)
    assert (page.status_code, f'data-target="{target}"' in page.text) == (200, True)
