"""The proxy files of deploy/, as Debian's nginx and Caddy run them: they serve, and log no secret."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import requests

from tests.packaging.test_operations import NGINX, Through, certificates
from tests.support.databases import sqlite_url
from tests.support.ports import free_port
from tests.support.programs import ROOT, Program, run_bff, run_partner
from tests.support.waiting import wait_for

CADDY: Final = shutil.which("caddy")
BFF, PARTNER = "https://connect.example.com", "https://partner.example.com"
SECRET: Final = "canary-0123456789"
NAMES: Final = ("nginx", "caddy")


@dataclass
class Proxy:
    """A running proxy: the ports that it listens on, and what it writes."""

    folder: Path
    https: int
    http: int

    def browser(self) -> requests.Session:
        """Somebody outside."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.folder / "ca.pem")
        session.mount("https://", Through(self.https))
        return session

    def said(self) -> str:
        """All that it has written to any log."""
        return "".join(path.read_text(errors="replace") for path in self.folder.rglob("*.log"))

    def dial(self) -> ssl.SSLSocket:
        """A connection whose handshake is done."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=20)
        return context.wrap_socket(plain, server_hostname="connect.example.com")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Program]]:
    """Both programs, one worker each, behind one proxy."""
    folder = tmp_path_factory.mktemp("proxied")
    hosts = {"proxy_hops": "1", "trusted_hosts": "connect.example.com,partner.example.com"}
    with (
        run_bff(folder, sqlite_url, **hosts) as bff,
        run_partner(folder, sqlite_url, **hosts) as partner,
    ):
        yield bff, partner


@pytest.fixture(scope="module", params=NAMES)
def proxy(
    request: pytest.FixtureRequest,
    programs: tuple[Program, Program],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    """The proxy with the shipped file, in which ports, paths and the certificate are this machine's."""
    if not (Path(NGINX).is_file() if request.param == "nginx" else CADDY):
        pytest.skip(f"no {request.param} here; on Debian: apt-get install {request.param}")
    made = Proxy(tmp_path_factory.mktemp(request.param), free_port(), free_port())
    certificates(made.folder)
    start = start_nginx if request.param == "nginx" else start_caddy
    with start(made, *(program.url.removeprefix("http://") for program in programs)):
        yield made


@contextlib.contextmanager
def start_nginx(proxy: Proxy, bff: str, partner: str) -> Iterator[None]:
    """As Debian's own nginx.conf includes it."""
    root = proxy.folder
    (root / "var/log/nginx").mkdir(parents=True)
    text = (ROOT / "deploy/nginx.conf").read_text()
    text = text.replace("/etc/letsencrypt", f"{root}/etc/letsencrypt").replace("/var/log", f"{root}/var/log")
    text = text.replace("127.0.0.1:8001", bff).replace("127.0.0.1:8002", partner)
    text = text.replace("listen 443", f"listen 127.0.0.1:{proxy.https}")
    text = text.replace("listen 80", f"listen 127.0.0.1:{proxy.http}")
    temporary = "".join(
        f"{kind}_temp_path {root}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (root / "nginx.conf").write_text(
        f"pid {root}/pid;\nerror_log {root}/main.log;\ndaemon off;\nevents {{ worker_connections 768; }}\n"
        f"http {{\n{temporary}{text}\n}}\n"
    )
    command = [NGINX, "-p", str(root), "-c", str(root / "nginx.conf")]
    with running([*command], proxy):
        yield


@contextlib.contextmanager
def start_caddy(proxy: Proxy, bff: str, partner: str) -> Iterator[None]:
    """With the test's certificate in place of one that Caddy would fetch, and nobody to administer it.

    It waits for a program that restarts for a second, and not for ten.
    """
    text = (ROOT / "deploy/Caddyfile").read_text().replace("lb_try_duration 10s", "lb_try_duration 1s")
    ports = (
        f"{{\n\tadmin off\n\thttp_port {proxy.http}\n\thttps_port {proxy.https}\n\tdefault_bind 127.0.0.1\n"
    )
    text = text.replace("{\n", ports, 1)
    text = text.replace("127.0.0.1:8001", bff).replace("127.0.0.1:8002", partner)
    tls = f"\ttls {proxy.folder}/ca.pem {proxy.folder}/key.pem\n"
    for name in ("connect.example.com", "partner.example.com"):
        text = text.replace(f"\n{name} {{\n", f"\n{name} {{\n{tls}")
    (proxy.folder / "Caddyfile").write_text(text)
    command = [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(proxy.folder / "Caddyfile")]
    with running(command, proxy):
        yield


@contextlib.contextmanager
def running(command: list[str], proxy: Proxy) -> Iterator[None]:
    """Start it, and wait until it takes connections."""
    plain = os.environ | {"XDG_DATA_HOME": str(proxy.folder), "XDG_CONFIG_HOME": str(proxy.folder)}
    with (proxy.folder / "output.log").open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=plain)
    try:
        wait_for(lambda: process.poll() is not None or takes(proxy.https))
        assert process.poll() is None, proxy.said()
        yield
    finally:
        process.terminate()
        process.wait(30)


