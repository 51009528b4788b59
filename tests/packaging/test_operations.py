"""docs/operations.md is run: its blocks, in order, with the units and the nginx configuration of deploy/."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support.ports import free_port
from tests.support.postgresql import NoPostgresql, PostgresqlServer, private_postgresql
from tests.support.programs import ROOT
from tests.support.servers import serve
from tests.support.waiting import wait_for
from tests.support.world import SANDBOX_SECRET, build_sandbox

NGINX: Final = "/usr/sbin/nginx"
HOST: Final = "https://app.example.com"
PRODUCT: Final = "shop"
BFF, PARTNER = "https://connect.example.com", "https://partner.example.com"
LOOKS: Final = 0.25
"""Seconds between two looks at a program that starts: each look is two handshakes of TLS, on its cores."""
BLOCK: Final = re.compile(r"<!-- replay -->\n```bash\n(.*?)```", re.DOTALL)


class Through(HTTPAdapter):
    """Reaches every https name at nginx's own port, and believes the test's certificates only."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Another address, the same name in TLS."""
        where, how = super().build_connection_pool_key_attributes(request, verify, cert)
        name = where["host"]
        if name == "127.0.0.1":
            return where, how
        return where | {"host": "127.0.0.1", "port": self._port}, how | {
            "server_hostname": name,
            "assert_hostname": name,
        }

    def send(self, request: Any, *arguments: Any, **options: Any) -> Any:
        """The same name in HTTP; gone again before a redirect, whose cookies requests would choose by it."""
        request.headers["Host"] = urlsplit(request.url).netloc
        try:
            return super().send(request, *arguments, **options)
        finally:
            request.headers.pop("Host", None)


