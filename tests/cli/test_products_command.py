"""`hitchpost products`: a file is applied as a whole or not at all, and a product can go again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, func, insert, select

from bff.cli.main import main
from bff.common.faulty_file import FaultyFile
from bff.common.secret import Secret
from bff.connections.store import DatabaseConnections
from bff.products.file import read_products
from bff.products.production import product_faults
from bff.products.store import DatabaseProducts
from bff.serving.database import open_database
from bff.storage.tables import connections, webhook_endpoints
from tests.support.databases import DatabaseUrl
from tests.support.receiver import new_secret

pytestmark = pytest.mark.one_database

FIRST, SECOND, THIRD = (f"sk_{letter}f3k2l9x0q7w6e5r4t3y2u1" for letter in "abc")
NOW: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
SIGNING_KEY: Final = "a8f3k2l9x0q7w6e5r4t3y2u1i0o9p8s7d6"
CONNECTION: Final = {
    "account_id": "acme",
    "account_connector_id": 1,
    "connector_key": "crm",
    "connector_name": "CRM",
    "state": "connected",
    "sequence": 1,
    "version": 1,
    "changed_at": NOW,
    "seen_at": NOW,
    "look_at": NOW,
}


def product(key: str, *secrets: str, more: str = "", origins: str = '"https://a.example"') -> str:
    """A product of a file."""
    listed = ", ".join(f'"{secret}"' for secret in secrets)
    return (
        f'[[product]]\nkey = "{key}"\nname = "A"\norigins = [{origins}]\nsecret_keys = [{listed}]\n'
        f'connectors = ["crm"]\n{more}\n'
    )


class Operator:
    """Somebody with a database and a product file."""

    def __init__(self, folder: Path, url: str, output: pytest.CaptureFixture[str]) -> None:
        self.file, self.url, self._output = folder / "products.toml", url, output
        self.engine: Engine = open_database(url)

    def apply(self, *products: str) -> tuple[int, str]:
        """Write these products into the file and apply it: exit status and complaint."""
        self.file.write_text("".join(products))
        return self.run("products", "apply", str(self.file))

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command: exit status and complaint."""
        self._output.readouterr()
        status = main(list(arguments))
        return status, self._output.readouterr().err

    def owner(self, secret: str) -> str | None:
        """The product that calls with this key."""
        found = DatabaseProducts(self.engine).find_by_secret_key(Secret(secret))
        return found.key if found else None

    def endpoints(self) -> int:
        """The webhook endpoints that events are delivered to."""
        live = webhook_endpoints.c.removed_at.is_(None)
        with self.engine.connect() as connection:
            return connection.execute(
                select(func.count()).select_from(webhook_endpoints).where(live)
            ).scalar_one()


