"""Grants: what is asked for, who keeps them fresh, and how they end."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Response
from sqlalchemy import event, select, update

from bff.outbound.client import Limits
from bff.partner import clock, housekeeping
from bff.partner.__main__ import main
from bff.partner.account_connectors import store
from bff.partner.account_connectors.credentials import seal
from bff.partner.app import create_app
from bff.partner.grants import held as grants
from bff.partner.grants import refresh, revocation
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.storage import tables
from tests.support.servers import serve
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import CLIENT_ID, CLIENT_SECRET, SANDBOX_SECRET, World

pytestmark = pytest.mark.one_database

KEY = "k1:" + "A" * 43 + "="


@pytest.fixture
def command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the running service, for its commands."""
    for name, value in environment(world).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def offered(
    world: World, third: ThirdParty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CatalogueConnector:
    """A connector that nobody else uses; commands know it and no other."""
    item = third.offer(world)
    for name, value in environment(world, catalogue_of(item, tmp_path)).items():
        monkeypatch.setenv(name, value)
    return item


def catalogue_of(item: CatalogueConnector, folder: Path) -> Path:
    """A file with this entry."""
    path = folder / "catalogue.toml"
    lines = [f"{name} = {value!r}" for name, value in item.model_dump(exclude_defaults=True).items()]
    path.write_text("[[connector]]\n" + "\n".join(lines).replace("'", '"'))
    return path


def environment(world: World, catalogue: Path | None = None) -> dict[str, str]:
    """The running service's settings as variables."""
    return {
        "HITCHPOST_EMBEDDED_PUBLIC_URL": world.partner,
        "HITCHPOST_EMBEDDED_DATABASE_URL": world.partner_database,
        "HITCHPOST_EMBEDDED_CATALOGUE": str(catalogue or world.folder / "catalogue.toml"),
        "HITCHPOST_EMBEDDED_CLIENT_ID": CLIENT_ID,
        "HITCHPOST_EMBEDDED_CLIENT_SECRET": CLIENT_SECRET,
        "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": KEY,
        "HITCHPOST_SANDBOX_CLIENT_SECRET": SANDBOX_SECRET,
    }


def test_a45_only_configured_scopes_are_asked_for(world: World, third: ThirdParty) -> None:
    """Whatever a link says; `openid` only where it is configured."""
    connection = Connection(world, third.offer(world, scopes=["contacts.read"]))
    url = connection.api.sign_in_url(connection.id, scope="admin openid", scopes="admin")
    answer = requests.get(url, timeout=30, allow_redirects=False)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["scope"] == ["contacts.read"]


def test_a45_live_grants_are_listed_without_their_secrets(world: World, third: ThirdParty) -> None:
    """In every account; for a token of one account only, 401."""
    third.says["token"] = lambda _: tokens(scope="a b")
    item = third.offer(world, userinfo_url=f"{third.url}/userinfo")
    connection, other, idle = (Connection(world, item) for _ in range(3))
    connection.connect()
    other.connect()
    found = idle.inventory()
    assert [(grant["AccountId"], grant["AccountConnectorId"]) for grant in found] == [
        (connection.api.account, connection.id),
        (other.api.account, other.id),
    ]
    assert {(grant["State"], grant["ExternalAccount"], *grant["Scopes"]) for grant in found} == {
        ("live", "ada", "a", "b")
    }
    kept = connection.credentials()
    assert not re.search(f"{kept.access_token}|{kept.refresh_token}", str(found))
    url = f"{world.partner}/oauth/token"
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    restricted = requests.post(url, {**form, "scope": f"account:{idle.api.account}"}, timeout=30).json()
    for method, path in (("GET", "grants"), ("POST", "grants/revoke")):
        full = f"/v1.0/connectors/{item.id}/{path}"
        token = str(restricted["access_token"])
        assert idle.api.call(method, full, account=None, token=token).status_code == 401


@pytest.mark.both_databases
def test_a45_all_grants_of_a_connector_end_at_once(world: World, third: ThirdParty) -> None:
    """Each is revoked at the third party and needs a new sign-in; other connectors stay as they are."""
    item = third.offer(world)
    ours = [Connection(world, item).connect() for _ in range(3)]
    stays = Connection(world, third.offer(world)).connect()
    kept = {connection.credentials().refresh_token for connection in ours}
    answer = stays.api.call("POST", f"/v1.0/connectors/{item.key}/grants/revoke", account=None)
    assert answer.json() == {"Deauthenticated": 3, "RevocationsPending": 0}
    assert {form["token"] for form in third.forms("revoke")} == kept
    assert [connection.told()["Authenticated"] for connection in ours] == [False] * 3
    assert stays.told()["Authenticated"] is True
    assert ours[0].inventory() == []


@pytest.mark.usefixtures("command")
def test_a45_grants_are_listed_and_ended_by_command(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """`grants list` and `grants revoke`, also without a running service; an unknown connector is named."""
    item = world.partner_service.catalogue.by_id(102)
    assert item is not None
    connection = Connection(world, item)
    world.sign_in(connection.api.sign_in_url(connection.id, callbackMessage="done"))
    assert main(["grants", "list", "sandbox-isolated"]) == 0
    assert f"live  account {connection.api.account}  {connection.id}" in capsys.readouterr().out
    assert main(["grants", "revoke", "sandbox-isolated", "--yes"]) == 0
    assert re.search(r"^\d+ connections ended; 0 grants", capsys.readouterr().out)
    assert connection.told()["Authenticated"] is False
    assert main(["grants", "list", "sandbox-isolated"]) == 0
    assert "no grants" in capsys.readouterr().out
    assert main(["grants", "list", "unheard-of"]) == 2
    assert "Connector not found: 'unheard-of'" in capsys.readouterr().err


def test_a_grant_that_is_refused_is_listed_and_ended_too(world: World, third: ThirdParty) -> None:
    """It is kept and tried again, so it is no live one; `revoke` ends it with the others."""
    item = third.offer(world)
    live, refused_one, idle = (Connection(world, item) for _ in range(3))
    live.connect()
    refused_one.connect().change(authenticated=False, grant_reason="refused")
    assert [(grant["AccountConnectorId"], grant["State"], grant["Error"]) for grant in idle.inventory()] == [
        (live.id, "live", None),
        (refused_one.id, "refused", "refused"),
    ]
    answer = idle.api.call("POST", f"/v1.0/connectors/{item.key}/grants/revoke", account=None)
    assert answer.json() == {"Deauthenticated": 2, "RevocationsPending": 0}
    assert idle.inventory() == []


@pytest.mark.both_databases
def test_whoever_revokes_at_a_terminal_is_told_of_every_grant_that_would_end(
    world: World,
    offered: CatalogueConnector,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also of those that are refused at the moment; without a yes all stay."""
    found = [Connection(world, offered).connect() for _ in range(2)]
    found[1].change(authenticated=False, grant_reason="refused")
    expected = found[0].inventory()
    assert {grant["State"] for grant in expected} == {"live", "refused"}
    person, terminal = pty.openpty()
    try:
        os.write(person, b"n\n")
        with os.fdopen(terminal) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            status = main(["grants", "revoke", offered.key])
    finally:
        os.close(person)
    assert "2 grants of 2 accounts would end" in capsys.readouterr().out
    assert (status, found[0].inventory()) == (1, expected)


def test_without_a_terminal_grants_end_only_by_yes(
    world: World, offered: CatalogueConnector, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that forgot it is told how many would end, and nothing ends."""
    connection = Connection(world, offered).connect()
    before = connection.inventory()
    assert main(["grants", "revoke", offered.key]) == 1
    told = capsys.readouterr()
    assert "1 grants of " in told.out
    assert told.out.endswith("nothing was changed\n")
    assert told.err == "to end them, run the command again with --yes\n"
    assert connection.inventory() == before
    assert main(["grants", "revoke", offered.key, "--yes"]) == 0
    assert connection.inventory() == []


@pytest.mark.usefixtures("command")
def test_an_unfinished_entry_keeps_no_other_connector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `providers add` writes one. It is told, and grants of the others can be revoked all the same."""
    path = tmp_path / "catalogue.toml"
    path.write_text(Path(os.environ["HITCHPOST_EMBEDDED_CATALOGUE"]).read_text())
    assert main(["providers", "add", "hubspot", "--catalogue", str(path)]) == 0
    monkeypatch.setenv("HITCHPOST_EMBEDDED_CATALOGUE", str(path))
    capsys.readouterr()
    for action, *yes in (["list"], ["revoke", "--yes"]):
        assert main(["grants", action, "sandbox-slow", *yes]) == 0
        told = capsys.readouterr().err
        assert f"warning: {path}: connector hubspot: client_id: is not set" in told
        assert main(["grants", action, "HubSpot"]) == 2
        assert "connector hubspot: client_id: is not set" in capsys.readouterr().err


@pytest.mark.both_databases
def test_a46_fifty_callers_in_two_processes_make_one_request(world: World) -> None:
    """The sandbox, which ends a grant whose refresh token comes twice, is asked once; all get the same."""
    item = world.partner_service.catalogue.by_id(101)
    assert item is not None
    connection = Connection(world, item)
    world.sign_in(connection.api.sign_in_url(connection.id, callbackMessage="done"))
    connection.age()
    before, service = world.sandbox_calls.seen.count(("POST", "/token")), world.partner_service
    with serve(lambda _: create_app(service.settings, service.catalogue)) as second:
        headers = {"Authorization": f"Bearer {connection.api.token}"}
        headers_for = {**headers, "X-Cyclr-Account": connection.api.account.encode()}

        def ask(number: int) -> requests.Response:
            base = second if number % 2 else world.partner
            return requests.post(f"{base}{connection.path}/accesstoken", headers=headers_for, timeout=60)

        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(ask, range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert world.sandbox_calls.seen.count(("POST", "/token")) == before + 1
    (token,) = {answer.json()["AccessToken"] for answer in answers}
    assert token == connection.credentials().access_token
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    who = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{world.sandbox}/userinfo", headers=who, timeout=30).status_code == 200


@pytest.mark.both_databases
def test_a46_callers_who_wait_for_one_refresh_look_once_for_all(
    world: World, third: ThirdParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the third party takes: one of them looks whether it is over, more and more seldom."""
    connection, looks, answers = Connection(world, third.offer(world)).connect(), [], threading.Event()
    connection.age()
    asked, look = threading.Event(), refresh._is_over

    def counted(*arguments: Any) -> bool:
        looks.append(arguments)
        if len(looks) == 3:
            answers.set()
        return look(*arguments)

    monkeypatch.setattr(refresh, "_is_over", counted)
    third.says["token"] = lambda _: (asked.set(), answers.wait(30), tokens())[2]
    with ThreadPoolExecutor(13) as pool:
        first = pool.submit(connection.access_token)
        assert asked.wait(30)
        waiting = [pool.submit(connection.access_token) for _ in range(12)]
        given = {each.result(60).json()["AccessToken"] for each in [first, *waiting]}
    assert len(given) == 1
    assert len(third.forms("token")) == 2
    # One more may look as it ends.
    assert len(looks) <= 5


def test_a46_a_caller_hears_in_time_that_a_refresh_goes_on() -> None:
    """Before the BFF hangs up, which would count as an outage of the service."""
    assert Limits().read - 1 >= refresh.WAIT_SECONDS


def test_a46_a_token_that_lasts_is_given_without_asking(world: World, third: ThirdParty) -> None:
    """Only in its last minute is it refreshed, and one without an end never."""
    connection = Connection(world, third.offer(world, scopes=["a"])).connect()
    kept = connection.credentials()
    for seconds in (61.0, 3600.0):
        connection.age(seconds)
        told = connection.access_token().json()
        assert told["AccessToken"] == kept.access_token
    connection.replace_credentials(expires_at=None)
    assert connection.access_token().json()["ExpiresAtUtc"] is None
    assert len(third.forms("token")) == 1
    connection.age(59.0)
    assert connection.access_token().json()["AccessToken"] != kept.access_token


def test_a46_each_refresh_uses_what_the_last_one_brought(world: World, third: ThirdParty) -> None:
    """The new refresh token is stored when the answer arrives; one that is not replaced stays."""
    connection = Connection(world, third.offer(world)).connect()
    spent = []
    for _ in range(3):
        spent.append(connection.credentials().refresh_token)
        connection.age()
        token = connection.access_token().json()["AccessToken"]
        assert token == connection.credentials().access_token
    assert [form["refresh_token"] for form in third.forms("token")[1:]] == spent
    assert len(set(spent)) == 3
    third.says["token"] = lambda _: tokens(refresh_token=None, scope=None)
    kept = connection.credentials().refresh_token
    connection.age()
    assert connection.access_token().status_code == 200
    assert connection.credentials().refresh_token == kept


@pytest.mark.both_databases
def test_a46_who_gets_the_lease_looks_again(world: World, third: ThirdParty) -> None:
    """A refresh that ended between reading and taking the lease leaves nothing to do."""
    connection, service = Connection(world, third.offer(world)).connect(), world.partner_service
    before = connection.credentials()
    connection.replace_credentials(access_token="refreshed-meanwhile")
    assert refresh.take_lease(service, connection.row(), before) is None
    assert connection.row().refresh_lease_ends is None
    assert refresh.take_lease(service, connection.row(), connection.credentials()) is not None
    assert refresh.take_lease(service, connection.row(), connection.credentials()) is None


@pytest.fixture
def second_process(world: World, third: ThirdParty, tmp_path: Path) -> Iterator[tuple[Any, str, Connection]]:
    """The service once more, in a process of its own, and a connection that it knows."""
    item = third.offer(world)
    catalogue = catalogue_of(item, tmp_path)
    script = (
        "from bff.partner.app import create_app\n"
        "from bff.partner.providers.catalogue import read_catalogue\n"
        "from bff.partner.settings import load_settings\n"
        "from werkzeug.serving import make_server\n"
        "settings = load_settings()\n"
        "app = create_app(settings, read_catalogue(settings.catalogue))\n"
        "server = make_server('127.0.0.1', 0, app, threaded=True)\n"
        "print(server.port, flush=True)\n"
        "server.serve_forever()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **environment(world, catalogue)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())
    yield process, f"http://127.0.0.1:{port}", Connection(world, item).connect()
    process.kill()
    process.wait(30)


def test_a46_a_process_killed_before_it_stored_the_answer(
    world: World, third: ThirdParty, second_process: tuple[Any, str, Connection]
) -> None:
    """Its lease ends, the spent token is tried once, and then the user has to sign in."""
    process, url, connection = second_process
    spent: list[str] = []

    def rotate(form: dict[str, str]) -> Any:
        if form["grant_type"] != "refresh_token":
            return tokens()
        if form["refresh_token"] in spent:
            return refused("invalid_grant")
        spent.append(form["refresh_token"])
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
        return tokens()

    third.says["token"] = rotate
    connection.age()
    headers = {
        "Authorization": f"Bearer {connection.api.token}",
        "X-Cyclr-Account": connection.api.account.encode(),
    }
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{url}{connection.path}/accesstoken", headers=headers, timeout=30)
    assert connection.row().refresh_lease_ends > clock.now()
    connection.change(refresh_lease_ends=clock.now() - timedelta(seconds=1))
    answers = [connection.access_token().status_code for _ in range(3)]
    assert answers == [409, 409, 409]
    assert [form["refresh_token"] for form in third.forms("token")[1:]] == [spent[0], spent[0]]
    assert connection.told()["Authenticated"] is False
    assert connection.connect().access_token().status_code == 200


def test_a46_a_newer_sign_in_is_never_overwritten(world: World, third: ThirdParty) -> None:
    """While a refresh is under way the user signs in again: the newer grant stays."""
    connection = Connection(world, third.offer(world)).connect()

    def meanwhile(_: dict[str, str]) -> Any:
        connection.replace_credentials(
            access_token="newer", refresh_token="newer-r", expires_at=clock.now() + timedelta(hours=1)
        )
        return tokens()

    third.says["token"] = meanwhile
    connection.age()
    assert connection.access_token().json()["AccessToken"] == "newer"
    assert connection.credentials().refresh_token == "newer-r"


def test_a46_a_key_change_meanwhile_loses_nothing(world: World, third: ThirdParty) -> None:
    """While a refresh is under way the same credentials are sealed anew: the answer is stored."""
    connection = Connection(world, third.offer(world)).connect()

    def meanwhile(_: dict[str, str]) -> Any:
        connection.replace_credentials()
        return tokens(access_token="fresh", refresh_token="fresh-r")

    third.says["token"] = meanwhile
    connection.age()
    assert connection.access_token().json()["AccessToken"] == "fresh"
    assert connection.credentials().refresh_token == "fresh-r"


def test_a46_a_disconnect_meanwhile_revokes_what_came(world: World, third: ThirdParty) -> None:
    """While a refresh is under way the user disconnects: the new grant is revoked too, and nobody gets it."""
    connection = Connection(world, third.offer(world)).connect()

    def meanwhile(_: dict[str, str]) -> Any:
        connection.api.call("PUT", f"{connection.path}/deauthenticate")
        return tokens(refresh_token="too-late")

    third.says["token"] = meanwhile
    connection.age()
    assert connection.access_token().status_code == 409
    assert third.forms("revoke")[-1]["token"] == "too-late"
    assert connection.told()["Authenticated"] is False


def test_a47_the_sandbox_ends_a_grant_whose_token_comes_twice(world: World) -> None:
    """Reuse detection at a real authorization server leads to the same state."""
    item = world.partner_service.catalogue.by_id(101)
    assert item is not None
    connection = Connection(world, item)
    world.sign_in(connection.api.sign_in_url(connection.id, callbackMessage="done"))
    old = connection.credentials()
    connection.age()
    assert connection.access_token().status_code == 200
    connection.replace_credentials(refresh_token=old.refresh_token)
    connection.age()
    assert connection.access_token().status_code == 409


@pytest.mark.parametrize(
    "say", [lambda _: Response("later", 503), lambda _: refused("invalid_client", 401)], ids=["503", "401"]
)
def test_a47_a_third_party_that_is_away_costs_no_connection(
    world: World, third: ThirdParty, say: Any
) -> None:
    """503 with Retry-After, no request while it cools down, and all is well when it is back.

    However often it fails until then.
    """
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = say
    connection.age()
    answers = [connection.access_token() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert all(1 <= int(answer.headers["Retry-After"]) <= 5 for answer in answers)
    assert len(third.forms("token")) == 2
    for _ in range(3):
        connection.change(refresh_not_before=None)
        assert connection.access_token().status_code == 503
    assert connection.grant()["State"] == "connected"
    assert connection.told()["Authenticated"] is True
    del third.says["token"]
    connection.change(refresh_not_before=clock.now() - timedelta(seconds=1))
    assert connection.access_token().status_code == 200
    assert (connection.row().refresh_failures, connection.row().refresh_not_before) == (0, None)


def test_a47_a_kept_token_is_given_as_long_as_it_lasts(world: World, third: ThirdParty) -> None:
    """A refresh that fails ahead of time is nobody's trouble yet."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: refused("server_error", 500)
    connection.age(30.0)
    kept = connection.credentials()
    for _ in range(3):
        assert connection.access_token().json()["AccessToken"] == kept.access_token
    assert len(third.forms("token")) == 2


def test_a47_the_time_to_cool_down_grows_and_varies(world: World, third: ThirdParty) -> None:
    """From half to all of 5, 10, 20 ... seconds, at most 5 minutes; callers do not come back together."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: refused("server_error", 500)
    connection.age()
    waits = []
    for failures in (0, 1, 2, *[40] * 6):
        connection.change(refresh_not_before=None, refresh_failures=failures)
        before = clock.now()
        connection.access_token()
        row = connection.row()
        assert row.refresh_failures == failures + 1
        waits.append((row.refresh_not_before - before).total_seconds())
    for wait, longest in zip(waits, (5, 10, 20, *[300] * 6), strict=True):
        assert longest / 2 <= wait <= longest + 30
    assert max(waits[3:]) - min(waits[3:]) > 1


def test_a48_a_disconnect_revokes_at_the_third_party(world: World, third: ThirdParty) -> None:
    """The refresh token, else the access token; by disconnecting, deleting, or deleting the account."""
    item = third.offer(world)
    first, second, third_one = (Connection(world, item).connect() for _ in range(3))
    kept = [connection.credentials() for connection in (first, second, third_one)]
    second.replace_credentials(refresh_token=None)
    answer = first.api.call("PUT", f"{first.path}/deauthenticate").json()
    assert answer == {"Message": f"Connector '{item.name}' successfully de-authenticated."}
    answer = second.api.call("DELETE", second.path).json()
    assert answer == {"Message": f"Connector '{item.name}' successfully deleted."}
    third_one.api.call("DELETE", f"/v1.0/accounts/{requests.utils.quote(third_one.api.account, safe='')}")
    housekeeping.keep_house(world.partner_service)
    assert [(form["token"], form["token_type_hint"]) for form in third.forms("revoke")] == [
        (kept[0].refresh_token, "refresh_token"),
        (kept[1].access_token, "access_token"),
        (kept[2].refresh_token, "refresh_token"),
    ]
    assert first.row().credentials is None
    assert first.inventory() == []


def test_a48_the_sandbox_forgets_what_was_revoked(world: World) -> None:
    """RFC 7009 at a real authorization server: its access token is good no more."""
    item = world.partner_service.catalogue.by_id(101)
    assert item is not None
    connection = Connection(world, item)
    world.sign_in(connection.api.sign_in_url(connection.id, callbackMessage="done"))
    who = {"Authorization": f"Bearer {connection.access_token().json()['AccessToken']}"}
    assert requests.get(f"{world.sandbox}/userinfo", headers=who, timeout=30).status_code == 200
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    assert requests.get(f"{world.sandbox}/userinfo", headers=who, timeout=30).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a48_a_failed_revocation_is_told_and_tried_again(
    world: World, third: ThirdParty, method: str
) -> None:
    """The connection is out of use at once; what is left to do is listed until it is done."""
    connection = Connection(world, third.offer(world)).connect()
    kept = connection.credentials()
    third.says["revoke"] = lambda _: refused("temporarily_unavailable", 503)
    path = connection.path + ("/deauthenticate" if method == "PUT" else "")
    message = connection.api.call(method, path).json()["Message"]
    assert "has not revoked its grant yet (temporarily_unavailable)" in message
    (left,) = connection.inventory()
    assert (left["State"], left["Error"]) == ("revocation pending", "temporarily_unavailable")
    assert str(kept.refresh_token) not in str(left)
    connection.make_revocations_due()
    assert revocation.retry_revocations(world.partner_service, 100) == 0
    assert len(third.forms("revoke")) == 2
    revocation.retry_revocations(world.partner_service, 100)
    assert len(third.forms("revoke")) == 2
    del third.says["revoke"]
    connection.make_revocations_due()
    assert revocation.retry_revocations(world.partner_service, 100) == 1
    assert {form["token"] for form in third.forms("revoke")} == {kept.refresh_token}
    assert connection.inventory() == []


def test_a48_a_store_that_fails_is_no_success(world: World, third: ThirdParty) -> None:
    """The note cannot be written: the answer is an error, nothing is half done, and it can be repeated.

    GHSA-7mqr: a revocation that ignored the storage's error was told as done.
    """
    connection = Connection(world, third.offer(world)).connect()
    engine = world.partner_service.database.engine

    def fail(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "INSERT INTO pending_revocation" in statement:
            raise OSError("the disk is full")

    event.listen(engine, "before_cursor_execute", fail)
    try:
        assert connection.api.call("PUT", f"{connection.path}/deauthenticate").status_code == 500
    finally:
        event.remove(engine, "before_cursor_execute", fail)
    assert third.forms("revoke") == []
    assert connection.told()["Authenticated"] is True
    assert connection.api.call("PUT", f"{connection.path}/deauthenticate").status_code == 200
    assert len(third.forms("revoke")) == 1


@pytest.mark.both_databases
def test_a48_a_process_that_ends_before_it_asked_leaves_the_rest_to_others(
    world: World, third: ThirdParty
) -> None:
    """What was noted is revoked by whoever keeps house next, once, however many do."""
    connection = Connection(world, third.offer(world)).connect()
    service = world.partner_service
    with service.database.writing() as database:
        revocation.take_out_of_use(service, database, connection.row())
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: revocation.retry_revocations(service, 100), range(8)))
    assert sum(done) == 1
    assert len(third.forms("revoke")) == 1
    assert connection.inventory() == []


@pytest.mark.both_databases
def test_a48_a_held_grant_that_nobody_chose_is_revoked(world: World, third: ThirdParty) -> None:
    """Another account answered a reconnect and was not taken: its grant ends, the connected one stays."""
    item = third.offer(world, userinfo_url=f"{third.url}/userinfo")
    connection = Connection(world, item).connect()
    kept = connection.credentials()
    third.says["userinfo"] = lambda _: {"email": "grace"}
    third.says["token"] = lambda _: tokens(refresh_token="of-grace")
    assert connection.answer(connection.begin(), code="c").status_code == 400
    table = tables.sign_in
    with world.partner_service.database.writing() as database:
        ours = table.c.account_connector_id == connection.id
        late = clock.now() - grants.HELD_FOR - timedelta(seconds=1)
        database.execute(update(table).where(ours).values(at=late))
    housekeeping.keep_house(world.partner_service)
    assert [form["token"] for form in third.forms("revoke")] == ["of-grace"]
    assert connection.credentials() == kept
    with world.partner_service.database.reading() as database:
        held = select(table.c.held).where(ours, table.c.held.is_not(None))
        assert database.execute(held).first() is None


def test_a48_a_secret_goes_only_to_where_the_catalogue_says(world: World, third: ThirdParty) -> None:
    """A connector without a revocation endpoint has nothing noted; one that left the catalogue waits."""
    plain = Connection(world, third.offer(world, revocation_url=None)).connect()
    plain.api.call("PUT", f"{plain.path}/deauthenticate")
    assert plain.inventory() == []
    gone = Connection(world, third.offer(world)).connect()
    third.says["revoke"] = lambda _: Response(status=307, headers={"Location": f"{third.url}/elsewhere"})
    message = gone.api.call("PUT", f"{gone.path}/deauthenticate").json()["Message"]
    assert "revocation_endpoint_answered_307" in message
    assert third.forms("elsewhere") == []
    catalogue = world.partner_service.catalogue
    catalogue.connectors = tuple(item for item in catalogue.connectors if item.id != gone.item.id)
    gone.make_revocations_due()
    revocation.retry_revocations(world.partner_service, 100)
    assert len(third.forms("revoke")) == 1
    assert gone.inventory()[0]["Error"] == "no_revocation_url"


def test_a50_credentials_that_do_not_open_are_never_given(world: World, third: ThirdParty) -> None:
    """Sealed for another row: the user has to sign in again, and the third party is not asked."""
    connection = Connection(world, third.offer(world)).connect()
    kept = connection.credentials()
    row = connection.row()
    other_row = Namespace(id=row.id + 1, account_id=row.account_id, connector_id=row.connector_id)
    other = seal(world.partner_service.vault, kept, store.sealed_in(other_row, "credentials"))
    connection.change(credentials=other)
    assert connection.access_token().status_code == 409
    assert len(third.forms("token")) == 1
