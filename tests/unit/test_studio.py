"""What the Studio says of entries: their names, and which text whose users get, and why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bff.adapters.database import SCHEMA
from bff.adapters.product_store import DatabaseProducts
from bff.core.content import Registration, path_of_text, path_of_word
from bff.core.model import OfferedConnector
from bff.core.scenes import SCENES, scene_of
from bff.core.secret import Secret
from bff.core.studio import because, label, page_of, sent
from bff.core.studio_access import email_fault
from bff.core.words import CATALOGUE
from bff.serving.database import open_database

NAMES = {"hubspot": "HubSpot", "crm": "CRM"}
REGISTRATION = Registration(
    "demo",
    "Demo",
    ("https://app.example",),
    tuple(OfferedConnector(key, name, key) for key, name in NAMES.items()),
)


@pytest.mark.parametrize(
    ("place", "locale", "said"),
    [
        (("hubspot", "de"), "de", "the HubSpot text in German"),
        (("hubspot", "de"), "th", "the HubSpot text in German, as there is none for HubSpot in Thai"),
        (("hubspot", "*"), "de", "the HubSpot text, as there is none for HubSpot in German"),
        (("hubspot", "*"), "*", "the HubSpot text"),
        (("*", "de"), "de", "the text in German, as there is none for HubSpot"),
        (("*", "*"), "de", "the text for everybody, as there is none for HubSpot or in German"),
        (("*", "*"), "*", "the text for everybody, as there is none for HubSpot"),
    ],
)  # fmt: skip
def test_why_a_text_was_taken(place: tuple[str, str], locale: str, said: str) -> None:
    """It names the text, and why it is not a closer one."""
    assert because(place, "hubspot", locale, NAMES) == said


def test_what_is_sent_to_whom() -> None:
    """A row for each connector, in each language in use and in any other; a faulty text is sent to nobody."""
    content = {
        path_of_text("default"): "hello {user}",
        path_of_text("default", "hubspot", "de"): "hallo {connector_name}",
        path_of_text("default", "crm"): "{nothing}",
    }
    found = {(row.connector, row.locale): row for row in sent(content, REGISTRATION, NAMES, "default")}
    assert set(found) == {(key, locale) for key in NAMES for locale in ("de", "*")}
    assert found["hubspot", "de"].message == "hallo HubSpot"
    assert found["hubspot", "*"].message == "hello ada-3f1c9a5d-7e8b-4206"
    assert found["crm", "de"].message is None
    assert '"message":"hallo HubSpot"' in (found["hubspot", "de"].wire or "")
    assert found["hubspot", "de"].fits


def test_a_message_that_is_too_long_does_not_fit() -> None:
    """The URL that would carry it is longer than every browser takes."""
    content = {path_of_text("default"): "x" * 2000}
    assert not sent(content, REGISTRATION, NAMES, "default")[0].fits


def test_every_entry_has_a_name_and_a_page() -> None:
    """As people call it; and where it is edited."""
    named = {
        path_of_text("default", "crm"): ("Message “default”: the CRM text", "messages/default"),
        "messages/done/kind": ("Message “done”: kind", "messages/done"),
        path_of_word("open_again", "hubspot", "pt-BR"): (
            "Words: Open again, Portuguese (Brazil) for HubSpot",
            "words?locale=pt-BR&connector=hubspot",
        ),
        "look/accent_ink": ("Look: button text", "look"),
        "connectors/order": ("Connectors: their order", "connectors"),
        "connectors/crm/name": ("Connectors: name of crm", "connectors"),
        "nonsense": ("nonsense", "changes"),
    }  # fmt: skip
    assert {path: (label(path, NAMES), page_of(path)) for path in named} == named


def test_every_word_on_a_page_can_be_looked_at() -> None:
    """Each text of the catalogue has a scene, unless it is of a mail."""
    for key, known in CATALOGUE.items():
        assert scene_of(key) == SCENES.get(known.scene)
        assert (scene_of(key) is None) == (known.scene == "mail"), key


@pytest.mark.parametrize(
    "text", ["", "ada", "@x", "a b@c.example", "a@b@c", "a@c?x=1", "a@c.example\n", "<a@b.c>"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """It stands in a mail's link and beside what its owner writes."""
    assert email_fault(text)


def test_the_command_prints_a_link_and_a_mail(tmp_path: Path) -> None:
    """On two lines; without such a product, address or setting it says what is wrong (exit status 2)."""
    url = f"sqlite:///{tmp_path}/bff.db"
    engine = open_database(url)
    SCHEMA.upgrade(engine)
    DatabaseProducts(engine).put(REGISTRATION, {}, [Secret("s" * 30)])
    engine.dispose()
    ours = {"HITCHPOST_DATABASE_URL": url, "HITCHPOST_PUBLIC_URL": "https://bff.example/x"}

    def invite(email: str, product: str, environment: dict[str, str]) -> tuple[int, str]:
        command = [sys.executable, "-m", "bff", "studio", "invite", email, "--product", product]
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        return ran.returncode, ran.stdout + ran.stderr

    code, told = invite("ada@acme.example", "demo", ours)
    link, mail = told.splitlines()
    assert code == 0
    assert link.startswith("https://bff.example/x/studio/enter/")
    assert mail.startswith("mailto:ada@acme.example?subject=")
    assert link.rpartition("/")[2] in mail
    assert invite("ada@acme.example", "none", ours)[0] == 2
    assert "no email address" in invite("ada", "demo", ours)[1]
    without = {"HITCHPOST_DATABASE_URL": url}
    assert "HITCHPOST_PUBLIC_URL: is not set" in invite("ada@acme.example", "demo", without)[1]
