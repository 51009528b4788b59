"""CORS: granted letter by letter, without credentials, by one rule for every route (A16 to A18)."""

from __future__ import annotations

import http.client
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from bff.common.faulty_file import FaultyFile
from tests.support.routes import routes
from tests.support.world import HOST, OTHER_HOST, PRODUCTS, World, build_bff

pytestmark = pytest.mark.one_database

FOREIGN = [
    "https://evil.example",
    "null",
    "https://app.example.evil.example",
    "https://evil-app.example",
    "https://appXexample",
    "http://app.example",
    "https://app.example:8443",
    "https://app.example/",
    "https://APP.EXAMPLE",
    "https://app.example, https://evil.example",
    "https://app.example evil",
]
"""Origins that nobody registered, some of which look like one that somebody did."""

SENT = {"accept-language", "authorization", "content-type", "idempotency-key", "x-hitchpost"}
"""The headers that the widget sends."""


def test_a16_what_is_no_origin_stops_start_up(world: World, tmp_path: Path) -> None:
    """The product file is refused with file, product, key and the origin itself; nothing starts."""
    text = PRODUCTS.replace("https://staging.example:8443", "https://staging.example/")
    with pytest.raises(FaultyFile) as refused:
        build_bff("https://bff.example", tmp_path, world.partner, products_text=text)
    assert "products.toml: demo: origins: 'https://staging.example/': " in refused.value.faults[0]


def granted(answer: requests.Response) -> set[str]:
    """The CORS headers of an answer, by name."""
    return {name.lower() for name in answer.headers if name.lower().startswith("access-control-")}


def page_paths(world: World) -> list[str]:
    """The routes that pages call."""
    return [
        path
        for method in ("GET", "POST")
        for path in routes(world.bff_app, method, "/v1/")
        if path.startswith(("/v1/attempts", "/v1/config", "/v1/press", "/v1/sessions/exchange"))
    ]


@pytest.mark.parametrize("origin", [None, *FOREIGN])
def test_a17_who_is_not_registered_is_granted_nothing(world: World, origin: str | None) -> None:
    """No CORS header on any route, asked first or called; but `Vary: Origin`, for caches on the way."""
    headers = {} if origin is None else {"Origin": origin}
    asking = headers | {"Access-Control-Request-Method": "POST"}
    for path in page_paths(world):
        for answer in (
            requests.options(world.bff + path, headers=asking, timeout=20),
            requests.get(world.bff + path, headers=headers, timeout=20),
            requests.post(world.bff + path, headers=headers, json={}, timeout=20),
        ):
            if answer.status_code != 405:
                assert granted(answer) == set(), (path, answer.request.method)
                assert "Origin" in answer.headers["Vary"]


def test_a17_what_is_granted_is_said_word_by_word(world: World) -> None:
    """The origin itself, the two methods, the headers that the widget sends, ten minutes; no credentials."""
    asking = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ", ".join(["x-evil", *SENT]),
        "Access-Control-Request-Private-Network": "true",
    }
    for path in page_paths(world):
        answer = requests.options(world.bff + path, headers={"Origin": HOST} | asking, timeout=20)
        assert answer.status_code == 200
        told = {name.lower(): value for name, value in answer.headers.items()}
        assert told["access-control-allow-origin"] == HOST
        assert told["access-control-allow-methods"] == "GET, POST"
        allowed = {name.strip().lower() for name in told["access-control-allow-headers"].split(",")}
        assert allowed == SENT
        assert told["access-control-max-age"] == "600"
        assert "access-control-allow-credentials" not in told
        assert told["access-control-allow-private-network"] == "false"
        assert "Origin" in told["vary"]
        other = {"Origin": HOST, "Access-Control-Request-Method": "DELETE"}
        answer = requests.options(world.bff + path, headers=other, timeout=20)
        assert "DELETE" not in answer.headers.get("Access-Control-Allow-Methods", "")


def test_a17_what_ends_something_may_be_asked_for_there_alone(world: World) -> None:
    """DELETE is granted where a page may end a connection, to registered origins, and nowhere else."""
    asking = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    path = world.bff + "/v1/connections/7"
    granted = requests.options(path, headers={"Origin": HOST} | asking, timeout=20).headers
    assert granted["Access-Control-Allow-Origin"] == HOST
    assert granted["Access-Control-Allow-Methods"] == "DELETE"
    assert "Access-Control-Allow-Credentials" not in granted
    other = requests.options(path, headers={"Origin": "https://evil.example"} | asking, timeout=20).headers
    assert "Access-Control-Allow-Origin" not in other


def test_a17_only_the_pages_routes_are_granted(world: World) -> None:
    """What the host's server calls, the Studio and the popup's pages are for no other origin's script."""
    mine = set(page_paths(world))
    others = [path for path in routes(world.bff_app, "POST") if path not in mine]
    assert {"/v1/sessions", "/v1/sessions/end", "/connect/launch", "/studio/save"} <= set(others)
    for path in others:
        asking = {"Origin": HOST, "Access-Control-Request-Method": "POST"}
        assert granted(requests.options(world.bff + path, headers=asking, timeout=20)) == set(), path
        assert granted(requests.post(world.bff + path, headers={"Origin": HOST}, timeout=20)) == set(), path


def raw(world: World, path: str, origin: str) -> tuple[int, set[str]]:
    """Ask for exactly this path, which a client library would tidy up; status and CORS headers."""
    connection = http.client.HTTPConnection(urlsplit(world.bff).netloc, timeout=20)
    connection.putrequest("GET", path)
    connection.putheader("Origin", origin)
    connection.endheaders()
    answer = connection.getresponse()
    names = {name.lower() for name, _ in answer.getheaders() if name.lower().startswith("access-control-")}
    connection.close()
    return answer.status, names


@pytest.mark.parametrize(
    "path",
    [
        "/v1/%2e%2e/v1/config",
        "/v1/../v1/config",
        "/v1/./config",
        "/v1//config",
        "//v1/config",
        "/V1/CONFIG",
        "/v1/Config",
        "/v1/config+",
        "/v1/conf+ig",
        "/v1/config%2B",
        "/v1/config/",
        "/v1/config;a=b",
        "/v1/config%00",
        "/v1/config%0d%0aX:%20y",
        "/%76%31/config",
        "/v1/attempts/%2e%2e/config",
        "/v1/attempts/+",
        "/v1/attempts/a%2Fb",
        "/connect/../v1/config",
        "/studio/%2e%2e/v1/config",
    ],
)
def test_a18_no_spelling_of_a_path_changes_the_rule(world: World, path: str) -> None:
    """However it is written, an unregistered origin is granted nothing and nobody is signed in."""
    for origin in ("https://evil.example", "null"):
        status, names = raw(world, path, origin)
        assert names == set()
        assert status in {400, 401, 403, 404, 308, 422}
    # The registered one gets what every route of a page grants it, or nothing: no rule of its own.
    assert raw(world, path, OTHER_HOST)[1] <= {"access-control-allow-origin", "access-control-expose-headers"}


def test_a18_the_library_is_past_its_faults() -> None:
    """flask-cors 6.0.1 and later match paths and origins soundly (CVE-2024-6839, -6844, -6866)."""
    assert tuple(int(part) for part in version("flask-cors").split(".")[:3]) >= (6, 0, 1)
