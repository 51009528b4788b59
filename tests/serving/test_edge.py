"""The edge (A58, A59): whom a request is for, where it comes from, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import requests
from flask import Flask

from bff.app import Hitchpost, create_app
from bff.settings import load_settings
from bff.web.headers import TABLE, Kind
from tests.support.databases import DatabaseUrl
from tests.support.programs import Program, run_bff, run_partner
from tests.support.world import CLIENT_ID, CLIENT_SECRET, World

pytestmark = pytest.mark.one_database

FORGED = (
    "X-Forwarded-For: 203.0.113.9",
    "X_Forwarded_For: 203.0.113.9",
    "X-Forwarded-Host: evil.example",
    "X_Forwarded_Host: evil.example",
    "X-Forwarded-Proto: https",
    "X_Forwarded_Proto: https",
    "X-Forwarded-Ssl: on",
    "X-Forwarded-Port: 1",
    "X-Forwarded-Prefix: /evil",
    "X-Forwarded-Uri: /health/live",
    "X-Original-Url: /health/live",
    "X-Rewrite-Url: /health/live",
    "Forwarded: for=203.0.113.9;host=evil.example;proto=https",
    "X-Real-Ip: 203.0.113.9",
    "Script-Name: /v1",
    "SCRIPT_NAME: /v1",
    "PATH_INFO: /health/live",
    "Remote-Addr: 203.0.113.9",
    "X-Http-Method-Override: GET",
)

STRANGERS = ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "evil@127.0.0.1", "127.0.0.1/evil")
SMUGGLING = {
    "two hosts": b"GET /health/live HTTP/1.1\r\nHost: {h}\r\nHost: evil.example\r\n\r\n",
    "two hosts, the same": b"GET /health/live HTTP/1.1\r\nHost: {h}\r\nHost: {h}\r\n\r\n",
    "length and chunks": b"POST /v1/sessions HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "two lengths": b"POST /v1/sessions HTTP/1.1\r\nHost: {h}\r\nContent-Length: 0\r\n"
    b"Content-Length: 40\r\n\r\nGET /health/live HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "a length with a sign": b"POST /v1/sessions HTTP/1.1\r\nHost: {h}\r\nContent-Length: +4\r\n\r\nabcd",
    "chunked, misspelt": b"POST /v1/sessions HTTP/1.1\r\nHost: {h}\r\n"
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a bare line feed in a name": b"GET /health/live HTTP/1.1\r\nHost: {h}\r\nX: a\nB : c\r\n\r\n",
    "space before the colon": b"GET /health/live HTTP/1.1\r\nHost : {h}\r\n\r\n",
    "a folded line": b"GET /health/live HTTP/1.1\r\nHost: {h}\r\nX: a\r\n b\r\n\r\n",
    "no host": b"GET /health/live HTTP/1.1\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[Program]:
    """The BFF under gunicorn, with no proxy in front."""
    with run_bff(tmp_path_factory.mktemp("edge"), database_url) as running:
        yield running


def ask(program: Program, *lines: str, path: str = "/v1/connections", method: str = "GET") -> bytes:
    """One raw request with these header lines; the whole answer."""
    head = [f"{method} {path} HTTP/1.1", f"Host: {program.url.removeprefix('http://')}", "Connection: close"]
    return program.raw("\r\n".join([*head, *lines, "", ""]).encode())


def without_noise(answer: bytes) -> bytes:
    """An answer without what differs from one to the next."""
    return re.sub(rb"(Date: [^\r]+|req_[0-9a-f]{24})", b"", answer)


def test_a58_a_request_for_another_host_reaches_no_route(program: Program) -> None:
    """400, and nothing of what was asked for comes back; not even an exempt path is answered."""
    for host in (
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "a@127.0.0.1",
        "127.0.0.1/x",
        "",
    ):
        for path in ("/health/live", "/v1/config?<script>", "/connect/opening?product=demo"):
            answer = program.raw(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert answer.startswith(b"HTTP/1.1 400 "), (host, answer[:80])
            assert b"application/problem+json" in answer
            assert not re.search(rb"evil|script|product", answer)
    assert all(line.get("route") == "(none)" for line in program.lines() if line.get("status") == 400)


def test_a58_forged_headers_change_neither_answer_nor_address(program: Program) -> None:
    """With no proxy configured, whatever a request says of proxies, paths or methods means nothing."""
    plain = without_noise(ask(program))
    assert plain.startswith(b"HTTP/1.1 401 ")
    for line in FORGED:
        assert without_noise(ask(program, line)) == plain, line
    told = [
        line for line in program.lines() if line["event"] == "request" and line["route"] == "/v1/connections"
    ]
    assert len(told) >= len(FORGED)
    assert {line["client"] for line in told} == {"127.0.0.1"}


def test_a58_as_many_proxies_are_believed_as_are_configured(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """With one proxy, the last address is the caller's; what a caller wrote before it is ignored."""
    with run_bff(tmp_path, database_url, proxy_hops="1") as program:
        answer = ask(program, "X-Forwarded-For: 198.51.100.7, 203.0.113.9", "X-Forwarded-Host: evil.example")
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert program.line(event="request", route="/v1/connections")["client"] == "203.0.113.9"


