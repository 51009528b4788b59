"""What is minted for one browser is told to nobody else, is good once, and decides nothing by itself."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bff.connect.attempt import Hint
from bff.testing import Running
from tests.support.stack import run_demo
from tests.support.world import HOST, World, open_world

pytestmark = pytest.mark.one_database

SECRET_PARAMETERS: Final = ("token", "state", "code", "code_challenge", "callbackMessage")
PROGRAMS: Final = ("bff", "partner")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`hitchpost serve`, `hitchpost partner` and the sandbox as programs, their output kept in files."""
    folder = tmp_path_factory.mktemp("canary")
    with run_demo(folder, {"HITCHPOST_SAME_BROWSER": "required"}) as stack:
        yield stack


@dataclass
class Canary:
    """One person's browser, which remembers every secret that passed through it, and who was told what."""

    stack: Running
    browser: requests.Session = field(default_factory=requests.Session)
    secrets: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """Sign in to the host, and prepare an attempt."""
        key, stack = {"Authorization": f"Bearer {self.stack.secret_key}"}, self.stack
        body = {"user": {"id": "ada", "email": "canary@ada.example"}, "account": {"id": "canary"}}
        token = requests.post(f"{stack.bff}/v1/sessions", json=body, headers=key, timeout=20).json()["token"]
        page = {"Authorization": f"Bearer {token}", "Origin": stack.host, "X-Hitchpost": "1"}
        asked = {"connector": "sandbox"}
        begun = requests.post(f"{stack.bff}/v1/attempts", json=asked, headers=page, timeout=20).json()
        self.secrets |= {"host's secret key": stack.secret_key, "session token": token}
        self.secrets |= {"launch token": begun["launch_token"], "callback message": begun["callback_message"]}
        self.secrets["nonce"] = re.findall(r'"nonce": ?"([^"]+)"', begun["callback_message"])[0]

    def press(self) -> requests.Response:
        """The page tells that its button goes down."""
        form, page = {"launch_token": self.secrets["launch token"]}, {"Origin": self.stack.host}
        return requests.post(f"{self.stack.bff}/v1/press", data=form, headers=page, timeout=20)

    def launch(self) -> requests.Response:
        """The popup's POST."""
        return self.browser.post(
            f"{self.stack.bff}/connect/launch",
            data={
                "launch_token": self.secrets["launch token"],
                "product": self.stack.product,
                "origin": self.stack.host,
            },
            headers={"Origin": self.stack.bff},
            allow_redirects=False,
            timeout=30,
        )

    def follow(self, answer: requests.Response) -> requests.Response:
        """Go where it leads, and remember what stands in each URL on the way, and in the cookies."""
        while "Location" in answer.headers:
            url = answer.headers["Location"]
            self._remember(url, answer.headers.get("Referrer-Policy", ""))
            answer = self.browser.get(url, allow_redirects=False, timeout=30)
            self.policies[url] = answer.headers.get("Referrer-Policy", "")
        for cookie in self.browser.cookies:
            self.secrets[f"cookie {cookie.name}"] = cookie.value or ""
        return answer

    def consent(self, page: requests.Response) -> requests.Response:
        """The person allows."""
        found = re.search(r'name="request" value="([^"]+)"', page.text)
        assert found, page.text
        form = {"request": found[1], "account": "canary@sandbox.example", "decision": "allow"}
        return self.browser.post(page.url, data=form, allow_redirects=False, timeout=30)

    def _remember(self, url: str, policy: str) -> None:
        parts = urlsplit(url)
        for name, values in parse_qs(parts.query).items():
            if name in SECRET_PARAMETERS:
                self.secrets[f"{parts.path} {name}"] = values[0]
        if parts.path.startswith("/connectorauth/finished/"):
            self.secrets["id of the last page"] = parts.path.rpartition("/")[2]
        self.policies[f"redirect to {parts.path}"] = policy


def written(stack: Running) -> str:
    """All that the two programs have said on stdout and stderr."""
    return "".join((stack.folder / f"{program}.log").read_text(errors="replace") for program in PROGRAMS)


def leaked(canary: Canary, text: str) -> list[str]:
    """Which of the secrets stand there, as they are or as part of a URL."""
    quoted = {name: requests.utils.quote(value, safe="") for name, value in canary.secrets.items()}
    return [name for name, value in canary.secrets.items() if value in text or quoted[name] in text]


