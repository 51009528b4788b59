"""No address that somebody hands in, in a body, a query or a header, leads a browser anywhere else."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from werkzeug.test import TestResponse

from tests.support.world import HOST, OPENED_FOR, SECRET_KEY, World

pytestmark = pytest.mark.one_database

EVIL: Final = "evil.example"
OURS: Final = urlsplit(HOST).netloc
ALLOWED: Final = 50
"""Calls of one user, of whom more than so many in a minute may be refused for that alone."""
LEAST: Final = 559
"""As many as the best known corpus of attacks on redirects has."""


def corpus() -> list[str]:
    """Addresses of which every parser that browsers, servers and libraries have makes something else.

    None of them is a page of the registered origin, to any reader.
    """
    return list(dict.fromkeys(itertools.chain(_without_scheme(), _schemes(), _authorities(), _smuggled())))


def _without_scheme() -> Iterator[str]:
    """What a browser may complete from its own address."""
    slashes = [
        "/",
        "//",
        "///",
        "////",
        "\\",
        "\\\\",
        "/\\",
        "\\/",
        "/\t/",
        "/\n/",
        "/\r/",
        "/ /",
        "/./",
        "/../",
    ]
    slashes += [
        "/.//",
        "/%2f",
        "/%5c",
        "%2f%2f",
        "%5c%5c",
        "\t//",
        " //",
        "\x00//",
        "\u200b//",
        "\ufeff//",
        "\x0b//",
    ]
    slashes += [
        "/\x0b/",
        "/\x0c/",
        "//;@",
        "/;/",
        "/.\\",
        "/\\/",
        "./",
        "../",
        "?//",
        "#//",
        "%0d%0a//",
        "〱",
        "//〵",
        "゛",
    ]
    tails = [
        EVIL,
        f"{EVIL}/",
        f"{EVIL}:443/%2e%2e",
        f"{OURS}@{EVIL}",
        f"{EVIL}#{OURS}",
        f"{EVIL}?{HOST}",
        f"{EVIL}%00{OURS}",
    ]
    yield from (slash + tail for slash, tail in itertools.product(slashes, tails))
    yield from (
        "",
        " ",
        ".",
        "..",
        "null",
        "undefined",
        "*",
        "about:blank",
        OURS,
        f"{OURS}/",
        f"//{OURS}",
        f"///{OURS}",
    )


def _schemes() -> Iterator[str]:
    """Schemes that run, read or show something; and our own host by another one."""
    schemes = [
        "javascript",
        "JaVaScRiPt",
        "java\tscript",
        "java\nscript",
        "\x01javascript",
        " javascript",
        "vbscript",
    ]
    schemes += [
        "data",
        "file",
        "ftp",
        "blob",
        "filesystem",
        "view-source",
        "intent",
        "ws",
        "wss",
        "gopher",
        "mailto",
    ]
    schemes += [
        "about",
        "chrome",
        "jar",
        "http",
        "HTTP",
        "hxxps",
        "httpss",
        "https%3a",
        "javascript%3a",
        "javascript&colon;",
    ]
    rests = [
        ":alert(1)",
        f"://{OURS}/",
        f"://{OURS}/%0aalert(1)",
        f"://{EVIL}/",
        ":text/html,<script>alert(1)</script>",
    ]
    yield from (scheme + rest for scheme, rest in itertools.product(schemes, rests))


def _authorities() -> Iterator[str]:
    """Hosts that look like ours, or hold it."""
    hosts = [
        EVIL,
        f"{OURS}.{EVIL}",
        f"{EVIL}.{OURS}",
        f"x{OURS}",
        f"{OURS}x",
        OURS.replace(".", "-"),
        f"{OURS}.",
        f".{OURS}",
    ]
    hosts += [
        OURS.replace("a", "\u0430"),
        OURS.replace("e", "\uff45"),
        OURS.replace(".", "\u3002"),
        OURS.replace(".", "%2e"),
    ]
    hosts += [
        f"{OURS}@{EVIL}",
        f"{OURS}:@{EVIL}",
        f"{OURS}:443@{EVIL}",
        f"user:pw@{OURS}",
        f"user@{OURS}",
        f"@{OURS}",
    ]
    hosts += [
        f"{OURS}%40{EVIL}",
        f"{OURS};@{EVIL}",
        f"{OURS}&@{EVIL}",
        f"{OURS}\\@{EVIL}",
        f"{OURS}\\.{EVIL}",
        f"{EVIL}\\@{OURS}",
    ]
    hosts += [
        f"{OURS}%00.{EVIL}",
        f"{OURS}%0d%0a.{EVIL}",
        f"{OURS}%09.{EVIL}",
        f"{OURS}%23.{EVIL}",
        f"{OURS}%3f.{EVIL}",
    ]
    hosts += [
        f"{OURS}%2f.{EVIL}",
        f"{OURS}%5c.{EVIL}",
        f"{OURS}%20.{EVIL}",
        f"{OURS}:80",
        f"{OURS}:444",
        f"{OURS}:0443x",
    ]
    hosts += [
        f"{OURS}:99999",
        f"{OURS}:-1",
        f"{OURS}:443:80",
        f"{OURS}:a",
        f"{OURS}:4\u0663",
        "[::1]",
        "[::1",
        "127.0.0.1",
    ]
    hosts += [
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "169.254.169.254",
        "staging.example",
        "other.example",
    ]
    hosts += [
        f"{OURS}_.{EVIL}",
        f"{OURS}\u00ad.{EVIL}",
        f"{OURS}\u200d.{EVIL}",
        f"{EVIL}\u2100{OURS}",
        "",
        " ",
        ".",
    ]
    starts = ["https://", "https:///", "https:/", "https:", "https:\\\\", "https:/\\", "HTTPS://"]
    # Behind fewer or more slashes than two, even our own host is no origin.
    yield from (start + host + "/a" for start, host in itertools.product(starts, hosts))
    yield from (f"https:{slashes}{OURS}/a" for slashes in ("", "/", "///", "\\\\", "\\/", "/\\", "/\t/"))


def _smuggled() -> Iterator[str]:
    """Our own address, with something in it that one reader drops and the next does not."""
    odd = [
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\x00",
        "\x0b",
        "\x0c",
        "\x1f",
        "\x7f",
        "\u0085",
        "\u2028",
        "\u200e",
        "\u202e",
        "\ufeff",
    ]
    places = [
        "{}" + HOST + "/a",
        "ht{}tps://" + OURS + "/a",
        "https:{}//" + OURS + "/a",
        "https://{}" + OURS + "/a",
    ]
    places += [
        "https://app.{}example/a",
        HOST + "{}/a",
        HOST + "/{}a",
        HOST + "/a{}",
        HOST + "/a?b={}",
        HOST + "/#{}",
    ]
    yield from (place.format(character) for place, character in itertools.product(places, odd))
    yield from (
        HOST + rest
        for rest in (f"\\@{EVIL}", f"/\\{EVIL}", f"/a\\..\\{EVIL}", "/a\r\nSet-Cookie: a=b", "/a b\\")
    )
    yield from (f"{HOST} /a", f" {HOST}/a", f"{HOST}/a ")


CORPUS: Final = corpus()


def refused(answer: TestResponse) -> bool:
    """A refusal with its reason, and no way on."""
    codes = {400, 403, 422}
    return (
        answer.status_code in codes and "Location" not in answer.headers and "Refresh" not in answer.headers
    )


def test_a22_the_corpus_is_large_enough() -> None:
    """At least as many as the best known one, all different."""
    assert len(CORPUS) == len(set(CORPUS)) >= LEAST


@pytest.mark.timeout(600)
def test_a22_no_return_url_leads_elsewhere(world: World) -> None:
    """A page to come back to is one of the origin that asks: all else is refused, without a redirect."""
    count, page = itertools.count(), world.bff_app.test_client(use_cookies=False)
    headers = {"Origin": HOST, "X-Hitchpost": "1"}

    def ask(address: str) -> TestResponse:
        if next(count) % ALLOWED == 0:
            headers["Authorization"] = f"Bearer {world.session(user=secrets.token_hex(4))}"
        body = {"connector": "sandbox", "delivery": "return", "return_url": address}
        return page.post("/v1/attempts", base_url=world.bff, json=body, headers=headers)

    assert [address for address in CORPUS if not refused(ask(address))] == []
    assert ask(f"{HOST}/tools?tab=2#top").status_code == 201


@pytest.mark.timeout(600)
def test_a22_no_target_origin_leads_elsewhere(world: World) -> None:
    """A host's server gets no URL that ends anywhere but at an origin of its product."""
    count, server = itertools.count(), world.bff_app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}

    def ask(address: str, message: str | None) -> TestResponse:
        user = {"id": f"user-{next(count) // ALLOWED}"}
        body = {"user": user, "account": {"id": world.account}, "connector": "sandbox"}
        body |= {"target_origin": address} | ({"callback_message": message} if message else {})
        return server.post("/v1/sign-in-urls", base_url=world.bff, json=body, headers=headers)

    assert [address for address in CORPUS if not refused(ask(address, None))] == []
    assert refused(ask(f"{HOST}/tools", "done"))
    assert ask(HOST, "done").status_code == 201


