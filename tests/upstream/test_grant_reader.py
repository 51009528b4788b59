"""What the embedded service tells of a grant is read as far as it makes sense; the rest is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bff.common.errors import PartnerUnavailable
from bff.upstream import json_reader
from bff.upstream.grant_reader import MOST_EXTRAS, MOST_SCOPES, read_access_token, read_grant
from bff.upstream.protocol import Grant

WHOLE: dict[str, Any] = {
    "State": "needs_reconnect",
    "Reason": "revoked",
    "ExpiresAtUtc": "2030-01-01T00:00:00.1234567Z",
    "Scopes": ["a", "b"],
    "WantedScopes": ["a"],
    "Extra": {"realm": "1", "number": 7},
}


def installed(**hitchpost: Any) -> dict[str, Any]:
    """An account connector of the embedded service."""
    entry = {"Id": 1, "Name": "CRM"}
    return {"Id": 7, "Name": "CRM", "Connector": entry, "Authenticated": True, "Hitchpost": hitchpost}


def test_a_grant_is_read_with_its_account_connector() -> None:
    """Its state, why, until when, for what, and what else was told of it."""
    found = json_reader.read_account_connector(
        installed(Grant=WHOLE, AuthenticatedAtUtc="2030-01-01T00:00:00Z")
    )
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    expected = Grant(
        "needs_reconnect",
        "revoked",
        moment.replace(microsecond=123456),
        ("a", "b"),
        ("a",),
        {"realm": "1", "number": "7"},
    )
    assert (found.grant, found.authenticated_at) == (expected, moment)


@pytest.mark.parametrize("told", [None, "connected", [], {}, {"State": "new"}, {"State": ["connected"]}])
def test_a_grant_that_makes_no_sense_is_none(told: object) -> None:
    """Then the flag counts, as with Cyclr."""
    assert read_grant(told) is None
    assert json_reader.read_account_connector(installed()).grant is None


@pytest.mark.parametrize("name", ["Reason", "ExpiresAtUtc", "Scopes", "WantedScopes", "Extra"])
@pytest.mark.parametrize(
    "odd", [None, 7, True, "\x00", "no such thing!", [None, 7.5, {}], {"a": [1]}, ["\ud800"]]
)
def test_what_is_odd_is_left_out_and_the_rest_counts(name: str, odd: object) -> None:
    """Nobody's connection is lost over a word that a newer partner service has."""
    found = read_grant(WHOLE | {name: odd})
    assert found is not None
    assert found.state == "needs_reconnect"
    assert "\x00" not in repr(found)


def test_no_more_is_read_than_has_room() -> None:
    """Whatever a third party tells."""
    much = WHOLE | {"Scopes": ["s"] * 10_000, "Extra": {str(number): "x" * 9999 for number in range(1000)}}
    found = read_grant(much)
    assert found is not None
    assert found.scopes is not None
    assert found.extra is not None
    assert (len(found.scopes), len(found.extra)) == (MOST_SCOPES, MOST_EXTRAS)


class TestAccessTokens:
    """The answer of the embedded service's own call."""

    def test_what_is_not_told_is_none(self) -> None:
        """A bearer token, unless it says otherwise."""
        found = read_access_token({"AccessToken": "secret"})
        assert (found.value.reveal(), found.token_type) == ("secret", "Bearer")
        assert (found.expires_at, found.scopes, found.extra) == (None, None, None)
        assert "secret" not in repr(found)

    @pytest.mark.parametrize("odd", [None, [], {}, {"AccessToken": ""}, {"AccessToken": 7}])
    def test_an_answer_without_one_is_none(self, odd: object) -> None:
        """It is told as an outage."""
        with pytest.raises(PartnerUnavailable):
            read_access_token(odd)
