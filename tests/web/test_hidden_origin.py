"""A page whose Referrer-Policy hides its origin from forms is told so, as far as its calls show it."""

from __future__ import annotations

import pytest

from tests.support.world import HOST, World

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("delivery", "referer", "hidden"),
    [("return", None, True), ("return", f"{HOST}/", False), ("message", None, False)],
)
def test_a_hidden_origin_is_told_where_it_matters(
    world: World, delivery: str, referer: str | None, *, hidden: bool
) -> None:
    """In its own tab the launch is a form of that page: with `Origin: null` it would have to ask."""
    answer = world.page(
        "POST",
        "/v1/attempts",
        world.session(),
        json={"connector": "sandbox", "delivery": delivery},
        headers={"Referer": referer} if referer else {},
    )
    assert answer.status_code == 201
    assert ("Referrer-Policy" in answer.json().get("origin_hidden", "")) is hidden
