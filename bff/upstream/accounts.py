"""Accounts belong to their product: which account of the partner service stands for which one of a host's.

Two hosts choose the ids of their accounts without knowing of each other, and ``"1"`` is a popular one. So it
is kept which product each id at the partner service belongs to: the first that did something there. Products
of one ``account_namespace`` share theirs. An id that was used once stays the account's, whatever the product
file says later.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bff.common.errors import AccountOfAnotherProduct, InvalidRequest
from bff.identity.principal import AccountRef
from bff.products.account_names import AccountNames, apart
from bff.upstream.protocol import AccountOwners, Owner

MOST_ID: Final = 255
"""Characters that the partner service allows in an account's id."""
MOST_KEPT: Final = 10_000
PASSED_SECONDS: Final = 60.0
ROUNDS: Final = 4
"""Tries in all. Each of the two ids tried may be claimed at the same moment by another product."""
_KATAKANA_AS_HIRAGANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}


def fold(name: str) -> str:
    """A form that is equal for two ids which a partner service might treat as one.

    It is unknown whether a partner service distinguishes "Acme" from "acme". Databases compare without case,
    width (NFKC), format characters and trailing spaces, and hiragana as katakana (SQL Server's usual
    collations do all of this). If the partner service distinguishes ids that are equal here, the cost is a
    prefix; the other way round, two products would share an account.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    weighed = (item for item in plain if unicodedata.category(item) != "Cf" and not _is_selector(item))
    return "".join(weighed).translate(_KATAKANA_AS_HIRAGANA).rstrip()


def _is_selector(item: str) -> bool:
    return "\ufe00" <= item <= "\ufe0f" or "\U000e0100" <= item <= "\U000e01ef" or item == "\u034f"


@dataclass(frozen=True)
class Reading:
    """The account of the partner service to read; None where it is another product's.

    ``owned``: whether it is known to be the product's.
    """

    account: AccountRef | None
    owned: bool


@dataclass(frozen=True)
class _Found:
    """The id at the partner service, and whether it is known to be the product's."""

    name: str
    owned: bool


class Accounts:
    """Finds a host's account at the partner service.

    ``any_id``: whether the partner service accepts any id for a new account (the embedded one does). There,
    an id that is another product's is prefixed with the product's key. Elsewhere an id is the name by which
    people know a customer (Cyclr's API ID), so no other is made up.

    ``names_of``: what is known of the accounts of the product, or draft, of a key.
    """

    def __init__(
        self, owners: AccountOwners, names_of: Callable[[str], AccountNames], any_id: Callable[[], bool]
    ) -> None:
        self._owners = owners
        self._names_of = names_of
        self._any_id = any_id
        # Who owns what never changes.
        self._kept: dict[tuple[str, str, str], _Found] = {}
        self._passed: dict[tuple[str, str], float] = {}

    def known(self, account: AccountRef) -> AccountRef | None:
        """The account to read; None where the account of this id there is another product's.

        Writes nothing. An account that no product has used yet is read by its own id. Raises
        ``PartnerProblem`` if ``any_id`` has to call the partner service, and that does not answer.
        """
        return self.reading(account).account

    def reading(self, account: AccountRef) -> Reading:
        """The same, and whether it is known to be the product's."""
        found = self._look(account)
        if found is None:
            return Reading(None, owned=False)
        return Reading(AccountRef(found.name, account.name, account.product), found.owned)

    def claimed(self, account: AccountRef) -> AccountRef:
        """The account to change something in: from now on it is this product's.

        Raises ``AccountOfAnotherProduct``, ``InvalidRequest`` for an id that is too long with its prefix, and
        ``PartnerProblem`` as ``known`` does.
        """
        for _ in range(ROUNDS):
            found = self._look(account)
            if found is None:
                break
            if found.owned:
                return AccountRef(found.name, account.name, account.product)
            if len(found.name) > MOST_ID:
                raise InvalidRequest(f"account.id: {found.name!r} is too long; at most {MOST_ID} characters")
            self._owners.claim(found.name, Owner(account.product, account.id))
        raise refusal(account)

    def require(self, account: AccountRef) -> None:
        """Refuse early what a launch would refuse, writing nothing. Raises ``AccountOfAnotherProduct``.

        What passed is not looked up again for a minute: it is a kindness to who builds the page, and the
        launch decides.
        """
        key, now = (account.product, account.id), time.monotonic()
        if self._passed.get(key, 0.0) > now:
            return
        if self._look(account) is None:
            raise refusal(account)
        if len(self._passed) >= MOST_KEPT:
            self._passed.clear()
        self._passed[key] = now + PASSED_SECONDS

    def may_be_elsewhere(self, account: AccountRef, reading: Reading) -> bool:
        """Whether the product may have used another account for this id than the one of ``reading``.

        Namely one whose name cannot be found any more, or one that another product shared with it.
        """
        return not reading.owned and (reading.account is None or self._owners.has_any(account.id))

    def _look(self, account: AccountRef) -> _Found | None:
        product = account.product
        if not product:
            raise AccountOfAnotherProduct("this account belongs to no product")
        known = self._names_of(product)
        own, *others = (prefix + account.id for prefix in known.prefixes)
        if kept := self._kept.get((product, account.id, own)):
            return kept
        # An account keeps the id that it was first used by, whatever its product's prefix is today.
        owners = self._owners.of([own, *others])
        for keys in ({product}, set(known.owners)):
            for name in (own, *others):
                owner = owners.get(name)
                if owner and owner.product in keys and fold(owner.account) == fold(account.id):
                    return self._keep((product, account.id, own), owner, _Found(name, owned=True))
        if own not in owners:
            return _Found(own, owned=False)
        beside = apart(product) + account.id
        if self._any_id() and beside not in owners:
            return _Found(beside, owned=False)
        return None

    def _keep(self, key: tuple[str, str, str], owner: Owner, found: _Found) -> _Found:
        # What is shared may not be shared tomorrow.
        if owner.product == key[0]:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found


def refusal(account: AccountRef) -> AccountOfAnotherProduct:
    """The error for an account that is another product's, with what operators can do."""
    return AccountOfAnotherProduct(
        f"account {account.id!r} of product {account.product!r}: the partner service has this account for"
        " another product; set account_prefix in the product file, or the same account_namespace in both"
        " products if they are to share it"
    )