def test_a58_no_path_and_no_user_agent_is_let_in(world: World) -> None:
    """What is exempt is exempt by its route: nothing that looks like it gets past a sign-in."""
    for tail in ("?x=/health/live", "?/health/live", "%23/health/live", ";/health/live", "%3f/health/live"):
        for agent in ("kube-probe/1.31", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "curl/8"):
            for path in ("/v1/config", "/v1/connections"):
                answer = requests.get(
                    world.bff + path + tail, headers={"User-Agent": agent, "X-Hitchpost": "1"}, timeout=30
                )
                assert answer.status_code in {401, 404}, (path + tail, agent)


def test_a58_production_knows_its_hosts(database_url: DatabaseUrl, tmp_path: Path) -> None:
    """In production localhost is not taken for ours; a host that is listed is."""
    app = create_app(production(tmp_path, database_url, trusted_hosts="internal.example"))
    told = {host: app.test_client().get("/health/live", headers={"Host": host}).status_code for host in HOSTS}
    assert told == HOSTS


HOSTS = {
    "connect.example.com": 200,
    "CONNECT.example.com:443": 200,
    "internal.example": 200,
    "127.0.0.1:8001": 200,
    "localhost": 400,
    "evil.example": 400,
}


def production(folder: Path, database_url: DatabaseUrl, **more: object) -> object:
    """Settings as in production."""
    return load_settings(
        public_url="https://connect.example.com",
        database_url=database_url(folder, "bff"),
        secret_keys="3f1d9c27ab5e84f06d2b7c9e51a08f43d6e2b90c7f5a1384",
        partner_api_url="https://api.cyclr.com",
        partner_service_url="https://acme-h.cyclr.com",
        partner_client_id=CLIENT_ID,
        partner_client_secret="f0e1d2c3b4a5968778695a4b3c2d1e0f",
        **more,
    )


BROKEN = {Kind.API: "/v1/broken", Kind.PAGE: "/connect/broken", Kind.STUDIO: "/studio/broken"}
ASKED = [
    # method, path, status, kind
    ("GET", "/health/live", 200, Kind.API),
    ("GET", "/v1/connections", 401, Kind.API),
    ("POST", "/v1/sessions", 401, Kind.API),
    ("GET", "/v1/nothing", 404, Kind.API),
    ("GET", "/", 404, Kind.API),
    ("DELETE", "/v1/sessions", 405, Kind.API),
    ("GET", "/v1/broken", 500, Kind.API),
    ("GET", "/connect/opening", 404, Kind.PAGE),
    ("GET", "/connect/return/unknown", 404, Kind.PAGE),
    ("POST", "/connect/launch", 410, Kind.PAGE),
    ("PUT", "/connect/launch", 405, Kind.PAGE),
    ("GET", "/connect/nothing", 404, Kind.PAGE),
    ("GET", "/connect/broken", 500, Kind.PAGE),
    ("GET", "/studio/messages", 401, Kind.STUDIO),
    ("GET", "/studio/nothing", 404, Kind.STUDIO),
    ("PUT", "/studio/messages", 405, Kind.STUDIO),
    ("GET", "/studio/broken", 500, Kind.STUDIO),
    ("GET", "/widget/v1/hitchpost.js", 200, Kind.FILE),
    ("GET", "/widget/v1/nothing.js", 404, Kind.API),
    ("GET", "/connect/assets/pages.css", 200, Kind.FILE),
]
POLICY: Final = "Content-Security-Policy"


def test_a59_every_answer_has_the_headers_of_its_kind(database_url: DatabaseUrl, tmp_path: Path) -> None:
    """Data, pages, the Studio and files, on success and on every refusal, the unforeseen one too."""
    app = create_app(production(tmp_path, database_url))

    def broken() -> str:
        raise ValueError("the insides")

    for path in BROKEN.values():
        app.add_url_rule(path, path.replace("/", "_"), broken)
    client = app.test_client()
    for method, path, status, kind in ASKED:
        answer = client.open(path, method=method, headers={"Host": "connect.example.com"})
        assert answer.status_code == status, (method, path, answer.status_code)
        for name, value in TABLE[kind].items():
            # A page's policy names its own script and styles besides.
            loose = name in {"Cache-Control", "Vary"} or (kind, name) == (Kind.PAGE, POLICY)
            assert name in answer.headers if loose else answer.headers.get(name) == value, (path, name)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert answer.headers["X-Request-Id"]
        assert "the insides" not in answer.text
        if kind is not Kind.FILE:
            assert "no-store" in answer.headers["Cache-Control"], path
    page = TABLE[Kind.PAGE]
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "Cross-Origin-Opener-Policy" not in page


