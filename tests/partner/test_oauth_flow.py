"""The browser's part: one token, one flow, one browser; and how each ending is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.partner.conftest import Api


def consent(
    browser: requests.Session, url: str, decision: str = "allow", *, follow: bool = True
) -> requests.Response:
    """Follow a sign-in URL and press a button of the third party."""
    page = browser.get(url, timeout=30)
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found, page.text
    form = {"request": found[1], "account": "ada@sandbox.example", "decision": decision}
    return browser.post(page.url, data=form, timeout=30, allow_redirects=follow)


def record(api: Api, connector_id: int) -> dict[str, Any]:
    """What the service says of the last sign-in."""
    found: dict[str, Any] = api.call("GET", f"/v1.0/account/connectors/{connector_id}").json()
    return found


def test_an_allowed_sign_in_posts_the_message(api: Api) -> None:
    """The last page posts exactly the message to exactly the target; the connector is authenticated."""
    installed = api.install()["Id"]
    page = consent(requests.Session(), api.sign_in_url(installed, callbackMessage='done "&<'))
    assert 'data-target="https://app.example"' in page.text
    assert "done &#34;&amp;&lt;" in page.text
    assert "Cross-Origin-Opener-Policy" not in page.headers
    told = record(api, installed)
    assert told["Authenticated"] is True
    assert told["AuthValue"] is None
    assert told["Hitchpost"]["LastSignIn"]["Result"] == "connected"
    assert told["Hitchpost"]["LastSignIn"]["ExternalAccount"] == "ada@sandbox.example"


def test_without_a_message_the_browser_goes_back(api: Api) -> None:
    """The target's own query survives; nothing is added."""
    target, browser = "https://app.example/tools?modal=1", requests.Session()
    answer = consent(browser, api.sign_in_url(api.install()["Id"], targetOrigin=target), follow=False)
    back = browser.get(answer.headers["Location"], timeout=10, allow_redirects=False)
    assert back.headers["Location"] == target


def test_a_denial_ends_on_an_error_page(api: Api) -> None:
    """No redirect, no message; the record says declined."""
    installed = api.install()["Id"]
    page = consent(requests.Session(), api.sign_in_url(installed, callbackMessage="done"), "deny")
    assert page.status_code == 400
    assert "declined" in page.text
    assert "data-message" not in page.text
    told = record(api, installed)
    assert told["Authenticated"] is False
    assert told["Hitchpost"]["LastSignIn"]["Result"] == "declined"
    assert told["Hitchpost"]["LastSignIn"]["Error"] == "access_denied"


def test_fifty_visits_redeem_a_token_once(api: Api) -> None:
    """Of fifty browsers at once with one token, one goes on."""
    url = api.sign_in_url(api.install()["Id"])
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: requests.get(url, timeout=30, allow_redirects=False), range(50)))
    assert sorted(answer.status_code for answer in answers) == [302] + [403] * 49


def test_a_link_scanner_uses_nothing_up(api: Api) -> None:
    """HEAD is refused and the token is still good."""
    url = api.sign_in_url(api.install()["Id"])
    assert requests.head(url, timeout=10).status_code == 405
    assert requests.get(url, timeout=10, allow_redirects=False).status_code == 302


def test_an_answer_in_another_browser_is_refused(api: Api) -> None:
    """The callback needs the cookie of the browser that began, and a refused one leaves the flow whole."""
    installed, browser = api.install()["Id"], requests.Session()
    answer = consent(browser, api.sign_in_url(installed), follow=False)
    callback = answer.headers["Location"]
    assert requests.get(callback, timeout=10).status_code == 400
    assert record(api, installed)["Authenticated"] is False
    assert browser.get(callback, timeout=10, allow_redirects=False).status_code == 302
    assert record(api, installed)["Authenticated"] is True
    assert browser.get(callback, timeout=10, allow_redirects=False).status_code == 400


def test_an_answer_of_another_issuer_is_refused(api: Api) -> None:
    """Where an issuer is configured, `iss` must be there and be the one (RFC 9207)."""
    for iss in ("", "&iss=https%3A%2F%2Fevil.example"):
        installed, browser = api.install("102" if iss else "101")["Id"], requests.Session()
        callback = consent(browser, api.sign_in_url(installed), follow=False).headers["Location"]
        changed = re.sub(r"&iss=[^&]*", iss, callback)
        assert browser.get(changed, timeout=10).status_code == 400
        told = record(api, installed)
        assert (told["Authenticated"], told["Hitchpost"]["LastSignIn"]["Error"]) == (False, "wrong_issuer")


def test_the_third_party_is_asked_with_pkce_and_state(api: Api) -> None:
    """S256, an unguessable state, and the redirect URI from configuration."""
    url = api.sign_in_url(api.install()["Id"])
    answer = requests.get(url, timeout=10, allow_redirects=False)
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) >= 43
    assert asked["redirect_uri"] == [f"{api.url}/connector/callback"]
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_two_windows_of_one_browser_do_not_disturb_each_other(api: Api) -> None:
    """Each flow has a cookie of its own."""
    first, second = api.install("101")["Id"], api.install("102")["Id"]
    browser = requests.Session()
    pages = [
        browser.get(api.sign_in_url(item, callbackMessage="done"), timeout=10) for item in (first, second)
    ]
    for page in pages:
        key = re.search(r'name="request" value="([^"]+)"', page.text)
        assert key
        form = {"request": key[1], "account": "ada@sandbox.example", "decision": "allow"}
        assert "data-message" in browser.post(page.url, data=form, timeout=10).text
    assert [record(api, item)["Authenticated"] for item in (first, second)] == [True, True]


def test_a_refused_token_exchange_is_a_failure(api: Api) -> None:
    """The third party's token endpoint fails: an error page, and the record says failed."""
    installed = api.install("104")["Id"]
    page = consent(requests.Session(), api.sign_in_url(installed, callbackMessage="done"))
    assert page.status_code == 400
    assert record(api, installed)["Hitchpost"]["LastSignIn"]["Result"] == "failed"


def test_the_service_can_tell_no_more_than_cyclr(switched: Callable[..., Api]) -> None:
    """`tell_sign_ins = false`: no `Hitchpost` object."""
    api = switched(tell_sign_ins=False)
    assert "Hitchpost" not in api.install()


def test_a_denial_may_go_back(switched: Callable[..., Api]) -> None:
    """`denial = redirect` with `redirect_query = result`: the target learns it."""
    api = switched(denial="redirect", redirect_query="result", used_token_status=410, wrong_id_status=403)
    browser, url = (
        requests.Session(),
        api.sign_in_url(api.install()["Id"], targetOrigin="https://app.example/x?y=1"),
    )
    answer = consent(browser, url, "deny", follow=False)
    back = browser.get(answer.headers["Location"], timeout=10, allow_redirects=False)
    assert back.headers["Location"] == "https://app.example/x?y=1&result=declined"
    assert requests.get(url, timeout=10).status_code == 410
    assert requests.get(api.sign_in_url(99), timeout=10).status_code == 403


def test_the_message_takes_the_form_that_is_set(switched: Callable[..., Api]) -> None:
    """`message_form`, `message_window` and `close_window` reach the last page."""
    api = switched(message_form="object", message_window="parent", close_window=True)
    page = consent(requests.Session(), api.sign_in_url(api.install()["Id"], callbackMessage="done"))
    assert 'data-form="object"' in page.text
    assert 'data-window="parent"' in page.text
    assert "data-closes" in page.text
