"""The receivers in docs/webhooks.md do what the page says: each is run as it stands there."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import requests

from bff.common.secret import Secret
from bff.serving.destinations import Policy
from bff.webhooks.sender import Sender
from bff.webhooks.signing import headers
from tests.support.ports import free_ports
from tests.support.receiver import new_secret
from tests.support.waiting import wait_for

ROOT: Final = Path(__file__).parents[2]
DJANGO: Final = """
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="s" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF="hooks.urls", INSTALLED_APPS=["hooks"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "events.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
call_command("migrate", run_syncdb=True, verbosity=0)
make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application()).serve_forever()
"""
URLS: Final = """
from django.urls import path
from . import views
urlpatterns = [path("hitchpost", views.hitchpost)]
"""
EVENT: Final = (
    '{"id":"evt_1","type":"attempt.settled","created_at":"2026-01-31T12:00:00+00:00","product":"demo",'
    '"data":{"id":"att_1","status":"connected","account":"acme é 日","connector":"crm"}}'
)


def documented(name: str) -> str:
    """A receiver as the page has it."""
    page = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- receiver: {re.escape(name)} -->\n```\w+\n(.*?)```", page, re.DOTALL)
    assert found, name
    return found[1]


@dataclass
class Program:
    """A receiver that runs, and what it printed."""

    url: str
    secret: str
    output: Path

    def send(self, event: str = EVENT, *, at: datetime | None = None, by: str | None = None) -> int | None:
        """Deliver an event as Hitchpost does; the answer's status."""
        signed = headers([Secret(by or self.secret)], "evt_1", at or datetime.now(UTC), event)
        return Sender(Policy(loopback=True)).send(self.url, event, signed).status

    @property
    def handled(self) -> int:
        """How often it did its work."""
        return self.output.read_text(encoding="utf-8").count("connected crm")


@contextlib.contextmanager
def run(folder: Path, command: list[str], port: int) -> Iterator[Program]:
    """Run one until the block ends."""
    secret, output = new_secret(), folder / "output"
    environment = os.environ | {
        "HITCHPOST_WEBHOOK_SECRET": secret,
        "PORT": str(port),
        "PYTHONPATH": str(folder),
        "PYTHONIOENCODING": "utf-8",
    }
    with output.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/hitchpost"
        wait_for(lambda: _answers(url) or process.poll() is not None, 60)
        assert process.poll() is None, output.read_text()
        yield Program(url, secret, output)
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.post(url, data=b"{}", timeout=5).status_code == 400
    return False


@pytest.fixture(params=["flask", "django", "express"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """Each of them, on a port of its own."""
    [port] = free_ports(1)
    if request.param == "flask":
        (tmp_path / "receiver.py").write_text(documented("flask"), encoding="utf-8")
        command = [sys.executable, "-m", "flask", "--app", "receiver", "run", "--port", str(port)]
    elif request.param == "django":
        hooks = tmp_path / "hooks"
        hooks.mkdir()
        (hooks / "__init__.py").touch()
        (hooks / "urls.py").write_text(URLS)
        for name in ("models.py", "views.py"):
            (hooks / name).write_text(documented(f"django {name}"), encoding="utf-8")
        (tmp_path / "server.py").write_text(DJANGO)
        command = [sys.executable, "server.py", str(port)]
    else:
        if not (ROOT / "node_modules/express").is_dir():
            pytest.skip("express is not installed")
        (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
        (tmp_path / "receiver.mjs").write_text(documented("express"), encoding="utf-8")
        command = ["node", "receiver.mjs"]
    with run(tmp_path, command, port) as program:
        yield program


def test_a91_a_receiver_takes_what_is_genuine_once_and_nothing_else(receiver: Program) -> None:
    """Signed by us: handled. Again: answered, not handled. Forged, changed, old or broken: refused."""
    forged = new_secret()
    late, early = (datetime.now(UTC) + timedelta(minutes=by) for by in (-6, 6))
    assert receiver.send(by=forged) == 400
    assert receiver.send(at=late) == 400
    assert receiver.send(at=early) == 400
    signed = headers([Secret(receiver.secret)], "evt_1", datetime.now(UTC), EVENT)
    for changed in (
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": str(int(signed["webhook-timestamp"]) + 1)},
        {"webhook-timestamp": "nan"},
        {"webhook-signature": "v1," + b64encode(bytes(32)).decode()},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1a,x v1,%%%"},
        {"webhook-signature": ""},
    ):
        sent = {**signed, **changed, "Content-Type": "application/json"}
        assert requests.post(receiver.url, data=EVENT.encode(), headers=sent, timeout=10).status_code == 400
    assert receiver.send(EVENT.replace("acme", "evil"), by=forged) == 400
    assert receiver.handled == 0
    assert receiver.send() == 204
    assert receiver.send() == 204, "what was handled is answered all the same, or it would come again"
    wait_for(lambda: receiver.handled, 10)
    assert receiver.handled == 1


def test_a_receiver_takes_either_secret_while_it_is_rotated(receiver: Program) -> None:
    """Two signatures, of which it knows one."""
    both = [Secret(new_secret()), Secret(receiver.secret)]
    signed = headers(both, "evt_1", datetime.now(UTC), EVENT)
    assert Sender(Policy(loopback=True)).send(receiver.url, EVENT, signed).status == 204
