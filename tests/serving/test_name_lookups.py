"""Names that others choose hold a share of the look-ups only, however long their name servers are silent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from gevent.hub import Hub

from bff.partner.providers import transport
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.fixed_hosts import fixed_hosts
from bff.serving import name_lookups, pinned
from bff.serving.destinations import Policy
from bff.serving.name_lookups import KNOWN_AT_ONCE, MOST_WAITING, OF_ONE_DOMAIN, UNKNOWN_AT_ONCE, NameLookups
from tests.support.raw_server import answers, play
from tests.support.waiting import wait_for

SOON = 0.05


class Silent:
    """A name server that answers only when it is told to, and its look-ups."""

    def __init__(self, lookups: NameLookups) -> None:
        self.lookups = lookups
        self.answers = threading.Event()
        self.asked: list[str] = []

    def resolve(self, host: str, seconds: float = SOON) -> list[str] | None:
        """The addresses; None if they are not there in time."""

        def work() -> list[str]:
            self.asked.append(host)
            assert self.answers.wait(30)
            return ["192.0.2.1"]

        try:
            return self.lookups.run(host, work, seconds)
        except TimeoutError:
            return None


@pytest.fixture
def silent() -> Iterator[Silent]:
    """Of this test's own."""
    made = Silent(NameLookups())
    yield made
    made.answers.set()


def quick(silent: Silent, host: str) -> list[str]:
    """Look up a name that is answered at once; on a busy machine that may take a while."""
    return silent.lookups.run(host, lambda: ["192.0.2.2"], 10)


def test_a97_silent_names_hold_a_share_until_they_end(silent: Silent) -> None:
    """Their callers have gone; the look-ups go on, and no further one begins meanwhile."""
    for number in range(UNKNOWN_AT_ONCE + 2):
        assert silent.resolve(f"www.evil{number}.example") is None
    assert len(silent.asked) == UNKNOWN_AT_ONCE
    silent.answers.set()
    assert quick(silent, "shop.example.org") == ["192.0.2.2"]


def test_a97_names_that_were_resolved_have_a_share_of_their_own(silent: Silent) -> None:
    """A shop that is connected already works on, whatever others type."""
    quick(silent, "shop.example.org")
    for number in range(UNKNOWN_AT_ONCE):
        silent.resolve(f"www.evil{number}.example")
    assert quick(silent, "shop.example.org") == ["192.0.2.2"]


def test_a97_one_domain_does_not_take_the_whole_share(silent: Silent) -> None:
    """However many names it has."""
    for number in range(OF_ONE_DOMAIN + 1):
        silent.resolve(f"n{number}.evil.example")
    assert len(silent.asked) == OF_ONE_DOMAIN
    assert quick(silent, "shop.example.org") == ["192.0.2.2"]


def test_a97_a_name_that_was_silent_is_not_asked_again_at_once(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But later."""
    assert [silent.resolve("www.evil.example") for _ in range(3)] == [None] * 3
    assert len(silent.asked) == 1
    monkeypatch.setattr(name_lookups, "SLOW_SECONDS", 0.0)
    silent.answers.set()
    other = Silent(silent.lookups)
    assert other.resolve("other.evil.example") is None
    other.answers.set()
    assert other.resolve("other.evil.example", 10) == ["192.0.2.1"]


def test_a97_no_more_than_so_many_wait(silent: Silent) -> None:
    """The next one is refused at once."""
    for number in range(UNKNOWN_AT_ONCE):
        silent.resolve(f"www.evil{number}.example")
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        waiting = [pool.submit(silent.resolve, f"w{number}.example", 20.0) for number in range(MOST_WAITING)]
        wait_for(lambda: silent.lookups._unknown._waiting == MOST_WAITING)
        assert silent.resolve("one.more.example", 1000.0) is None
        silent.answers.set()
        assert [each.result() for each in waiting] == [["192.0.2.1"]] * MOST_WAITING


def test_a97_the_shares_leave_threads_to_all_other_names() -> None:
    """Under gevent the database, the partner service and all else are resolved in the same threads."""
    assert Hub.threadpool_size - UNKNOWN_AT_ONCE - KNOWN_AT_ONCE >= 3


def test_a97_a_host_of_the_catalogue_waits_for_nobody(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No user can choose it. Nor does an address wait."""
    monkeypatch.setattr(pinned, "lookups", lambda _: silent.lookups)
    for number in range(UNKNOWN_AT_ONCE):
        silent.resolve(f"www.evil{number}.example")
    with play(answers(200, b"{}")) as (url, _):
        fixed = Policy(
            loopback=True, resolver=lambda *_: ["127.0.0.1"], fixed_hosts=frozenset({"third.localhost"})
        )
        send = partial(transport.send, fixed, "GET", headers={}, limits=transport.Limits(5, 5, 5))
        assert send(url.replace("127.0.0.1", "third.localhost")).status == 200
        assert send(url).status == 200
        with pytest.raises(transport.NoReply, match="third_party_unreachable"):
            transport.send(
                replace(fixed, fixed_hosts=frozenset()),
                "GET",
                url.replace("127.0.0.1", "third.localhost"),
                headers={},
                limits=transport.Limits(0.2, 5, 5),
            )


def test_a97_the_hosts_of_the_catalogue_are_those_without_a_placeholder() -> None:
    """Wherever they stand in an entry."""
    item = CatalogueConnector.model_validate(
        {
            "id": 1,
            "key": "shop",
            "name": "Shop",
            "auth": "api_key",
            "field": [{"name": "shop", "label": "Shop"}],
            "check": {"url": "https://{shop}.shop.example/me"},
            "userinfo_url": "https://api.shop.example/{shop}/me",
        }
    )
    assert fixed_hosts([item]) == {"api.shop.example"}
