"""Which account of the partner service stands for which one of a host's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from inspect import signature
from pathlib import Path
from typing import NoReturn, cast

import pytest
from sqlalchemy import select

from bff.common.errors import (
    AccountOfAnotherProduct,
    ConnectionNotFound,
    ConnectorUnavailable,
    InvalidRequest,
    NotFound,
    PartnerUnavailable,
)
from bff.common.secret import Secret
from bff.content.product import OfferedConnector, Registration
from bff.identity.principal import AccountRef
from bff.products.store import DatabaseProducts
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.storage.tables import account_owners
from bff.upstream.account_owners import DatabaseAccountOwners
from bff.upstream.accounts import MOST_ID, Accounts
from bff.upstream.own_accounts import OwnAccounts
from bff.upstream.protocol import AccountConnector, Connector, Owner, PartnerService
from tests.support.databases import sqlite_url


@dataclass
class Office:
    """The accounts of some products, in a database."""

    folder: Path
    any_id: bool = False
    asked: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = open_database(sqlite_url(self.folder, "bff"))
        SCHEMA.upgrade(self.engine)
        self.products = DatabaseProducts(self.engine)
        for key in ("shop", "blog"):
            self.say(key)
        self.again()

    def again(self) -> None:
        """Another worker, which remembers nothing."""
        owners = DatabaseAccountOwners(self.engine)
        self.accounts = Accounts(
            owners, self.products.account_names, lambda: self.asked.append(True) or self.any_id
        )

    def say(self, key: str, namespace: str | None = None, prefix: str = "") -> None:
        """What the product file says of a product."""
        offered = (OfferedConnector("crm", "CRM", "crm"),)
        made = Registration(key, key.title(), (f"https://{key}.example",), offered)
        said = replace(made, account_namespace=namespace, account_prefix=prefix)
        self.products.put(said, {}, [Secret(f"sk_{key}_{'x' * 24}")])

    def claim(self, product: str, account: str = "1") -> str:
        """Something is done in the account; its id at the partner service."""
        return self.accounts.claimed(AccountRef(account, account, product)).id

    def read(self, product: str, account: str = "1") -> str | None:
        """It is looked at."""
        known = self.accounts.known(AccountRef(account, account, product))
        return known.id if known else None

    def rows(self) -> int:
        """How many owners are kept."""
        with self.engine.connect() as connection:
            return len(connection.execute(select(account_owners)).all())


@pytest.fixture
def cyclr(tmp_path: Path) -> Office:
    """Where an id is the name that people know a customer by."""
    return Office(tmp_path)


@pytest.fixture
def embedded(tmp_path: Path) -> Office:
    """Where accounts of any id are made."""
    return Office(tmp_path, any_id=True)


def test_an_id_stays_what_the_host_says(cyclr: Office) -> None:
    """A read keeps nothing; the first use does, and what the partner service is need not be known."""
    assert cyclr.read("shop") == "1"
    assert cyclr.rows() == 0
    assert [cyclr.claim("shop"), cyclr.claim("shop")] == ["1", "1"]
    assert (cyclr.rows(), cyclr.asked) == (1, [])


def test_the_second_product_is_refused_and_sees_nothing(cyclr: Office) -> None:
    """In any spelling that the partner service may take for the same."""
    cyclr.claim("shop", "Äcme")
    for spelt in ("Äcme", "äcme", "ÄCME", "A\u0308cme"):
        assert cyclr.read("blog", spelt) is None
        with pytest.raises(AccountOfAnotherProduct, match="account_prefix"):
            cyclr.claim("blog", spelt)
    assert cyclr.claim("shop", "äcme") == "äcme"
    assert cyclr.claim("blog", "other") == "other"


def test_a_prefix_keeps_them_apart(cyclr: Office) -> None:
    """Set when the two have met, too."""
    cyclr.claim("shop")
    cyclr.say("blog", prefix="blog-")
    assert [cyclr.claim("blog"), cyclr.claim("shop")] == ["blog-1", "1"]
    with pytest.raises(AccountOfAnotherProduct):
        cyclr.claim("shop", "blog-1")


def test_an_account_keeps_its_id_whatever_the_prefix_becomes(cyclr: Office) -> None:
    """What is connected is there; new accounts get the prefix of today."""
    assert cyclr.claim("shop", "old") == "old"
    cyclr.say("shop", prefix="a-")
    assert [cyclr.read("shop", "old"), cyclr.claim("shop", "new")] == ["old", "a-new"]
    cyclr.say("shop", prefix="b-")
    cyclr.again()
    found = [cyclr.claim("shop", "old"), cyclr.claim("shop", "new"), cyclr.read("shop", "newer")]
    assert found == ["old", "a-new", "b-newer"]


def test_a_former_prefix_reaches_no_account_of_another_product(cyclr: Office) -> None:
    """The other one may use it now, or the plain id."""
    cyclr.say("shop", prefix="a-")
    cyclr.say("shop", prefix="b-")
    cyclr.say("blog", prefix="a-")
    assert cyclr.claim("blog", "1") == "a-1"
    cyclr.say("blog")
    assert cyclr.claim("blog", "2") == "2"
    assert [cyclr.claim("shop", "1"), cyclr.claim("shop", "2")] == ["b-1", "b-2"]


def test_the_next_of_a_namespace_takes_over_the_accounts_of_a_removed_product(embedded: Office) -> None:
    """Whatever they are called; one of its own stays before them. No other product does."""
    assert [embedded.claim("shop", "both"), embedded.claim("blog", "both")] == ["both", "blog:both"]
    for key in ("shop", "blog", "desk"):
        embedded.say(key, "company", f"{key}-")
    assert embedded.claim("shop") == "shop-1"
    embedded.products.remove("shop")
    embedded.again()
    assert [embedded.read("blog"), embedded.claim("desk")] == ["shop-1", "shop-1"]
    assert embedded.read("blog", "both") == "blog:both"
    embedded.products.remove("blog")
    assert [embedded.claim("desk"), embedded.read("desk", "both")] == ["shop-1", "blog:both"]
    embedded.say("desk")
    assert embedded.claim("desk") == "shop-1"
    embedded.say("late", "company")
    assert embedded.read("late") == "1"


def test_a_product_that_is_back_has_its_accounts_for_itself(cyclr: Office) -> None:
    """Unless it shares them again."""
    for key in ("shop", "blog"):
        cyclr.say(key, "company")
    cyclr.claim("shop")
    cyclr.products.remove("shop")
    assert cyclr.claim("blog") == "1"
    cyclr.say("shop")
    assert [cyclr.read("shop"), cyclr.read("blog")] == ["1", None]
    cyclr.products.remove("shop")
    assert cyclr.read("blog") is None
    cyclr.say("shop", "company")
    assert cyclr.read("blog") == "1"


def test_with_the_embedded_service_nobody_is_refused(embedded: Office) -> None:
    """The second has an account of its own, also for another worker."""
    assert [embedded.claim("shop"), embedded.claim("blog")] == ["1", "blog:1"]
    embedded.again()
    assert [embedded.read("shop"), embedded.read("blog"), embedded.claim("blog")] == ["1", "blog:1", "blog:1"]


def test_an_id_that_looks_like_a_made_one_is_another_account(embedded: Office) -> None:
    """A host may choose any id: it never reaches an account that stands for another one."""
    embedded.claim("shop")
    embedded.claim("blog")
    found = [embedded.claim("blog", "blog:1"), embedded.claim("shop", "blog:1")]
    assert len({"1", "blog:1", *found}) == 4


@pytest.mark.parametrize("order", [("shop", "blog"), ("blog", "shop")])
def test_products_of_one_namespace_share(cyclr: Office, order: tuple[str, str]) -> None:
    """Whoever came first, and with different prefixes; as long as both say so."""
    first, second = order
    cyclr.say(first, "company", "a-")
    cyclr.claim(first)
    assert cyclr.read(second) == "1"
    cyclr.say(second, "company", "b-")
    assert cyclr.claim(second) == "a-1"
    cyclr.say(second, None, "b-")
    assert cyclr.read(second) == "b-1"


def test_a_namespace_of_another_products_key_shares_nothing(cyclr: Office) -> None:
    """Nobody gets in by naming somebody who has not said so."""
    cyclr.claim("shop")
    cyclr.say("blog", "shop")
    assert cyclr.read("blog") is None


def test_a_draft_shares_with_nobody(cyclr: Office) -> None:
    """Not with its own product either."""
    cyclr.say("shop", "company")
    cyclr.claim("shop~draft", "studio")
    assert cyclr.read("shop", "studio") is None


def test_an_account_of_no_product_is_nobodys(cyclr: Office) -> None:
    """A caller that forgot to say whose it is gets nothing."""
    with pytest.raises(AccountOfAnotherProduct):
        cyclr.read("")


def test_an_id_has_to_fit_with_its_prefix(cyclr: Office) -> None:
    """Refused, and kept as nobody's."""
    cyclr.say("shop", prefix="s-")
    with pytest.raises(InvalidRequest, match="too long"):
        cyclr.claim("shop", "x" * MOST_ID)
    assert cyclr.rows() == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", "aCME"),
        ("acme", "acme "),
        ("acme", "acme\u3000"),
        ("acme", "ac\u00adme"),
        ("acme", "acme\u200b"),
        ("acme", "\uff41cme"),
        ("1", "\u00b9"),
        ("file", "\ufb01le"),
        ("stra\u00dfe", "STRASSE"),
        ("\u30ab", "\u304b"),
        ("\uff76", "\u304b"),
        ("e\u0301", "\u00c9"),
        ("a\u034f", "a\ufe0f"),
    ],
)
def test_what_a_database_may_take_for_one_is_one_products(cyclr: Office, one: str, other: str) -> None:
    """Case, width, weight and spaces at the end: another product gets nothing that might be the same."""
    assert cyclr.claim("blog", one) == one
    with pytest.raises(AccountOfAnotherProduct):
        cyclr.claim("shop", other)
    assert cyclr.read("shop", other) is None
    assert cyclr.claim("blog", other) == other


