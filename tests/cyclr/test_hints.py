"""What a page says of its sign-in ends an attempt only if it can be so."""

from __future__ import annotations

import pytest

from tests.support.cyclr.world import CyclrWorld


@pytest.mark.parametrize(("hint", "status"), [("returned", "launched"), ("message", "connected")])
def test_a_page_that_is_reloaded_has_not_come_back_from_a_popup(
    cyclr_world: CyclrWorld, hint: str, status: str
) -> None:
    """Another user connects meanwhile: this one is still signing in, and is told so."""
    own, other = (cyclr_world.begin(cyclr_world.session(user=user), "crm") for user in ("ada", "grace"))
    for attempt in (own, other):
        assert cyclr_world.launch(attempt["launch_token"]).status_code == 303
    cyclr_world.cyclr.of(cyclr_world.account)[0].authenticated = True
    assert cyclr_world.read(own["id"], f"?hint={hint}")["status"] == status
