"""The sandbox is a real authorization server: what it refuses, and how each variant misbehaves."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.world import SANDBOX_SECRET, World

pytestmark = pytest.mark.one_database

VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def authorize(
    world: World, variant: str = "", *, browser: requests.Session | None = None, **changes: str
) -> requests.Response:
    """The sign-in page, or what is answered instead."""
    asked = {
        "response_type": "code",
        "client_id": "hitchpost",
        "redirect_uri": f"{world.partner}/connector/callback",
        "scope": "contacts.read",
        "state": "s-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return (browser or requests.Session()).get(
        f"{world.sandbox}{variant}/authorize", params={**asked, **changes}, timeout=10, allow_redirects=False
    )


def decide(
    page: requests.Response,
    decision: str = "allow",
    *,
    cookies: bool = True,
    browser: requests.Session | None = None,
) -> requests.Response:
    """Press a button of the sign-in page."""
    key = re.search(r'name="request" value="([^"]+)"', page.text)
    assert key, page.text
    form = {"request": key[1], "account": "ada@sandbox.example", "decision": decision}
    kept = page.cookies if cookies and browser is None else None
    return (browser or requests.Session()).post(
        page.url, data=form, cookies=kept, timeout=10, allow_redirects=False
    )


def answer_of(response: requests.Response) -> dict[str, str]:
    """What came back to the client."""
    return {
        name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()
    }


def token(world: World, variant: str = "", **form: str) -> requests.Response:
    """Ask the token endpoint."""
    values = {
        "grant_type": "authorization_code",
        "redirect_uri": f"{world.partner}/connector/callback",
        "code_verifier": VERIFIER,
    }
    return requests.post(
        f"{world.sandbox}{variant}/token",
        data={**values, **form},
        auth=("hitchpost", SANDBOX_SECRET),
        timeout=20,
    )


def revoke(world: World, variant: str = "", **form: str) -> requests.Response:
    """Ask the revocation endpoint."""
    url = f"{world.sandbox}{variant}/revoke"
    return requests.post(url, data=form, auth=("hitchpost", SANDBOX_SECRET), timeout=20)


def code_of(world: World, variant: str = "") -> str:
    """A fresh code."""
    return answer_of(decide(authorize(world, variant)))["code"]


def test_an_allowed_request_gives_a_code_and_who_says_so(partner_world: World) -> None:
    """Code, state, and `iss` (RFC 9207)."""
    answer = answer_of(decide(authorize(partner_world)))
    assert answer["state"] == "s-1"
    assert answer["iss"] == partner_world.sandbox
    assert answer["code"]


def test_a_denied_request_says_so(partner_world: World) -> None:
    """`access_denied`, and no code."""
    answer = answer_of(decide(authorize(partner_world), "deny"))
    assert (answer["error"], "code" in answer) == ("access_denied", False)


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"redirect_uri": "https://evil.example/"}])
def test_an_unknown_client_or_target_is_never_redirected_to(
    partner_world: World, change: dict[str, str]
) -> None:
    """An error page of the server's own."""
    answer = authorize(partner_world, **change)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    "change", [{"code_challenge": ""}, {"code_challenge_method": "plain"}, {"response_type": "token"}]
)
def test_a_request_without_pkce_is_refused(partner_world: World, change: dict[str, str]) -> None:
    """The client learns it as an OAuth error."""
    assert "error" in answer_of(authorize(partner_world, **change))


def test_the_consent_page_works_once_and_in_its_own_browser(partner_world: World) -> None:
    """A form without its cookie, or sent twice, decides nothing."""
    page = authorize(partner_world)
    assert decide(page, cookies=False).status_code == 400
    assert decide(page).status_code == 303
    assert decide(page).status_code == 400


def test_a_code_is_good_once(partner_world: World) -> None:
    """A second use fails, and takes the first one's tokens away."""
    code = code_of(partner_world)
    first = token(partner_world, code=code).json()
    who = {"Authorization": f"Bearer {first['access_token']}"}
    assert requests.get(f"{partner_world.sandbox}/userinfo", headers=who, timeout=10).status_code == 200
    assert token(partner_world, code=code).json() == {"error": "invalid_grant"}
    assert requests.get(f"{partner_world.sandbox}/userinfo", headers=who, timeout=10).status_code == 401


@pytest.mark.parametrize(
    "change", [{"code_verifier": "w" * 50}, {"code_verifier": ""}, {"redirect_uri": "https://evil.example/"}]
)
def test_a_code_needs_verifier_and_redirect_uri(partner_world: World, change: dict[str, str]) -> None:
    """PKCE is checked, not decoration."""
    answer = token(partner_world, code=code_of(partner_world), **change)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_a_client_proves_itself(partner_world: World) -> None:
    """A wrong secret is 401; the secret may also come in the form."""
    url = f"{partner_world.sandbox}/token"
    wrong = requests.post(url, data={"grant_type": "x"}, auth=("hitchpost", "wrong"), timeout=10)
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})
    form = {"grant_type": "x", "client_id": "hitchpost", "client_secret": SANDBOX_SECRET}
    assert requests.post(url, data=form, timeout=10).json() == {"error": "unsupported_grant_type"}