def takes(port: int) -> bool:
    """Whether anybody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a67_the_shipped_file_serves_both_programs(proxy: Proxy) -> None:
    """Over TLS, each by its name, with the client's address; bodies beyond the limit end at the proxy."""
    with proxy.browser() as browser:
        for url in (BFF, PARTNER):
            answer = browser.get(f"{url}/health/ready", timeout=20)
            assert answer.ok
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            assert "gunicorn" not in answer.headers.get("Server", "")
        large = browser.post(f"{BFF}/v1/attempts", data=b"x" * 5_000_000, timeout=20)
        assert large.status_code == 413


def test_a67_the_shipped_file_sends_nobody_to_a_host_of_their_choice(proxy: Proxy) -> None:
    """Port 80 leads to the two names, whatever ``Host`` says; another name ends there or at the handshake."""
    url = f"http://127.0.0.1:{proxy.http}/x"
    for name in ("connect.example.com", "partner.example.com"):
        answer = requests.get(url, headers={"Host": name}, allow_redirects=False, timeout=20)
        assert answer.headers["Location"].startswith(f"https://{name}")
    for name in ("evil.example", "connect.example.com.evil.example", "127.0.0.1"):
        try:
            answer = requests.get(url, headers={"Host": name}, allow_redirects=False, timeout=20)
        except requests.ConnectionError:
            continue
        assert "evil" not in answer.headers.get("Location", "")
        assert not answer.is_redirect
    with proxy.browser() as browser, pytest.raises(requests.exceptions.SSLError):
        browser.get("https://unknown.example.com/", timeout=20)


def test_a67_the_shipped_file_logs_no_query(proxy: Proxy, programs: tuple[Program, Program]) -> None:
    """Neither of what is served, nor of what fails: here the program is away, and a body breaks off."""
    bff, _ = programs
    with proxy.browser() as browser:
        browser.get(f"{BFF}/connect/return/{SECRET}?token={SECRET}", timeout=20)
        # Its master stands still and its workers are gone: nobody answers.
        bff.process.send_signal(signal.SIGSTOP)
        try:
            for each in workers_of(bff):
                os.kill(each, signal.SIGKILL)
            with contextlib.suppress(requests.RequestException):
                browser.get(f"{BFF}/connectorauth/x?token={SECRET}", headers={"Cookie": SECRET}, timeout=2)
        finally:
            bff.process.send_signal(signal.SIGCONT)
        wait_for(lambda: browser.get(f"{BFF}/health/ready", timeout=20).ok)
        with contextlib.closing(proxy.dial()) as client:
            client.sendall(
                f"POST /connect/launch?token={SECRET} HTTP/1.1\r\nHost: connect.example.com\r\n"
                "Content-Length: 100\r\n\r\nhalf".encode()
            )
        browser.get(f"{BFF}/health/live", timeout=20)
    assert SECRET not in proxy.said()
    assert not re.search(r"[?&]token=", proxy.said())


def test_a_page_goes_on_by_itself_while_a_program_restarts(proxy: Proxy) -> None:
    """A reader's page asks again. A form is not sent twice: the sign-in window begins anew."""
    away, opening = free_port(), f"{BFF}/connect/opening?product=demo&origin=https://app.example"
    another = Proxy(proxy.folder / "away", free_port(), free_port())
    another.folder.mkdir()
    certificates(another.folder)
    is_nginx = (proxy.folder / "nginx.conf").is_file()
    start = start_nginx if is_nginx else start_caddy
    with start(another, f"127.0.0.1:{away}", f"127.0.0.1:{away}"), another.browser() as browser:
        for url in (
            f"{BFF}/connect/complete/att_x?code={SECRET}",
            f"{PARTNER}/connector/callback?code={SECRET}",
        ):
            page = browser.get(url, headers={"Accept-Language": "de-DE,de;q=0.9"}, timeout=40)
            assert (page.status_code, page.headers["Refresh"]) == (503, "3")
            assert page.headers["Content-Type"].startswith("text/html")
            assert not is_nginx or "von selbst" in page.content.decode()
        if is_nginx:
            form = browser.post(f"{BFF}/connect/launch", headers={"Referer": opening}, timeout=40)
            assert (form.status_code, form.headers["Refresh"]) == (503, f"3; url={opening}")
            for referer in (f"{PARTNER}/connect/opening?x", "https://evil.example/connect/opening?", ""):
                form = browser.post(f"{BFF}/connect/launch", headers={"Referer": referer}, timeout=40)
                assert "Refresh" not in form.headers
    assert SECRET not in another.said()


def workers_of(program: Program) -> list[int]:
    """The ids of its workers."""
    there = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children")
    return [int(number) for number in there.read_text().split()]


def test_a67_slow_clients_of_the_proxy_hold_nobody_up(proxy: Proxy) -> None:
    """A hundred bodies that do not come to their end, and as many silent connections, beside quick ones."""
    head = b"POST /connect/launch HTTP/1.1\r\nHost: connect.example.com\r\nContent-Length: 900\r\n\r\nx"
    with contextlib.ExitStack() as stack, proxy.browser() as browser:
        for number in range(200):
            client = stack.enter_context(contextlib.closing(proxy.dial()))
            if number % 2:
                client.sendall(head)
        for path in ("/health/live", "/health/ready", "/connect/opening?product=none"):
            answer = browser.get(f"{BFF}{path}", timeout=5)
            assert answer.status_code in {200, 404}
            assert answer.elapsed.total_seconds() < 2
