"""``connectors test``: a sign-in in a terminal, for whoever writes an entry of the catalogue."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bff.partner.__main__ import main
from bff.partner.connector_test import InUse, Walk, in_use_at
from bff.partner.providers.catalogue import CatalogueConnector
from tests.partner.test_grants import environment
from tests.partner.test_replaced_grants import brings, revoked
from tests.support.emulations import EMULATIONS
from tests.support.provider import Provider, open_provider
from tests.support.third_party import Connection, ThirdParty, refused
from tests.support.world import World

pytestmark = pytest.mark.one_database

REDIRECT = "http://127.0.0.1:1/connector/callback"


def walk(world: World, provider: Provider, **values: str) -> tuple[int, str]:
    """Go through it as an operator with a browser does; the exit status, and all that was printed."""
    said: list[str] = []

    def browse(question: str) -> str:
        said.append(question)
        url = said[-2].strip()
        return requests.get(url, allow_redirects=False, timeout=30).headers["Location"]

    service, item = world.partner_service, provider.offer(world)
    in_use = in_use_at(service, item)
    status = Walk(item, service.provider, values, browse, said.append, in_use).go(REDIRECT)
    return status, "\n".join(said)


def walk_at(world: World, item: CatalogueConnector, in_use: InUse | None = None) -> tuple[int, list[str]]:
    """Go through it where every sign-in brings a code; the exit status, and the lines."""
    said: list[str] = []

    def browse(_: str) -> str:
        state = parse_qs(urlsplit(said[-1].strip()).query)["state"][0]
        return f"{REDIRECT}?code=a-code&state={state}"

    service = world.partner_service
    in_use = in_use or in_use_at(service, item)
    return Walk(item, service.provider, {}, browse, said.append, in_use).go(REDIRECT), said


def test_each_step_of_a_sign_in_is_told_without_a_token(world: World) -> None:
    """What came back, scopes, account, what is kept; refreshed and revoked in the end."""
    with open_provider(EMULATIONS["slack bot"].habits) as provider:
        status, told = walk(world, provider)
        assert status == 0, told
        for part in (
            "came back with: code, state",
            "scopes: chat:write",
            "account: Acme",
            "team.id = T9TK3CUKW",
        ):
            assert part in told
        assert "refreshed: with a new refresh token" in told
        assert told.endswith("6. revoked")
        assert provider.requests_of("revoke")
        tokens = [given.get("refresh_token", "") for _, given, _ in provider.asked] + [*provider.live]
        assert not any(token in told for token in tokens if token)


def test_a_failing_step_says_what_was_answered(world: World) -> None:
    """The provider's own status, error and words."""
    habits = EMULATIONS["github"].habits
    with open_provider(habits) as provider:
        provider.refusal = {"error": "access_denied", "error_description": "No, thank you."}
        status, told = walk(world, provider)
        assert status == 1
        assert "authorize access_denied No, thank you." in told


def test_a_field_that_is_needed_is_asked_for(world: World) -> None:
    """A shop, say; with it the sign-in goes on."""
    with open_provider(EMULATIONS["shopify"].habits) as provider:
        status, told = walk(world, provider)
        assert (status, told) == (1, "set these fields: --set shop=VALUE")
        status, told = walk(world, provider, shop="acme")
        assert (status, "account: acme.myshopify.com" in told) == (0, True), told


@pytest.mark.both_databases
def test_a_consent_that_a_connection_uses_is_not_revoked(world: World, third: ThirdParty) -> None:
    """Of the same account, by another entry of the client; one of another account is revoked."""
    entry = {"userinfo_url": f"{third.url}/userinfo", "revocation_ends": "consent"}
    brings(third, "connected")
    Connection(world, third.offer(world, **entry)).connect()
    brings(third, "tried")
    status, said = walk_at(world, third.offer(world, **entry))
    assert (status, said[-1], revoked(third)) == (0, "6. not revoked: in use by a connection", [])
    brings(third, "of-grace", "grace")
    status, said = walk_at(world, third.offer(world, **entry))
    assert (status, said[-1], revoked(third)) == (0, "6. revoked", ["of-grace"])