@dataclass
class Machine:
    """A machine below a folder, with ports of its own."""

    root: Path
    database: PostgresqlServer
    sandbox: str
    ports: dict[str, int] = field(default_factory=dict)

    def adapted(self, text: str) -> str:
        """All that differs from a real machine: where its files are, its ports, users, and its size."""
        for folder in ("/etc/", "/opt/", "/var/lib/", "/var/log/", "/var/backups/", "/usr/local/sbin/"):
            text = re.sub(rf"(?<![\w.-]){folder}", f"{self.root}{folder}", text)
        text = text.replace("/var/run/postgresql", str(self.database.folder))
        for standing, own in (
            ("127.0.0.1:8001", "bff"),
            ("127.0.0.1:8002", "partner"),
            ("127.0.0.1:8011", "second"),
        ):
            text = text.replace(standing, f"127.0.0.1:{self.ports[own]}")
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{self.ports['https']} ssl")
        text = text.replace("listen 80", f"listen 127.0.0.1:{self.ports['http']}")
        text = text.replace("https://crm.example.com", f"https://127.0.0.1:{self.ports['crm']}")
        text = text.replace("the-secret-that-the-crm-gave", SANDBOX_SECRET)
        # Each worker of each start loads the whole program; that several serve, tests/serving shows.
        text = text.replace('HITCHPOST_WORKERS="2"', 'HITCHPOST_WORKERS="1"')
        # The third party is on this machine too, at an address that is not public.
        text = text.replace("\nCRM_CLIENT", '\nHITCHPOST_EMBEDDED_ALLOWED_NETWORKS="127.0.0.0/8"\nCRM_CLIENT')
        text = re.sub(r"sudo -u \w+ ", "", text)
        return text.replace(" -o hitchpost -g hitchpost", "")

    def run(self, block: str) -> str:
        """Run one block as the page has it; what it printed."""
        path = f"{self.root}/bin:{os.environ['PATH']}"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
        own = {"PATH": path, "PGHOST": str(self.database.folder), "PGUSER": "root"}
        script = self.root / "block.sh"
        script.write_text("set -euo pipefail\n" + self.adapted(block))
        said = self.root / "said.txt"
        with said.open("w") as output:
            done = subprocess.run(
                ["bash", str(script)],
                cwd=self.root / "checkout",
                env=plain | own,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                check=False,
                timeout=150,
            )
        logs = "".join(log.read_text()[-3000:] for log in (self.root / "run").glob("*.log"))
        assert done.returncode == 0, f"{block}\n{said.read_text()}\n{logs}"
        return said.read_text()

    def browser(self) -> requests.Session:
        """Somebody outside, who reaches the machine through nginx."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.root / "ca.pem")
        session.mount("https://", Through(self.ports["https"]))
        return session

    def is_ready(self) -> bool:
        """Whether both programs say so, through nginx."""
        with self.browser() as browser:
            return all(browser.get(f"{each}/health/ready", timeout=20).ok for each in (BFF, PARTNER))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """An empty machine with PostgreSQL, nginx and a third party."""
    if not Path(NGINX).is_file():
        pytest.skip("no nginx here; on Debian: apt-get install nginx")
    if os.geteuid() != 0:
        pytest.skip("the page's commands are run as root")
    root = tmp_path_factory.mktemp("machine")
    redirects = [f"{PARTNER}/connector/callback"]
    try:
        with private_postgresql() as database, serve(lambda url: build_sandbox(url, redirects)) as sandbox:
            made = Machine(root, database, sandbox)
            made.ports = {name: free_port() for name in ("bff", "partner", "second", "https", "http", "crm")}
            prepare(made)
            yield made
            for name in ("hitchpost", "hitchpost-2", "hitchpost-partner"):
                subprocess.run([str(root / "bin/systemctl"), "stop", name], check=False)
            if (root / "run/nginx.pid").is_file():
                subprocess.run([str(root / "bin/nginx"), "-s", "stop"], check=False)
    except NoPostgresql as error:
        pytest.skip(str(error))


def prepare(machine: Machine) -> None:
    """What the page's first block installs, and what Debian's packages and certbot bring along."""
    root = machine.root
    folders: tuple[str, ...] = (
        "bin",
        "run",
        "checkout",
        "opt/hitchpost/bin",
        "etc/systemd/system",
        "etc/nginx/conf.d",
    )
    folders += ("etc/nginx/sites-enabled",)
    for folder in (*folders, "var/lib/hitchpost", "var/log/nginx", "var/backups", "usr/local/sbin"):
        (root / folder).mkdir(parents=True)
    # As where an administrator has added an authority to those that the machine believes.
    (root / "authorities/certifi").mkdir(parents=True)
    where = f'def where():\n    return "{root}/ca.pem"\n'
    (root / "authorities/certifi/__init__.py").write_text(where)
    python = f'exec env PYTHONPATH={root}/authorities:{ROOT} {sys.executable} "$@"'
    program(root / "opt/hitchpost/bin/python", python)
    program(root / "opt/hitchpost/bin/hitchpost", python.replace('"$@"', '-m bff "$@"'))
    stand_in = Path(__file__).parents[1] / "support/fake_systemctl.py"
    program(root / "bin/systemctl", f'PATH={root}/bin:$PATH exec {sys.executable} {stand_in} {root} "$@"')
    program(root / "bin/nginx", f'exec {NGINX} -p {root} -c {root}/nginx.conf "$@"')
    (root / "nginx.conf").write_text(
        f"pid {root}/run/nginx.pid;\nerror_log {root}/var/log/nginx/error.log;\nevents {{}}\nhttp {{\n"
        + "".join(
            f"{kind}_temp_path {root}/run/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"include {root}/etc/nginx/conf.d/*.conf;\ninclude {root}/etc/nginx/sites-enabled/*;\n"
        # The third party speaks TLS, as each does that is not on a developer's machine.
        + f"server {{ listen 127.0.0.1:{machine.ports['crm']} ssl; ssl_certificate {root}/ca.pem;\n"
        + f"ssl_certificate_key {root}/key.pem; location / {{ proxy_pass {machine.sandbox}; }} }}\n}}\n"
    )
    # Debian's welcome page.
    welcome = f"server {{ listen 127.0.0.1:{machine.ports['http']} default_server; server_name _; }}\n"
    (root / "etc/nginx/sites-enabled/default").write_text(welcome)
    shutil.copytree(ROOT / "deploy", root / "checkout/deploy")
    for path in (root / "checkout/deploy").iterdir():
        path.write_text(machine.adapted(path.read_text()))
    certificates(root)


def program(path: Path, line: str) -> None:
    """A program of one line."""
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def certificates(root: Path) -> None:
    """What certbot would have fetched: one certificate, signed by itself, for both names."""
    names = "subjectAltName=DNS:connect.example.com,DNS:partner.example.com,IP:127.0.0.1"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "2", "-subj", "/CN=connect.example.com", "-addext", names]
    command += ["-keyout", str(root / "key.pem"), "-out", str(root / "ca.pem")]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("connect.example.com", "partner.example.com"):
        folder = root / f"etc/letsencrypt/live/{name}"
        folder.mkdir(parents=True)
        shutil.copy(root / "ca.pem", folder / "fullchain.pem")
        shutil.copy(root / "key.pem", folder / "privkey.pem")


def connect(machine: Machine, key: str) -> str:
    """One whole click through nginx, over TLS; how it ended."""
    with machine.browser() as browser:
        who = {"user": {"id": "ada"}, "account": {"id": "acme"}}
        server = {"Authorization": f"Bearer {key}"}
        token = browser.post(f"{BFF}/v1/sessions", json=who, headers=server, timeout=30).json()["token"]
        page = {"Authorization": f"Bearer {token}", "Origin": HOST, "X-Hitchpost": "1"}
        begun = browser.post(f"{BFF}/v1/attempts", json={"connector": "crm"}, headers=page, timeout=30).json()
        launched = browser.post(
            f"{BFF}/connect/launch",
            data={"launch_token": begun["launch_token"], "product": PRODUCT, "origin": HOST},
            headers={"Origin": BFF},
            allow_redirects=False,
            timeout=30,
        )
        assert launched.status_code == 303, launched.text
        consent = browser.get(launched.headers["Location"], timeout=30)
        request = re.search(r'name="request" value="([^"]+)"', consent.text)
        assert request, consent.text
        form = {"request": request[1], "account": "ada@crm.example", "decision": "allow"}
        finished = browser.post(consent.url, data=form, timeout=30)
        assert finished.ok, (finished.url, finished.text)
        url = f"{BFF}/v1/attempts/{begun['id']}?hint=message"
        return str(browser.get(url, headers=server, timeout=30).json()["status"])


@pytest.mark.timeout(900)
def test_the_page_on_operations_is_true(machine: Machine) -> None:
    """From nothing to two BFFs behind nginx, by way of a restore, new keys and a reload, block by block."""
    blocks = BLOCK.findall((ROOT / "docs/operations.md").read_text())
    databases, settings, check, start, tls, health, backup, restore, keys, encryption, change, second = blocks
    for block in (databases, settings):
        machine.run(block)
    assert stat.S_IMODE((machine.root / "etc/hitchpost/bff.env").stat().st_mode) == 0o600
    assert "the settings are sound" in machine.run(check)
    # A database that a command makes is for the program's user alone, as one that the unit makes.
    assert machine.run("/usr/local/sbin/hitchpost-with bff sh -c umask").strip() == "0077"
    machine.run(start)
    machine.run(tls)
    wait_for(machine.is_ready, every=LOOKS)
    assert "ok" in machine.run(health)
    products = tomllib.loads((machine.root / "etc/hitchpost/products.toml").read_text())
    key = products["product"][0]["secret_keys"][0]
    assert connect(machine, key) == "connected"
    check_edge(machine)

    machine.run(backup)
    with machine.browser() as browser:
        headers = {"Authorization": f"Bearer {key}"}
        before = browser.get(f"{BFF}/v1/connections?account=acme", headers=headers, timeout=30).json()
        assert [item["authenticated"] for item in before["connections"]] == [True]
    machine.run(restore)
    wait_for(machine.is_ready, every=LOOKS)
    with machine.browser() as browser:
        after = browser.get(f"{BFF}/v1/connections?account=acme", headers=headers, timeout=30).json()
    assert after == before

    told = machine.run(keys)
    assert [line.split()[2] for line in told.splitlines()[:2]] == ["signs", "verifies"]
    assert "k1" not in machine.run(encryption)
    assert "k1:" not in (machine.root / "etc/hitchpost/partner.env").read_text()
    wait_for(machine.is_ready, every=LOOKS)
    machine.run(change)
    wait_for(lambda: product_name(machine, key) == "The Shop", every=LOOKS)
    assert connect(machine, key) == "connected"
    machine.run(second)
    subprocess.run([str(machine.root / "bin/systemctl"), "stop", "hitchpost"], check=True)
    wait_for(lambda: takes_calls(machine, key), every=LOOKS)
    assert connect(machine, key) == "connected"
    no_secret_in_nginx(machine, key)


def takes_calls(machine: Machine, key: str) -> bool:
    """Whether a call of the host's server gets through: what a stopping BFF took is not sent again."""
    with machine.browser() as browser:
        who = {"user": {"id": "ada"}, "account": {"id": "acme"}}
        server = {"Authorization": f"Bearer {key}"}
        return browser.post(f"{BFF}/v1/sessions", json=who, headers=server, timeout=30).ok


