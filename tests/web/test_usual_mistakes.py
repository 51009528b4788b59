"""The usual mistakes of host developers explain themselves: what is wrong, where, and what to change."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import requests
from structlog.testing import capture_logs

from bff.identity.principal import AccountRef, Principal, User
from bff.identity.principals import principal_fault, with_text_ids
from bff.products.origin_advice import origin_advice
from tests.support import world as world_module
from tests.support.world import HOST, SECRET_KEY, World, open_world

pytestmark = pytest.mark.one_database

PRODUCT = "demo"
REGISTERED = {"https://app.example", "http://localhost:3000"}


def advice(world: World, product: str, origin: str) -> requests.Response:
    """What a page of this origin is told about this product."""
    return requests.get(
        f"{world.bff}/v1/advice",
        params={"product": product, "origin": origin},
        headers={"Origin": origin},
        timeout=10,
    )


def begin(world: World, **asked: Any) -> requests.Response:
    """A press of a button on a page of the product."""
    return world.page("POST", "/v1/attempts", world.session(), json={"connector": "sandbox", **asked})


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("https://shop.example", ['add "https://shop.example" to the origins of the product "my-app"']),
        ("http://localhost:5173", ["with another port than port 5173", 'add "http://localhost:5173"']),
        ("https://localhost:3000", ["with another scheme than https"]),
        ("http://app.example", ["open this page over https"]),
        ("https://app.example:8443", ["another port", 'add "https://app.example:8443"']),
        ("null", ["allow-same-origin"]),
        ("", ["origin (none)", "from a page"]),
        ("HTTPS://app.example", ["no origin as browsers write it"]),
    ],
)
def test_an_origin_that_is_not_registered_is_told_what_to_write(origin: str, said: list[str]) -> None:
    """The page's origin, how it differs, and the line of the product file."""
    told = origin_advice("my-app", REGISTERED, origin)
    assert told is not None
    assert [words for words in said if words not in told] == []
    # No other origin of the product is told to a page that is none of its own.
    assert ":3000" not in told.replace(origin or "-", "")


def test_a_registered_origin_needs_no_advice() -> None:
    """Whatever else is wrong, it is not that."""
    assert origin_advice("my-app", REGISTERED, "https://app.example") is None


def test_any_page_may_read_advice_and_nothing_else_comes_with_it(world: World) -> None:
    """CORS hides every other answer from a page whose origin is not registered."""
    answer = advice(world, PRODUCT, "http://localhost:5173")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.json().keys() == {"advice"}
    assert 'add "http://localhost:5173" to the origins' in answer.json()["advice"]
    assert advice(world, PRODUCT, HOST).json() == {"advice": None}


def test_a_product_key_that_is_none_is_named(world: World) -> None:
    """As the page wrote it."""
    assert "'my-ap'" in advice(world, "my-ap", HOST).json()["advice"]


@pytest.mark.both_databases
def test_a_page_whose_session_is_of_another_product_is_refused_at_once(world: World) -> None:
    """Its window would wait for ever: the opening page is the other product's."""
    answer = begin(world, product="my-ap")
    assert answer.status_code == 422
    assert "'my-ap'" in answer.json()["advice"]
    assert repr(PRODUCT) in answer.json()["advice"]


@pytest.mark.parametrize("call", ["unknown connector", "unknown message"])
def test_what_a_page_asks_for_in_vain_comes_with_advice(world: World, call: str) -> None:
    """The widget prints it; users read other words."""
    wrong: dict[str, Any] = {"connector": "hubspt"} if "connector" in call else {"message": "nope"}
    told = begin(world, **wrong).json()
    assert [value for value in wrong.values() if value not in told["advice"]] == []


def test_a_connection_that_there_is_not_comes_with_advice_unless_it_is_to_end(world: World) -> None:
    """A reconnect names it by mistake. To end what somebody else has just ended is none."""
    refused = begin(world, connection="77")
    assert (refused.status_code, refused.json()["code"]) == (404, "connection_not_found")
    assert "77" in refused.json()["advice"]
    ended = world.page("DELETE", "/v1/connections/77", world.session())
    assert (ended.status_code, ended.json()["code"]) == (404, "connection_not_found")
    assert "advice" not in ended.json()


@pytest.mark.parametrize(("user", "account"), [(7, 42), ("7", "42"), (10**40, -1)])
def test_a_number_is_as_good_an_id_as_its_text(world: World, user: Any, account: Any) -> None:
    """Most hosts' ids are whole numbers in their databases, and in the JSON that they send."""
    body = {"user": {"id": user}, "account": {"id": account}}
    made = world.server("POST", "/v1/sessions", json=body)
    assert made.status_code == 201, made.text
    begun = world.page("POST", "/v1/attempts", made.json()["token"], json={"connector": "sandbox"}).json()
    told = world.server("GET", f"/v1/attempts/{begun['id']}").json()
    assert (told["user"], told["account"]) == (str(user), str(account))
    url = {**body, "connector": "sandbox", "target_origin": HOST}
    assert world.server("POST", "/v1/sign-in-urls", json=url).status_code == 201
    ended = world.server("POST", "/v1/sessions/end", json={"user": {"id": user}, "account": {"id": account}})
    assert ended.status_code == 200