def test_a19_no_secret_is_written_anywhere(running: Running) -> None:
    """A whole sign-in by the real programs: not one of its secrets is in what they write to their logs."""
    canary = Canary(running)
    canary.begin()
    assert canary.press().status_code == 204
    last = canary.follow(canary.consent(canary.follow(canary.launch())))
    assert "data-message" in last.text
    assert {"/connectorauth/updateaccountconnectoroauth token", "/authorize state"} <= set(canary.secrets)
    assert {"/connector/callback code", "id of the last page"} <= set(canary.secrets)
    assert any("/connect/complete/" in name for name in canary.secrets)
    assert any("hitchpost_launch_" in name for name in canary.secrets)
    assert any("hitchpost_flow_" in name for name in canary.secrets)
    assert all(len(value) >= 16 for value in canary.secrets.values())
    told = written(running)
    assert "partner call" in told, "the programs write no log that could be looked at"
    assert leaked(canary, told) == []
    for key in ("partner_client_secret", "signing_key", "encryption_key", "sandbox_client_secret"):
        assert _secret_of(running.folder, key) not in told


def test_a19_nor_by_what_goes_wrong(running: Running) -> None:
    """A database that breaks in mid-flow at either program: the exception is logged, without any secret."""
    for program, table in (("partner", "flow"), ("partner", "completion"), ("bff", "attempt_steps")):
        before, canary = len(written(running)), Canary(running)
        canary.begin()
        launched = canary.launch()
        with _broken(running.folder / f"{program}.db", table):
            page = canary.follow(launched)
            if 'name="request"' in page.text:
                page = canary.follow(canary.consent(page))
        assert page.status_code == 500, (table, page.text)
        assert not leaked(canary, page.text)
        told = written(running)[before:]
        assert "OperationalError" in told, told
        assert leaked(canary, told) == []
        assert "canary@ada.example" not in told


def test_a19_no_referer_carries_what_stands_in_a_url(running: Running) -> None:
    """Every answer that has a secret in its URL, and every redirect to one, forbids the Referer."""
    canary = Canary(running)
    canary.begin()
    canary.follow(canary.consent(canary.follow(canary.launch())))
    ours = {url: policy for url, policy in canary.policies.items() if running.sandbox not in url}
    assert len(ours) >= 8
    assert {
        url for url, policy in ours.items() if policy != "no-referrer" and "/authorize" not in url
    } == set()


def _secret_of(folder: Path, key: str) -> str:
    found = re.search(rf'"{key}": "([^"]+)"', (folder / "secrets.json").read_text())
    assert found
    return found[1].rpartition(":")[2]


class _broken:  # noqa: N801  # reads as what it does
    """A table has another name for as long as the block lasts."""

    def __init__(self, path: Path, table: str) -> None:
        self._path, self._table = path, table

    def __enter__(self) -> None:
        self._rename(self._table, "away")

    def __exit__(self, *_: object) -> None:
        self._rename("away", self._table)

    def _rename(self, old: str, new: str) -> None:
        with closing(sqlite3.connect(self._path, timeout=20)) as connection, connection:
            connection.execute(f"ALTER TABLE {old} RENAME TO {new}")


@pytest.mark.both_databases
def test_a20_of_fifty_launches_at_once_one_goes_on(world: World) -> None:
    """The launch token is used once, and the partner service is asked once. The others get a page.

    It is the error page, or one that waits, and then gets the error page.
    """
    attempt = world.begin(world.session())
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: world.launch(attempt["launch_token"]), range(50)))
    others = [answer for answer in answers if answer.status_code != 303]
    assert len(others) == 49
    waiting = [answer for answer in others if answer.status_code == 503]
    assert all("data-seconds" in answer.text and answer.headers["Retry-After"] for answer in waiting)
    over = [answer for answer in others if answer not in waiting] + [world.launch(attempt["launch_token"])]
    assert all(answer.status_code == 410 and "no longer good" in answer.text for answer in over)
    minted = [
        call for call in world.partner_calls.seen if call[1] == f"/v1.0/accounts/{world.account}/signintoken"
    ]
    assert len(minted) <= 2  # the first may find that the account has to be made


def test_a20_a_launch_is_kept_by_nobody(world: World) -> None:
    """303, so that the form is not posted on; no cache, no Referer, and no word in the body."""
    answer = world.launch(world.begin(world.session())["launch_token"])
    assert answer.status_code == 303
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.content == b""
    refused = world.launch("unknown")
    assert refused.status_code == 410
    assert refused.headers["Cache-Control"] == "no-store"


