"""The widget as it is shipped, and all that a browser runs of ours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from bff.resources import WIDGET
from tests.support.script import load_script
from tests.support.world import HOST, World

pytestmark = pytest.mark.one_database

ROOT: Final = Path(__file__).parents[2]
LINT: Final = load_script("lint_house")
BUILT: Final = sorted(WIDGET.glob("*.js"))
SERVED: Final = sorted(path for path in (ROOT / "static").rglob("*.js") if path not in BUILT)
SOURCES: Final = sorted((ROOT / "static/widget/src").glob("*.ts"))
TEMPLATES: Final = sorted((ROOT / "templates").rglob("*.html"))
SINKS: Final = re.compile(r"\b(?:localStorage|indexedDB|caches|cookie)\b")


def manifest() -> dict[str, Any]:
    """What was built: version, and each file with its integrity and size."""
    found: dict[str, Any] = json.loads((WIDGET / "manifest.json").read_text(encoding="utf-8"))
    return found


def integrity(text: bytes) -> str:
    """The value of an ``integrity`` attribute (W3C Subresource Integrity)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(text).digest()).decode()


def name_of(path: Path) -> str:
    """As it stands in the repository."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [*BUILT, *SERVED, *SOURCES, *TEMPLATES], ids=name_of)
def test_a28_nothing_that_a_browser_runs_makes_markup_or_programs_of_text(path: Path) -> None:
    """No message to every window, no HTML from a text, no text run as a program, no script inside a page."""
    faults = LINT.faults_of(name_of(path), path.read_text(encoding="utf-8"))
    assert [(fault.line, fault.rule) for fault in faults] == []


def test_a28_the_built_files_were_looked_at() -> None:
    """Both bundles and the scripts of every page: a scan of nothing finds nothing."""
    fetched_later = {"panel.js", "connections.js", "diagnose.js", "resume.js"}
    assert {path.name for path in BUILT} == {"hitchpost.js", "headless.js", "package.js", *fetched_later}
    assert {path.parent.name for path in SERVED} == {"demo", "pages", "partner", "studio"}
    assert len(TEMPLATES) > 20


@pytest.mark.parametrize(
    "spoilt",
    ["a.postMessage(b,'*');", "a.innerHTML=b;", "eval(b);", "new Function(b);", "document.write(b);"],
)
def test_a28_the_scan_sees_into_a_minified_file(spoilt: str) -> None:
    """One such call anywhere in the one line of the built file is found."""
    text = (WIDGET / "hitchpost.js").read_text(encoding="utf-8")
    middle = text.index(";", len(text) // 2) + 1
    assert LINT.faults_of("static/widget/dist/hitchpost.js", text[:middle] + spoilt + text[middle:])


def test_a31_the_built_widget_keeps_nothing_but_the_attempts_id() -> None:
    """One store, an entry for each attempt, until its end; what it holds is no secret (``storage.ts``)."""
    for path in BUILT:
        text = path.read_text(encoding="utf-8")
        assert not SINKS.search(text), SINKS.search(text)
        assert text.count("sessionStorage") == (path.name in {"panel.js", "resume.js"})
    kept = (ROOT / "static/widget/src/storage.ts").read_text(encoding="utf-8")
    written = re.findall(r"setItem\((.*?)\); \}", kept)
    assert written == ['keyOf(kit, id), [connector, message, connection, Date.now()].join(" ")']


def test_a32_the_published_hash_is_the_files_own() -> None:
    """The manifest tells what was built: each file with its hash and its size."""
    files = manifest()["files"]
    assert set(files) == {path.name for path in BUILT}
    for path in BUILT:
        text = path.read_bytes()
        assert files[path.name]["integrity"] == integrity(text)
        assert files[path.name]["bytes"] == len(text)


def test_a32_a_version_is_kept_for_ever_and_passes_its_integrity_check(world: World) -> None:
    """Under its version the file never changes, and any page may load it with ``integrity``."""
    told = requests.get(f"{world.bff}/widget/v1/manifest.json", timeout=10).json()
    answer = requests.get(f"{world.bff}/widget/{told['version']}/hitchpost.js", timeout=10)
    assert answer.status_code == 200
    assert integrity(answer.content) == told["files"]["hitchpost.js"]["integrity"]
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    # Without these two a browser refuses integrity and isolated pages.
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].startswith("text/javascript")


def test_a32_the_moving_address_is_kept_for_minutes_only(world: World) -> None:
    """What moves must arrive: a fix reaches every page within five minutes."""
    for name in ("hitchpost.js", "manifest.json"):
        answer = requests.get(f"{world.bff}/widget/v1/{name}", timeout=10)
        assert answer.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("path", ["0.0.1/hitchpost.js", "{version}/headless.js", "{version}/manifest.json"])
def test_a32_nothing_else_is_kept_for_ever(world: World, path: str) -> None:
    """Another version is not served as if it were that one."""
    asked = path.format(version=manifest()["version"])
    answer = requests.get(f"{world.bff}/widget/{asked}", timeout=10)
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_a32_a_look_and_words_named_proto_reach_no_page(world: World) -> None:
    """What the configuration holds has names of our own; the widget's half is in ``poison.test.ts``."""
    token = world.session()
    asked = f"{world.bff}/v1/config?locale=__proto__"
    answer = requests.get(asked, headers={"Authorization": f"Bearer {token}", "Origin": HOST}, timeout=10)
    assert answer.status_code in {200, 422}
    assert "__proto__" not in answer.text