@pytest.fixture
def operator(
    tmp_path: Path,
    database_url: DatabaseUrl,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Operator:
    """One with an empty database."""
    url = database_url(tmp_path, "bff")
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", url)
    monkeypatch.setenv("HITCHPOST_SECRET_KEYS", SIGNING_KEY)
    return Operator(tmp_path, url, capsys)


def test_a_key_of_two_products_is_refused_before_anything_is_stored(operator: Operator) -> None:
    """One line names both products, and not the key."""
    status, told = operator.apply(product("a", FIRST), product("b", SECOND, FIRST))
    assert (status, len(told.splitlines())) == (2, 1)
    assert "a, b: secret_keys: these products have the same key" in told
    assert FIRST not in told
    assert DatabaseProducts(operator.engine).keys() == []


def test_a_faulty_file_makes_no_database(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is read first."""
    new = operator.file.with_name("new.db")
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", f"sqlite:///{new}")
    status, told = operator.apply(product("Demo!", FIRST))
    assert (status, str(operator.file) in told, new.exists()) == (2, True, False)


def test_a_key_of_a_stored_product_is_refused_with_that_products_key(operator: Operator) -> None:
    """The other products of the file and their webhook endpoints stay as they were, too."""
    assert operator.apply(product("old", FIRST))[0] == 0
    hook = f'[[product.webhook]]\nurl = "https://hooks.example/"\nsecret = "{new_secret()}"\nevents = ["*"]'
    status, told = operator.apply(product("other", SECOND, more=hook), product("new", FIRST))
    assert (status, len(told.splitlines())) == (2, 1)
    assert told.startswith(
        f"{operator.file}: new: secret_keys: product 'old' in the database has one of these"
    )
    assert "hitchpost products remove old" in told
    assert (DatabaseProducts(operator.engine).keys(), operator.endpoints()) == (["old"], 0)
    assert operator.owner(FIRST) == "old"


@pytest.mark.parametrize(
    ("stored", "new", "public"),
    [
        ('audience = "us"', 'audience = "us"', ""),
        ("", "", ""),
        ("", 'audience = "https://bff.example"', "https://bff.example/"),
        ('audience = "https://bff.example"', "", "https://bff.example"),
    ],
    ids=["the same audience", "none named", "the public URL named", "the public URL not named"],
)
def test_assertions_of_a_stored_product_are_refused_with_that_products_key(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, stored: str, new: str, public: str
) -> None:
    """What one issuer asserts for one product must not be good for another that the file does not name."""
    monkeypatch.setenv("HITCHPOST_PUBLIC_URL", public)
    assert operator.apply(product("old", FIRST, more=asserted(stored)))[0] == 0
    status, told = operator.apply(product("other", THIRD), product("new", SECOND, more=asserted(new)))
    assert (status, len(told.splitlines())) == (2, 1)
    assert told.startswith(f"{operator.file}: new: assertion: product 'old' in the database takes what")
    assert "hitchpost products remove old" in told
    assert DatabaseProducts(operator.engine).keys() == ["old"]
    assert operator.apply(product("new", SECOND, more=asserted('audience = "them"')))[0] == 0
    assert operator.apply(product("old", FIRST, more=asserted(stored)))[0] == 0


def test_of_one_file_the_public_url_is_the_audience_that_is_not_named(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file alone does not tell."""
    monkeypatch.setenv("HITCHPOST_PUBLIC_URL", "https://bff.example")
    named = product("b", SECOND, more=asserted('audience = "https://bff.example"'))
    status, told = operator.apply(product("a", FIRST, more=asserted("")), named)
    assert (status, "b: assertion: product 'a' takes what" in told) == (2, True)
    assert DatabaseProducts(operator.engine).keys() == []


def asserted(audience: str) -> str:
    """The table of a host that signs its own tokens."""
    keys = 'jwks_url = "https://app.example/keys"'
    return f'[product.assertion]\nissuer = "https://app.example"\n{keys}\n{audience}'


def test_keys_may_change_places_between_the_products_of_a_file(operator: Operator) -> None:
    """Each product of the file gives its old keys up before one takes new ones."""
    assert operator.apply(product("a", FIRST), product("b", SECOND))[0] == 0
    assert operator.apply(product("a", SECOND), product("b", FIRST)) == (0, "")
    assert (operator.owner(FIRST), operator.owner(SECOND)) == ("b", "a")


def test_what_stands_twice_in_one_product_counts_once(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in the file twice or in the environment too, and an origin."""
    monkeypatch.setenv("MY_APP_KEY", SECOND)
    origins = '"https://a.example", "https://b.example", "https://a.example"'
    twice = product("a", FIRST, FIRST, SECOND, origins=origins)
    assert operator.apply(twice.replace("connectors", 'secret_key_env = "MY_APP_KEY"\nconnectors')) == (0, "")
    registration = DatabaseProducts(operator.engine).registration("a")
    assert registration is not None
    assert sorted(registration.origins) == ["https://a.example", "https://b.example"]
    assert (operator.owner(FIRST), operator.owner(SECOND)) == ("a", "a")


def test_check_config_tells_the_conflict_with_the_database(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And `--offline` does not ask the database."""
    assert operator.apply(product("old", FIRST))[0] == 0
    assert operator.apply(product("theirs", SECOND, more=asserted("")))[0] == 0
    own = 'audience = "http://127.0.0.1:8001"'
    operator.file.write_text(product("new", FIRST, more=asserted(own)))
    for name, value in {
        "PUBLIC_URL": "http://127.0.0.1:8001",
        "PARTNER_API_URL": "http://127.0.0.1:9",
        "PARTNER_SERVICE_URL": "http://127.0.0.1:9",
        "PARTNER_CLIENT_ID": "bff",
        "PARTNER_CLIENT_SECRET": "q8Zr7Lx2Vb5Nm4Kp",
        "PRODUCTS": str(operator.file),
    }.items():
        monkeypatch.setenv(f"HITCHPOST_{name}", value)
    status, told = operator.run("check-config")
    assert (status, "new: secret_keys: product 'old' in the database has" in told) == (2, True)
    assert "new: assertion: product 'theirs' in the database takes" in told
    assert operator.run("check-config", "--offline") == (0, "")


def test_a_webhook_to_a_private_address_is_warned_of(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside production it is applied, and each delivery refused; this machine is taken there."""
    hook = '[[product.webhook]]\nurl = "{}"\nsecret = "' + new_secret() + '"\nevents = ["*"]'
    private = product("a", FIRST, more=hook.format("https://10.0.0.1/hitchpost"))
    status, told = operator.apply(private)
    assert (status, told.startswith("warning: ")) == (0, True)
    assert "a: webhook: number 1: url: 'https://10.0.0.1/hitchpost': deliveries are refused: " in told
    assert "is no public address" in told
    monkeypatch.setenv("HITCHPOST_WEBHOOK_NETWORKS", "10.0.0.0/8")
    assert operator.apply(private) == (0, "")
    assert operator.apply(product("a", FIRST, more=hook.format("http://localhost:9000/"))) == (0, "")


@pytest.mark.both_databases
def test_a_removed_product_gives_its_key_and_its_origin_up(operator: Operator) -> None:
    """Not without `--yes`. Its endpoints get no more events, its connections are checked no more."""
    hook = f'[[product.webhook]]\nurl = "https://hooks.example/"\nsecret = "{new_secret()}"\nevents = ["*"]'
    other = product("b", SECOND, origins='"https://b.example"')
    assert operator.apply(product("old", FIRST, more=hook), other)[0] == 0
    with operator.engine.begin() as connection:
        for name in ("old", "b"):
            connection.execute(insert(connections).values(CONNECTION | {"product": name}))
    assert operator.run("products", "remove", "old")[0] == 1
    assert (operator.owner(FIRST), operator.endpoints()) == ("old", 1)
    status, told = operator.run("products", "remove", "old", "--yes")
    assert (status, "product_removed" in told) == (0, True)
    products = DatabaseProducts(operator.engine)
    assert (products.keys(), operator.owner(FIRST), operator.endpoints()) == (["b"], None, 0)
    assert not products.is_registered_origin("https://a.example")
    assert DatabaseConnections(operator.engine).due(NOW, 9) == [("b", "acme")]
    assert operator.apply(product("new", FIRST)) == (0, "")
    assert operator.owner(FIRST) == "new"
    # It is back: whether its connections exist is looked at soon.
    assert operator.apply(product("old", SECOND), other.replace(SECOND, THIRD))[0] == 0
    due = DatabaseConnections(operator.engine).due(datetime.now(UTC), 9)
    assert sorted(due) == [("b", "acme"), ("old", "acme")]


def test_only_a_product_that_is_there_can_be_removed(operator: Operator) -> None:
    """The others are named."""
    assert operator.apply(product("a", FIRST))[0] == 0
    assert operator.run("products", "remove", "b", "--yes") == (2, "there is no product 'b'; there are: a\n")


def test_white_space_around_a_key_does_not_count(tmp_path: Path) -> None:
    """A secret made by `echo` ends in a newline; HTTP takes it off what callers send."""
    path = tmp_path / "products.toml"
    path.write_text(
        product("a", f"{FIRST} ").replace("connectors", 'secret_key_env = "MY_APP_KEY"\nconnectors')
    )
    (found,) = read_products(path, {"MY_APP_KEY": f" {SECOND}\n"})
    assert [key.reveal() for key in found.secret_keys] == [FIRST, SECOND]


@pytest.mark.parametrize("wrong", ["\n", " ", "\t", "\x00", "\x7f", "é", "\u200b", "\ufeff"])
@pytest.mark.parametrize("place", ["file", "environment"])
def test_a_key_that_no_header_carries_is_refused(tmp_path: Path, place: str, wrong: str) -> None:
    """With what is wrong, and without the key."""
    path, key = tmp_path / "products.toml", f"sk_a8f3k2l9x0{wrong}q7w6e5r4t3y2u1"
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in key)
    given = (escaped,) if place == "file" else ()
    text = product("a", *given).replace("connectors", 'secret_key_env = "MY_APP_KEY"\nconnectors')
    path.write_text(text)
    with pytest.raises(FaultyFile) as raised:
        read_products(path, {} if place == "file" else {"MY_APP_KEY": key})
    (fault,) = raised.value.faults
    assert "a NUL" in fault or "a: secret_keys: a key has a character that no Authorization header" in fault
    assert "q7w6e5r4t3y2u1" not in fault


@pytest.mark.parametrize(
    "logo",
    [
        "http://[bad",
        "",
        " ",
        "https://cdn example.com/crm.svg",
        "logo.svg",
        "/logo.svg",
        "//cdn.example.com/crm.svg",
        "https:///crm.svg",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///crm.svg",
    ],
)
def test_a_logo_that_is_no_url_is_refused(operator: Operator, logo: str) -> None:
    """A browser could not load it, or would look for it on each host page."""
    status, told = operator.apply(product("a", FIRST, more=f'[product.connector.crm]\nlogo = "{logo}"'))
    assert (status, len(told.splitlines())) == (2, 1)
    assert "a: connector: crm: logo: is no URL; write one such as https://" in told


@pytest.mark.parametrize("name", ["", "   ", "\\u202eevil", "\\u200b", "\\u3164", "x" * 201])
@pytest.mark.parametrize("whose", ["", "connector: crm: "])
def test_a_name_that_cannot_be_read_is_refused(tmp_path: Path, whose: str, name: str) -> None:
    """A button would read "Connect" and nothing, or be in the wrong order."""
    path = tmp_path / "products.toml"
    named = product("a", FIRST, more='[product.connector.crm]\nname = "B"')
    path.write_text(named.replace('name = "B"' if whose else 'name = "A"', f'name = "{name}"'))
    with pytest.raises(FaultyFile) as raised:
        read_products(path, {})
    (fault,) = raised.value.faults
    assert f"a: {whose}name: a name has 1 to 200 characters that can be seen" in fault


def test_a_pasted_name_is_cleaned(tmp_path: Path) -> None:
    """As the Studio does it."""
    path = tmp_path / "products.toml"
    path.write_text(product("a", FIRST, more='[product.connector.crm]\nname = " Big\\tCRM\\u200b "'))
    (applied,) = read_products(path, {})
    assert applied.registration.connectors[0].name == "Big CRM"


def test_a_logo_of_http_is_for_development_only(tmp_path: Path) -> None:
    """Pages of https do not load it."""
    path = tmp_path / "products.toml"
    more = '[product.connector.crm]\nlogo = "http://cdn.example/crm.svg"'
    path.write_text(product("a", FIRST, more=more))
    assert product_faults(path, production=False) == []
    (fault,) = (item for item in product_faults(path, production=True) if "logo" in item)
    assert "a: connector.crm.logo: use https in production" in fault
