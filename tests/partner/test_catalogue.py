"""The connector catalogue: every key, and what is said of a faulty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.partner.providers.catalogue import FaultyCatalogue, read_catalogue

OAUTH = """
[[connector]]
id = 1
key = "shop"
name = "Shop"
authorize_url = "https://{shop}.shop.example/authorize"
token_url = "https://{shop}.shop.example/token"
client_id = "us"
client_secret = "secret"
"""
FIELD = """
[[connector.field]]
name = "shop"
label = "Shop name"
pattern = "[a-z0-9-]+"
suffix = ".shop.example"
help = "The first part of your shop's address."
help_url = "https://shop.example/help#names"
"""
EVERY_KEY = """
refresh_url = "https://{shop}.shop.example/refresh"
userinfo_url = "https://{shop}.shop.example/me/{team.id}"
userinfo_headers = { X-Token = "{access_token}" }
userinfo_method = "POST"
userinfo_body = '{"query": "{ me { id } }"}'
revocation_headers = { A = "{token}{access_token}", B = "{client_id} {client_secret} {basic} {team.id}" }
revocation_url = "https://{shop}.shop.example/revoke"
pkce = false
scope_separator = ","
authorize_params = { prompt = "consent", shop = "{shop}" }
token_params = { audience = "https://{shop}" }
refresh_params = { audience = "{realmId}" }
parameter_names = { client_id = "client_key" }
token_request = "json"
token_response = "auto"
token_auth = "client_secret_basic_raw"
token_root = "authed_user"
expires_in_default = 3600
dead_refresh = ["bad_refresh_token"]
declined_errors = ["user_cancelled_login"]
account_claim = "data.user.email"
keep_from_token = ["instance_url", "team.id"]
keep_from_callback = ["realmId"]
keep_from_userinfo = ["0.id"]
allowed_hosts = ["*.shop.example"]
"""
API_KEY = """
[[connector]]
id = 2
key = "keys"
name = "Keys"
auth = "api_key"
[connector.check]
url = "https://api.keys.example/me"
headers = { Authorization = "Bearer {api_key}" }
"""


def faults(tmp_path: Path, text: str) -> str:
    """What is said of a catalogue."""
    file = tmp_path / "catalogue.toml"
    file.write_text(text)
    try:
        read_catalogue(file)
    except FaultyCatalogue as error:
        return str(error)
    return ""


def test_every_key_of_the_contract_is_read(tmp_path: Path) -> None:
    """A catalogue may say every habit that is documented, whatever the kind of its connectors."""
    basic = API_KEY.replace("2", "3").replace('"keys"', '"basic"').replace('"Keys"', '"Basic"')
    basic = basic.replace('"api_key"', '"basic"').replace("Bearer {api_key}", "Basic {basic}")
    ours = API_KEY.replace("2", "4").replace('"keys"', '"ours"').replace('"Keys"', '"Ours"')
    ours = ours.replace('"api_key"', '"client_credentials"\ntoken_url = "https://api.keys.example/token"')
    ours = ours.replace("{api_key}", "{access_token}")
    assert faults(tmp_path, OAUTH + EVERY_KEY + FIELD + API_KEY + basic + ours) == ""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("{shop}.shop.example/token", "{shp}.shop.example/token", "token_url: {shp} is the name of no field"),
        ("{shop}.shop.example/token", "{shop}/token", "token_url: its host may be anybody's"),
        ("{shop}.shop.example/token", "{shop}shop.example/token", "token_url: its host may be anybody's"),
        ("{shop}.shop.example/token", "{shop}.example/token", "token_url: its host may be anybody's"),
        ("{shop}.shop.example/token", "shop.example:{shop}/token", "token_url: write an absolute URL"),
        (
            "{shop}.shop.example/token",
            "{shop}.shop.example/#/token",
            "token_url: write it without # and what",
        ),
        ("{shop}.shop.example/token", "a.shop.example/{}", "token_url: write {name}"),
        ('pattern = "[a-z0-9-]+"', 'pattern = "[a-z"', "field.0.pattern: is no regular expression"),
        ('label = "Shop name"\n', "", "field.0.label: is not set"),
        ('name = "shop"\n', 'name = "ClientId"\n', "ClientId is the name of an own app's property"),
        ('suffix = ".shop.example"', 'sufix = ".shop.example"', "field.0.sufix: is not known here"),
        ('client_id = "us"', 'client_id = "us"\ntoken_root = "a..b"', "token_root: write names with dots"),
        ('client_id = "us"', 'client_id = "us"\nexpires_in_default = 0', "expires_in_default: "),
        (
            'client_id = "us"',
            'client_id = "us"\nauthorize_params = { response_mode = "fragment" }',
            "response_mode: write query or form_post",
        ),
        (
            'client_id = "us"',
            'client_id = "us"\ntoken_params = { code = "x" }',
            "token_params: code is set by the service itself",
        ),
        (
            'client_id = "us"',
            'client_id = "us"\nallowed_hosts = ["*.other.example"]\nuserinfo_url = "https://a.shop.example/me"',
            "userinfo_url: its host is not among allowed_hosts",
        ),
        ('client_id = "us"', 'client_id = "us"\nallowed_hosts = ["*"]', "allowed_hosts.0: write a host"),
        (
            'client_id = "us"',
            'client_id = "us"\nparameter_names = { nonce = "n" }',
            "parameter_names: nonce is none of",
        ),
    ],
)
def test_a_fault_is_named_with_its_key(tmp_path: Path, before: str, after: str, said: str) -> None:
    """What cannot work, or could lead a secret away, is said when the catalogue is read."""
    text = OAUTH + FIELD
    assert before in text
    assert said in faults(tmp_path, text.replace(before, after, 1))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('revocation_headers = { A = "{token}" }', "revocation_headers: is of no use without revocation_url"),
        (
            'REVOKE\nrevocation_headers = { A = "{tok}" }',
            "revocation_headers: A: {tok} is the name of no field",
        ),
        ('REVOKE\nrevocation_headers = { "A b" = "c" }', "revocation_headers: 'A b' is no name of a header"),
        (
            'REVOKE\nrevocation_headers = { A = "b", a = "c" }',
            "revocation_headers: a is there more than once",
        ),
        (
            'REVOKE\nrevocation_headers = { A = "é" }',
            "revocation_headers: A: holds characters that no header",
        ),
        (
            'REVOKE\ntoken_auth = "none"\nrevocation_headers = { A = "{client_secret}" }',
            "revocation_headers: A: {client_secret} is made of the client's secret, and token_auth = ",
        ),
        ('REVOKE/{client_secret}"', "revocation_url: {client_secret} is the name of no field"),
        (
            'token_headers = { A = "{client_secret}" }',
            "token_headers: A: {client_secret} is the name of no field",
        ),
        ('userinfo_method = "POST"', "userinfo_method: is of no use without userinfo_url"),
        ('USERINFO\nuserinfo_method = "PUT"', "userinfo_method: Input should be 'GET' or 'POST'"),
        (
            'USERINFO\nuserinfo_body = "null"',
            'userinfo_body: is sent with a POST; write userinfo_method = "POST"',
        ),
        (
            'USERINFO\nuserinfo_method = "POST"\nuserinfo_body = "{ me }"',
            "userinfo_body: is no JSON: Expecting property name enclosed in double quotes",
        ),
    ],
)
def test_a_request_that_cannot_be_sent_as_it_is_written_is_named(
    tmp_path: Path, more: str, said: str
) -> None:
    """Each with the key that is to be changed, and no secret goes where logs would have it."""
    text = more.replace("REVOKE\n", 'revocation_url = "https://a.shop.example/revoke"\n')
    text = text.replace("REVOKE/", 'revocation_url = "https://a.shop.example/')
    text = text.replace("USERINFO", 'userinfo_url = "https://a.shop.example/me"')
    found = faults(tmp_path, f"{OAUTH}{text}\n{FIELD}")
    assert said in found
    assert found.count("\n") == 0


def test_a_text_names_only_what_is_known_where_it_stands(tmp_path: Path) -> None:
    """No access token is there for a key to be tried with, no client for an issuer; what is there is said."""
    said = faults(tmp_path, API_KEY.replace("{api_key}", "{access_token}"))
    assert "check.headers: Authorization: {access_token} is the name of no field" in said
    assert said.endswith("known here: api_key")
    said = faults(tmp_path, OAUTH + 'issuer = "https://{client_id}.shop.example"\n' + FIELD)
    assert "issuer: {client_id} is the name of no field" in said


@pytest.mark.parametrize("kind", ["field", "property"])
@pytest.mark.parametrize("url", ["userinfo_url", "issuer"])
def test_a_url_cannot_go_without_an_optional_value(tmp_path: Path, url: str, kind: str) -> None:
    """Parameters and headers can: they are left out."""
    label = 'label = "Organisation"\n' if kind == "field" else ""
    optional = f'[[connector.{kind}]]\nname = "org"\n{label}optional = true\n'
    left_out = 'token_params = { o = "{org}" }\ntoken_headers = { O = "{org}" }\n'
    assert faults(tmp_path, OAUTH + left_out + FIELD + optional) == ""
    found = faults(tmp_path, f'{OAUTH}{url} = "https://a.example/{{org}}"\n{FIELD}{optional}')
    assert f"{url}: {{org}} is of an optional field, and cannot be left out here" in found
    assert found.count("\n") == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('params = { key = "{api_key}" }', 'check: params are sent in a body; write method = "POST"'),
        ('basic = "{api_key}:"', "check: basic is sent as Authorization"),
        ('error_at = "a..b"', "check.error_at: write names with dots"),
        ('method = "POST"\nparams = { key = "{key}" }', "check.params: key: {key} is the name of no field"),
        ('method = "POST"\nparams = { key = "{api_key}" }', ""),
    ],
)
def test_a_check_that_cannot_be_sent_is_named(tmp_path: Path, more: str, said: str) -> None:
    """As any other fault of an entry."""
    found = faults(tmp_path, f"{API_KEY}{more}\n")
    assert said in found if said else found == ""


def test_a_host_may_end_in_a_name_whose_values_are_listed(tmp_path: Path) -> None:
    """A top-level domain that the user chooses is one of those that the pattern lists."""
    text = (OAUTH + FIELD).replace("{shop}.shop.example", "accounts.shop.{shop}")
    assert "may be anybody's" in faults(tmp_path, text)
    assert faults(tmp_path, text.replace('"[a-z0-9-]+"', '"com|eu|com\\\\.au"')) == ""


def test_a_key_of_the_users_own_may_go_to_a_host_of_their_own(tmp_path: Path) -> None:
    """Self-hosted services are named whole by the user, whose own key it is that is sent there."""
    field = '[[connector.field]]\nname = "host"\nlabel = "Host"\n'
    text = API_KEY.replace("https://api.keys.example/me", "https://{host}/me") + field
    assert faults(tmp_path, text) == ""


CHOICES = """
[[connector.field]]
name = "region"
label = "Region"
choices = { "keys.example" = "World", "eu.keys.example" = "Europe" }
"""
BY_REGION = API_KEY.replace("https://api.keys.example/me", "https://api.{region}/me") + CHOICES


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "", ""),
        ('{ "keys.example" = "World", "eu.keys.example" = "Europe" }', "{}", "choices: there are none"),
        ('"eu.keys.example" =', '"keys.example" =', "is no TOML"),
        ('"Europe"', '"World"', "choices: 'World' stands for more than one"),
        ('label = "Region"', 'label = "Region"\npattern = "a"', "choices: are the only values there are"),
        ('label = "Region"', 'label = "Region"\nprefix = "api."', "choices: prefix and suffix stand beside"),
        ('label = "Region"', 'label = "Region"\nsensitive = true', "choices: a secret is typed"),
        ('name = "region"', 'name = "api_key"', "field: api_key: choices: a secret is typed"),
        ('"eu.keys.example"', '"eu/keys"', "choices: 'eu/keys' cannot stand in check.url: it does not fit"),
        ('"eu.keys.example"', '".."', "choices: '..' cannot stand in check.url: it does not fit"),
        ("Bearer {api_key}", "{api_key} {region}", ""),
        ('"eu.keys.example"', '"\u00fc"', "choices: '\u00fc' cannot stand in check.url: it does not fit"),
        ('"eu.keys.example"', '" eu"', "write a choice without line breaks"),
        ('= "Europe"', '= ""', "choices.eu.keys.example: "),
    ],
)
def test_a_choice_that_cannot_be_made_is_named(tmp_path: Path, before: str, after: str, said: str) -> None:
    """With its field, and where it does not fit; a sound list has no fault."""
    assert before in BY_REGION
    found = faults(tmp_path, BY_REGION.replace(before, after, 1))
    assert said in found if said else found == ""


def test_a_choice_fits_into_headers_and_allowed_hosts(tmp_path: Path) -> None:
    """As into the host of a URL."""
    text = API_KEY.replace("Bearer", "{region}") + CHOICES.replace("eu.keys.example", "\u00fc")
    assert "'\u00fc' cannot stand in check.headers: Authorization: it holds characters" in faults(
        tmp_path, text
    )
    text = BY_REGION.replace("[connector.check]", 'allowed_hosts = ["api.keys.example"]\n[connector.check]')
    assert "'eu.keys.example' cannot stand in check.url: it leads to a host" in faults(tmp_path, text)


@pytest.mark.parametrize("host", ["https://accounts.{shop}", "{shop}"])
def test_a_host_may_be_chosen_where_every_choice_is_listed(tmp_path: Path, host: str) -> None:
    """The client's secret goes nowhere else; where the choice is a whole origin, too."""
    origin = "" if host.startswith("https") else "https://"
    choices = f'choices = {{ "{origin}shop.example" = "World", "{origin}shop.eu" = "Europe" }}'
    field = f'[[connector.field]]\nname = "shop"\nlabel = "Region"\n{choices}\n'
    assert faults(tmp_path, OAUTH.replace("https://{shop}.shop.example", host) + field) == ""