@pytest.mark.timeout(600)
def test_a22_the_opening_page_speaks_to_registered_origins_only(world: World) -> None:
    """The origin that the opening page talks to is registered, letter by letter, or there is no such page."""
    browser = world.bff_app.test_client(use_cookies=False)

    def ask(origin: str) -> TestResponse:
        query = {"product": "demo", "origin": origin}
        return browser.get("/connect/opening", base_url=world.bff, query_string=query)

    assert [address for address in CORPUS if not refused(ask(address))] == []
    for near in (f"{HOST}/", f"{HOST}:443", HOST.upper(), "https://other.example", f"{HOST},{HOST}"):
        assert refused(ask(near))
    assert ask(HOST).status_code == 200


def test_a22_a_launch_leads_to_the_partner_whatever_it_is_given(world: World) -> None:
    """No field and no query of a launch is an address; the page was told where the partner is."""
    names = (
        "next",
        "url",
        "redirect",
        "redirect_uri",
        "return_url",
        "returnUrl",
        "targetOrigin",
        "target_origin",
    )
    attempt = world.begin(world.session())
    answer = requests.post(
        f"{world.bff}/connect/launch",
        params=dict.fromkeys(names, f"https://{EVIL}/"),
        data={
            "launch_token": attempt["launch_token"],
            **OPENED_FOR,
            **dict.fromkeys(names, f"https://{EVIL}/"),
        },
        headers={"Origin": world.bff},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 303
    assert attempt["partner_origin"] == world.partner
    assert answer.headers["Location"].startswith(f"{world.partner}/connectorauth/")
    assert EVIL not in answer.headers["Location"]


HOSTILE: Final = [
    {"Host": EVIL},
    {"Host": f"{EVIL}:443"},
    {"X-Forwarded-Host": EVIL},
    {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"},
    {"X-Forwarded-Proto": "javascript"},
    {"X-Forwarded-Prefix": f"//{EVIL}"},
    {"X-Forwarded-Server": EVIL},
    {"X-Forwarded-For": EVIL},
    {"Forwarded": f"for=1.2.3.4;host={EVIL};proto=https"},
    {"X-Host": EVIL},
    {"X-Original-Host": EVIL},
    {"X-Original-URL": f"//{EVIL}/"},
    {"X-Rewrite-URL": f"//{EVIL}/"},
    {"X-Script-Name": f"//{EVIL}"},
    {"X_Forwarded_Host": EVIL},
    {"Script-Name": f"//{EVIL}"},
    {"Referer": f"https://{EVIL}/"},
]


def shown(answer: requests.Response) -> str:
    """Everything in an answer that could hold an address of ours."""
    return answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())


@pytest.mark.parametrize("headers", HOSTILE, ids="+".join)
def test_a23_no_header_changes_a_url_that_the_bff_makes(world: World, headers: dict[str, str]) -> None:
    """Pages, files, and the redirect to the partner service: refused, or the same as without the header."""
    for path in (
        f"/connect/opening?product=demo&origin={HOST}",
        "/widget/v1/manifest.json",
        "/connect/return/unknown",
        "/studio/",
        "/v1/receipts/keys",
    ):
        answer = requests.get(world.bff + path, headers=headers, timeout=10, allow_redirects=False)
        assert EVIL not in shown(answer), path
    attempt = world.begin(world.session(), delivery="return", return_url=f"{HOST}/")

    def launch(more: dict[str, str]) -> requests.Response:
        return requests.post(
            f"{world.bff}/connect/launch",
            data={"launch_token": attempt["launch_token"], **OPENED_FOR},
            headers={"Origin": world.bff} | more,
            allow_redirects=False,
            timeout=30,
        )

    answer = launch(headers)
    assert EVIL not in shown(answer)
    if answer.status_code != 303:
        assert answer.status_code in {400, 421}
        answer = launch({})
    url = urlsplit(answer.headers["Location"])
    assert f"{url.scheme}://{url.netloc}" == world.partner
    assert parse_qs(url.query)["targetOrigin"][0].startswith(f"{world.bff}/connect/return/")


@pytest.mark.parametrize("headers", HOSTILE, ids="+".join)
def test_a23_no_header_changes_a_url_that_the_partner_makes(world: World, headers: dict[str, str]) -> None:
    """The redirect URI, the third party's address and the last page are as configured, or it is refused."""
    attempt, browser = world.begin(world.session()), requests.Session()
    minted = world.launch(attempt["launch_token"], browser=browser).headers["Location"]
    answer = browser.get(minted, headers=headers, timeout=10, allow_redirects=False)
    assert EVIL not in shown(answer)
    if answer.status_code != 302:
        assert answer.status_code in {400, 421}
        answer = browser.get(minted, timeout=10, allow_redirects=False)
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"{world.partner}/connector/callback"]
    assert answer.headers["Location"].startswith(f"{world.sandbox}/authorize?")
    back = world.sign_in(answer.headers["Location"], browser=browser, follow=False).headers["Location"]
    last = browser.get(back, headers=headers, timeout=10)
    assert EVIL not in shown(last)
    if last.status_code in {400, 421}:
        last = browser.get(back, timeout=10)
    assert f'data-target="{HOST}"' in last.text
