"""How often the embedded partner service may be asked what, by API client and by address."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import create_engine, text

from tests.partner.conftest import Api, api_token, client_of
from tests.support.databases import DatabaseUrl
from tests.support.redis_server import NoRedis, private_redis
from tests.support.servers import serve
from tests.support.world import Calls, World, build_partner

Strict = Callable[..., Api]


@pytest.fixture
def strict(world: World, tmp_path: Path, database_url: DatabaseUrl) -> Iterator[Strict]:
    """Another service with the same third party, that permits as much as is said; and a client of it."""
    with contextlib.ExitStack() as stack:

        def start(**settings: Any) -> Api:
            database = database_url(tmp_path, "partner")
            url = stack.enter_context(
                serve(lambda url: build_partner(url, tmp_path, world.sandbox, settings, database))
            )
            other = World("", url, world.sandbox, world.bff_app, tmp_path, Calls(), "", database)
            return client_of(other)

        yield start


def visit(api: Api, connector: int, **values: str) -> requests.Response:
    """Follow a sign-in link as far as the third party."""
    return requests.get(api.sign_in_url(connector, **values), timeout=20, allow_redirects=False)


def mint(api: Api) -> requests.Response:
    """Ask for a sign-in token."""
    path = f"/v1.0/accounts/{requests.utils.quote(api.account, safe='')}/signintoken"
    return api.call("POST", path, {"Username": "ada"}, account=None)


def seconds(answer: requests.Response) -> int:
    """How long the caller is to wait."""
    return int(answer.headers["Retry-After"])


def test_a25_a_client_mints_only_so_often(strict: Strict) -> None:
    """Then 429 in the API's own form, with Retry-After; an answer that is no refusal has no such header."""
    api = strict(limit_client_mints=2)
    answers = [mint(api) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == {"Message": "At most 2 of these calls a minute."}
    assert 1 <= seconds(answers[2]) <= 60
    assert "Retry-After" not in answers[0].headers


def test_nobody_uses_up_a_clients_mints(strict: Strict) -> None:
    """A call without a good access token is not counted."""
    api = strict(limit_client_mints=1)
    path = "/v1.0/accounts/x/signintoken"
    for _ in range(3):
        assert api.call("POST", path, {"Username": "x"}, account=None, token="wrong").status_code == 401
    assert mint(api).status_code == 200


def test_access_tokens_are_limited_by_client_and_wrong_secrets_by_address(strict: Strict) -> None:
    """Wrong secrets end in 429, and the right one goes on working until the client has had its own number."""
    api = strict(limit_failures=2, limit_client_tokens=3)
    wrong = [api_token(api.url, client_secret="wrong") for _ in range(4)]
    assert [answer.status_code for answer in wrong] == [400, 400, 429, 429]
    assert 1 <= seconds(wrong[3]) <= 60
    assert [api_token(api.url).status_code for _ in range(3)] == [200, 200, 429]


def test_a25_an_address_redeems_only_so_often(strict: Strict) -> None:
    """Then a page in words, and the sign-in token is still good; the callback is counted apart."""
    api = strict(limit_address=2, limits_url="database://")
    connector = int(api.install()["Id"])
    first = visit(api, connector)
    assert first.status_code == 302
    assert visit(api, connector).status_code == 302
    url = api.sign_in_url(connector)
    refused = requests.get(url, headers={"Accept-Language": "de"}, timeout=20)
    assert refused.status_code == 429
    assert "Zu viele Versuche auf einmal" in refused.text
    assert '<a class="button" href="">Erneut versuchen</a>' in refused.text
    assert refused.headers["Cache-Control"] == "no-store"
    assert 1 <= seconds(refused) <= 60
    callback = [requests.get(f"{api.url}/connector/callback", timeout=20).status_code for _ in range(3)]
    assert callback == [400, 400, 429]
    with change(api) as connection:
        connection.execute(text("DELETE FROM rate_limit"))
    assert requests.get(url, timeout=20, allow_redirects=False).status_code == 302


def test_two_services_on_one_database_count_together(strict: Strict) -> None:
    """Of 24 mints at once through both, as many pass as may."""
    both = [strict(limit_client_mints=10, limits_url="database://") for _ in range(2)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: mint(both[n % 2]).status_code, range(24)))
    assert sorted(answers) == [200] * 10 + [429] * 14


def test_a25_without_its_counts_nothing_is_minted_or_redeemed(strict: Strict) -> None:
    """503 with Retry-After; the sign-in token stays good, and who has consented already comes through."""
    api = strict(limits_url="database://")
    connector = int(api.install()["Id"])
    url = api.sign_in_url(connector)
    with change(api) as connection:
        connection.execute(text("ALTER TABLE rate_limit RENAME TO elsewhere"))
    for refused in (mint(api), requests.get(url, timeout=20), api_token(api.url)):
        assert refused.status_code == 503
        assert seconds(refused) >= 1
    assert requests.get(f"{api.url}/connector/callback", timeout=20).status_code == 400
    with change(api) as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO rate_limit"))
    assert requests.get(url, timeout=20, allow_redirects=False).status_code == 302


def test_the_service_counts_in_redis_too(strict: Strict) -> None:
    """And refuses to mint while Redis is down."""
    try:
        with private_redis() as server:
            api = strict(limit_client_mints=1, limits_url=server.url)
            assert [mint(api).status_code for _ in range(2)] == [200, 429]
            server.stop()
            assert mint(api).status_code == 503
    except NoRedis as reason:
        pytest.skip(str(reason))


@contextlib.contextmanager
def change(api: Api) -> Iterator[Any]:
    """A transaction in the service's database."""
    engine = create_engine(api.world.partner_database)
    with engine.begin() as connection:
        yield connection
    engine.dispose()
