"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from bff.cli.main import main
from bff.content.words import CATALOGUE
from bff.studio.scenes import scene_of
from tests.support.script import load_script

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document() -> ModuleType:
    """The script that writes the pages."""
    return load_script("document")


def test_every_setting_is_documented(document: ModuleType) -> None:
    """Name, default and meaning of each; after a change run scripts/document.py."""
    assert (ROOT / "docs/settings.md").read_text() == document.settings_page()


def test_every_error_is_documented(document: ModuleType) -> None:
    """Each code, its status and its words; after a change run scripts/document.py."""
    assert (ROOT / "docs/errors.md").read_text() == document.errors_page()
    assert document.PAGE_CODES.read_text() == document.page_codes()


def test_every_route_is_documented(document: ModuleType) -> None:
    """Each route of the BFF's OpenAPI document, in short; after a change run scripts/document.py."""
    assert (ROOT / "docs/api.md").read_text() == document.api_page()


def test_every_word_is_documented(document: ModuleType) -> None:
    """Each text that users read, and what it is; after a change run scripts/document.py."""
    assert (ROOT / "docs/words.md").read_text() == document.words_page()


def test_every_shipped_provider_is_documented() -> None:
    """Each service, its kind and where its facts come from; after a change run scripts/document.py."""
    page = load_script("shipped_providers").page()
    assert (ROOT / "docs/shipped-providers.md").read_text() == page


def test_every_word_has_a_picture(document: ModuleType) -> None:
    """One of each scene, and none of a scene that is gone; after a change run make pictures."""
    linked = set(re.findall(r"!\[[^]]+\]\(pictures/words/([^)]+)\)", document.words_page()))
    assert linked == {f"{scene.key}.png" for key in CATALOGUE if (scene := scene_of(key))}
    assert linked == {picture.name for picture in (ROOT / "docs/pictures/words").iterdir()}


def test_pictures_are_light() -> None:
    """Those of words have at most 48 KiB each; contact sheets 5 MB, the others 2.5 MB, all together."""
    pictures = [*(ROOT / "docs").rglob("*.png")]
    assert sum(picture.stat().st_size for picture in pictures) < 2_500_000
    assert sum(sheet.stat().st_size for sheet in (ROOT / "docs").rglob("*.webp")) < 5_000_000
    assert all(p.stat().st_size <= 48 * 1024 for p in pictures if p.parent.name == "words")


def test_the_example_of_a_file_is_sound(tmp_path: Path) -> None:
    """What messages.md shows as a file passes ``hitchpost messages check``."""
    example = re.search(r"```toml\n(.*?)```", (ROOT / "docs/messages.md").read_text(), re.DOTALL)
    assert example is not None
    (tmp_path / "messages.toml").write_text(example[1])
    (tmp_path / "logo.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><path d="M0 0h64v64z"/></svg>'
    )
    assert main(["messages", "check", str(tmp_path / "messages.toml")]) == 0


def test_no_link_leads_nowhere() -> None:
    """Every file that a page of the documentation links to is there."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if not target.startswith(("http:", "https:")):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_link_names_a_missing_heading() -> None:
    """A link to a part of a page of the documentation names one of its headings."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for file, anchor in re.findall(r"\]\(([^):#]*)#([^)\s]+)\)", page.read_text()):
            target = page.parent / file if file else page
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{page.name}: {file}#{anchor}"
