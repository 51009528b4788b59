"""Faulty files and settings: every fault at once, with file, key and what to write instead; exit status 2."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bff.common.faulty_file import FaultyFile
from bff.content.file import read_content
from bff.partner.providers.catalogue import FaultyCatalogue, read_catalogue
from bff.products.file import read_products

PRODUCTS = """
[[product]]
key = "Demo!"
name = ""
origins = ["https://app.example/path", "*", "http://app.example"]
secret_keys = ["short"]
connectors = []
[product.messages.bad]
kind = "secret"
text = "{password}"

[[product]]
key = "two"
name = "Two"
origins = ["https://two.example"]
secret_keys = ["sk_0123456789abcdef0123"]
connectors = ["sandbox"]
surprise = true
"""

SOUND_PRODUCT = """[[product]]
key = "two"
name = "Two"
origins = ["https://two.example"]
secret_keys = ["sk_0123456789abcdef0123"]
connectors = ["sandbox"]
"""

CATALOGUE = """
[[connector]]
id = 1
key = "one"
name = "One"
authorize_url = "login.example/authorize"
token_url = "http://login.example/token"
client_id = "x"
client_secret = "y"

[[connector]]
id = 0
key = "Two"
scope = ["read"]
"""


def faults_of(path: Path, text: str) -> list[str]:
    """The faults of a product file."""
    path.write_text(text)
    with pytest.raises(FaultyFile) as raised:
        read_products(path)
    return raised.value.faults


def test_every_fault_of_a_product_file_is_told_at_once(tmp_path: Path) -> None:
    """File, product and key of each."""
    said = "\n".join(faults_of(tmp_path / "products.toml", PRODUCTS))
    for wanted in ("products.toml", "key", "name", "connectors", "kind", "surprise"):
        assert wanted in said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('"https://two.example"', '"https://two.example/"'), "origins"),
        (('"https://two.example"', '"*"'), "origins"),
        (('"https://two.example"', '"http://two.example"'), "origins"),
        (('["sk_0123456789abcdef0123"]', '["short"]'), "secret_keys"),
        (('["sk_0123456789abcdef0123"]', "[]"), "secret_keys: write at least one"),
        (
            ('secret_keys = ["sk_0123456789abcdef0123"]', 'secret_key_env = "NO_SUCH_VARIABLE"'),
            "two: secret_key_env: the variable NO_SUCH_VARIABLE is not set",
        ),
        (("[[product]]", "[product]"), "product: write at least one table [[product]]"),
        (("[[product]]", "[[products]]"), "product: write at least one table [[product]]"),
        ((SOUND_PRODUCT, ""), "product: write at least one table [[product]]"),
        (('["sandbox"]', '["sandbox", "sandbox"]'), "sandbox"),
        (('["sandbox"]', '["sandbox"]\n[product.messages.m]\ntext = "{password}"'), "password"),
        (('["sandbox"]', '["sandbox"]\n[product.words]\nbuton = "x"'), "buton"),
        (('["sandbox"]', '"sandbox"'), "two: connectors: write a list"),
        (('["sandbox"]', '["sandbox"]\nmessages = 5'), "two: messages: write a table"),
        (
            ('["sandbox"]', '["sandbox"]\n[product.messages."a b"]\ntext = "x"'),
            "two: messages: a b: use up to 63 of",
        ),
        (
            ('["sandbox"]', '["sandbox"]\n[product.words.de]\nbutton = 5'),
            "two: words: de: button: write a text",
        ),
        (('name = "Two"', "name = 2"), "two: name: write a text"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    """Values that have the right type and are wrong all the same."""
    path = tmp_path / "p.toml"
    path.write_text(SOUND_PRODUCT)
    assert read_products(path)[0].registration.key == "two"
    assert named in "\n".join(faults_of(path, SOUND_PRODUCT.replace(*change)))


def test_a_product_file_that_is_no_toml(tmp_path: Path) -> None:
    """The place of the slip, or that there is no such file."""
    assert "p.toml" in faults_of(tmp_path / "p.toml", "[[product")[0]
    with pytest.raises(FaultyFile):
        read_products(tmp_path / "nothing.toml")


SOUND_CATALOGUE = '[[connector]]\nid = 1\nkey = "ours"\nname = "Ours"\nauth = "none"\n'
READERS: list[tuple[Callable[[Path], object], str]] = [
    (read_products, SOUND_PRODUCT),
    (read_content, SOUND_PRODUCT),
    (read_catalogue, SOUND_CATALOGUE),
]


@pytest.mark.parametrize(("read", "text"), READERS)
def test_a_byte_order_mark_is_no_fault(tmp_path: Path, read: Callable[[Path], object], text: str) -> None:
    """Editors on Windows begin a file with it, and end its lines in CRLF."""
    path = tmp_path / "file.toml"
    path.write_bytes(codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode())
    assert read(path)


@pytest.mark.parametrize(("read", "text"), READERS)
@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-16", "it is in UTF-16; save it in UTF-8"),
        ("latin-1", "it is not in UTF-8 (line 2); save it in UTF-8"),
    ],
)
def test_a_file_in_another_encoding_says_what_to_do(
    tmp_path: Path, read: Callable[[Path], object], text: str, encoding: str, told: str
) -> None:
    """By its name, in words."""
    path = tmp_path / "file.toml"
    path.write_bytes(f"# A comment\n# é\n{text}".encode(encoding))
    with pytest.raises((FaultyFile, FaultyCatalogue)) as raised:
        read(path)
    assert raised.value.faults == [f"{path}: is no TOML: {told}"]


def test_a_key_set_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """The other file that a product file names."""
    # That of RFC 7515, appendix A.3.1.
    key = {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }
    (tmp_path / "keys.json").write_bytes(codecs.BOM_UTF8 + json.dumps({"keys": [key]}).encode())
    path = tmp_path / "products.toml"
    path.write_text(SOUND_PRODUCT + '[product.assertion]\nissuer = "us"\njwks_file = "keys.json"\n')
    assert read_products(path)


def test_every_fault_of_a_catalogue_is_told_at_once(tmp_path: Path) -> None:
    """File, connector and key of each."""
    path = tmp_path / "catalogue.toml"
    path.write_text(CATALOGUE)
    with pytest.raises(FaultyCatalogue) as raised:
        read_catalogue(path, {})
    said = raised.value.faults
    assert all(str(path) in fault for fault in said)
    for wanted in ("one: authorize_url", "one: token_url", "Two: id", "Two: key", "Two: name", "Two: scope"):
        assert any(wanted in fault for fault in said), wanted


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('client_secret = "y"', ""), "client_secret"),
        (('client_secret = "y"', 'client_secret_env = "NOT_SET"'), "NOT_SET"),
        (
            ('client_secret = "y"', 'client_secret = "y"\nclient_secret_env = "PATH"'),
            "one: client_secret, client_secret_env: write exactly one of the two",
        ),
        (('client_secret = "y"', 'client_secret = "y"\n[connector.authorize_params]\nstate = "1"'), "state"),
        (('token_url = "https://x.example/t"', ""), "token_url"),
        (
            ('client_id = "x"', 'client_id = "x"\nscopes = ["a b"]'),
            "scopes: 'a b': write each scope by itself",
        ),
        (('client_id = "x"', 'client_id = "x"\nscopes = ["a,b"]\nscope_separator = ","'), "scopes: 'a,b'"),
        (('name = "One"', 'name = "  "'), "one: name: write characters that can be seen"),
        (('name = "One"', 'name = "\\u202eOne"'), "one: name: write characters that can be seen"),
        (('client_id = "x"', 'client_id = "x"\nicon = "logo.svg"'), "one: icon"),
    ],
)
def test_each_fault_of_a_catalogue_is_named(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    """What a connector lacks, or must not set."""
    sound = (
        '[[connector]]\nid = 1\nkey = "one"\nname = "One"\nauthorize_url = "https://x.example/a"\n'
        'token_url = "https://x.example/t"\nclient_id = "x"\nclient_secret = "y"\n'
    )
    path = tmp_path / "c.toml"
    path.write_text(sound)
    assert read_catalogue(path, {}).by_id(1) is not None
    path.write_text(sound.replace(*change))
    with pytest.raises(FaultyCatalogue, match=named):
        read_catalogue(path, {})


def test_what_is_pasted_into_a_catalogue_is_trimmed(tmp_path: Path) -> None:
    """A blank or a line break around a client's id or secret is not a part of it."""
    path = tmp_path / "c.toml"
    path.write_text(
        '[[connector]]\nid = 1\nkey = "one"\nname = " One "\nauthorize_url = "https://x.example/a"\n'
        'token_url = "https://x.example/t"\nclient_id = " x"\nclient_secret = """\ny\n"""\n'
        'issuer = "https://x.example "\n'
    )
    item = read_catalogue(path, {}).by_id(1)
    assert item is not None
    assert (item.name, item.client_id, item.client_secret) == ("One", "x", "y")
    assert item.issuer == "https://x.example"


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        (["bff", "serve"], ["PUBLIC_URL", "SECRET_KEYS", "PARTNER_API_URL", "PARTNER_CLIENT_SECRET"]),
        (["bff", "check-config"], ["PUBLIC_URL", "PARTNER_SERVICE_URL", "PARTNER_CLIENT_ID"]),
        (["bff", "partner"], ["EMBEDDED_PUBLIC_URL", "EMBEDDED_CATALOGUE", "EMBEDDED_ENCRYPTION_KEYS"]),
        (["bff.partner.sandbox"], ["SANDBOX_PUBLIC_URL", "SANDBOX_CLIENT_SECRET", "SANDBOX_REDIRECT_URIS"]),
    ],
)
def test_a_program_does_not_start_half_configured(
    tmp_path: Path, command: list[str], variables: list[str]
) -> None:
    """Exit status 2, and every variable that is missing by its name."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, env=clean, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    for name in variables:
        assert f"HITCHPOST_{name}:" in ended.stderr


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('account_prefix = "my shop "', "account_prefix"),
        ('account_prefix = "a/b"', "account_prefix"),
        (f'account_prefix = "{"x" * 65}"', "account_prefix"),
        ('account_namespace = ""', "account_namespace"),
        ('account_namespace = "My Company"', "account_namespace"),
    ],
)
def test_what_a_product_says_of_its_accounts_can_travel(tmp_path: Path, line: str, named: str) -> None:
    """A prefix stands in URLs and headers, a namespace is a key as a product's is."""
    path = tmp_path / "products.toml"
    assert [fault for fault in faults_of(path, SOUND_PRODUCT + line) if named in fault] != []
    path.write_text(SOUND_PRODUCT + 'account_prefix = "two-"\naccount_namespace = "company"\n')
    said = read_products(path)[0].registration
    assert (said.account_prefix, said.account_namespace) == ("two-", "company")
