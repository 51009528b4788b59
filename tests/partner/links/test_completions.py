"""Sign-ins that count only once they are completed where the API client says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bff.partner.crypto import sha256
from tests.partner.links.office import MACHINE, PLAIN, TARGET, Office, asked_of
from tests.support.third_party import refused

pytestmark = pytest.mark.one_database

COMPLETION = "https://bff.example/connect/complete/att_1"


def asking(url: Any, target: Any = TARGET) -> dict[str, Any]:
    """The part of a call for a token that asks for a completion."""
    return {"Hitchpost": {"CompletionUrl": url, "TargetOrigin": target}}


def complete(office: Office, connector: int, token: str, aside: TestResponse) -> TestResponse:
    """The API client confirms what was put ``aside``, and the browser finishes: the last page."""
    code = aside.headers["Location"].partition("?code=")[2]
    path = f"/v1.0/account/connectors/{connector}/signins/{sha256(token)}/complete"
    finish = office.call("PUT", path, {"Code": code}).json
    return office.browser.get(f"/connectorauth/finished/{finish['FinishId']}")


def test_a_sign_in_to_be_completed_goes_there_first(office: Office) -> None:
    """With a code, and before the third party's is used: nothing is connected yet."""
    connector = office.install()
    answer = office.ask_for_token(**asking(COMPLETION))
    assert answer.json["Hitchpost"] == {"Completion": True}
    back = office.answer(office.begin(connector, answer.json["Token"]), code="a-code")
    assert back.status_code == 302
    assert back.headers["Location"].startswith(f"{COMPLETION}?code=")
    assert (office.third.asked, office.sign_ins(connector)) == ([], [("started", None)])


@pytest.mark.both_databases
@pytest.mark.parametrize("connector", [PLAIN, MACHINE])
def test_a_completed_sign_in_is_the_one_that_was_put_aside(office: Office, connector: int) -> None:
    """Its code, verifier, target and message; also where no user's consent is needed."""
    installed, token = office.install(connector), office.token(**asking(COMPLETION))
    page = office.open(installed, token)
    if connector == PLAIN:
        page = office.answer(asked_of(page)["state"], code="a-code")
    page = complete(office, installed, token, page)
    assert (page.status_code, f'data-target="{TARGET}" data-message="done"' in page.text) == (200, True)
    (form,) = office.third.forms("token")
    assert form.get("code") == ("a-code" if connector == PLAIN else None)
    assert office.sign_ins(installed) == [("connected", None)]


def test_a38_what_brings_nothing_ends_as_without_a_completion(office: Office) -> None:
    """A denial at once; a third party that fails when the browser has completed."""
    connector, token = office.install(), office.token(**asking(COMPLETION))
    page = office.answer(office.begin(connector, token), error="access_denied")
    assert (page.status_code, office.sign_ins(connector)) == (400, [("declined", "access_denied")])
    office.third.says["token"] = lambda _: refused("server_error", 500)
    connector, token = office.install(), office.token(**asking(COMPLETION))
    aside = office.answer(office.begin(connector, token), code="a-code")
    page = complete(office, connector, token, aside)
    assert (page.status_code, office.sign_ins(connector)) == (400, [("failed", "server_error")])


def test_a_link_leads_only_to_the_target_that_it_was_minted_for(office: Office) -> None:
    """Letter by letter; a changed one is refused, and the token is still good."""
    connector, token = office.install(), office.token(**asking(COMPLETION))
    for target in ("https://evil.example", TARGET + "/", TARGET.upper()):
        page = office.open(connector, token, targetOrigin=target)
        assert (page.status_code, "Check: targetOrigin." in page.text) == (400, True)
    assert office.sign_ins(connector) == []
    assert office.open(connector, token).status_code == 302


def test_a_completion_without_a_target_leads_anywhere(office: Office) -> None:
    """Nothing was bound."""
    token = office.token(Hitchpost={"CompletionUrl": COMPLETION})
    assert office.open(office.install(), token, targetOrigin="https://other.example").status_code == 302


@pytest.mark.parametrize("asked", [None, "x", [COMPLETION], {}, {"TargetOrigin": "https://other.example"}])
def test_whoever_asks_for_no_completion_gets_none(office: Office, asked: Any) -> None:
    """The token is an ordinary one, good for any target."""
    answer = office.ask_for_token(Hitchpost=asked)
    assert (answer.status_code, "Hitchpost" in answer.json) == (200, False)
    page = office.open(office.install(MACHINE), answer.json["Token"])
    assert page.status_code == 200


def test_completions_may_be_switched_off(switched: Callable[..., Office]) -> None:
    """`complete_elsewhere = false`: ignored, as Cyclr does, whatever is asked."""
    answer = switched(complete_elsewhere=False).ask_for_token(**asking("nonsense"))
    assert (answer.status_code, "Hitchpost" in answer.json) == (200, False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bff.example/x",
        "//bff.example/x",
        "/connect/complete/x",
        "javascript:alert(1)",
        "https://",
        "https://[::1",
        "https://bff.example:x/",
        "https://bff.example:99999/x",
        "http://bff.example/x",
        "http://127.0.0.1.evil.example/x",
        "ftp://127.0.0.1/x",
        "https://user@bff.example/x",
        "https://bff.example/x?y=1",
        "https://bff.example/x#y",
        "https://bff.example/x y",
        "https://bff.example/\tx",
        'https://bff.example/"',
        "https://bff.example/<",
        "https://bff.example/>",
        "https://bff.example/\\x",
        "https://bff.example\\@evil.example/x",
        "https://bff.example/ü",
        "https://bücher.example/x",
        "https://bff.example/\x7f",
    ],
)
def test_a38_a_completion_goes_over_https_to_a_plain_url(office: Office, url: str) -> None:
    """A code is added to it and sent with a browser: no user, query, fragment, nor odd characters."""
    answer = office.ask_for_token(**asking(url))
    assert answer.status_code == 400
    assert answer.json["Message"].startswith("Hitchpost.CompletionUrl ")


@pytest.mark.parametrize(
    "url", ["https://bff.example", "http://127.0.0.1:8001/x", "http://localhost/x", "http://[::1]:8001/x"]
)
def test_a_completion_on_this_machine_may_go_over_http(office: Office, url: str) -> None:
    """As the demo does."""
    back = office.open(office.install(MACHINE), office.token(**asking(url)))
    assert back.headers["Location"].startswith(f"{url}?code=")


def test_a_completion_url_and_its_target_have_2000_characters_at_most(office: Office) -> None:
    """One more is refused, and the answer names which."""
    url, target = (start.ljust(2000, "x") for start in (f"{COMPLETION}/", f"{TARGET}/"))
    assert office.stored(office.token(**asking(url, target))).completion_url == url
    for asked, name in ((asking(url + "x"), "CompletionUrl"), (asking(url, target + "x"), "TargetOrigin")):
        answer = office.ask_for_token(**asked)
        assert (answer.status_code, answer.json["Message"].split()[0]) == (400, name)
