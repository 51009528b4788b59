"""Nothing that opens the partner service or a third party's account ever reaches a browser (A1)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

import pytest
import requests

from tests.support.databases import DatabaseUrl
from tests.support.recorder import Recorder
from tests.support.studio import open_studio
from tests.support.world import CLIENT_SECRET, HOST, SANDBOX_SECRET, World, open_world

pytestmark = pytest.mark.one_database


@dataclass
class Recorded:
    """A world whose three programs are listened to."""

    world: World
    bff: Recorder
    partner: Recorder
    sandbox: Recorder

    def canaries(self) -> set[str]:
        """Every bearer token that the programs used among themselves, and their secrets."""
        third_party = [
            json.loads(answer.sent.partition("\n{")[1][1:] + answer.sent.partition("\n{")[2])
            for answer in self.sandbox.seen
            if answer.path.endswith("/token") and answer.sent.startswith("200")
        ]
        tokens = {given[name] for given in third_party for name in ("access_token", "refresh_token")}
        upstream = {
            asked.authorization.removeprefix("Bearer ")
            for asked in self.partner.seen
            if asked.authorization.startswith("Bearer ")
        }
        assert len(tokens) >= 2
        assert len(upstream) >= 1
        return tokens | upstream | {CLIENT_SECRET, SANDBOX_SECRET}

    def to_browsers(self) -> str:
        """All that the BFF said, and what the partner service's pages said."""
        pages = [told for told in self.partner.seen if told.path.startswith(("/connector", "/static"))]
        assert pages
        return "\n".join(told.sent for told in [*self.bff.seen, *pages])


@pytest.fixture
def recorded(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[Recorded]:
    """BFF, partner service and sandbox, each behind a recorder."""
    bff, partner, sandbox = Recorder(), Recorder(), Recorder()
    with open_world(tmp_path_factory.mktemp("recorded"), database_url=database_url) as world:
        world.bff_app.wsgi_app = bff.around(world.bff_app.wsgi_app)  # type: ignore[method-assign]
        world.partner_calls.app = partner.around(world.partner_calls.app)
        world.sandbox_calls.app = sandbox.around(world.sandbox_calls.app)
        yield Recorded(world, bff, partner, sandbox)


def forms(secret: str) -> set[str]:
    """A secret as it is, and as it may be hidden in a URL, a cookie or a token."""
    raw = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), raw.rstrip("="), raw.translate({43: "-", 47: "_"}).rstrip("=")}


def play(world: World) -> None:
    """Every way in which a browser meets the two programs."""
    token = world.session()
    world.page("GET", "/v1/config", token)
    requests.get(f"{world.bff}/connect/opening?product=demo&origin={HOST}", timeout=20)
    for connector, decision in (("sandbox", "allow"), ("sandbox", "deny"), ("sandbox-broken", "allow")):
        attempt = world.connect(token, connector, decision)
        world.page("GET", f"/v1/attempts/{attempt}?hint=message", token)
        world.read(attempt)
    first = world.connect(token, "sandbox-stranger")
    world.read(first)
    again = world.begin(token, "sandbox-stranger")
    world.sign_in(world.launch(again["launch_token"]).headers["Location"], account="grace@sandbox.example")
    second = again["id"]
    assert world.read(second)["status"] == "failed"
    assert world.page("POST", f"/v1/attempts/{second}/accept", token, json={}).status_code == 200
    returning = world.begin(token, delivery="return", return_url=HOST + "/")
    last = world.sign_in(world.launch(returning["launch_token"]).headers["Location"])
    requests.post(last.url, headers={"Origin": world.bff}, timeout=20)
    used = world.begin(token)["launch_token"]
    world.launch(used, origin=None)
    world.launch(used)
    world.launch(used)
    world.server("GET", f"/v1/connections?account={world.account}")
    with open_studio(world) as studio:
        editor = studio.editor()
        for page in ("messages", "connectors", "try", "changes", "history", "news", "session", "preview"):
            editor.get(page)


def test_a1_no_bearer_reaches_a_browser(recorded: Recorded) -> None:
    """After whole sign-ins of every ending, no answer holds one: not its body, headers or cookies."""
    play(recorded.world)
    told = recorded.to_browsers()
    told += unquote(told)
    for canary in recorded.canaries():
        assert len(canary) >= 14
        for hidden in forms(canary):
            assert hidden not in told
    # The scan sees what there is to see: a session token, a launch token and a nonce stand there.
    assert "launch_token" in told
    assert "callbackMessage" in told
    assert "Set-Cookie: hitchpost_studio=" in told
