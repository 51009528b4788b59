"""Inside a host's own Flask app, whatever that app does to its own pages."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, Request, abort
from structlog.testing import capture_logs

from bff import AccountRef, Hitchpost, Principal, User
from bff.identity.principals import with_text_ids
from bff.serving.settings import FaultySettings
from tests.support import difficult_host
from tests.support.databases import sqlite_url
from tests.support.mounted import mount, settings_of
from tests.support.servers import serve
from tests.support.world import World, open_world

HEADERS = {"X-Hitchpost": "1"}
SAME_ORIGIN = {**HEADERS, "Sec-Fetch-Site": "same-origin"}
PREFIXES = ["/widget", "/connect", "/v1", "/health", "/studio", "/a/widget/connect", ""]
Open = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The partner service that all hosts share."""
    with open_world(tmp_path_factory.mktemp("partner")) as world:
        yield world


@pytest.fixture(scope="module", params=[True, False], ids=["csrf-first", "csrf-last"])
def host(
    request: pytest.FixtureRequest, partner: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The origin of a difficult host, and the URL of the BFF in it."""
    folder = tmp_path_factory.mktemp("difficult")

    def build(url: str) -> Any:
        return difficult_host.create(
            url, folder, partner.partner, csrf_first=request.param, prefix="/hitchpost"
        )[0]

    with serve(build) as url:
        yield url, f"{url}{difficult_host.ROOT}/hitchpost"


def whole_click(world: World, origin: str, base: str, app: str) -> str:
    """From the click to the end, by the host's own cookie; the attempt's last status."""
    browser = requests.Session()
    browser.get(f"{app}/sign-in/ada", timeout=10)
    made = browser.post(
        f"{base}/v1/attempts",
        json={"connector": "sandbox"},
        headers={**HEADERS, "Origin": origin},
        timeout=10,
    )
    assert made.status_code == 201, made.text
    attempt = made.json()
    opening = browser.get(f"{base}/connect/opening?product=embedded&origin={origin}", timeout=10)
    assert f'action="{base}/connect/launch"' in opening.text
    launched = browser.post(
        f"{base}/connect/launch",
        # What the opening page says of itself.
        data={"launch_token": attempt["launch_token"], "product": "embedded", "origin": origin},
        headers={"Origin": origin},
        allow_redirects=False,
        timeout=10,
    )
    assert launched.status_code == 303, launched.text
    world.sign_in(launched.headers["Location"])
    told = browser.get(f"{base}/v1/attempts/{attempt['id']}", headers=SAME_ORIGIN, timeout=10)
    status: str = told.json()["status"]
    return status


def test_a_whole_click_in_a_difficult_host(partner: World, host: tuple[str, str]) -> None:
    """CSRF protection, limits of size, templates, JSON and answers of the host's change nothing of ours."""
    origin, base = host
    assert whole_click(partner, origin, base, origin + difficult_host.ROOT) == "connected"


def test_the_hosts_own_forms_stay_protected(host: tuple[str, str]) -> None:
    """What is exempted is ours alone: a form of the host's without a token is refused, by its own page."""
    app = host[0] + difficult_host.ROOT
    assert requests.get(f"{host[1]}/health/live", timeout=10).ok  # By now ours are exempted.
    browser = requests.Session()
    browser.get(f"{app}/sign-in/ada", timeout=10)
    answer = browser.post(f"{app}/change", timeout=10)
    assert answer.text == "a page of the host's own"


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/connect/return/unknown", 404, "text/html"),
        ("GET", "/connect/opening?product=none&origin=https://x.example", 404, "text/html"),
        ("POST", "/connect/return/unknown", 403, "text/html"),
        ("GET", "/connect/nothing", 404, "text/html"),
        ("GET", "/studio/nothing", 404, "text/html"),
        ("GET", "/v1/nothing", 404, "application/problem+json"),
        ("GET", "/v1/config", 401, "application/problem+json"),
        ("PUT", "/v1/config", 405, "application/problem+json"),
        ("POST", "/v1/sessions", 401, "application/problem+json"),
    ],
)
def test_errors_are_told_in_our_own_way(
    host: tuple[str, str], method: str, path: str, status: int, kind: str
) -> None:
    """The host's error pages are for its own paths: pages in words here, problem documents there."""
    answer = requests.request(method, host[1] + path, headers=HEADERS, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (status, kind)
    assert "the host's own" not in answer.text


def test_a_form_of_several_parts_is_read(host: tuple[str, str]) -> None:
    """The host takes none (MAX_FORM_PARTS); ours are counted by our own number."""
    parts = dict.fromkeys(("launch_token", "product", "origin"), (None, "x"))
    answer = requests.post(f"{host[1]}/connect/launch", files=parts, timeout=10)
    assert (answer.status_code, "no longer good" in answer.text) == (410, True)


def test_the_headers_of_our_pages_are_ours(host: tuple[str, str]) -> None:
    """A header that the host sets everywhere neither cuts the popup off nor breaks its pages."""
    origin, base = host
    page = requests.get(f"{base}/connect/opening?product=embedded&origin={origin}", timeout=10)
    assert "Cross-Origin-Opener-Policy" not in page.headers
    assert "form-action" not in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Frame-Options"] == "DENY"


def test_nobody_shares_a_cookie_through_a_cache(host: tuple[str, str]) -> None:
    """What caches may keep carries no session of the host's, however often it renews it."""
    origin, base = host
    browser = requests.Session()
    browser.get(f"{origin}{difficult_host.ROOT}/sign-in/ada", timeout=10)
    assert "Set-Cookie" in browser.get(f"{base}/v1/nothing", timeout=10).headers
    for path in ("/widget/v1/hitchpost.js", f"/connect/opening?product=embedded&origin={origin}"):
        answer = browser.get(base + path, timeout=10)
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert "Set-Cookie" not in answer.headers


def test_another_origin_gets_no_cors_from_the_host(host: tuple[str, str]) -> None:
    """A CORS header for the host's own API opens nothing of ours, and stands in nobody's way."""
    origin, base = host
    stranger = requests.get(f"{base}/v1/config", headers={"Origin": "https://evil.example"}, timeout=10)
    assert "Access-Control-Allow-Origin" not in stranger.headers
    known = requests.get(f"{base}/v1/config", headers={"Origin": origin}, timeout=10)
    assert known.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("prefix", PREFIXES)
def test_any_prefix(partner: World, tmp_path: Path, prefix: str) -> None:
    """Also one that is a name of ours: pages stay pages, answers stay answers, and a click connects."""
    app = Flask("host")

    def build(url: str) -> Flask:
        mount(app, url, tmp_path, partner.partner, prefix=prefix, housekeeping="off")
        return app

    with serve(build) as url:
        base = url + prefix
        assert whole_click(partner, url, base, url) == "connected"
        gone = requests.get(f"{base}/connect/return/unknown", timeout=10)
        assert gone.headers["Content-Type"].startswith("text/html")
        refused = requests.get(f"{base}/v1/config", timeout=10)
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert requests.get(f"{base}/studio/messages", timeout=10).status_code == 401
        manifest = requests.get(f"{base}/widget/v1/manifest.json", timeout=10)
        assert manifest.json()["version"]
        assert requests.get(f"{base}/health/live", timeout=10).ok


@pytest.mark.parametrize("prefix", ["hitchpost", "/hitchpost/", "hitchpost/"])
def test_slashes_around_a_prefix_do_not_matter(partner: World, tmp_path: Path, prefix: str) -> None:
    """However it is written, it is the same place."""
    app = Flask("host")
    Hitchpost(
        app,
        settings=settings_of("http://localhost/hitchpost", tmp_path, partner.partner),
        url_prefix=prefix,
    )
    assert app.test_client().get("/hitchpost/health/live").status_code == 200


def test_a_public_url_of_another_place_is_refused(partner: World, tmp_path: Path) -> None:
    """Every link on the pages would lead nowhere: it is said at the start, by the setting's name."""
    settings = settings_of("http://localhost/elsewhere", tmp_path, partner.partner)
    with pytest.raises(FaultySettings, match="HITCHPOST_PUBLIC_URL: must end with /hitchpost"):
        Hitchpost(Flask("host"), settings=settings)


def test_an_app_factory_mounts_later_and_once(partner: World, tmp_path: Path) -> None:
    """``init_app``, as Flask's other extensions have it; a second one in the same app is told plainly."""
    settings = settings_of("http://localhost/hitchpost", tmp_path, partner.partner)
    hitchpost = Hitchpost(settings=settings)
    apps = [Flask("one"), Flask("two")]
    for app in apps:
        hitchpost.init_app(app)
        assert app.test_client().get("/hitchpost/health/live").status_code == 200
    with pytest.raises(FaultySettings, match="this app has it already"):
        Hitchpost(apps[0], settings=settings)


def test_a_hosts_own_fault_is_told_as_its_own(partner: World, tmp_path: Path) -> None:
    """The log names ``identify``, and where in it; an answer of the host's own stays."""

    def identify(request: Request) -> Principal | None:
        if request.args.get("locale") == "de":
            abort(401)
        raise ConnectionError("the host's database is down")

    app = Flask("host")
    mount(app, "http://localhost", tmp_path, partner.partner, who=identify, housekeeping="off")
    headers = {"X-Hitchpost": "1", "Origin": "http://localhost"}
    with capture_logs() as logs:
        answer = app.test_client().get("/hitchpost/v1/config", headers=headers)
    assert (answer.status_code, answer.json and answer.json["code"]) == (500, "internal_error")
    (line,) = [line for line in logs if line["event"] == "identify failed"]
    assert line["error_type"] == "ConnectionError"
    assert "test_flask_host.py" in line["error_at"]
    own = app.test_client().get("/hitchpost/v1/config?locale=de", headers=headers)
    assert own.status_code == 401


def test_an_account_needs_no_name() -> None:
    """It is called by its id, as over HTTP."""
    who = Principal("demo", AccountRef(7), User(8))  # type: ignore[arg-type]  # as untyped hosts write it
    assert with_text_ids(who).account == AccountRef("7", "7")


def test_an_app_context_that_stays_keeps_nothing_of_a_request(partner: World, tmp_path: Path) -> None:
    """Tests of a host's push one around several requests: each answer has its own headers all the same."""
    app = Flask("host")
    mount(app, "http://localhost", tmp_path, partner.partner, housekeeping="off")
    with app.app_context():
        client = app.test_client()
        for _ in range(2):
            assert "Permissions-Policy" in client.get("/hitchpost/connect/return/unknown").headers


@contextlib.contextmanager
def _kept(partner: World, folder: Path, **settings: Any) -> Iterator[tuple[Flask, Hitchpost]]:
    app = Flask("host")
    mounted = mount(app, "http://localhost", folder, partner.partner, **settings)
    try:
        yield app, mounted
    finally:
        mounted.beside.stop()


def test_house_is_kept_from_the_first_request_on(partner: World, tmp_path: Path) -> None:
    """Overdue attempts end and old ones go inside a host's app too; what serves nothing starts nothing."""
    with _kept(partner, tmp_path) as (app, mounted):
        assert mounted.beside.running() == []
        for _ in range(3):
            app.test_client().get("/sign-in/ada")
        assert mounted.beside.running() == ["housekeeping", "checkpoint", "webhooks"]


def test_house_is_not_kept_where_nobody_wants_it(partner: World, tmp_path: Path) -> None:
    """HITCHPOST_HOUSEKEEPING=off: a worker of the host's own does it, or its server takes no threads."""
    with _kept(partner, tmp_path, housekeeping="off") as (app, mounted):
        app.test_client().get("/hitchpost/health/live")
        assert mounted.beside.running() == []


FORKING = """
import os, sys
from pathlib import Path
from flask import Flask
from tests.support.mounted import mount

app = Flask("host")
mounted = mount(app, "http://localhost", Path(sys.argv[1]), sys.argv[2])
ready = lambda: app.test_client().get("/hitchpost/health/ready").status_code
before = ready()
child = os.fork()
os.write(1, f"{before} {ready()} {' '.join(mounted.beside.running())}\\n".encode())
if child:
    os.waitpid(child, 0)
"""


def test_a_forked_worker_works_and_keeps_house_itself(partner: World, tmp_path: Path) -> None:
    """A host built and used before the fork (gunicorn's preload_app): threads and connections begin anew."""
    sqlite_url(tmp_path, "bff")
    told = subprocess.run(
        [sys.executable, "-c", FORKING, str(tmp_path), partner.partner],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [line for line in told.stdout.splitlines() if line.startswith("200")]
    assert lines == ["200 200 housekeeping checkpoint webhooks"] * 2


LOCAL = "http://localhost:5000"


@dataclass
class Asked:
    """A host's app that has the BFF in it, and what its ``identify`` returns."""

    app: Flask
    returned: Any = None


@pytest.fixture(scope="module")
def asked(partner: World, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """One for all that an ``identify`` may return."""
    made = Asked(Flask("host"))
    folder = tmp_path_factory.mktemp("asked")
    mount(made.app, LOCAL, folder, partner.partner, who=lambda _: made.returned, housekeeping="off")
    return made


SOUND = Principal("embedded", AccountRef("acme", "Acme"), User("ada"))


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ({"user": "ada"}, "identify returned dict; return a Principal, or None if nobody is signed in"),
        ("ada", "identify returned str; return a Principal"),
        (False, "identify returned bool; return a Principal"),
        (SOUND.user, "identify returned User; return a Principal"),
        (replace(SOUND, account="acme"), "account: write AccountRef(id, name), not str"),
        (replace(SOUND, user=None), "user: write User(id, name), not None"),
        (replace(SOUND, product=7), "product: write a text, not int"),
        (replace(SOUND, account=AccountRef("acme", 7)), "account.name: write a text, not int"),
        (replace(SOUND, user=User("ada", name=b"Ada")), "user.name: write a text, not bytes"),
        (replace(SOUND, user=User("ada", locale=7)), "user.locale: write a text, not int"),
        (replace(SOUND, connectors="sandbox"), "connectors: write a set of connector keys, or None for all"),
        (replace(SOUND, user=User(1.5)), "user.id: "),
    ],
)
def test_what_is_no_principal_is_told_in_one_line(
    asked: Asked, capsys: pytest.CaptureFixture[str], returned: Any, told: str
) -> None:
    """To the host's developer in the log, and to the page: it is no outage and no fault of the program."""
    asked.returned = returned
    answer = asked.app.test_client().get("/hitchpost/v1/config", base_url=LOCAL, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert told in answer.json["detail"]
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    "returned",
    [SOUND, replace(SOUND, account=AccountRef("acme", None)), replace(SOUND, connectors=["sandbox"])],  # type: ignore[arg-type]
)
def test_what_means_one_principal_is_taken(asked: Asked, returned: Principal) -> None:
    """An account without a name is called by its id, and any collection of connectors limits them."""
    asked.returned = returned
    begun = asked.app.test_client().post(
        "/hitchpost/v1/attempts",
        base_url=LOCAL,
        json={"connector": "sandbox"},
        headers={**HEADERS, "Origin": LOCAL},
    )
    assert begun.status_code == 201, begun.text


def test_an_identify_that_is_no_function_is_refused_at_the_start(partner: World, tmp_path: Path) -> None:
    """Not at a user's first click."""
    with pytest.raises(FaultySettings, match="identify: is no function"):
        mount(Flask("host"), LOCAL, tmp_path, partner.partner, who=SOUND)  # type: ignore[arg-type]
