"""What failed is sent again when somebody asks for it: each delivery once, whatever becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bff.webhooks import service
from tests.support.receiver import Receiver
from tests.webhooks.conftest import Hooks

EVER = datetime(2020, 1, 1, tzinfo=UTC)


def test_what_fails_again_meanwhile_is_not_queued_a_second_time(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the command would go on for as long as the receiver refuses: old events are tried once."""
    monkeypatch.setattr(service, "MOST_AGAIN", 2)
    [endpoint] = hooks.register(receiver.url)
    receiver.says = 400
    hooks.record(count=5)
    hooks.fan_out.once()
    hooks.clock.tick(days=4)
    hooks.deliver()
    assert [row.status for row in hooks.rows()] == ["failed"] * 5
    queue_some, tried = hooks.log.queue_failed_again, len(receiver.got)

    def queue_some_and_deliver(*arguments: Any) -> Any:
        assert len(receiver.got) < tried + 10, "it goes on and on"
        queued = queue_some(*arguments)
        hooks.deliver()
        return queued

    monkeypatch.setattr(hooks.log, "queue_failed_again", queue_some_and_deliver)
    assert hooks.service.send_failed_again(hooks.product, endpoint, EVER) == 5
    assert len(receiver.got) == tried + 5
