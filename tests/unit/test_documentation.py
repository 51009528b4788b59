"""The documentation says what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document() -> ModuleType:
    """The script that writes the pages."""
    spec = importlib.util.spec_from_file_location("document", ROOT / "scripts/document.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_setting_is_documented(document: ModuleType) -> None:
    """Name, default and meaning of each; after a change run scripts/document.py."""
    assert (ROOT / "docs/settings.md").read_text() == document.settings_page()


def test_every_error_is_documented(document: ModuleType) -> None:
    """Each code, its status and its words; after a change run scripts/document.py."""
    assert (ROOT / "docs/errors.md").read_text() == document.errors_page()


def test_no_link_leads_nowhere() -> None:
    """Every file that a page of the documentation links to is there."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if not target.startswith(("http:", "https:")):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
