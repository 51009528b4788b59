"""What browsers get: headers of pages, and the widget's files."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
import requests

from bff.serving.version import own_version
from tests.support.world import HOST, World

pytestmark = pytest.mark.one_database


def test_the_opening_page_may_be_cached_and_reaches_its_opener(world: World) -> None:
    """It is cacheable, sends no COOP (it would lose its opener), and its own POST carries an Origin."""
    page = requests.get(
        f"{world.bff}/connect/opening?product=demo&origin={HOST}&connector=sandbox", timeout=10
    )
    assert page.status_code == 200
    assert "Cross-Origin-Opener-Policy" not in page.headers
    assert "max-age" in page.headers["Cache-Control"]
    assert page.headers["Referrer-Policy"] == "same-origin"
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "form-action" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_opening_page_is_one_request(world: World) -> None:
    """A user waits meanwhile: script and styles are inside, the script first, and the policy names them."""
    answer = requests.get(f"{world.bff}/connect/opening?product=demo&origin={HOST}", timeout=10)
    loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', answer.text)
    assert loaded == ["data:,"]
    [script] = re.findall(r"<script data-origin=\"([^\"]*)\">(.*?)</script>", answer.text, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert script[0] == HOST
    assert answer.text.index("<script") < answer.text.index("<style")
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == hashed(script[1])
    assert policy["style-src"].split() == ["'self'", *map(hashed, styles)]


def hashed(text: str) -> str:
    """As a policy names a text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_health(world: World) -> None:
    """Alive, and ready to work."""
    for path in ("live", "ready"):
        assert requests.get(f"{world.bff}/health/{path}", timeout=10).json() == {
            "status": "ok",
            "version": own_version(),
        }


def test_no_file_outside_the_widget_folder_is_served(world: World) -> None:
    """Paths that climb find nothing."""
    for path in (
        "/widget/v1/..%2fpackage.json",
        "/widget/v1/%2e%2e/package.json",
        "/connect/assets/..%2f..%2fsetup",
    ):
        assert requests.get(world.bff + path, timeout=10).status_code == 404
