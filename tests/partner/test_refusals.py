"""What a third party means by a refresh that it does not answer with tokens, in whatever status and words.

Each is a habit with a row in ``docs/providers.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Response

from bff.partner.providers import refusals
from bff.partner.providers.refusals import Verdict
from tests.partner.replies import PASSING, UNCLEAR, error, page
from tests.support.direct_calls import failed_refresh
from tests.support.third_party import ThirdParty


def verdict(third: ThirdParty, say: Callable[[], Response], **entry: Any) -> tuple[Verdict, str]:
    """What a refresh that is answered so says of its grant; and why its user has to sign in, if so."""
    third.says["token"] = lambda _: say()
    item = third.entry(**entry)
    failed = failed_refresh(third, item)
    assert failed.said is not None
    expired = refusals.has_expired(failed.error, failed.said.description or "")
    return refusals.verdict_of(item, failed.error, failed.said), "expired" if expired else "revoked"


DEAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "RFC 6749": ({"error": "invalid_grant"}, 400, "revoked"),
    "Google": (
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
        400,
        "expired",
    ),
    "GitHub": ({"error": "bad_refresh_token"}, 200, "revoked"),
    "Slack": ({"ok": False, "error": "token_expired"}, 200, "expired"),
    "HubSpot": (
        {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"},
        400,
        "revoked",
    ),
    "Atlassian": (
        {"error": "unauthorized_client", "error_description": "refresh_token is invalid"},
        403,
        "revoked",
    ),
    "EVE": ({"error": "invalid_grant: Token is expired or invalid."}, 400, "expired"),
    "EVE, revoked": ({"error": "invalid_token"}, 400, "revoked"),
    "Microsoft": ({"error": "interaction_required"}, 400, "revoked"),
    "Fitbit": (
        {"errors": [{"errorType": "invalid_grant", "message": "Refresh token invalid: x"}]},
        401,
        "revoked",
    ),
    "a word of the entry's": ({"error": "invalid_code"}, 200, "revoked"),
}


@pytest.mark.parametrize("name", DEAD)
def test_a47_a_grant_is_called_dead_in_many_ways(third: ThirdParty, name: str) -> None:
    """Whoever can tell from the first answer does not ask again."""
    document, status, reason = DEAD[name]
    found = verdict(third, lambda: error(status, **document), dead_refresh=["invalid_code"])
    assert found == ("dead", reason)


@pytest.mark.parametrize("name", PASSING)
def test_a_rate_limit_or_an_outage_is_told_apart_from_a_refusal(third: ThirdParty, name: str) -> None:
    """Also where its status or its code would say that the grant is dead."""
    assert verdict(third, PASSING[name])[0] == "passing"


@pytest.mark.parametrize("name", UNCLEAR)
def test_an_answer_in_the_third_partys_place_is_no_refusal(third: ThirdParty, name: str) -> None:
    """Nobody can tell who gave it."""
    assert verdict(third, UNCLEAR[name])[0] == "unclear"


VAGUE = {
    "400": lambda: page("Bad request", 400),
    "401": lambda: Response("", 401),
    "403": lambda: error(403, errors=[{"code": 99, "message": "Unable to verify your credentials"}]),
    "200": lambda: error(200),
}


@pytest.mark.parametrize("name", VAGUE)
def test_a_refusal_may_say_little(third: ThirdParty, name: str) -> None:
    """It may be a refused grant, or a proxy's page, or a rate limit as Twitter's 403 was."""
    assert verdict(third, VAGUE[name])[0] == "refused"
    said = failed_refresh(third, third.entry()).said
    assert said is not None
    assert not refusals.is_definite(said)
