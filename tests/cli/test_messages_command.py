"""`hitchpost messages`: a team's content in a file under version control."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bff.cli.main import main
from bff.content.entries import path_of_text, path_of_word
from bff.content.logos.store import DatabaseImages
from bff.content.store import ContentStore
from bff.serving.database import open_database
from bff.serving.store_clock import StoreClock
from tests.support.databases import sqlite_url

PRODUCTS = """
[[product]]
key = "demo"
name = "Demo"
origins = ["https://app.example"]
secret_keys = ["sk_0123456789abcdef0123"]
connectors = ["crm", "books"]
[product.connector.crm]
name = "CRM"
[product.messages.done]
kind = "plain"
text = "done"
[[product.messages.done.variants]]
connector = "crm"
locale = "de"
text = "fertig"
[product.words]
cancel = "Stop"
[product.words.de]
cancel = "Abbrechen, bitte"
[product.connector.crm.words.de]
button = "{connector_name} anbinden"
"""


@dataclass
class Ended:
    """What a command came to: its exit status, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """`hitchpost` with a database of its own, in a folder of its own, without a terminal."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.url = sqlite_url(folder, "bff")
        self._captured = captured
        (folder / "products.toml").write_text(PRODUCTS)
        assert self("products", "apply", "products.toml").returncode == 0

    def __call__(self, *words: str) -> Ended:
        """Run it."""
        self._captured.readouterr()
        status = main(list(words))
        written = self._captured.readouterr()
        return Ended(status, written.out, written.err)

    def write(self, name: str, text: str) -> str:
        """A file beside the database."""
        (self.folder / name).write_text(text)
        return name

    def published(self) -> dict[str, str]:
        """What users meet."""
        return dict(self.store().published("demo").content)

    def store(self) -> ContentStore:
        """The database, as another process sees it."""
        return ContentStore(open_database(self.url), lambda: datetime.now(UTC))


@pytest.fixture
def hitchpost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A product is registered, and its content published, by a product file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", sqlite_url(tmp_path, "bff"))
    return Command(tmp_path, capsys)


def test_export_and_import_are_each_others_mirror(hitchpost: Command) -> None:
    """What was exported changes nothing when it is imported; product files are of the same form."""
    assert hitchpost("messages", "export", "demo", "mine.toml").returncode == 0
    again = hitchpost("messages", "import", "mine.toml", "--yes")
    assert (again.returncode, again.stdout) == (0, "nothing would change\n")
    whole = hitchpost("messages", "import", "products.toml")
    assert whole.returncode == 1
    assert "connector.crm.name" in whole.stdout
    assert "messages.done" not in whole.stdout


def test_an_import_shows_what_would_change_and_changes_nothing_unasked(hitchpost: Command) -> None:
    """The difference by key, before and after; `--yes` publishes it as a new version with who and why."""
    hitchpost("messages", "export", "demo", "mine.toml")
    changed = (hitchpost.folder / "mine.toml").read_text().replace('"done"', '"finished"')
    asked = hitchpost("messages", "import", hitchpost.write("mine.toml", changed))
    assert asked.returncode == 1
    assert "messages.done.text\n    - done\n    + finished" in asked.stdout
    assert "--yes" in asked.stderr
    assert hitchpost.published()[path_of_text("done")] == "done"
    assert hitchpost("messages", "import", "mine.toml", "--yes").returncode == 0
    assert hitchpost.published()[path_of_text("done")] == "finished"
    newest = hitchpost.store().history("demo")[0]
    assert (newest.number, newest.note) == (2, "imported from mine.toml")


def test_an_import_warns_of_each_message_that_would_go(hitchpost: Command) -> None:
    """A page that still asks for it cannot connect any more; with `--yes` the warning stands in the log."""
    name = hitchpost.write("words.toml", '[[product]]\nkey = "demo"\n[product.words.de]\ncancel = "Nein"\n')
    warned = "warning: demo: messages.done is not in the file and would be removed"
    assert warned in hitchpost("messages", "import", name).stderr
    done = hitchpost("messages", "import", name, "--yes")
    assert (done.returncode, warned in done.stderr) == (0, True)


def test_a_faulty_file_is_refused_whole(hitchpost: Command) -> None:
    """Each fault by file, product and key; `check` says the same, with or without a database."""
    faulty = (
        '[[product]]\nkey = "demo"\n[product.messages.done]\ntext = "{password}"\n'
        '[product.words.de]\nbutton = "Verbinden"\n[product.look]\naccent = "blue-ish"\n'
    )
    name = hitchpost.write("faulty.toml", faulty)
    before = hitchpost.published()
    for action in ("import", "check"):
        said = hitchpost("messages", action, name)
        assert said.returncode == 2
        for key in ("messages.done.text: {password}", "words.de.button: ", "look.accent: "):
            assert f"faulty.toml: demo: {key}" in said.stderr
    assert hitchpost.published() == before


def test_what_is_ignored_or_not_checked_is_said(hitchpost: Command) -> None:
    """The operators' keys do nothing in a team's file; without a database, products are not known."""
    plain = '[[product]]\nkey = "demo"\n[product.connector.crm]\nname = "CRM"\n'
    operators = (
        'reference = "x"\nlogo = "https://a.example/b.svg"\nmultiple = true\n'
        '[[product.webhook]]\nurl = "https://a.example"\n'
    )
    named = "demo: webhook, connector.crm.logo, connector.crm.multiple, connector.crm.reference: ignored"
    for action in ("import", "check"):
        assert named in hitchpost("messages", action, hitchpost.write("team.toml", plain + operators)).stderr
        assert "ignored" not in hitchpost("messages", action, hitchpost.write("team.toml", plain)).stderr
    said = hitchpost("messages", "check", "team.toml").stdout.splitlines()
    assert said == ["the file is sound", said[1]]
    assert said[1].startswith("demo: not checked")
    assert said[1].endswith("whether this product is registered, and offers its connectors crm")


def test_an_unknown_product_is_named(hitchpost: Command) -> None:
    """With those that there are, or with the command that registers one."""
    said = hitchpost("messages", "export", "demmo")
    assert (said.returncode, said.stdout) == (2, "")
    assert "there are: demo" in said.stderr
    other = hitchpost.write("other.toml", '[[product]]\nkey = "other"\n')
    assert "products apply" in hitchpost("messages", "import", other).stderr


def test_a_start_with_the_same_file_keeps_what_the_team_published(hitchpost: Command) -> None:
    """A product file that has not changed takes nothing back; one that has is published."""
    store = hitchpost.store()
    store.publish("demo", hitchpost.published() | {path_of_word("cancel"): "Never mind"}, "grace@example.com")
    said = hitchpost("products", "apply", "products.toml")
    assert "grace@example.com" in said.stdout
    assert hitchpost.published()[path_of_word("cancel")] == "Never mind"
    hitchpost.write("products.toml", PRODUCTS.replace('"Stop"', '"Halt"'))
    hitchpost("products", "apply", "products.toml")
    assert hitchpost.published()[path_of_word("cancel")] == "Halt"
    assert [version.by for version in store.history("demo")][1] == "grace@example.com"


def test_a_logo_is_a_file_beside_the_product_file(hitchpost: Command) -> None:
    """It is looked at and kept when the file is applied or imported; one that is no image is refused."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="20" height="20"/></svg>'
    )
    hitchpost.write("logo.svg", svg)
    branded = '[[product]]\nkey = "demo"\n[product.look]\nlogo = "logo.svg"\n'
    hitchpost.write("branded.toml", branded)
    assert hitchpost("messages", "import", "branded.toml", "--yes").returncode == 0
    name = hitchpost.published()["look/logo"]
    engine = open_database(hitchpost.url)
    kept = DatabaseImages(engine, StoreClock(engine)).get(name)
    assert kept is not None
    assert kept.data.decode() == svg
    hitchpost.write("logo.svg", svg.replace("<rect", "<script/><rect"))
    said = hitchpost("messages", "import", "branded.toml", "--yes")
    assert said.returncode == 2
    assert "branded.toml: demo: look.logo: logo.svg: an SVG with script" in said.stderr
    hitchpost.write("products.toml", PRODUCTS + branded.split("\n", 2)[2].replace("logo.svg", "ghost.png"))
    said = hitchpost("products", "apply", "products.toml")
    assert said.returncode == 2
    assert "demo: look.logo: there is no file ghost.png" in said.stderr
