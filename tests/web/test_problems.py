"""Every refusal is a problem document (RFC 9457): stable in type and code, and its id is in the log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from flask import Flask
from sqlalchemy import create_engine
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from werkzeug.exceptions import TooManyRequests

from bff.openapi.operation import FORM
from bff.openapi.routes import Route
from bff.storage.tables import metadata
from bff.web.openapi.describe import STATUS_OF
from bff.web.openapi.routes import described
from tests.support.databases import DatabaseUrl
from tests.support.servers import serve
from tests.support.world import HOST, SECRET_KEY, World, build_bff

pytestmark = pytest.mark.one_database

ERRORS: Final = Path(__file__).parents[2] / "docs/errors.md"
JSON: Final = {"Content-Type": "application/json"}
INTERNALS: Final = re.compile(
    r"sqlalchemy|psycopg|sqlite|select [^{]|traceback|\.py|exception|/tmp|no such", re.IGNORECASE
)


def problem(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer: of this status and code, complete, with nothing of ours in it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert (document["status"], document["code"], STATUS_OF[code]) == (status, code, status)
    page, _, anchor = document["type"].partition("#")
    assert (page.rpartition("/")[2], anchor) == ("errors.md", code)
    assert f"\n## {code}\n" in ERRORS.read_text()
    assert document["title"]
    assert document["detail"]
    assert re.fullmatch(r"[\w-]{16,64}", document["request_id"])
    assert answer.headers["X-Request-Id"] == document["request_id"]
    assert not INTERNALS.search(answer.text)
    return document


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "code"),
    [
        ("GET", "/", None, {}, 404, "not_found"),
        ("GET", "/v1/nothing", None, {}, 404, "not_found"),
        ("GET", "/v1//config", None, {}, 404, "not_found"),
        ("GET", "/v1/config/", None, {}, 404, "not_found"),
        ("GET", "/v1/attempts/att_nothing", None, {}, 404, "not_found"),
        ("GET", "/widget/v1/nothing.js", None, {}, 404, "not_found"),
        ("GET", "/widget/9.9.9/hitchpost.js", None, {}, 404, "not_found"),
        ("GET", "/.well-known/nothing", None, {}, 404, "not_found"),
        ("DELETE", "/v1/sessions", None, {}, 405, "method_not_allowed"),
        ("POST", "/v1/openapi.json", None, {}, 405, "method_not_allowed"),
        ("TRACE", "/health/live", None, {}, 405, "method_not_allowed"),
        ("BREW", "/widget/v1/hitchpost.js", None, {}, 405, "method_not_allowed"),
        ("POST", "/v1/sessions", b"a" * 70_000, JSON, 413, "payload_too_large"),
        ("POST", "/v1/sessions", b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ("POST", "/v1/sessions", None, {}, 415, "unsupported_media_type"),
        ("POST", "/v1/sessions", b"{", JSON, 400, "malformed_request"),
        ("POST", "/v1/sessions", b"{}", JSON, 422, "invalid_request"),
        ("GET", "/v1/connections", None, {}, 422, "invalid_request"),
        ("GET", "/v1/connections?account=%00", None, {}, 400, "malformed_request"),
        ("GET", "/v1/connections?account=a", None, {"Authorization": "Bearer x"}, 401, "not_signed_in"),
    ],
)
def test_a60_every_refusal_is_a_problem(
    world: World, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int, code: str
) -> None:
    """Wherever a call goes wrong, also before it reaches a route of ours."""
    answer = world.server(method, path, data=body, headers=headers, allow_redirects=False)
    problem(answer, status, code)
    assert ("Allow" in answer.headers) == (status == 405)


def test_a60_each_call_has_an_id_of_its_own(world: World) -> None:
    """Two calls are never told apart by nothing, and the caller does not choose."""
    ids = [
        problem(world.server("GET", "/v1/nothing", headers={"X-Request-Id": "a\x7fb"}), 404, "not_found")
        for _ in range(3)
    ]
    assert len({told["request_id"] for told in ids}) == 3


@pytest.fixture
def broken(tmp_path: Path, database_url: DatabaseUrl) -> Iterator[str]:
    """A BFF that loses every table of its database once it runs."""
    url = database_url(tmp_path, "bff")
    with serve(lambda bff: build_bff(bff, tmp_path, "http://127.0.0.1:9", database=url)) as bff:
        engine = create_engine(url)
        metadata.drop_all(engine)
        engine.dispose()
        yield bff


def calls(world: World, below: str = "bff.web.") -> list[Route]:
    """What programs call and what needs the database for it, of the modules below."""
    return [
        route
        for route in described(world.bff_app, "")
        if route.path.startswith("/v1/")
        and route.path not in {"/v1/advice", "/v1/openapi.json"}
        and route.view.__module__.startswith(below)
    ]


def asked(bff: str, route: Route, headers: dict[str, str]) -> requests.Response:
    """A call with a body that gets as far as the database."""
    path, given = bff + route.path.format(attempt_id="att_x", connection_id="7"), route.operation.body
    body: dict[str, Any] = {"headers": headers, "timeout": 60}
    if given and given.media_type == FORM:
        body["data"] = {"launch_token": "x"}
    elif route.method == "post":
        body["json"] = {"product": "demo", "assertion": "x"} if route.path.endswith("exchange") else {}
    return requests.request(route.method, path, **body)


def test_a60_a_broken_database_is_told_without_its_internals(world: World, broken: str) -> None:
    """500 on every route that needs the database; the log has the id, and what really happened."""
    token = world.session()
    for route in calls(world):
        by_server = route.operation.security == (("secretKey",),)
        headers = {"Authorization": f"Bearer {SECRET_KEY if by_server else token}", "Origin": HOST}
        with capture_logs([merge_contextvars]) as lines:
            answer = asked(broken, route, headers)
        told = problem(answer, 500, "internal_error")
        (line,) = (line for line in lines if line["event"] == "unforeseen error")
        assert told["request_id"] == line["request_id"]
        assert line["error_type"] in {"OperationalError", "ProgrammingError"}


@pytest.mark.parametrize("path", ["/connect/opening?product=demo", "/connect/return/secret"])
def test_a60_a_broken_page_is_told_once_without_its_internals(
    broken: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A page in words, and one line in the log: the page of an error makes no other error."""
    with capture_logs([merge_contextvars]) as lines:
        page = requests.get(broken + path, timeout=10)
    assert (page.status_code, page.headers["Content-Type"][:9]) == (500, "text/html")
    assert not INTERNALS.search(page.text)
    (line,) = (line for line in lines if line["event"] == "unforeseen error")
    assert line["request_id"] == page.headers["X-Request-Id"]
    assert line["error_type"] in {"OperationalError", "ProgrammingError"}
    assert not [said for said in caplog.messages if "Exception on" in said]


def test_a60_an_error_is_told_once(world: World, broken: str, caplog: pytest.LogCaptureFixture) -> None:
    """What finishes an answer breaks on no error: one in the log, every header in place, CORS for nobody."""
    page = {"Authorization": f"Bearer {world.session()}", "Origin": HOST}
    for route in calls(world, "bff.web.widget_api."):
        with capture_logs() as lines:
            answer = asked(broken, route, page)
        problem(answer, 500, "internal_error")
        assert answer.headers["Permissions-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert [line["event"] for line in lines].count("unforeseen error") == 1
    # What Flask says of an error while an error is answered.
    assert not [line for line in caplog.messages if "finalizing failed" in line]


def test_a60_too_many_calls_are_a_problem(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """429, from whatever counts them."""

    def build(bff: str) -> Flask:
        app = build_bff(bff, tmp_path, "http://127.0.0.1:9", database=database_url(tmp_path, "bff"))

        @app.before_request
        def count() -> None:
            raise TooManyRequests

        return app

    with serve(build) as bff:
        problem(requests.get(f"{bff}/v1/config", timeout=10), 429, "rate_limited")
