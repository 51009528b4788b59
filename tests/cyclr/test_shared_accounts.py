"""Two products share their accounts, and users of both add an account of one connector."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.support.cyclr.world import PRODUCTS, CyclrWorld, open_cyclr_world
from tests.support.world import HOST, OTHER_HOST, OTHER_SECRET_KEY, SECRET_KEY

DEMO = PRODUCTS.replace('reference = "Mail"\n', 'reference = "Mail"\nmultiple = true\n').replace(
    "connectors =", 'account_namespace = "group"\nconnectors ='
)
OTHER = DEMO.replace(HOST, OTHER_HOST).replace(SECRET_KEY, OTHER_SECRET_KEY).replace('"demo"', '"other"')
PRODUCTS_OF_ONE_HOST = {
    "demo": (SECRET_KEY, HOST),
    "other": (OTHER_SECRET_KEY, OTHER_HOST),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CyclrWorld]:
    """One stand-in and one BFF with two products."""
    with open_cyclr_world(tmp_path_factory.mktemp("shared"), products_text=DEMO + OTHER) as world:
        yield world


@pytest.fixture
def both(shared: CyclrWorld, request: pytest.FixtureRequest) -> CyclrWorld:
    """The same for an account of one's own."""
    return replace(shared, account=f"both-{request.node.name[:60]}")


def sign_in_to(world: CyclrWorld, product: str) -> int:
    """A user of this product presses Connect; the account connector that the sign-in is for."""
    key, origin = PRODUCTS_OF_ONE_HOST[product]
    session = world.session(key=key)
    attempt = world.page("POST", "/v1/attempts", session, origin=origin, json={"connector": "mail"}).json()
    opened_for = {"product": product, "origin": origin}
    launched = world.launch(attempt["launch_token"], opened_for=opened_for)
    found = re.search(r"[?&]id=(\d+)", launched.headers["Location"])
    assert found
    return int(found[1])


def test_one_after_the_other_each_has_its_own(both: CyclrWorld) -> None:
    """While the first user still signs in; else the second would overwrite the first one's connection."""
    assert len({sign_in_to(both, "demo"), sign_in_to(both, "other"), sign_in_to(both, "demo")}) == 3


def test_at_the_same_moment_each_has_its_own(both: CyclrWorld) -> None:
    """Whoever finds the same free one first has it, whichever the product."""
    products = ["demo", "other"] * 3
    with ThreadPoolExecutor(len(products)) as pool:
        assert len(set(pool.map(lambda product: sign_in_to(both, product), products))) == len(products)
