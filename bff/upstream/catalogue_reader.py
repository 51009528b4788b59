"""Reads the partner service's catalogue of connectors, and its lists page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bff.common.errors import AccountUnknown
from bff.identity.principal import AccountRef
from bff.outbound.client import Answer
from bff.upstream import json_reader as partner_json
from bff.upstream.calls import BAD_REQUEST, DOUBTFUL, NOT_FOUND, PartnerCalls, require_ok, segment, unknown
from bff.upstream.releases import Release, read_release

PAGE_SIZE: Final = 50
MOST_PAGES: Final = 1000
"""Enough for a catalogue of ten thousand with ten items on a page."""
PAST_THE_END: Final = frozenset({BAD_REQUEST, NOT_FOUND, 416})
"""Statuses that other APIs return for a page after the last one. Cyclr's is not known."""


class PartnerCatalogue:
    """Reads the catalogue for an account, or without one where the partner service allows it."""

    def __init__(self, calls: PartnerCalls) -> None:
        self._calls = calls
        self._needs_account = False

    def releases(self, account: AccountRef, reference: str) -> list[Release]:
        """The entries of this id, key or name; none for an unknown one.

        Raises ``AccountUnknown`` if the account does not exist and entries are shown to existing ones only.
        """
        answer = self._look_up(account, f"/v1.0/connectors/{segment(reference)}")
        if answer.status == NOT_FOUND:
            return []
        document = require_ok(answer)
        found = document if isinstance(document, list) else [document]
        return partner_json.readable(found, read_release)

    def search(self, account: AccountRef | None, query: str) -> Iterator[Release]:
        """Every release whose connector's name has ``query`` in it. Raises ``PartnerUnavailable``."""
        filters = {"query": query} if query else {}
        for items in pages(self._calls, "/v1.0/connectors", account, filters):
            yield from partner_json.readable(items, read_release)

    def any_account(self) -> AccountRef | None:
        """An account that exists, to read the catalogue for; None while there is none."""
        first = {"page": "1", "pageSize": "1"}
        answer = self._calls.call("GET", "/v1.0/accounts", query=first, means=DOUBTFUL)
        found = partner_json.read_list(answer.document()) if answer.ok else []
        return partner_json.read_account(found[0]) if found else None

    def has_account(self, account: AccountRef) -> bool:
        """Whether the account exists. Raises ``PartnerUnavailable``."""
        return self._calls.is_there(account)

    def _look_up(self, account: AccountRef, path: str) -> Answer:
        """Read for the account; if it does not exist, without one, or for another where that is forbidden."""
        template = "/v1.0/connectors/{connector}"
        missing = unknown(account)
        if not self._calls.is_known_to_be_missing(account):
            try:
                return self._calls.call("GET", path, template, account=account)
            except AccountUnknown as error:
                missing = error
        if not self._needs_account:
            # The access token is valid: with it the partner service reported that the account is missing.
            answer = self._calls.call("GET", path, template, means=DOUBTFUL)
            if answer.ok or answer.status == NOT_FOUND:
                return answer
            self._needs_account = True
        # An entry is the same for every account: read it for any that exists.
        if (other := self.any_account()) is None:
            raise missing
        return self._calls.call("GET", path, template, account=other)


def pages(
    calls: PartnerCalls, path: str, account: AccountRef | None, filters: dict[str, str] | None = None
) -> Iterator[list[Any]]:
    """A list page by page, until the last by ``Total-Pages``, or a page without new items.

    A page may be shorter than requested, as the partner service may have a limit of its own. Without
    ``Total-Pages`` it may refuse the page after the last one. Raises ``AccountUnknown``,
    ``PartnerUnavailable``.
    """
    seen: set[str] = set()
    total: int | None = None
    for page in range(1, MOST_PAGES + 1):
        query = {**(filters or {}), "page": str(page), "pageSize": str(PAGE_SIZE)}
        means = {NOT_FOUND} if page == 1 else PAST_THE_END
        answer = calls.call("GET", path, account=account, query=query, means=means)
        if total is None and _is_past_the_end(answer, page):
            return
        items = []
        for item in partner_json.read_list(require_ok(answer)):
            if (key := _id(item)) not in seen:
                seen.add(key)
                items.append(item)
        if not items:
            return
        yield items
        total = _total_pages(answer)
        if total is not None and total <= page:
            return


def _is_past_the_end(answer: Answer, page: int) -> bool:
    if page == 1:
        return answer.status == NOT_FOUND
    return answer.status in PAST_THE_END or (answer.ok and answer.body.strip() in {b"", b"null"})


def _id(item: Any) -> str:
    # An item of another shape is refused when it is read.
    item_id = item.get("Id") if isinstance(item, dict) else None
    return str(item_id) if isinstance(item_id, int | str) else repr(item)


def _total_pages(answer: Answer) -> int | None:
    # Zero, although there are items, is ignored.
    total = answer.headers.get("Total-Pages", "")[:9]
    return (int(total) or None) if total.isascii() and total.isdigit() else None
