"""A form before a sign-in: of submissions that overlap, or whose end could not be stored, the last counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError

from bff.common.errors import Outdated, PartnerUnavailable
from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Status
from bff.connect.forms import Forms, NextUrl
from bff.connect.new_attempt import BeginRequest
from bff.connect.poll_schedule import poll_permit
from bff.connections.connection import Change, State, Stored
from bff.connections.store import DatabaseConnections
from bff.identity.principal import AccountRef
from bff.purge import DatabasePurger
from bff.storage.tables import attempts
from bff.upstream.protocol import AccountConnector, Connector
from bff.upstream.sign_in_forms import Credentials, FormField, SignInForm
from tests.support.watched_core import ACME, ADA, HOST, PRODUCT, WatchedCore

SHOP: Final = SignInForm(fields=(FormField("shop"),))
TYPED: Final[Mapping[str, Secret]] = {"shop": Secret("north")}


@pytest.fixture
def forms(core: WatchedCore, monkeypatch: pytest.MonkeyPatch) -> Forms:
    """Of a connector that asks for the name of a shop before the sign-in."""

    def find(_account: AccountRef, reference: str) -> Connector:
        return Connector(1, reference, form=SHOP)

    def give(_account: AccountRef, _connector: int, _credentials: Credentials) -> AccountConnector:
        return core.partner._told()

    monkeypatch.setattr(core.partner, "find_connector", find)
    monkeypatch.setattr(core.partner, "give_credentials", give)
    return core.connect._forms


def opened(core: WatchedCore) -> Attempt:
    """An attempt whose form is open."""
    attempt, token = core.connect.begin(PRODUCT, ADA, BeginRequest("crm", HOST))
    assert "/connect/form/" in core.connect.launch(core.connect.peek(token)).url.reveal()
    return core.read(attempt)


def test_what_an_earlier_try_left_in_an_optional_field_is_emptied(
    core: WatchedCore, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a connection is added: nobody signs in with what another user typed and gave up."""
    given: list[dict[str, str]] = []
    form = SignInForm(
        fields=(FormField("shop"), FormField("region", optional=True), FormField("note", optional=True))
    )

    def give(_account: AccountRef, _connector: int, credentials: Credentials) -> AccountConnector:
        given.append({name: value.reveal() for name, value in credentials.properties.items()})
        return core.partner._told()

    monkeypatch.setattr(core.partner, "give_credentials", give)
    monkeypatch.setattr(core.partner, "find_connector", lambda _, name: Connector(1, name, form=form))
    reconnects, adds = opened(core), replace(opened(core), adds_connection=True)
    left = {"shop": "south", "region": "eu", "other": "x"}
    monkeypatch.setattr(core.partner, "properties", lambda *_: left)
    for attempt in (reconnects, adds):
        forms.submit(attempt, 0, TYPED)
    assert given == [{"shop": "north"}, {"shop": "north", "region": ""}]