class Untouched:
    """A partner service at which nothing may be asked."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return lambda *_, **__: pytest.fail(f"{name} was asked of the partner service")


CALLS = sorted(name for name in vars(PartnerService) if not name.startswith("_"))
CHANGING = {"make_account", "install_connector", "install_another", "mint_sign_in_token", "give_credentials"}
"""What makes something in an account, which is its product's from then on."""


def asked(office: Office, partner: object, name: str, account: AccountRef) -> object:
    """What a call of the port comes to; None where it is refused."""
    call = getattr(OwnAccounts(cast(PartnerService, partner), office.accounts), name)
    values = {
        "reference": "crm",
        "account_connector_id": 7,
        "connector": Connector(1, "CRM"),
        "username": "eve",
        "token_sha256": "0" * 64,
        "code": Secret("code"),
    }
    wanted = [each.name for each in signature(call).parameters.values() if each.default is each.empty]
    try:
        return call(account, **{each: values.get(each, "x") for each in wanted if each != "account"})
    except (AccountOfAnotherProduct, ConnectionNotFound, ConnectorUnavailable, InvalidRequest, NotFound):
        return None


@pytest.mark.parametrize("name", CALLS)
def test_a66_no_call_reaches_an_account_that_is_another_products(cyclr: Office, name: str) -> None:
    """Each call of the port, those of tomorrow included: it finds nothing, or is refused."""
    cyclr.claim("shop")
    assert not asked(cyclr, Untouched(), name, AccountRef("1", "1", "blog"))