def test_a59_a_wrong_method_is_told_the_right_ones(world: World) -> None:
    """405 with Allow on every route of the BFF, for TRACE and for methods that nobody knows."""
    urls = world.bff_app.url_map.bind("x")
    with world.bff_app.test_request_context():
        for rule in world.bff_app.url_map.iter_rules():
            values = dict.fromkeys(rule.arguments, "x") | {"version": "1", "number": 1}
            path = urls.build(rule.endpoint, {name: values[name] for name in rule.arguments})
            for method in ("TRACE", "TRACK", "BREW", "CONNECT"):
                answer = world.bff_app.test_client().open(path, method=method)
                assert answer.status_code == 405, (method, path)
                allowed = {"GET", "POST", "DELETE"} & set(answer.headers["Allow"].split(", "))
                assert allowed, path
                assert allowed >= (rule.methods or set()) - {"HEAD", "OPTIONS"}, path
                assert method not in answer.headers["Allow"]


def test_a59_a_body_that_is_too_large_is_refused(program: Program) -> None:
    """413: a declared one unread, a chunked one when it has grown beyond what its route takes."""
    declared = ask(program, "Content-Length: 99999999", path="/health/live", method="POST")
    assert declared.startswith(b"HTTP/1.1 413 ")
    assert b"payload_too_large" in declared
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    host = program.url.removeprefix("http://").encode()
    head = b"POST /connect/launch HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert program.raw(head + chunk + chunk + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("case", SMUGGLING)
def test_a59_what_two_servers_would_read_differently_is_refused(program: Program, case: str) -> None:
    """Refused: one answer and no second, and the connection ends."""
    answer = program.raw(SMUGGLING[case].replace(b"{h}", program.url.removeprefix("http://").encode()))
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"application/problem+json" in answer
    assert b"nosniff" in answer


def test_a59_a_chunk_that_breaks_off_changes_nothing(program: Program) -> None:
    """A body whose end never comes is no request."""
    host = program.url.removeprefix("http://").encode()
    head = b"POST /connect/launch HTTP/1.1\r\nHost: " + host + b"\r\nTransfer-Encoding: chunked\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\n\r\n40\r\nlaunch_token="
    answer = program.raw(head)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a59_no_answer_names_its_server(program: Program, tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Neither program tells what it is made of, in a good answer, a refusal, or one of the server's own."""
    with run_partner(tmp_path, database_url) as partner:
        for running in (program, partner):
            answers = [
                ask(running, path="/health/live"),
                ask(running, path="/nothing"),
                ask(running, path="/health/live", method="BREW"),
                ask(running, "Host: evil.example"),
                running.raw(b"GARBAGE\r\n\r\n"),
            ]
            for answer in answers:
                head = answer.partition(b"\r\n\r\n")[0].lower()
                assert b"server:" not in head
                assert b"x-powered-by" not in head
                assert not re.search(rb"gunicorn|werkzeug|python|flask", answer.lower())
                assert b"x-content-type-options: nosniff" in head


def test_a59_a_hosts_own_routes_are_its_own(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Mounted in a host's app, only the BFF's own routes have its headers, hosts and refusals."""
    host = Flask("host")
    host.add_url_rule("/", "home", lambda: "home")
    settings = load_settings(
        public_url="http://127.0.0.1:5000/hitchpost",
        database_url=database_url(tmp_path, "bff"),
        secret_keys="3f1d9c27ab5e84f06d2b7c9e51a08f43d6e2b90c7f5a1384",
        partner_api_url="http://127.0.0.1:9",
        partner_service_url="http://127.0.0.1:9",
        partner_client_id=CLIENT_ID,
        partner_client_secret=CLIENT_SECRET,
    )
    Hitchpost(host, settings=settings)
    client = host.test_client()
    for path in ("/", "/nothing"):
        answer = client.get(path, headers={"Host": "any.example"})
        assert (answer.status_code, answer.mimetype) == (200 if path == "/" else 404, "text/html")
        assert set(answer.headers.keys()) <= {"Content-Type", "Content-Length"}
    ours = client.get("/hitchpost/health/live")
    assert ours.headers["Content-Security-Policy"] == TABLE[Kind.API]["Content-Security-Policy"]
    assert ours.headers["X-Request-Id"]
