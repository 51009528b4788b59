"""Webhooks in the Studio: a publisher looks, tests, sends again; nobody else, and of no other product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bff.common.secret import Secret
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.studio.access import Role
from bff.web.kit.services import EXTENSION
from bff.webhooks.service import Webhooks
from tests.support.receiver import Receiver, new_secret, open_receiver
from tests.support.studio import GRACE, StudioWorld

pytestmark = pytest.mark.one_database


@dataclass
class Hooked:
    """A product with an endpoint."""

    studio: StudioWorld
    receiver: Receiver
    endpoint: str
    secret: str

    @property
    def service(self) -> Webhooks:
        """What the Studio works with."""
        found: Webhooks = self.studio.world.bff_app.extensions[EXTENSION].webhooks.service
        return found


@pytest.fixture
def hooked(studio: StudioWorld) -> Iterator[Hooked]:
    """One of this test's own."""
    with open_receiver() as receiver:
        secret = new_secret()
        made = WebhookEndpoint(studio.product, receiver.url, ("attempt.*",), (Secret(secret),))
        hooked = Hooked(studio, receiver, made.id, secret)
        hooked.service.endpoints.replace(studio.product, [made])
        yield hooked
        hooked.service.endpoints.replace(studio.product, [])


def test_the_events_of_an_endpoint_are_named(hooked: Hooked) -> None:
    """All of them in words, others by their patterns."""
    for events, said in (
        (("*",), "Gets every event"),
        (("attempt.*", "webhook.test"), "attempt.*, webhook.test"),
    ):
        made = WebhookEndpoint(hooked.studio.product, hooked.receiver.url, events, (Secret(hooked.secret),))
        hooked.service.endpoints.replace(hooked.studio.product, [made])
        assert said in hooked.studio.editor().page("webhooks").words


@pytest.mark.both_databases
def test_a_publisher_sends_a_test_event_and_sends_it_again(hooked: Hooked) -> None:
    """The page says what came back; again is the same event, with the same id and body."""
    editor = hooked.studio.editor()
    assert "Nothing was sent yet" in editor.page("webhooks").words
    answer = editor.post(f"webhooks/{hooked.endpoint}/test")
    assert "It was taken" in answer.text
    assert "answered 204" in answer.text
    [first] = hooked.receiver.got
    assert first.verified(hooked.secret)["type"] == "webhook.test"
    page = editor.page("webhooks")
    [again] = [item["action"] for item in page.tags("form") if item.get("action", "").endswith("/again")]
    hooked.receiver.says = 500
    answer = editor.post(again.partition("/studio/")[2])
    assert "It was not taken" in answer.text
    assert "It is tried again" in answer.text
    second = hooked.receiver.got[1]
    assert (second.body, second.headers["webhook-id"]) == (first.body, first.headers["webhook-id"])
    assert hooked.secret not in editor.get("webhooks").text


def test_an_endpoint_that_is_off_is_switched_on_again(hooked: Hooked) -> None:
    """The page says why it is off; a test is refused until it is on."""
    editor = hooked.studio.editor()
    hooked.service.endpoints.switch_off(hooked.endpoint, "gone")
    assert "It answered 410" in editor.page("webhooks").words
    assert editor.post(f"webhooks/{hooked.endpoint}/test").status_code == 422
    assert "on again" in editor.post(f"webhooks/{hooked.endpoint}/on").text
    assert "It was taken" in editor.post(f"webhooks/{hooked.endpoint}/test").text


def test_a91_an_editor_sees_and_sends_nothing(hooked: Hooked) -> None:
    """Addresses and deliveries are for publishers: the page is not offered to others, and refused."""
    editor = hooked.studio.editor(GRACE, Role.EDITOR)
    assert not any(item.get("href", "").endswith("/webhooks") for item in editor.page("messages").tags("a"))
    assert editor.get("webhooks").status_code == 403
    for path in (f"webhooks/{hooked.endpoint}/test", f"webhooks/{hooked.endpoint}/on"):
        assert editor.post(path).status_code == 403
    assert hooked.receiver.got == []


def test_what_does_not_exist_is_told(hooked: Hooked) -> None:
    """Another's endpoint, and one that never was."""
    editor = hooked.studio.editor()
    for path in ("webhooks/whk_none/test", "webhooks/whk_none/on", "webhooks/deliveries/whd_none/again"):
        answer = editor.post(path)
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text