def test_a_token_that_a_connection_uses_is_neither_refreshed_nor_revoked(
    world: World, third: ThirdParty
) -> None:
    """A refresh may end it as well."""
    brings(third, "of-the-app")
    item = third.offer(world)
    Connection(world, item).connect()
    status, said = walk_at(world, item)
    told = ["5. not refreshed: in use by a connection", "6. not revoked: in use by a connection"]
    assert (status, said[-2:], revoked(third)) == (0, told, [])
    assert all(form["grant_type"] == "authorization_code" for form in third.forms("token"))


@pytest.mark.parametrize(("ends", "left"), [("grant", []), ("consent", ["tried"])])
def test_without_an_answer_of_the_database_no_consent_is_revoked(
    world: World, third: ThirdParty, ends: str, left: list[str]
) -> None:
    """It may be that of a connection."""
    brings(third, "tried")
    status, said = walk_at(world, third.offer(world, revocation_ends=ends), lambda _: None)
    assert (status, revoked(third)) == (0, [] if left else ["tried"])
    assert ("   end the grant at the third party yourself" in said) == bool(left)


def test_the_grant_is_revoked_after_a_step_that_failed(world: World, third: ThirdParty) -> None:
    """A refresh that is refused. The exit status still says that it failed."""

    def refuses(form: dict[str, str]) -> object:
        return refused("server_error", 503) if form["grant_type"] == "refresh_token" else answers(form)

    brings(third, "tried")
    answers, third.says["token"] = third.says["token"], refuses
    status, said = walk_at(world, third.offer(world))
    assert (status, said[-1], revoked(third)) == (1, "6. revoked", ["tried"])
    assert "failed: server_error" in said


@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token"])
def test_tokens_of_an_answer_that_cannot_be_used_are_revoked(
    world: World, third: ThirdParty, grant_type: str
) -> None:
    """They are good at the third party."""
    brings(third, "first")
    usable = third.says["token"]
    brings(third, "unusable", token_type="mac")
    unusable = third.says["token"]
    third.says["token"] = lambda form: (unusable if form["grant_type"] == grant_type else usable)(form)
    status, said = walk_at(world, third.offer(world))
    assert (status, said[-1], revoked(third)) == (1, "6. revoked", ["unusable"])


@pytest.mark.parametrize(
    ("ends", "database", "last"),
    [
        ("consent", "the service's", "6. not revoked: in use by a connection"),
        ("grant", "the service's", "6. revoked"),
        ("consent", "not there", "6. revoked"),
        ("consent", "unusable", "   end the grant at the third party yourself"),
    ],
)
def test_the_command_asks_the_database_of_the_service(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ends: str,
    database: str,
    last: str,
) -> None:
    """Without one there is no connection; it makes none. One that does not answer is told."""
    item = world.partner_service.catalogue.by_id(101)
    assert item is not None
    connection = Connection(world, item)
    world.sign_in(connection.api.sign_in_url(connection.id, callbackMessage="done"))
    text = (world.folder / "catalogue.toml").read_text()
    name = "userinfo_url ="
    path, file = tmp_path / "catalogue.toml", tmp_path / "partner.db"
    path.write_text(text.replace(name, f'revocation_ends = "{ends}"\n{name}'))
    for variable, value in environment(world, path).items():
        monkeypatch.setenv(variable, value)
    if database != "the service's":
        monkeypatch.setenv("HITCHPOST_EMBEDDED_DATABASE_URL", f"sqlite:///{file}")
    if database == "unusable":
        file.write_text("no database")

    warnings: list[str] = []

    def browse(_: str) -> str:
        shown = capsys.readouterr()
        warnings.append(shown.err)
        url = shown.out.splitlines()[-1].strip()
        return world.sign_in(url, follow=False).headers["Location"]

    monkeypatch.setattr("builtins.input", browse)
    assert main(["connectors", "test", "sandbox"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == last
    assert ("warning: HITCHPOST_EMBEDDED_DATABASE_URL: " in warnings[0]) == (database == "unusable")
    assert file.exists() == (database == "unusable")
