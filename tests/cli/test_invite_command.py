"""An operator invites somebody to the Studio."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import Engine

from bff.cli.main import main
from bff.common.secret import Secret
from bff.products.store import DatabaseProducts
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.studio.access import INVITE_LIFE, Role
from bff.studio.invites import make_link, studio_store
from bff.studio.store import Ended
from tests.studio.test_editing import REGISTRATION


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The database of the commands, with the product `demo`."""
    url = f"sqlite:///{tmp_path}/bff.db"
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", url)
    made = open_database(url)
    SCHEMA.upgrade(made)
    DatabaseProducts(made).put(REGISTRATION, {}, [Secret("s" * 30)])
    yield made
    made.dispose()


@pytest.mark.parametrize("by", [timedelta(days=100), timedelta(days=-100)])
def test_a73_a_link_is_good_for_a_day_by_the_databases_clock(engine: Engine, by: timedelta) -> None:
    """Whatever the clock of the machine on which the command runs."""
    with time_machine.travel(datetime.now(UTC) + by):
        link = make_link(engine, "https://bff.example", "demo", "ada@acme.example", Role.EDITOR)
    invite = studio_store(engine).find_invite(Secret(link.rpartition("/")[2]))
    assert invite is not None
    assert abs(invite.expires_at - datetime.now(UTC) - INVITE_LIFE) < timedelta(minutes=1)


def test_sessions_end_however_the_address_is_spelt(engine: Engine) -> None:
    """Mail is the same in small and capital letters; nobody is left signed in."""
    studio = studio_store(engine)
    studio.sign_in(studio.invite("demo", "Ada@acme.example", Role.EDITOR))
    unused = studio.invite("demo", "ada@Acme.example", Role.EDITOR)
    studio.sign_in(studio.invite("demo", "adam@acme.example", Role.EDITOR))
    assert studio.end_sessions(" ADA@acme.example ") == Ended(sessions=1, invites=1)
    assert studio.sign_in(unused) is None


def test_sessions_of_nobody_do_not_end_in_silence(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that is misspelt leaves its owner signed in: exit status 2. Who is known may have none."""
    studio_store(engine).invite("demo", "ada@acme.example", Role.EDITOR)
    assert main(["studio", "end-sessions", "adda@acme.example"]) == 2
    assert "there is nobody of the address 'adda@acme.example'" in capsys.readouterr().err
    for invites in (1, 0):
        assert main(["studio", "end-sessions", "ada@acme.example"]) == 0
        told = f"sessions ended: 0; unused invitations ended: {invites}\n"
        assert capsys.readouterr().out == told


@pytest.mark.usefixtures("engine")
def test_the_command_prints_a_link_and_a_mail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On two lines; without such a product, address or setting it says what is wrong (exit status 2)."""
    monkeypatch.setenv("HITCHPOST_PUBLIC_URL", "https://bff.example/x")

    def invite(email: str, product: str) -> tuple[int, str]:
        status = main(["studio", "invite", email, "--product", product])
        return status, "".join(capsys.readouterr())

    status, told = invite("ada@acme.example", "demo")
    link, mail = told.splitlines()
    assert status == 0
    assert link.startswith("https://bff.example/x/studio/enter/")
    assert mail.startswith("mailto:ada@acme.example?subject=")
    assert link.rpartition("/")[2] in mail
    assert invite("ada@acme.example", "none")[0] == 2
    assert "no email address" in invite("ada", "demo")[1]
    monkeypatch.delenv("HITCHPOST_PUBLIC_URL")
    assert "HITCHPOST_PUBLIC_URL: is not set" in invite("ada@acme.example", "demo")[1]
