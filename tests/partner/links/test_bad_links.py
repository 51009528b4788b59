"""What a sign-in link is refused for: the page says what, and the token is still good."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.partner.links.office import KEYED, LACKING, LINK, PLAIN, Office

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize("name", ["id", "token", "targetOrigin"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_link_that_lacks_something_says_what(office: Office, name: str, value: str | None) -> None:
    """Just that name is on the page, and the token is still good."""
    connector, token = office.install(), office.token()
    page = office.open(connector, token, **{name: value})
    assert (page.status_code, f"Check: {name}." in page.text) == (400, True)
    assert office.open(connector, token).status_code == 302


def test_a_link_that_lacks_everything_names_everything(office: Office) -> None:
    """All that a link needs, in one go."""
    page = office.browser.get(LINK)
    assert (page.status_code, "Check: id, token, targetOrigin." in page.text) == (400, True)


@pytest.mark.parametrize(
    "target",
    [
        "app.example",
        "//app.example",
        "javascript:alert(1)",
        "ftp://app.example",
        "https:",
        "https://",
        "https:///path",
        "https://:443",
        "https://[::1",
        "http://[",
        "https://a]b/",
        "https://app.example:0",
        "https://app.example:65536",
        "https://app.example:x",
        "https://user@app.example",
        "https://:password@app.example",
        "https://@app.example",
        "https://app.example/\x7f",
        "https://app.example/\u202e",
        "https://app.example/".ljust(2001, "x"),
    ],
)
def test_a_target_that_no_page_can_have_is_refused_before_any_work(office: Office, target: str) -> None:
    """The page names it, and the token is still good."""
    connector, token = office.install(), office.token()
    page = office.open(connector, token, targetOrigin=target)
    assert (page.status_code, "Check: targetOrigin." in page.text) == (400, True)
    assert page.mimetype == "text/html"
    assert office.open(connector, token).status_code == 302


def test_a_message_has_4000_characters_at_most(office: Office) -> None:
    """One more, and the page names it; the token is still good."""
    connector, token = office.install(), office.token()
    page = office.open(connector, token, callbackMessage="m" * 4001)
    assert (page.status_code, "Check: callbackMessage." in page.text) == (400, True)
    assert office.open(connector, token, callbackMessage="m" * 4000).status_code == 302


@pytest.mark.parametrize(
    "given",
    [
        *("999999", "0", "-1", "+1", "x", "1.5", "1_0", "٣", "²", str(2**31), "9" * 10, "9" * 11),
        *(str(10**14), str(10**30), "9" * 5000),
    ],
)
def test_an_id_that_is_no_connectors_is_not_found(office: Office, given: str) -> None:
    """Whatever stands there; the token is still good."""
    connector, token = office.install(), office.token()
    page = office.open(given, token)
    assert (page.status_code, "There is no such connector in this account." in page.text) == (404, True)
    assert office.open(connector, token).status_code == 302


def test_a_bad_id_is_no_connector_even_of_the_account_that_has_the_first(
    switched: Callable[..., Office],
) -> None:
    """Nothing that is no number stands for a connector that there is; the status is the one that is set."""
    office = switched(wrong_id_status=403)
    first = office.install()
    assert first == 1
    for given in ("x", "-1", "01x", "1 "):
        page = office.open(given)
        assert (page.status_code, "There is no such connector" in page.text) == (403, True)
    assert office.open(first).status_code == 302


def test_another_accounts_connector_is_not_found(office: Office) -> None:
    """The account is the token's."""
    theirs = Office(office.app, office.third).install()
    assert office.open(theirs).status_code == 404


def test_only_oauth_is_signed_in_to_in_a_browser(office: Office) -> None:
    """A connector with an API key; the token is still good."""
    token = office.token()
    page = office.open(office.install(KEYED), token)
    assert (page.status_code, "not signed in to in a browser" in page.text) == (400, True)
    assert office.open(office.install(), token).status_code == 302


def test_a_connector_that_left_the_catalogue_cannot_be_signed_in_to(office: Office) -> None:
    """It is told as one that no browser signs in to."""
    connector, catalogue = office.install(), office.service.catalogue
    whole = catalogue.connectors
    catalogue.connectors = tuple(item for item in whole if item.id != PLAIN)
    try:
        page = office.open(connector)
    finally:
        catalogue.connectors = whole
    assert (page.status_code, "not signed in to in a browser" in page.text) == (400, True)


def test_properties_come_first(office: Office) -> None:
    """The page names those that are required and unset; once they are set, the same token is good."""
    connector, token = office.install(LACKING), office.token()
    page = office.open(connector, token)
    assert (page.status_code, "Set these properties first: Region, Subdomain." in page.text) == (400, True)
    path = f"/v1.0/account/connectors/{connector}/properties"
    office.call("POST", path, {"Name": "Region", "Value": "eu"})
    assert "Set these properties first: Subdomain." in office.open(connector, token).text
    office.call("POST", path, {"Name": "Subdomain", "Value": "acme"})
    assert office.open(connector, token).status_code == 302
