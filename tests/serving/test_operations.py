"""Logs (A61), with both programs as operators run them."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import structlog

from bff.products.store import DatabaseProducts
from bff.serving import logs
from bff.serving.database import open_database
from bff.studio.access import Role
from bff.studio.invites import make_link
from tests.support.databases import DatabaseUrl
from tests.support.programs import Program, run_bff, run_partner
from tests.support.world import SECRET_KEY, World

EVERY_LINE = {"at", "level", "logger", "event"}


@dataclass(frozen=True)
class Programs:
    """Both programs, and what was secret in the flows that they saw."""

    bff: Program
    partner: Program
    database: str

    def world(self, account: str = "acme") -> World:
        """Drives them as a host and a user do."""
        return World(self.bff.url, self.partner.url, "", None, Path(), None, "", "", account)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[Programs]:
    """The BFF and the embedded partner service, under gunicorn."""
    folder = tmp_path_factory.mktemp("operations")
    with (
        run_partner(folder, database_url) as partner,
        run_bff(folder, database_url, partner=partner.url) as bff,
    ):
        yield Programs(bff, partner, database_url(folder, "bff"))


@pytest.mark.one_database
def test_a61_each_step_of_a_click_is_an_audit_event(programs: Programs) -> None:
    """Who, what and which request, where it was seen: session, launch, redemption, outcome."""
    world = programs.world("acme-audited")
    attempt = world.connect(world.session())
    assert world.read(attempt)["status"] == "connected"
    issued = programs.bff.line(logger="hitchpost.audit", event="session issued", account="acme-audited")
    assert (issued["product"], issued["user"], issued["client"]) == ("demo", "ada", "127.0.0.1")
    launched = programs.bff.line(logger="hitchpost.audit", event="launched", attempt=attempt)
    assert launched["connector"] == "sandbox"
    programs.bff.line(event="attempt", what="settled", attempt=attempt, status="connected")
    redeemed = programs.partner.line(logger="hitchpost.audit", event="redeemed", account="acme-audited")
    ended = programs.partner.line(logger="hitchpost.audit", event="sign-in ended", result="connected")
    assert redeemed["request_id"] != ended["request_id"]
    # A request and what it caused are told by one id.
    programs.bff.line(event="request", route="/connect/launch", request_id=launched["request_id"])
    programs.bff.line(event="partner call", request_id=launched["request_id"])


def test_a61_denials_are_audit_events(programs: Programs) -> None:
    """401 and 403 of each program, by the route and not by what was sent."""
    requests.post(f"{programs.bff.url}/v1/sessions", json={}, timeout=30)
    programs.bff.line(event="denied", status=401, route="/v1/sessions")
    world = programs.world()
    assert world.page("GET", "/v1/config", world.session(), origin="https://evil.example").status_code == 403
    programs.bff.line(event="denied", status=403, route="/v1/config")
    requests.get(f"{programs.partner.url}/v1.0/connectors/x", timeout=30)
    programs.partner.line(event="denied", status=401)


def test_a61_disconnecting_is_an_audit_event(programs: Programs) -> None:
    """The partner service tells which connection was removed."""
    world = programs.world("acme-gone")
    connection = world.read(world.connect(world.session()))["connection"]["id"]
    form = {"grant_type": "client_credentials", "client_id": "api-client"}
    form["client_secret"] = "api-client-secret-0123456789"
    token = requests.post(f"{programs.partner.url}/oauth/token", data=form, timeout=30).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "X-Cyclr-Account": "acme-gone"}
    url = f"{programs.partner.url}/v1.0/account/connectors/{connection}"
    assert requests.delete(url, headers=headers, timeout=30).status_code == 200
    gone = programs.partner.line(event="disconnected", account="acme-gone")
    assert str(gone["account_connector"]) == connection


@pytest.mark.parametrize("user", ["server", "operator", "user:ada"])
def test_a61_no_user_passes_for_another_kind_of_actor(programs: Programs, user: str) -> None:
    """Whatever id a host gives its user: who did it has a form that says what it is."""
    world = programs.world(f"acme-{user.replace(':', '-')}")

    def end(token: str | None) -> None:
        path = f"/v1/connections/{world.read(world.connect(world.session(user=user)))['connection']['id']}"
        ended = world.page("DELETE", path, token) if token else None
        ended = ended or world.server("DELETE", path, params={"account": world.account})
        assert ended.status_code == 204

    end(world.session(user=user))
    end(None)
    lines = [line for line in programs.bff.lines() if line.get("account") == world.account]
    ended = [line for line in lines if line["event"] == "disconnected"]
    assert [line["actor"] for line in ended] == [f"user:{user}", "server"]
    assert all("user" not in line and line["connection"] for line in ended)
    others = {line["event"]: line["actor"] for line in lines if "actor" in line}
    assert (others["session issued"], others["launched"]) == ("server", f"user:{user}")


def test_a61_the_studio_tells_who_came_and_what_was_published(programs: Programs) -> None:
    """Signing in, and publishing."""
    engine = open_database(programs.database)
    assert DatabaseProducts(engine).get("demo")
    link = make_link(engine, programs.bff.url, "demo", "ed@acme.example", Role.PUBLISHER)
    engine.dispose()
    with requests.Session() as browser:
        browser.headers["Origin"] = programs.bff.url
        page = browser.post(link, timeout=30)
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf, page.text
        programs.bff.line(event="studio sign-in", product="demo", actor="studio:ed@acme.example")
        form = {"csrf": csrf[1], "revision": "0", "note": ""}
        browser.post(f"{programs.bff.url}/studio/publish", data=form, timeout=30)
    programs.bff.line(event="request", route="/studio/publish")


def test_a61_no_secret_is_in_any_log(programs: Programs) -> None:
    """Through both programs' logs: no token, key, secret, URL with a query, or name of a person."""
    world = programs.world("acme-secrets")
    token = world.session()
    attempt = world.begin(token)
    minted = world.launch(attempt["launch_token"]).headers["Location"]
    world.sign_in(minted)
    world.read(attempt["id"])
    requests.get(f"{programs.bff.url}/connect/return/{attempt['launch_token']}?code=canary-code", timeout=30)
    requests.get(f"{programs.bff.url}/canary-path?token=canary-query", timeout=30)
    programs.bff.raw(b"GET /canary-line-0123456789012345 NOHTTP\r\n\r\n")
    sign_in_token = re.search(r"token=([^&]+)", minted)
    assert sign_in_token
    text = programs.bff.log.read_text() + programs.partner.log.read_text()
    for secret in (token, attempt["launch_token"], sign_in_token[1], SECRET_KEY, "canary", "Ada", "?"):
        assert secret not in text, secret