def check_edge(machine: Machine) -> None:
    """What the page promises of the proxy in front."""
    with machine.browser() as browser:
        answer = browser.get(f"{BFF}/health/live", headers={"X-Forwarded-For": "203.0.113.9"}, timeout=30)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert answer.headers["Server"] == "nginx"
        with pytest.raises(requests.exceptions.SSLError):
            browser.get("https://unknown.example.com/", timeout=30)
    plain = requests.get(
        f"http://127.0.0.1:{machine.ports['http']}/x",
        headers={"Host": "connect.example.com"},
        allow_redirects=False,
        timeout=30,
    )
    assert plain.headers["Location"] == f"{BFF}/x"
    log = (machine.root / "run/hitchpost.log").read_text()
    assert '"client": "127.0.0.1"' in log
    assert "203.0.113.9" not in log


def product_name(machine: Machine, key: str) -> str:
    """The product's name, as a page is told it; every question is answered while workers change."""
    with machine.browser() as browser:
        who = {"user": {"id": "ada"}, "account": {"id": "acme"}}
        server = {"Authorization": f"Bearer {key}"}
        token = browser.post(f"{BFF}/v1/sessions", json=who, headers=server, timeout=30).json()["token"]
        page = {"Authorization": f"Bearer {token}", "Origin": HOST, "X-Hitchpost": "1"}
        return str(browser.get(f"{BFF}/v1/config", headers=page, timeout=30).json()["product"]["name"])


def no_secret_in_nginx(machine: Machine, key: str) -> None:
    """Nginx's logs have neither paths nor queries."""
    text = "".join(path.read_text() for path in (machine.root / "var/log/nginx").iterdir())
    assert " POST 303 " in text
    for secret in (key, "token=", "connectorauth", "/connect/"):
        assert secret not in text