def test_a_refresh_token_is_replaced(partner_world: World) -> None:
    """Each is good once."""
    first = token(partner_world, code=code_of(partner_world)).json()
    second = token(partner_world, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second.status_code == 200
    again = token(partner_world, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.json() == {"error": "invalid_grant"}


def test_a_refresh_token_that_comes_twice_ends_the_grant(partner_world: World) -> None:
    """It has leaked, or two clients race: nothing of the grant is good any more (RFC 9700, 4.14.2)."""
    first = token(partner_world, code=code_of(partner_world)).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = token(partner_world, **form).json()
    assert token(partner_world, **form).json() == {"error": "invalid_grant"}
    form["refresh_token"] = second["refresh_token"]
    assert token(partner_world, **form).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_revoked_token_ends_the_grant(partner_world: World, name: str) -> None:
    """Either token does; an unknown one is no error, a missing one is (RFC 7009)."""
    first = token(partner_world, code=code_of(partner_world)).json()
    who = {"Authorization": f"Bearer {first['access_token']}"}
    assert revoke(partner_world, token="unknown").status_code == 200
    assert revoke(partner_world).json() == {"error": "invalid_request"}
    assert requests.get(f"{partner_world.sandbox}/userinfo", headers=who, timeout=10).status_code == 200
    assert revoke(partner_world, token=first[name]).status_code == 200
    assert requests.get(f"{partner_world.sandbox}/userinfo", headers=who, timeout=10).status_code == 401
    again = token(partner_world, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.json() == {"error": "invalid_grant"}


def test_only_the_client_revokes(partner_world: World) -> None:
    """A wrong secret is 401, and the broken variant breaks here as well."""
    wrong = requests.post(f"{partner_world.sandbox}/revoke", data={"token": "x"}, timeout=10)
    assert wrong.status_code == 401
    assert revoke(partner_world, "/broken", token="x").status_code == 500


def test_the_variants_misbehave_as_they_should(partner_world: World) -> None:
    """Isolated pages send COOP, broken tokens fail, silent ones stay, codes fit their own variant only."""
    assert authorize(partner_world, "/isolated").headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Cross-Origin-Opener-Policy" not in authorize(partner_world).headers
    assert token(partner_world, "/broken", code=code_of(partner_world, "/broken")).status_code == 500
    assert decide(authorize(partner_world, "/silent")).status_code == 200
    assert token(partner_world, "/stranger", code=code_of(partner_world)).json() == {"error": "invalid_grant"}


def test_the_strangers_account_changes(partner_world: World) -> None:
    """Another account is offered after each consent."""
    offered = []
    for _ in range(2):
        page = authorize(partner_world, "/stranger")
        offered += re.findall(r'name="account"[^>]*value="([^"]+)"', page.text)
        decide(page)
    assert len(set(offered)) == 2


def test_a_parameter_that_comes_twice_is_refused(partner_world: World) -> None:
    """Two values of one parameter could mean two things to two readers (RFC 6749, section 3.1)."""
    twice = requests.get(
        f"{partner_world.sandbox}/authorize?client_id=hitchpost&client_id=hitchpost"
        f"&redirect_uri={partner_world.partner}/connector/callback",
        timeout=10,
        allow_redirects=False,
    )
    assert twice.status_code == 400
    scope = requests.get(
        authorize(partner_world).url + "&scope=contacts.write", timeout=10, allow_redirects=False
    )
    assert answer_of(scope)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "authorization",
    ["Basic Zmlyc3Q6ö", "Basic %%%", "Basic " + base64.b64encode(b"\xff:\xff").decode()],
)
def test_credentials_that_are_none_are_refused_with_a_challenge(
    partner_world: World, authorization: str
) -> None:
    """Garbage where the client's credentials belong is a refusal that names the scheme, never a fault."""
    answer = requests.post(
        f"{partner_world.sandbox}/token",
        data={"grant_type": "authorization_code"},
        headers={"Authorization": authorization.encode()},
        timeout=10,
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_cookie_of_any_text_is_only_a_wrong_cookie(partner_world: World) -> None:
    """A cookie that holds text beyond ASCII is refused like any other wrong one."""
    page = authorize(partner_world)
    key = re.search(r'name="request" value="([^"]+)"', page.text)
    assert key
    name = next(iter(page.cookies.keys()))
    answer = requests.post(
        page.url,
        data={"request": key[1], "account": "a", "decision": "allow"},
        headers={"Cookie": f"{name}=ö".encode()},
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == 400


def test_cookies_of_consent_pages_stay_few(partner_world: World) -> None:
    """After 150 pages that were left, in any variant, and as many that were decided: a header that fits."""
    browser = requests.Session()
    pages = [authorize(partner_world, variant, browser=browser) for variant in ("", "/isolated") * 75]
    sent = requests.Request("GET", partner_world.sandbox, cookies=browser.cookies).prepare()
    assert len(sent.headers["Cookie"]) < 2048
    for page in pages[-10:]:
        assert decide(page, browser=browser).status_code == 303
    assert len(browser.cookies) == 0