@pytest.mark.parametrize("wrong", [True, 1.0, 1.5, None, ["7"], ""])
def test_what_is_no_id_is_refused_by_the_name_of_its_field(world: World, wrong: Any) -> None:
    """422, not another user; whole numbers are among what is asked for."""
    answer = world.server("POST", "/v1/sessions", json={"user": {"id": wrong}, "account": {"id": "a"}})
    assert answer.status_code == 422
    told = "write a text or a whole number" if wrong != "" else "String should have at least 1 character"
    assert answer.json()["detail"] == f"user.id: {told}"


@pytest.mark.parametrize("numeric", [7, UUID(int=7)])
def test_ids_of_a_host_app_need_not_be_texts(numeric: Any) -> None:
    """As its database has them."""
    found = with_text_ids(Principal("demo", AccountRef(numeric, "Acme"), User(numeric, "Ada")))
    assert (found.account.id, found.user.id) == (str(numeric), str(numeric))
    assert principal_fault(found) is None


@pytest.mark.parametrize("wrong", [None, True, 1.5, object()])
def test_what_is_no_id_of_a_host_app_is_refused_by_name(wrong: Any) -> None:
    """No exception: a clear fault."""
    found = with_text_ids(Principal("demo", AccountRef("a", "Acme"), User(wrong, "Ada")))
    assert "user.id" in (principal_fault(found) or "")


def test_a_wrong_secret_key_is_told_from_none(world: World) -> None:
    """To whoever reads the answer of the session URL, or the BFF's log; the key itself is in neither."""
    wrong = world.server("POST", "/v1/sessions", key=SECRET_KEY + "x", json={})
    assert (wrong.status_code, "no secret key of any product" in wrong.json()["detail"]) == (401, True)
    assert SECRET_KEY not in wrong.text
    none = requests.post(f"{world.bff}/v1/sessions", json={}, timeout=10)
    assert none.json()["detail"].startswith("send a secret key")


@pytest.fixture(scope="module")
def wrong_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A connector whose client secret is none that the third party knows."""
    folder = tmp_path_factory.mktemp("wrong-secret")
    wrong = folder / "wrong-catalogue.toml"
    right = 'client_secret_env = "HITCHPOST_SANDBOX_CLIENT_SECRET"'
    wrong.write_text(world_module.CATALOGUE.read_text().replace(right, 'client_secret = "mistyped"'))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world_module, "CATALOGUE", wrong)
        with open_world(folder) as world:
            yield world


def test_a_wrong_client_secret_is_told_as_the_third_party_answers_it(wrong_secret: World) -> None:
    """By the timeline, which `attempts show` prints too: nobody has to read another program's log."""
    told = wrong_secret.read(wrong_secret.connect(wrong_secret.session()))
    assert told["status"] == "failed"
    (failed,) = [step for step in told["timeline"] if step["step"] == "failed"]
    assert failed["detail"].startswith("token 401 invalid_client")
    assert "mistyped" not in str(told)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"user": "u", "account": {"id": "a"}}, 'user: write an object, such as {"id": "42"}'),
        ({"user": {"id": "u"}, "account": 7}, 'account: write an object, such as {"id": "42"}'),
        ({"user": {"id": "u"}, "account": {"id": "a"}, "connectors": "crm"}, "connectors: write a list"),
        (
            {"user": {"id": "u"}, "account": {"id": "a"}, "expires_in": "60"},
            "expires_in: write a whole number",
        ),
        (
            {"user": {"id": "u", "locale": "german!"}, "account": {"id": "a"}},
            "user.locale: write a language tag such as de or pt-BR",
        ),
    ],
)
def test_a_value_of_another_kind_is_told_what_to_write(world: World, body: Any, said: str) -> None:
    """In the words of JSON, not by the names of our own classes."""
    answer = world.server("POST", "/v1/sessions", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (422, said)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
def test_a_call_that_needs_no_body_takes_none(world: World, headers: dict[str, str]) -> None:
    """With the default header of an HTTP client, too."""
    answer = world.server("POST", "/v1/connections/1/token?account=acme", headers=headers)
    assert answer.json()["code"] == "connection_not_found"


def test_a_language_by_its_name_is_told_its_tag(world: World) -> None:
    """A line of the log for the host's server, once, and advice for the page's console."""
    # Another worker's, or another test's, would have been told already.
    user = {"id": "u", "locale": f"german-{secrets.token_hex(3)}"}
    with capture_logs() as logs:
        for _ in range(2):
            answer = world.server("POST", "/v1/sessions", json={"user": user, "account": {"id": "a"}})
            assert answer.status_code == 201
    told = [line["advice"] for line in logs if line["event"] == "unknown language"]
    assert told == [f"user.locale: {user['locale']!r} is no language tag; write de for German"]
    advised = begin(world, locale="german").json()["advice"]
    assert advised == "'german' is no language tag; write de for German"
