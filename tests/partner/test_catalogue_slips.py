"""What would be sent to a third party as it is written, or lead to another one, is said before any user."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.partner.providers.catalogue import read_catalogue
from tests.partner.test_catalogue import API_KEY, FIELD, OAUTH, faults


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('Authorization = "Bearer ${api_key}"', "Authorization: '${api_key}' is sent as it is"),
        ('Authorization = "Bearer %{api_key}"', "'%{api_key}' is sent as it is"),
        ('Authorization = "Bearer {{api_key}}"', "'{{api_key}}' is sent as it is"),
        ('Authorization = "Bearer {{ api_key }}"', "'{{ api_key }}' is sent as it is"),
        ('Authorization = "Bearer {api_key"', "'{api_key' is sent as it is"),
        ('Authorization = "Bearer api_key}"', "'}' is sent as it is"),
        ('Authorization = "Bearer <api_key>"', "'<api_key>' is sent as it is"),
        ('Authorization = "Bearer key"', "check: sends nothing of what the user typed"),
        ('"X Key" = "{api_key}"', "'X Key' is no name of a header"),
        ('X-Key = "Schlüssel {api_key}"', "X-Key: holds characters that no header can carry"),
        ('X-Key = "{api_key}\\n"', "X-Key: holds characters that no header can carry"),
        ('X-Key = "{api_key}", x-key = "b"', "x-key is there more than once"),
        ('X-Key = "{api_key}", Host = "a.example"', "Host is set by the service itself"),
        ('X-Key = "{api_key}", content-length = "0"', "content-length is set by the service itself"),
        ('X-Key = "<{api_key}>", Y = "$1 100% #2"', ""),
    ],
)
def test_a_slip_in_the_header_of_a_check_is_named(tmp_path: Path, header: str, said: str) -> None:
    """Else every right key would be called wrong."""
    text = API_KEY.replace('headers = { Authorization = "Bearer {api_key}" }', f"headers = {{ {header} }}")
    assert text != API_KEY
    found = faults(tmp_path, text)
    assert said in found if said else found == ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('token_params = { audience = "${shop}" }', "token_params: audience: '${shop}'"),
        ('authorize_params = { audience = "{{shop}}" }', "authorize_params: audience: '{{shop}}'"),
        ('refresh_params = { audience = "{shop" }', "refresh_params: audience: '{shop'"),
        ('token_headers = { X = "{shop} }" }', "token_headers: X: '}'"),
        ('authorize_url = "https://${shop}.shop.example/authorize"', "authorize_url: '${shop}'"),
        ("""authorize_params = { claims = '{"id_token": {"email": null}}' }""", ""),
        ('token_params = { query = "{ viewer { id } }" }', ""),
        (
            'scopes = ["contacts.read contacts.write"]',
            "scopes: 'contacts.read contacts.write': write each scope by itself",
        ),
        ('scopes = ["a,b"]\nscope_separator = ","', "scopes: 'a,b': write each scope by itself"),
        ('scopes = [""]', "scopes: '': write each scope by itself"),
        ('scopes = ["https://www.example.com/auth/a,b"]', ""),
    ],
)
def test_a_slip_in_a_text_is_named(tmp_path: Path, more: str, said: str) -> None:
    """In every table and URL; braces of JSON and GraphQL are none."""
    name = more.partition(" ")[0]
    text = "\n".join(line for line in OAUTH.splitlines() if not line.startswith(name))
    found = faults(tmp_path, f"{text}\n{more}\n{FIELD}")
    assert said in found if said else found == ""


def test_what_is_pasted_with_blanks_around_it_is_taken_without(tmp_path: Path) -> None:
    """As a value from the environment is."""
    text = OAUTH.replace('"us"', '" us "').replace('"secret"', '"""secret\n"""')
    path = tmp_path / "catalogue.toml"
    path.write_text(text + 'issuer = "https://login.shop.example "\n' + FIELD)
    [item] = read_catalogue(path).connectors
    assert (item.client_id, item.client_secret, item.issuer) == ("us", "secret", "https://login.shop.example")


def second(key: str, name: str) -> str:
    """Another entry."""
    text = OAUTH + FIELD
    return text.replace("id = 1\n", "id = 9\n").replace('"shop"\nname = "Shop"', f'"{key}"\nname = "{name}"')


@pytest.mark.parametrize(
    ("key", "name"),
    [("partner", "SHOP"), ("partner", " shop "), ("partner", "Shop  app"), ("shop-app", "Ours")],
)
def test_a_name_that_may_be_anothers_is_a_fault(tmp_path: Path, key: str, name: str) -> None:
    """Products name a connector by its key or its name: users would be sent to another third party."""
    first = (OAUTH + FIELD).replace(
        'name = "Shop"', 'name = "Shop app"' if "app" in name else 'name = "Shop"'
    )
    found = faults(tmp_path, first + second(key, name))
    assert ("is the key or name of connector shop, too" in found) == (name != "Ours")


def test_a_key_is_found_before_a_name(tmp_path: Path) -> None:
    """Whatever the names of others are."""
    path = tmp_path / "catalogue.toml"
    path.write_text((OAUTH + FIELD).replace('name = "Shop"', 'name = "Our CRM"') + second("other", "Other"))
    catalogue = read_catalogue(path)
    shop, other = catalogue.connectors
    catalogue.connectors = (other.model_copy(update={"name": "Shop"}), shop)
    assert [item.id for item in catalogue.by_name("Shop")] == [shop.id]
    assert [item.id for item in catalogue.by_name("our crm")] == [shop.id]
    assert catalogue.by_name("shop", "9.9") == []
