"""Where a host's Flask app puts our routes, and how many calls it lets through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask_limiter import Limiter

from bff import Hitchpost
from bff.serving.settings import FaultySettings
from tests.support.mounted import mount, settings_of
from tests.support.servers import serve
from tests.support.world import World, open_world
from tests.web.test_flask_host import whole_click

PUBLIC = "https://connect.app.example"


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The partner service that all hosts share."""
    with open_world(tmp_path_factory.mktemp("partner")) as world:
        yield world


def status(app: Flask, host: str, path: str = "/hitchpost/health/live", method: str = "GET") -> int:
    """What an app answers at one of its names."""
    return app.test_client().open(path, base_url=f"http://{host}", method=method).status_code


@pytest.mark.parametrize("early", [True, False], ids=["limiter-first", "limiter-last"])
def test_a_hosts_limits_count_its_own_pages_alone(partner: World, tmp_path: Path, early: bool) -> None:
    """Flask-Limiter for the whole app: a page that waits for a sign-in asks oftener than its user clicks."""
    app = Flask("host")

    def limit() -> None:
        Limiter(lambda: "all", app=app, application_limits=["2/minute"], storage_uri="memory://")

    def build(url: str) -> Flask:
        if early:
            limit()
        mount(app, url, tmp_path, partner.partner, housekeeping="off")
        if not early:
            limit()
        return app

    with serve(build) as url:
        assert whole_click(partner, url, f"{url}/hitchpost", url) == "connected"
        assert {requests.get(f"{url}/hitchpost/health/live", timeout=10).status_code for _ in range(4)} == {
            200
        }
        assert [requests.get(f"{url}/sign-in/ada", timeout=10).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("written", ["/verbinden-f%C3%BCr", "verbinden-für/"])
def test_a_prefix_of_any_letters(partner: World, tmp_path: Path, written: str) -> None:
    """The public URL is an address, and has it encoded; the prefix may be written either way."""
    app = Flask("host")

    def build(url: str) -> Flask:
        mount(app, url, tmp_path, partner.partner, prefix=written, public=f"{url}/verbinden-f%C3%BCr")
        return app

    with serve(build) as url:
        assert whole_click(partner, url, f"{url}/verbinden-f%C3%BCr", url) == "connected"


def test_a_prefix_with_a_variable_is_refused(partner: World, tmp_path: Path) -> None:
    """The BFF has one address. It is said at the start, and not by a page that breaks."""
    settings = settings_of("http://localhost/<team>/hitchpost", tmp_path, partner.partner)
    with pytest.raises(FaultySettings, match="url_prefix: /<team>/hitchpost has a part that varies"):
        Hitchpost(Flask("host"), settings=settings, url_prefix="/<team>/hitchpost")


def test_an_app_whose_routes_go_by_hosts(partner: World, tmp_path: Path) -> None:
    """Flask's ``host_matching``: ours are found at the public URL's host, and there alone."""
    app = Flask("host", host_matching=True, static_host="app.example")
    mount(app, PUBLIC, tmp_path, partner.partner, housekeeping="off")
    app.add_url_rule("/own", "own", lambda: "ok", host="app.example")
    assert [status(app, name) for name in ("connect.app.example", "app.example")] == [200, 404]
    assert status(app, "app.example", "/own") == 200


@pytest.mark.parametrize(
    ("public", "found"), [(PUBLIC, [200, 404]), ("https://app.example", [404, 200])], ids=["below", "itself"]
)
def test_an_app_whose_routes_go_by_subdomains(
    partner: World, tmp_path: Path, public: str, found: list[int]
) -> None:
    """Flask's ``subdomain_matching``: below the server's name, or at it."""
    app = Flask("host", subdomain_matching=True)
    app.config["SERVER_NAME"] = "app.example"
    mount(app, public, tmp_path, partner.partner, housekeeping="off")
    assert [status(app, name) for name in ("connect.app.example", "app.example")] == found


def test_at_the_root_a_wrong_method_is_answered_by_whose_path_it_is(partner: World, tmp_path: Path) -> None:
    """Ours by a problem document, the host's own by its own page."""
    app = Flask("host")
    mount(app, "http://localhost", tmp_path, partner.partner, prefix="", housekeeping="off")
    app.register_error_handler(405, lambda _error: ("a page of the host's own", 405))
    client = app.test_client()
    ours, hosts = client.put("/v1/config"), client.put("/sign-in/ada")
    assert (ours.status_code, ours.content_type) == (405, "application/problem+json")
    assert hosts.text == "a page of the host's own"
