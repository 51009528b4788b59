"""What the service's switches change of what it tells, and of where a sign-in ends."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import requests

from tests.partner.conftest import Api

pytestmark = pytest.mark.one_database


def consent(
    browser: requests.Session, url: str, decision: str = "allow", *, follow: bool = True
) -> requests.Response:
    """Follow a sign-in URL and press a button of the third party."""
    page = browser.get(url, timeout=30)
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found, page.text
    form = {"request": found[1], "account": "ada@sandbox.example", "decision": decision}
    return browser.post(page.url, data=form, timeout=30, allow_redirects=follow)


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
