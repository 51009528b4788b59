"""What the bench counts, and what it does not take for a result."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from flask import Flask, Response, request

from bench.load import LoadFailed, closed_loop, form_request
from tests.support.servers import serve

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


class Handler:
    """A launch of sorts: it remembers its tokens, and refuses one that is called ``bad``."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.app = Flask(__name__)
        self.app.add_url_rule("/launch", view_func=self.launch, methods=["POST"])

    def launch(self) -> Response:
        """One launch."""
        token = parse_qs(request.get_data(as_text=True))["token"][0]
        self.seen[token] += 1
        return Response(status=200 if token == "bad" else 303)


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def url(handler: Handler) -> Iterator[str]:
    with serve(lambda _: handler.app) as url:
        yield f"{url}/launch"


def launches(url: str, tokens: list[str]) -> list[bytes]:
    return [form_request(url, {}, {"token": token}) for token in tokens]


def test_a_token_is_sent_once_whatever_thread_sends_it(handler: Handler, url: str, tmp_path: Path) -> None:
    """Of all prepared requests each is sent at most once, and every answer that counts was given."""
    tokens = [str(number) for number in range(50_000)]
    run = closed_loop(
        url, launches(url, tokens), tmp_path, seconds=1, connections=8, threads=2, expected=303, once=True
    )
    assert set(handler.seen.values()) == {1}
    assert 0 < run.requests <= len(handler.seen)


def test_a_run_without_enough_requests_is_no_result(url: str, tmp_path: Path) -> None:
    """Launches that run out end the run with an error, and not with a rate."""
    with pytest.raises(LoadFailed, match="ran out"):
        closed_loop(url, launches(url, ["1", "2", "3", "4"]), tmp_path, seconds=1, expected=303, once=True)


def test_any_other_answer_fails_the_run(url: str, tmp_path: Path) -> None:
    """One page in place of a redirect among many redirects is an error, although 200 is a success to wrk."""
    with pytest.raises(LoadFailed, match="not as expected"):
        closed_loop(url, launches(url, ["1"] * 20 + ["bad"]), tmp_path, seconds=1, expected=303)
