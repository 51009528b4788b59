"""Which products own the accounts that a product may use, and how their ids at the partner service are made.

An account keeps the id that it was first used by. A product file may change the prefix of a product later,
and a product may be removed. So the stored product keeps its former prefixes, and the removed products whose
accounts it has taken over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bff.content.product import DRAFT

Document = Mapping[str, Any]
"""The stored registration of a product."""

FORMER: Final = "former_prefixes"
HEIR_OF: Final = "heir_of"


@dataclass(frozen=True)
class AccountNames:
    """``sharing``: the products of its account namespace, itself first.

    ``owners``: these, and the removed ones whose accounts they have taken over. ``prefixes``: all that may be
    prepended to an account's id; new accounts get the first.
    """

    sharing: tuple[str, ...]
    owners: tuple[str, ...]
    prefixes: tuple[str, ...]


def account_names(key: str, documents: Mapping[str, Document]) -> AccountNames:
    """The names of the product, or draft, of this key. ``documents``: of all products, by key."""
    if key.endswith(DRAFT):
        # A draft's account is the Studio's, not shared.
        own = documents.get(key.removesuffix(DRAFT), {})
        return AccountNames((key,), (key,), _unique(_prefix(own), apart(key), *_former(own), ""))
    space = documents.get(key, {}).get("account_namespace")
    sharing = (key, *(each for each in _of_space(space, documents) if each != key))
    group = [documents.get(each, {}) for each in sharing]
    removed = [each for document in group for each in document.get(HEIR_OF, ())]
    former = [each for document in group for each in _former(document)]
    # No prefix at all comes last, for all alike: it was used before there was a prefix.
    prefixes = _unique(*map(_prefix, group), *map(apart, sharing), *former, "")
    return AccountNames(sharing, _unique(*sharing, *removed), prefixes)


def apart(key: str) -> str:
    """What is prepended where the id alone is another product's, if the partner service takes any id."""
    return f"{key}:"


def with_history(document: Document, before: Document) -> dict[str, Any]:
    """A document with what is kept of the one before."""
    former = _unique(*_former(before), _prefix(before))
    return {**document, FORMER: [*former], HEIR_OF: [*before.get(HEIR_OF, ())]}


def bequeathed(key: str, documents: Mapping[str, Document]) -> dict[str, dict[str, Any]]:
    """The changed documents when the product is removed: the next of its namespace gets its accounts."""
    gone = documents.get(key, {})
    heir = next((each for each in _of_space(gone.get("account_namespace"), documents) if each != key), None)
    if heir is None:
        return {}
    own = documents[heir]
    former = _unique(*_former(own), _prefix(gone), apart(key), *_former(gone))
    heir_of = _unique(*own.get(HEIR_OF, ()), key, *gone.get(HEIR_OF, ()))
    return {heir: {**own, FORMER: [*former], HEIR_OF: [*heir_of]}}


def returned(key: str, documents: Mapping[str, Document]) -> dict[str, dict[str, Any]]:
    """The changed documents when a removed product is back: its accounts are its own again."""
    return {
        each: {**document, HEIR_OF: [removed for removed in document[HEIR_OF] if removed != key]}
        for each, document in documents.items()
        if key in document.get(HEIR_OF, ())
    }


def _of_space(space: str | None, documents: Mapping[str, Document]) -> list[str]:
    """The products of an account namespace, sorted; none for no namespace."""
    if not space:
        return []
    return sorted(key for key, document in documents.items() if document.get("account_namespace") == space)


def _former(document: Document) -> list[str]:
    return [each for each in document.get(FORMER, ()) if each]


def _prefix(document: Document) -> str:
    return document.get("account_prefix") or ""


def _unique(*items: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