def test_a_submission_that_was_overtaken_takes_nothing_back(
    core: WatchedCore, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer was lost while the partner service was slow; the browser is at the second one's sign-in."""
    attempt, give = opened(core), core.partner.give_credentials

    def slowly(*asked: Any) -> Any:
        monkeypatch.setattr(core.partner, "give_credentials", give)
        assert isinstance(forms.submit(attempt, 1, TYPED), NextUrl)
        return give(*asked)

    monkeypatch.setattr(core.partner, "give_credentials", slowly)
    with pytest.raises(Outdated):
        forms.submit(attempt, 0, TYPED)
    first, second = core.partner.minted[-2:]
    assert core.read(attempt).sign_in_token_sha256 == second != first


def test_a_submission_that_is_overtaken_as_it_stores_its_sign_in_overwrites_nothing(
    core: WatchedCore, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later one stores after it was counted, so its sign-in is the one that counts."""
    attempt, store = opened(core), core.attempts.transition

    def overtaken(*asked: Any, **how: Any) -> Any:
        monkeypatch.setattr(core.attempts, "transition", store)
        assert isinstance(forms.submit(attempt, 1, TYPED), NextUrl)
        return store(*asked, **how)

    monkeypatch.setattr(core.attempts, "transition", overtaken)
    with pytest.raises(Outdated):
        forms.submit(attempt, 0, TYPED)
    assert core.read(attempt).sign_in_token_sha256 == core.partner.minted[-1]


def test_a_form_that_was_never_sent_to_the_partner_service_is_declined(
    core: WatchedCore, forms: Forms
) -> None:
    """Its submission has connected nothing, so the user's No is one."""
    attempt = opened(core)
    core.partner.fails = {"mint"}
    with pytest.raises(PartnerUnavailable):
        forms.submit(attempt, 0, TYPED)
    core.partner.fails = set()
    assert forms.decline(core.read(attempt)).status is Status.DECLINED


def test_a_submission_leaves_a_poll_under_way_its_lease(core: WatchedCore, forms: Forms) -> None:
    """Another process polls the attempt meanwhile. No second poll begins beside it."""
    attempt, now = opened(core), core.clock()
    permit = poll_permit(attempt, None, now)
    assert core.attempts.lease_poll(attempt.id, now, permit)
    assert isinstance(forms.submit(attempt, 0, TYPED), NextUrl)
    assert not core.attempts.lease_poll(attempt.id, now, replace(permit, not_since=now))


def test_a_database_that_goes_away_while_a_form_is_submitted_leaves_it_to_be_submitted_again(
    core: WatchedCore, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the first submission is stored, and the same browser's next one goes on."""
    attempt = opened(core)

    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("UPDATE", None, Exception("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(core.attempts, "transition", away)
        with pytest.raises(OperationalError):
            forms.submit(attempt, 0, TYPED)
    now = core.read(attempt)
    assert (now.minted_at, now.browser_sha256) == (None, attempt.browser_sha256)
    onward = forms.submit(now, forms.submissions(now), TYPED)
    assert isinstance(onward, NextUrl)
    assert core.read(attempt).sign_in_token_sha256 == core.partner.minted[-1]
    assert core.read(attempt).browser_sha256 == attempt.browser_sha256


def test_what_a_user_typed_is_asked_for_again_after_its_attempt_was_deleted(
    core: WatchedCore, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long ago: else nobody could ever change it, and another user would be sent to that shop."""
    assert isinstance(forms.submit(opened(core), 0, TYPED), NextUrl)
    monkeypatch.setattr(core.partner, "properties", lambda *_: {"shop": "north"})
    with core.engine.begin() as connection:
        connection.execute(delete(attempts))
    opened(core)


def test_what_a_user_typed_is_asked_for_again_although_the_answer_to_it_was_lost(
    core: WatchedCore, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The partner service has stored it all the same."""

    def lost(*_: Any) -> Any:
        raise PartnerUnavailable("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(core.partner, "give_credentials", lost)
        with pytest.raises(PartnerUnavailable):
            forms.submit(opened(core), 0, TYPED)
    monkeypatch.setattr(core.partner, "properties", lambda *_: {"shop": "north"})
    opened(core)


def test_what_the_host_has_set_is_not_asked_for(
    core: WatchedCore, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No user has typed it."""
    monkeypatch.setattr(core.partner, "properties", lambda *_: {"shop": "north"})
    _, token = core.connect.begin(PRODUCT, ADA, BeginRequest("crm", HOST))
    assert "/connect/form/" not in core.connect.launch(core.connect.peek(token)).url.reveal()


def test_that_a_user_typed_values_is_forgotten_with_their_connection(core: WatchedCore) -> None:
    """Not before: neither after the time for which attempts are kept, nor while the connection is listed."""
    ledger = DatabaseConnections(core.engine)
    now = core.clock()
    for number in (1, 2):
        core.attempts.note_typed_values(ACME, number, now)
    kept = Stored(ACME.product, ACME.id, 1, "crm", "CRM", State.DISCONNECTED, now, now)
    assert ledger.apply(Change(kept), None)
    purger = DatabasePurger(core.engine, timedelta(days=90))
    purger.delete_old(now + timedelta(days=89), 10)
    assert [core.attempts.has_typed_values(number) for number in (1, 2)] == [True, True]
    purger.delete_old(now + timedelta(days=91), 10)
    assert [core.attempts.has_typed_values(number) for number in (1, 2)] == [True, False]