class Willing:
    """A partner service that has no answer to anything, and takes all."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


@pytest.mark.parametrize("name", CALLS)
def test_a66_only_what_makes_something_makes_an_owner(cyclr: Office, name: str) -> None:
    """A look at an account with a typing error in its id, or an end of nothing there, takes it for nobody."""
    asked(cyclr, Willing(), name, AccountRef("typo", "typo", "shop"))
    assert cyclr.rows() == (1 if name in CHANGING else 0)


class Empty:
    """A partner service at which no account has anything."""

    def list_account_connectors(self, _account: AccountRef) -> list[AccountConnector]:
        """Nothing."""
        return []

    def get_account_connector(self, _account: AccountRef, _number: int) -> None:
        """Nothing."""


def looks(office: Office, product: str, *connected: int) -> list[bool]:
    """Whether the list, and a read of connection 7, raise. ``connected``: what is stored of the account."""
    account = AccountRef("1", "1", product)
    partner = OwnAccounts(cast(PartnerService, Empty()), office.accounts, lambda _account: connected)
    calls = (
        lambda: partner.list_account_connectors(account),
        lambda: partner.get_account_connector(account, 7),
    )
    return [_raises(call) for call in calls]


def test_a_look_asks_once_whose_account_it_is(cyclr: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that waits for its account's first connection looks again and again."""
    real, names = DatabaseAccountOwners.of, list[Sequence[str]]()

    def of(self: DatabaseAccountOwners, wanted: Sequence[str]) -> dict[str, Owner]:
        names.append(wanted)
        return real(self, wanted)

    monkeypatch.setattr(DatabaseAccountOwners, "of", of)
    assert looks(cyclr, "shop") == [False, False]
    assert len(names) == 2


def _raises(call: Callable[[], object]) -> bool:
    try:
        return bool(call())
    except PartnerUnavailable as problem:
        return problem.refused and "account_prefix" in problem.detail


def test_what_may_be_in_another_account_has_not_ended(cyclr: Office) -> None:
    """The other product has left the namespace: whether the connection stands cannot be seen from here."""
    for key, prefix in (("shop", "s-"), ("blog", "b-")):
        cyclr.say(key, "company", prefix)
    cyclr.claim("shop")
    assert looks(cyclr, "blog", 7) == [False, False]
    cyclr.say("shop", None, "s-")
    assert looks(cyclr, "blog", 7) == [True, True]
    # What is not stored was never there.
    assert looks(cyclr, "blog", 8) == [True, False]
    assert looks(cyclr, "blog") == [False, False]
    cyclr.claim("blog")
    assert looks(cyclr, "blog", 7) == [False, False]


def test_what_was_connected_before_a_removed_product_came_back_renamed_has_not_ended(cyclr: Office) -> None:
    """Its accounts were called by a prefix that nobody knows any more."""
    cyclr.say("shop", prefix="s-")
    cyclr.claim("shop")
    cyclr.products.remove("shop")
    cyclr.say("shop")
    assert looks(cyclr, "shop", 7) == [True, True]


def test_what_another_product_has_claimed_meanwhile_has_not_ended(cyclr: Office) -> None:
    """An account made in the partner service's console, which both could read."""
    assert looks(cyclr, "blog", 7) == [False, False]
    cyclr.claim("shop")
    assert looks(cyclr, "blog", 7) == [True, True]
