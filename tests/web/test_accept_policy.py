"""Whether a page offers to accept another third-party account, and whether the call is then allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bff.connect import outcome
from bff.connect.attempt import Status
from bff.content.product import DRAFT, DisconnectPolicy, Product
from bff.identity.principal import Principal
from bff.web.widget_api.policy import require_may_accept, seems_to_allow_accept
from tests.connect.test_outcome import ATTEMPT

MISMATCHED = replace(ATTEMPT, status=Status.FAILED, error_code=outcome.MISMATCH)
PRINCIPAL = Principal(ATTEMPT.product, ATTEMPT.account, ATTEMPT.user)


@pytest.mark.parametrize(
    ("key", "policy"),
    [("demo", DisconnectPolicy.ACCOUNT), *(("demo" + DRAFT, each) for each in DisconnectPolicy)],
)
def test_where_anyone_may_accept_the_page_offers_it(key: str, policy: DisconnectPolicy) -> None:
    """Also where a team tries its draft: no connection has to be read for that, so neither needs an app."""
    product = Product(key, "Demo", (ATTEMPT.origin,), (ATTEMPT.connector,), {}, disconnect=policy)
    require_may_accept(product, PRINCIPAL, MISMATCHED)
    assert seems_to_allow_accept(product, PRINCIPAL, MISMATCHED) is True


def test_there_is_nothing_to_accept_after_another_end() -> None:
    """The page is told neither that it may nor that it may not."""
    product = Product("demo", "Demo", (ATTEMPT.origin,), (ATTEMPT.connector,), {})
    for attempt in (ATTEMPT, replace(MISMATCHED, error_code="failed")):
        assert seems_to_allow_accept(product, PRINCIPAL, attempt) is None
