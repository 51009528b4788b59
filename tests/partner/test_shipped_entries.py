"""The services that ship as catalogue entries are sound, each by itself and all in one catalogue."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from bff.partner.providers import templates
from bff.partner.providers.catalogue import read_catalogue, require_allowed
from bff.partner.providers.catalogue_writing import FIRST_ID, add_to, entry_text, secret_variable
from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.shipped_entries import SHIPPED, UnknownProvider, named, shipped
from bff.serving.destinations import Policy, parts_of
from tests.support.shipped_values import values_of

AT_LEAST = 120
CATEGORIES = {"crm", "accounting", "storage", "chat", "support", "commerce", "hr", "marketing", "developer"}
KNOWN_LATER = {
    "oauth2": {"access_token", "token", "client_id", "redirect_uri", "client_secret", "basic"},
    "api_key": {"api_key"},
    "basic": {"username", "password", "basic"},
}
"""What a text may name although no field has the name, by kind of sign-in."""


@pytest.fixture(scope="module")
def all_of_them(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with every entry as it is added, and its client filled in."""
    path = tmp_path_factory.mktemp("shipped") / "catalogue.toml"
    first, *others = shipped()
    path.write_text("\n".join(entry_text(entry, FIRST_ID + number) for number, entry in enumerate(others)))
    add_to(path, first)
    text = re.sub(r'^client_id = "".*$', 'client_id = "filled-in"', path.read_text(), flags=re.MULTILINE)
    path.write_text(text)
    return path


def test_well_known_services_of_every_kind_ship() -> None:
    """At least 120, of each category and kind of sign-in, every key and name there once."""
    assert len(shipped()) >= AT_LEAST
    assert {entry.about.category for entry in shipped()} >= CATEGORIES
    assert {entry.auth for entry in shipped()} == {"oauth2", "api_key", "basic", "client_credentials"}
    for values in ([e.key for e in shipped()], [e.name.casefold() for e in shipped()]):
        assert [value for value, times in Counter(values).items() if times > 1] == []


def test_every_entry_stands_in_the_file_of_its_category() -> None:
    """So that a reader finds it."""
    for path in SHIPPED.glob("*.toml"):
        tables = tomllib.loads(path.read_text())["connector"]
        assert {table["category"] for table in tables} == {path.stem}


def test_all_of_them_together_pass_check_catalogue(all_of_them: Path) -> None:
    """What ``providers add`` writes is a catalogue as soon as the client is filled in; so are all at once."""
    secrets = {secret_variable(entry): "secret" for entry in shipped()}
    found = read_catalogue(all_of_them, secrets)
    require_allowed(found, Policy())
    assert {item.key for item in found.connectors} == {entry.key for entry in shipped()}


def test_every_name_in_an_entry_is_replaced() -> None:
    """With the values that it asks for and keeps, every URL and text comes out whole, on an allowed host."""
    for item in (entry.connector() for entry in shipped()):
        later = {*KNOWN_LATER.get(item.auth, set()), *item.keep_from_callback} - values_of(item).keys()
        values = values_of(item) | dict.fromkeys(later, "secret-1")
        for url in urls_of(item):
            made = item.url(url, values)
            assert templates.names_in(made) == [], item.key
            assert parts_of(made).scheme == "https", item.key
        tables = [item.authorize_params, item.token_params, item.refresh_params, item.userinfo_headers]
        tables += [item.revocation_params, item.revocation_headers, item.token_headers]
        for table in [*tables, item.check.headers if item.check else {}]:
            filled = [templates.fill_header(text, values) for text in table.values()]
            assert [text for text in filled if templates.names_in(text)] == [], item.key


def test_every_key_and_password_can_be_tried() -> None:
    """A key service has a check request, and the credentials are in it."""
    for item in (entry.connector() for entry in shipped()):
        if item.auth in {"api_key", "basic"}:
            assert item.check is not None, item.key
            sent = " ".join([item.check.url, *item.check.headers.values()])
            assert KNOWN_LATER[item.auth] & set(templates.names_in(sent)), item.key


def test_an_entry_is_found_by_key_or_name_in_any_case() -> None:
    """And a name that is nearly one says which was meant."""
    assert named(" HubSpot ").key == named("hubspot").key == "hubspot"
    with pytest.raises(UnknownProvider) as refused:
        named("hubspt")
    assert refused.value.near[0] == "hubspot"


def urls_of(item: CatalogueConnector) -> list[str]:
    """Every URL of an entry."""
    urls = [item.authorize_url, item.token_url, item.refresh_url, item.userinfo_url, item.revocation_url]
    return [url for url in [*urls, item.check.url if item.check else None] if url]