@pytest.mark.both_databases
def test_a20_a_launch_token_lives_ten_minutes(world: World) -> None:
    """Ten minutes, as it is bound to the page that began; after that it launches nothing."""
    began = datetime.now(UTC)
    attempt = world.begin(world.session())
    ends = datetime.fromisoformat(attempt["expires_at"])
    assert timedelta(minutes=10) <= ends - began <= timedelta(minutes=11)
    world.change(attempt["id"], expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert world.launch(attempt["launch_token"]).status_code == 410


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a20_only_a_post_launches(world: World, method: str) -> None:
    """No link, prefetch or scanner can: a token in a URL is looked at by nobody."""
    token = world.begin(world.session())["launch_token"]
    launch = f"{world.bff}/connect/launch"
    answer = requests.request(method, launch, params={"launch_token": token}, timeout=10)
    assert answer.status_code == 405
    in_query = requests.post(
        launch, params={"launch_token": token}, headers={"Origin": world.bff}, timeout=10
    )
    assert in_query.status_code == 410
    assert world.launch(token).status_code == 303


MESSAGES: Final = (
    "done",
    "a+b=c/d&e?f#g%20%2B",
    "Zürich ✓ 接続 تم 🎉",
    "<b onclick='x'>\"&amp;</b>",
    "tab\tline\nend \\u0041 {not} ${x} {{7*7}}",
    " spaces  around ",
)


@pytest.mark.parametrize("message", MESSAGES)
def test_a21_what_the_url_carries_arrives_as_it_was(world: World, message: str) -> None:
    """Whatever the callback message is, and whatever letters the token has, both arrive whole."""
    body = {
        "user": {"id": "ada"},
        "account": {"id": world.account},
        "connector": "sandbox",
        "target_origin": HOST,
        "callback_message": message,
    }
    answer = world.server("POST", "/v1/sign-in-urls", json=body)
    assert answer.status_code == 201, answer.text
    url = answer.json()["url"]
    assert set(urlsplit(url).query) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%+&="
    )
    assert parse_qs(urlsplit(url).query)["token"][0].endswith("=")
    last = world.sign_in(url)
    found = re.search(r'data-message="([^"]*)"', last.text)
    assert found
    assert unescape(found[1]) == message


@pytest.mark.parametrize("tells", [True, False], ids=["embedded", "as-cyclr"])
def test_a26_no_signal_decides(tmp_path: Path, tells: bool) -> None:
    """Messages, a window that closed, the return page: launched, until the partner service says so."""
    with open_world(tmp_path, tell_sign_ins=tells) as world:
        token = world.session()
        attempt = world.begin(token, delivery="return", return_url=f"{HOST}/")
        url = world.launch(attempt["launch_token"]).headers["Location"]
        target = parse_qs(urlsplit(url).query)["targetOrigin"][0]
        for path in (target, f"{target}?result=connected&Authenticated=true", f"{target}?status=connected"):
            requests.get(path, timeout=10)
            reported = requests.post(path, headers={"Origin": world.bff}, timeout=10)
            assert reported.json()["status"] == "launched"
        for hint in (*Hint, "connected", "Authenticated"):
            if hint is not Hint.CANCEL:
                assert world.read(attempt["id"], f"?hint={hint}&status=connected")["status"] == "launched"
        world.sign_in(url)
        assert world.read(attempt["id"])["status"] == "connected"


@pytest.mark.parametrize("ending", ["deny", "unfinished", "garbled"])
def test_a26_a_page_that_says_connected_is_not_believed(world: World, ending: str) -> None:
    """Whatever a page or a message told: what was not stored at the partner is not connected."""
    connector = "sandbox-broken" if ending == "garbled" else "sandbox"
    attempt = world.begin(world.session(), connector)
    url = world.launch(attempt["launch_token"]).headers["Location"]
    if ending == "unfinished":
        requests.get(url, timeout=10, allow_redirects=False)
    else:
        world.sign_in(url, "deny" if ending == "deny" else "allow")
    told = world.read(attempt["id"], "?hint=message")
    assert told["status"] == {"deny": "declined", "unfinished": "launched", "garbled": "failed"}[ending]
    assert told["connection"] is None
    assert told["receipt"] is None
