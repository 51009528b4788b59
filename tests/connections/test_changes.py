"""What follows for a connection from a look at the partner service."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bff.connect.attempt import Attempt, Status
from bff.connections import changes
from bff.connections.connection import Change, State, Stored, as_json, event_data
from bff.identity.principal import User
from bff.upstream.protocol import AccountConnector, Grant, SignInRecord
from tests.connect.test_timeline import attempt

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)
BLANK = Stored("demo", "acme", 7, "crm", "CRM", State.DISCONNECTED, NOW, NOW)
ADAS = replace(
    BLANK,
    state=State.CONNECTED,
    changed_at=BEFORE,
    connected_at=BEFORE,
    connected_by="ada",
    external_account="ada@crm.example",
    sequence=1,
)
LOST = replace(ADAS, state=State.NEEDS_RECONNECT, reason="revoked", sequence=2)
ENDED = changes.disconnected(ADAS, BEFORE).row
FLAG = AccountConnector(7, "CRM", 1, "CRM", authenticated=True, sign_ins=None)
NO_FLAG = replace(FLAG, authenticated=False)


def granted(state: str, **more: Any) -> AccountConnector:
    """What a partner service says that tells of grants."""
    return replace(FLAG, authenticated=state != "none", sign_ins=(), grant=Grant(state, **more))


def look(row: Stored | None, seen: AccountConnector | None, *, fresh: bool = False) -> Change | None:
    """Somebody looks."""
    return changes.observed(row, BLANK, seen, NOW, fresh=fresh)


@pytest.mark.parametrize(
    ("row", "seen", "event", "state"),
    [
        # Nothing was known.
        (None, NO_FLAG, None, None),
        (None, None, None, None),
        (None, FLAG, None, "connected"),
        (None, granted("needs_reconnect"), None, "needs_reconnect"),
        # It stood.
        (ADAS, FLAG, None, None),
        (ADAS, NO_FLAG, "needs_reconnect", "needs_reconnect"),
        (ADAS, granted("needs_reconnect", reason="revoked"), "needs_reconnect", "needs_reconnect"),
        (ADAS, granted("none"), "disconnected", "disconnected"),
        (ADAS, None, "disconnected", "disconnected"),
        # It needed a new sign-in.
        (LOST, FLAG, "reconnected", "connected"),
        (LOST, NO_FLAG, None, None),
        (LOST, granted("needs_reconnect", reason="expired"), None, "needs_reconnect"),
        (LOST, granted("none"), "disconnected", "disconnected"),
        (LOST, None, "disconnected", "disconnected"),
        # It had ended.
        (ENDED, FLAG, "connected", "connected"),
        (ENDED, NO_FLAG, None, None),
        (ENDED, granted("needs_reconnect", reason="scopes"), None, "needs_reconnect"),
        (ENDED, None, None, "disconnected"),
    ],
)
def test_what_a_look_makes_of_what_was_known(
    row: Stored | None, seen: AccountConnector | None, event: str | None, state: str | None
) -> None:
    """Each state with each answer: what is told of it, and what is known then (None: nothing new)."""
    change = look(row, seen)
    assert (change and change.event) == (event and f"connection.{event}")
    assert (change and change.row.state) == state
    if change and event:
        assert change.row.sequence == (row.sequence if row else 0) + 1
    elif change:
        assert change.row.sequence == (row.sequence if row else 0)


def test_a_first_sight_is_news_if_a_sign_in_of_ours_may_have_made_it() -> None:
    """Since when it stands is then known, too."""
    change = look(None, FLAG, fresh=True)
    assert change is not None
    assert (change.event, change.row.connected_at) == ("connection.connected", NOW)


def test_a_newer_sign_in_is_a_reconnect_by_nobody_that_is_known() -> None:
    """Where the partner service tells when it was."""
    row = replace(ADAS, authenticated_at=BEFORE)
    seen = replace(FLAG, authenticated_at=NOW, sign_ins=(SignInRecord("t", "connected", None, NOW, "eve"),))
    change = look(row, seen)
    assert change is not None
    assert (change.event, change.row.connected_by) == ("connection.reconnected", None)
    assert (change.row.connected_at, change.row.external_account) == (NOW, "eve")
    assert look(change.row, seen) is None


def test_what_is_told_besides_is_kept_without_an_event() -> None:
    """Scopes, an end, extras; scopes that are wanted and were not given are told."""
    told_of = granted(
        "connected", scopes=("a",), wanted_scopes=("a", "b"), expires_at=NOW, extra={"realm": "1"}
    )
    change = look(ADAS, told_of)
    assert change is not None
    assert change.event is None
    document = as_json(change.row)
    assert (document["scopes"], document["missing_scopes"]) == (["a"], ["b"])
    assert (document["extra"], document["connected_by"]) == ({"realm": "1"}, "ada")


class TestEnding:
    """While somebody is about to end it."""

    def test_a_look_meanwhile_changes_nothing(self) -> None:
        """What it sees may be half of an end."""
        ending = replace(ADAS, ending_until=NOW + timedelta(seconds=1), ending_by="user:ada")
        assert look(ending, NO_FLAG) is None
        assert look(ending, FLAG) is None

    def test_of_who_died_over_it_the_next_look_finds_what_came_of_it(self) -> None:
        """Ended, by whom it was; or not, and then it stands."""
        ending = replace(ADAS, ending_until=NOW, ending_by="user:ada")
        ended, stands = look(ending, NO_FLAG), look(ending, FLAG)
        assert ended is not None
        assert stands is not None
        assert (ended.event, event_data(ended)["disconnected_by"]) == ("connection.disconnected", "user:ada")
        assert (stands.event, stands.row.state, stands.row.ending_until) == (None, State.CONNECTED, None)


class TestSignedIn:
    """The success of an attempt."""

    def ended(self, row: Stored | None, seen: AccountConnector = FLAG, **more: Any) -> Change | None:
        """Grace's attempt has succeeded."""
        mine: Attempt = attempt(
            **{
                "status": Status.CONNECTED,
                "attributed": True,
                "minted_at": BEFORE,
                "user": User("grace", "G."),
            }
            | more
        )
        return changes.signed_in(row, BLANK, mine, seen, NOW)

    @pytest.mark.parametrize(
        ("row", "event"),
        [(None, "connected"), (ENDED, "connected"), (ADAS, "reconnected"), (LOST, "reconnected")],
    )
    def test_it_says_who_connected(self, row: Stored | None, event: str) -> None:
        """By their own id and name."""
        change = self.ended(row, authenticated_before=row in (ADAS, LOST))
        assert change is not None
        assert change.event == f"connection.{event}"
        assert (change.row.connected_by, change.row.connected_by_name) == ("grace", "G.")
        assert change.row.connected_at == NOW

    def test_what_was_lost_before_anybody_looked_is_told_twice(self) -> None:
        """First that it was connected, then that it is lost: who waits for the one hears it, too."""
        lost = granted("needs_reconnect", reason="revoked")
        joined = self.ended(None, lost)
        assert joined is not None
        assert (joined.event, joined.row.state) == ("connection.connected", State.CONNECTED)
        then = look(joined.row, lost)
        assert then is not None
        assert (then.event, then.row.sequence) == ("connection.needs_reconnect", joined.row.sequence + 1)

    def test_a_loss_that_is_told_is_not_told_again_by_the_sign_in_before_it(self) -> None:
        """The attempt ends late: its worker died. The host knows already that this grant is lost."""
        lost = replace(granted("needs_reconnect", reason="revoked"), authenticated_at=NOW)
        change = self.ended(replace(LOST, authenticated_at=NOW), lost, authenticated_before=True)
        assert change is not None
        assert (change.event, change.row.state) == (None, State.NEEDS_RECONNECT)
        assert change.row.connected_by == "grace"

    @pytest.mark.parametrize(
        ("row", "seen", "event"),
        [(ADAS, "needs_reconnect", "needs_reconnect"), (LOST, "connected", "reconnected")],
    )
    def test_what_became_of_a_sign_in_that_is_told_is_told_by_the_next_look(
        self, row: Stored, seen: str, event: str
    ) -> None:
        """The attempt ends late, and says only whose sign-in it was: no state changes without an event."""
        now = replace(granted(seen), authenticated_at=NOW)
        change = self.ended(replace(row, authenticated_at=NOW), now, authenticated_before=True)
        assert change is not None
        assert (change.event, change.row.state, change.row.connected_by) == (None, row.state, "grace")
        then = look(change.row, now)
        assert then is not None
        assert then.event == f"connection.{event}"

    def test_what_nobody_has_heard_of_is_connected_and_not_reconnected(self) -> None:
        """A sign-in found it connected by another one that is still to be told; or by one of long ago."""
        mine: Attempt = attempt(status=Status.CONNECTED, attributed=True, authenticated_before=True)
        events = [changes.signed_in(None, BLANK, mine, FLAG, NOW, fresh=fresh) for fresh in (True, False)]
        assert [each and each.event for each in events] == ["connection.connected", "connection.reconnected"]

    def test_who_repairs_a_connection_does_not_take_it(self) -> None:
        """It stays whose it was, by whichever look or attempt the reconnect is noted first."""
        mine = replace(ADAS, external_account="ada@crm.example", authenticated_at=BEFORE)
        seen = replace(FLAG, authenticated_at=NOW, sign_ins=())
        noticed = look(mine, seen)
        assert noticed is not None
        for row in (mine, replace(mine, state=State.NEEDS_RECONNECT), noticed.row):
            change = self.ended(row, seen, authenticated_before=True, external_account="Ada@crm.example")
            assert change is not None
            assert (change.row.connected_by, change.row.owned_by) == ("grace", "ada")
        again = self.ended(change.row, seen, user=User("eve"), minted_at=NOW)
        assert again is not None
        assert again.row.owned_by == "ada"

    @pytest.mark.parametrize(
        "row",
        [
            None,
            ENDED,
            replace(ADAS, external_account="ada@crm.example"),
            replace(ADAS, connected_by=None, connected_by_name=None),
        ],
    )
    def test_what_was_nobodys_or_stands_for_another_account_is_whose_who_connected_it(
        self, row: Stored | None
    ) -> None:
        """It had ended, nobody knew whose it was, or the account of who had it is connected no more."""
        change = self.ended(row, external_account="grace@crm.example")
        assert change is not None
        assert change.row.owned_by == "grace"

    def test_who_cannot_be_named_is_not(self) -> None:
        """Whoever connected it before remains, or nobody."""
        again, new = (
            self.ended(ADAS, attributed=False, authenticated_before=True),
            self.ended(None, attributed=False),
        )
        assert again is not None
        assert new is not None
        assert (again.row.connected_by, new.row.connected_by) == ("ada", None)

    def test_what_another_look_has_told_is_told_once(self) -> None:
        """Then only who it was is added."""
        seen = replace(FLAG, authenticated_at=NOW, sign_ins=())
        noticed = look(replace(ADAS, authenticated_at=BEFORE), seen)
        assert noticed is not None
        change = self.ended(noticed.row, seen, authenticated_before=True)
        assert change is not None
        assert (change.event, change.row.connected_by) == (None, "grace")
        assert change.row.sequence == noticed.row.sequence

    @pytest.mark.parametrize("status", [Status.CONNECTED, Status.EXPIRED])
    @pytest.mark.parametrize(
        ("account", "earlier", "before", "owner"),
        [
            ("ada@crm.example", (), False, "grace"),
            # It stood already, another user was before both, or Ada has chosen another account since.
            ("ada@crm.example", (), True, "ada"),
            ("ada@crm.example", ("c",), False, "ada"),
            ("grace@crm.example", (), False, "ada"),
        ],
    )
    def test_a_sign_in_that_is_found_after_a_later_one_changes_the_owner_at_most(
        self, status: Status, account: str, earlier: tuple[str, ...], before: bool, owner: str
    ) -> None:
        """Who signed in last is who connected it, and whoever was first has it. There is no second event."""
        row = replace(ADAS, authenticated_at=NOW, owner="ada")
        tokens = ("b", "a", *earlier)
        records = [
            SignInRecord(token, "connected", None, NOW, account if token == "a" else "ada@crm.example")
            for token in tokens
        ]
        seen = granted("connected")
        seen = replace(seen, authenticated_at=NOW, sign_ins=tuple(records))
        found: dict[str, Any] = {"authenticated_before": before, "external_account": account}
        change = self.ended(row, seen, status=status, sign_in_token_sha256="a", **found)
        after = change.row if change else row
        assert (after.connected_by, after.owned_by) == ("ada", owner)
        assert after.external_account == "ada@crm.example"
        assert change is None or change.event is None

    def test_it_is_told_also_while_somebody_is_about_to_end_it(self) -> None:
        """Who ends it tells of that afterwards; until then no look takes half of the end for a loss."""
        ending = replace(ENDED, ending_until=NOW + timedelta(seconds=1), ending_by="server")
        change = self.ended(ending)
        assert change is not None
        assert (change.event, change.row.ending_by) == ("connection.connected", "server")
        assert look(change.row, NO_FLAG) is None

    def test_a_success_that_has_ended_since_is_none(self) -> None:
        """What the partner service says now counts."""
        assert self.ended(ENDED, granted("none")) is None
        assert self.ended(None, NO_FLAG) is None