def test_a61_every_line_is_an_object_of_listed_fields(programs: Programs) -> None:
    """Each line of both programs is JSON and has its time, level, logger and event, and no unlisted field."""
    for program in (programs.bff, programs.partner):
        requests.get(f"{program.url}/v1/nothing", timeout=30)
        program.line(event="request")
        lines = program.lines()
        for line in lines:
            assert line.keys() >= EVERY_LINE, line
            assert line.keys() <= logs.FIELDS, line
            assert "dropped" not in line, line


def test_a61_a_request_is_told_by_its_id(programs: Programs) -> None:
    """A sane X-Request-Id is kept, any other replaced; the answer and its problem document name it."""
    url = f"{programs.bff.url}/v1/nothing"
    kept = requests.get(url, headers={"X-Request-Id": "from-the-proxy-1"}, timeout=30)
    assert kept.headers["X-Request-Id"] == kept.json()["request_id"] == "from-the-proxy-1"
    programs.bff.line(event="request", request_id="from-the-proxy-1", status=404)
    for odd in ("short", "with space in it", "x" * 65, 'quo"te-and-more'):
        answer = requests.get(url, headers={"X-Request-Id": odd}, timeout=30)
        assert re.fullmatch(r"req_[0-9a-f]{24}", answer.headers["X-Request-Id"])
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_a61_nothing_that_is_logged_begins_a_new_line() -> None:
    """Line ends of every kind in a value are written out, and what is not on the list is left out by name."""
    for form in ("json", "console"):
        stream = io.StringIO()
        root, level = list(logging.getLogger().handlers), logging.getLogger().level
        configured = structlog.get_config()
        logs.configure(form, stream)
        try:
            hostile = 'a\r\nb\x0b\x85\u2028\u2029{"event":"forged"}\x1b[2J\u202e\u2066'
            structlog.get_logger("hitchpost.test").info(
                hostile, account=hostile, token="canary", user=hostile
            )
            logging.getLogger("gunicorn.error").warning("said %s", hostile + " canary" + "x" * 30)
            try:
                int("canaryabcdefghijklmnop0123456789\nsecond line")
            except ValueError:
                structlog.get_logger("hitchpost.test").exception("broke")
        finally:
            logging.getLogger().handlers[:] = root
            logging.getLogger().setLevel(level)
            structlog.configure(**configured)
        written = stream.getvalue()
        assert len(written.splitlines()) == 3, written
        assert "canary" not in written
        assert not {"\x1b", "\u202e", "\u2066"} & set(written)
        if form == "json":
            first, second, third = (json.loads(line) for line in written.splitlines())
            assert first["dropped"] == "token"
            assert second["logger"] == "gunicorn.error"
            assert third["error_type"] == "ValueError"
            assert "test_operations.py" in third["error_at"]


@pytest.mark.one_database
def test_a_request_has_one_id_in_both_logs(programs: Programs) -> None:
    """Whatever it asked of the partner service stands there under the id that its answer had."""
    world = programs.world("acme-told")
    launched = world.launch(world.begin(world.session())["launch_token"])
    assert launched.status_code == 303
    route = "/v1.0/accounts/<any_text:account_id>/signintoken"
    programs.partner.line(request_id=launched.headers["X-Request-Id"], event="request", route=route)


def test_an_address_that_is_too_long_is_refused_in_words(programs: Programs) -> None:
    """A third party's code may have 8 KB; and no server in front of a program answers a person in JSON."""
    code = "a%2B%2F" * 2048
    page = requests.get(f"{programs.partner.url}/connector/callback?state=unknown&code={code}", timeout=30)
    assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    for place in (f"{programs.partner.url}/connectorauth/x", f"{programs.bff.url}/connect/opening"):
        page = requests.get(f"{place}?a={'a' * 9000}", timeout=30)
        assert (page.status_code, page.headers["Content-Type"]) == (414, "text/html; charset=utf-8")
