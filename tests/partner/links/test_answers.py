"""The third party's answer: whose it must be, and how a sign-in ends without a code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.partner.links.office import ISSUED, TARGET, Office
from tests.support.third_party import tokens

pytestmark = pytest.mark.one_database


def test_an_answer_needs_the_issuer_of_its_connector(office: Office) -> None:
    """Absent, other, or twice: refused with a code on the page; the sign-in has failed, and asked nobody."""
    for given in ([], ["https://evil.example"], ["https://as.example"] * 2):
        connector = office.install(ISSUED)
        page = office.answer(office.begin(connector), iss=given, code="a-code")
        assert (page.status_code, "The answer came from somebody else." in page.text) == (400, True)
        assert ">wrong_issuer<" in page.text
        assert office.sign_ins(connector) == [("failed", "wrong_issuer")]
        assert office.told(connector)["Authenticated"] is False
    assert office.third.asked == []
    assert (
        office.answer(office.begin(office.install(ISSUED)), iss="https://as.example", code="c").status_code
        == 200
    )


def test_an_answer_may_name_an_issuer_that_nobody_knows(office: Office) -> None:
    """Where the connector has none: but not another connector's, even as one of two."""
    for given, status in (
        (["https://unknown.example"], 200),
        (["https://as.example"], 400),
        (["https://unknown.example", "https://as.example"], 400),
    ):
        connector = office.install()
        assert office.answer(office.begin(connector), iss=given, code="a-code").status_code == status
        assert office.told(connector)["Authenticated"] is (status == 200)


@pytest.mark.parametrize(
    ("values", "result", "error"),
    [
        ({"error": "access_denied"}, "declined", "access_denied"),
        ({"error": "server_error", "code": "a-code"}, "failed", "server_error"),
        ({"error": ""}, "failed", "no_code"),
        ({"error": "e" * 101}, "failed", "e" * 100),
        ({"code": ""}, "failed", "no_code"),
        ({}, "failed", "no_code"),
    ],
)
def test_an_answer_without_a_code_ends_the_sign_in(
    office: Office, values: dict[str, str], result: str, error: str
) -> None:
    """Declined or failed, on the page as in the record; the page that asked is told that there is news."""
    connector = office.install()
    page = office.answer(office.begin(connector), **values)
    assert page.status_code == 400
    assert ("Access was declined" if result == "declined" else "The sign-in did not work") in page.text
    assert not error or f">{error}<" in page.text
    assert f'data-target="{TARGET}"' in page.text
    assert "data-message" not in page.text
    assert office.sign_ins(connector) == [(result, error)]
    assert office.told(connector)["Authenticated"] is False
    assert office.third.asked == []


def test_a_denial_without_a_message_may_go_back(switched: Callable[..., Office]) -> None:
    """`denial = redirect`: to the target."""
    office = switched(denial="redirect")
    page = office.answer(office.begin(office.install(), callbackMessage=None), error="access_denied")
    assert (page.status_code, page.headers["Location"]) == (302, TARGET)


@pytest.mark.both_databases
def test_a_state_is_used_by_its_answer_and_its_cookie_removed(office: Office) -> None:
    """After a connection the browser forgets the flow, and so does the service.

    muster#1090, better-auth#7710: the same callback again undoes nothing.
    """
    office.third.says["token"] = lambda _: tokens()
    connector = office.install()
    state = office.begin(connector)
    page = office.answer(state, code="a-code")
    assert "Max-Age=0" in page.headers["Set-Cookie"]
    again = office.answer(state, code="a-code")
    assert (again.status_code, "This sign-in cannot go on" in again.text) == (400, True)
    assert len(office.third.forms("token")) == 1
    assert office.sign_ins(connector) == [("connected", None)]
