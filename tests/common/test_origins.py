"""An origin is literal, as a browser sends it, or it is refused."""

import re

import pytest

from bff.common.origins import origin_fault, origin_of


@pytest.mark.parametrize(
    "origin",
    ["https://app.example.com", "https://a.example:8443", "http://localhost:8000", "http://127.0.0.1:1"],
)
def test_a16_an_origin_as_browsers_send_it_is_taken(origin: str) -> None:
    """Scheme, host and a port that is not the default."""
    assert origin_fault(origin) is None


@pytest.mark.parametrize(
    "origin",
    [
        "*", "null", "", "https://*", "https://*.app.example", "https://*.example",
        r"https://.*\.app\.example", "https://app.example|https://evil.example", "^https://app.example$",
        "https://(app).example", "https://app.example/", "https://app.example/path",
        "https://app.example?x", "https://app.example#x", "https://user@app.example",
        "https://user:secret@app.example", "https://app.example:443", "https://app.example:0",
        "https://app.example:65536", "https://app.example:8443x", "https://APP.example",
        "HTTPS://app.example", "https://app.example.", "https://app..example", "https://app_.example",
        "https://a_b.example", "https://app.a_b.example", "https://-app.example", "https://app-.example",
        "https://app.example, https://b.example", " https://app.example", "https://app.example\n",
        "https://münchen.example", "http://app.example", "http://localhost.evil.example",
        "http://127.0.0.1.evil.example", "ftp://app.example", "file://", "app.example", "//app.example",
        "https://", "http://localhost:80", "https://app.example:99999",
    ],
)  # fmt: skip
def test_a16_what_is_no_origin_is_refused_with_advice(origin: str) -> None:
    """Wildcards, patterns, paths, users, default ports and plain http to the network are refused."""
    assert origin_fault(origin)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example/path?q=1#f", "https://a.example"),
        ("https://a.example:443/", "https://a.example"),
        ("http://LOCALHOST:8000/x", "http://localhost:8000"),
        ("https://good.example@evil.example/", None),
        ("https://evil.example\\@good.example", None),
        ("javascript:alert(1)", None),
        ("//a.example", None),
        ("https://a.example:nope/", None),
    ],
)
def test_the_origin_of_a_url_is_what_the_browser_would_compute(url: str, origin: str | None) -> None:
    """Tricks with users, backslashes and ports give no origin."""
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("https://a.example/", "^write scheme://host .* or user$"),
        ("https://a.example:443", "^leave out :443;"),
        ("http://localhost:80", "^leave out :80;"),
        ("https://a.example:65536", "^port 65536 does not exist$"),
        ("http://a.example", "^use https; .* only$"),
    ],
)
def test_each_refusal_says_what_to_write_instead(text: str, advice: str) -> None:
    """Of several faults the first that a person can mend."""
    assert re.search(advice, origin_fault(text) or "")


@pytest.mark.parametrize("origin", ["https://a.example:65535", "http://[::1]:8000", "http://app.localhost"])
def test_the_last_port_and_every_loopback_name_are_taken(origin: str) -> None:
    """As a browser sends them."""
    assert origin_fault(origin) is None
    assert origin_of(f"{origin}/page") == origin


@pytest.mark.parametrize(
    "url", ["https://good.example\\.evil.example/", "https:/\\good.example/", "https://\\evil.example"]
)
def test_a_backslash_is_in_no_origin(url: str) -> None:
    """Browsers take it for a slash, and servers do not."""
    assert origin_of(url) is None
