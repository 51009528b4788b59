"""Cyclr's HTTP protocol, spoken to Cyclr or to any server that speaks it too."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote

import structlog

from bff.adapters import partner_json
from bff.adapters.access_tokens import TokenEndpoint, TokenSource
from bff.adapters.bearer import Bearer
from bff.adapters.http_client import Answer, HttpClient, Limits
from bff.core.errors import ConnectorUnavailable, InvalidRequest, PartnerUnavailable
from bff.core.ports import AccountConnector, AccountRef, CompletionWish, Connector, SignInToken
from bff.core.secret import Secret
from bff.serving import metrics

ACCOUNT_HEADER: Final = "X-Cyclr-Account"
EMBEDDED_HEADER: Final = "Hitchpost-Embedded"
"""By it the embedded service says what it is, in each answer of its API. Cyclr has no such header."""
PAGE_SIZE: Final = 100
MOST_PAGES: Final = 100
OK, UNAUTHORIZED, NOT_FOUND, CONFLICT, GONE = 200, 401, 404, 409, 410

log = structlog.get_logger("hitchpost.partner")


class PartnerClient:
    """Implements ``bff.core.ports.PartnerService`` over HTTP.

    An account is made when a call needs it and it is not there. Each call carries a bearer token that is
    renewed once when it is refused: a 401 may come before the token's time (Cyclr's console can revoke it).
    """

    def __init__(
        self,
        api_url: str,
        client_id: str,
        client_secret: Secret,
        limits: Limits | None = None,
        *,
        share: Callable[[TokenSource], TokenSource] = lambda source: source,
    ) -> None:
        self._http = HttpClient(api_url, limits or Limits())
        self._embedded: bool | None = None
        self._bearer = Bearer(share(TokenEndpoint(self._http, client_id, client_secret)))

    def breaker_state(self) -> str:
        """``closed``, ``open`` or ``half-open``: whether calls to the partner service go through."""
        return self._http.breaker.state().value

    def takes_any_account_id(self) -> bool:
        """Whether this is the embedded service, whose accounts are made by whatever id they are asked for.

        Known from any answer; without one yet, it is asked. Raises ``PartnerUnavailable``.
        """
        if self._embedded is None:
            self._call("GET", "/v1.0/connectors", query={"page": "1", "pageSize": "1"})
        return bool(self._embedded)

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """By id the answer is one entry, by name or key a list; of a list the first is taken."""
        path = f"/v1.0/connectors/{_segment(reference)}"
        template = "/v1.0/connectors/{connector}"
        answer = self._for_account(account, lambda: self._call("GET", path, template, account=account))
        if answer.status == NOT_FOUND:
            raise ConnectorUnavailable(f"the partner service has no connector {reference!r}")
        document = _require_ok(answer)
        found = document if isinstance(document, list) else [document]
        if not found:
            raise ConnectorUnavailable(f"the partner service has no connector {reference!r}")
        return partner_json.read_connector(found[0])

    def list_account_connectors(self, account: AccountRef) -> list[AccountConnector]:
        """Page by page, until ``Total-Pages`` or a short page says that this was the last."""
        found: list[AccountConnector] = []
        for page in range(1, MOST_PAGES + 1):
            query = {"page": str(page), "pageSize": str(PAGE_SIZE)}
            answer = self._call("GET", "/v1.0/account/connectors", account=account, query=query)
            if answer.status == NOT_FOUND:
                break
            items = partner_json.read_list(_require_ok(answer))
            found += [partner_json.read_account_connector(item) for item in items]
            if _is_last(answer, page, len(items)):
                break
        return found

    def get_account_connector(
        self, account: AccountRef, account_connector_id: int
    ) -> AccountConnector | None:
        """One account connector; its ``Authenticated`` flag is the only authority that Cyclr has."""
        path = f"/v1.0/account/connectors/{account_connector_id}"
        answer = self._call("GET", path, "/v1.0/account/connectors/{id}", account=account)
        if answer.status == NOT_FOUND:
            return None
        return partner_json.read_account_connector(_require_ok(answer))

    def install_connector(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Install under the connector's name. Raises ``ConnectorUnavailable``, ``PartnerUnavailable``."""
        path = f"/v1.0/connectors/{connector.id}/install"
        template = "/v1.0/connectors/{connector}/install"
        # Harmless: if the first of two was done, the second is refused by its name, and the first is found.
        more: Any = {"account": account, "document": {"Name": connector.name}, "harmless": True}
        answer = self._for_account(account, lambda: self._call("POST", path, template, **more))
        if answer.status == OK:
            return partner_json.read_account_connector(answer.document())
        message = _message(answer)
        if message.startswith("Account connector name ") and message.endswith(" is in use."):
            # Somebody installed it at the same moment, or by hand before.
            installed = self.list_account_connectors(account)
            ours = [item for item in installed if item.connector_id == connector.id]
            if ours:
                return ours[0]
        raise ConnectorUnavailable(f"connector {connector.id} cannot be installed: {message}")

    def mint_sign_in_token(
        self,
        account: AccountRef,
        username: str,
        completion: CompletionWish | None = None,
        connector: Connector | None = None,
    ) -> SignInToken:
        """``POST /v1.0/accounts/{id}/signintoken``: one use, five minutes; the user is made when unknown.

        What is wished for besides goes into ``Hitchpost``, which Cyclr passes over.
        """
        document: dict[str, Any] = {"Username": username}
        wishes: dict[str, Any] = {}
        if completion:
            wishes |= {"CompletionUrl": completion.url, "TargetOrigin": completion.target}
        if connector:
            wishes["Connector"] = connector.id
        if wishes:
            document["Hitchpost"] = wishes
        path = f"/v1.0/accounts/{_segment(account.id)}/signintoken"
        template = "/v1.0/accounts/{account}/signintoken"
        # Harmless: of two tokens minted, the one that nobody has heard of ends by itself.
        answer = self._call("POST", path, template, document=document, harmless=True)
        if answer.status == NOT_FOUND:
            self._create(account)
            answer = self._call("POST", path, template, document=document, harmless=True)
        if connector and answer.status == CONFLICT:
            raise ConnectorUnavailable(f"connector {connector.id} cannot be installed: {_message(answer)}")
        return partner_json.read_sign_in_token(_require_ok(answer), connector)

    def accept_sign_in(self, account: AccountRef, account_connector_id: int, token_sha256: str) -> None:
        """The embedded service's own call; Cyclr knows no such thing, and never asks for it."""
        answer = self._about_sign_in(account, account_connector_id, token_sha256, "accept")
        if answer.status in {NOT_FOUND, GONE}:
            raise InvalidRequest("accept: it is too late to choose this account; connect again")
        _require_ok(answer)

    def complete_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> Secret | None:
        """The embedded service's own call, as the next is."""
        answer = self._about_sign_in(account, account_connector_id, token_sha256, "complete", code)
        if answer.status in {NOT_FOUND, GONE}:
            return None
        return partner_json.read_finish_id(_require_ok(answer))

    def refuse_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> bool:
        """What the code stands for is forgotten there."""
        answer = self._about_sign_in(account, account_connector_id, token_sha256, "refuse", code)
        if answer.status in {NOT_FOUND, GONE}:
            return False
        _require_ok(answer)
        return True

    def _about_sign_in(
        self,
        account: AccountRef,
        account_connector_id: int,
        token_sha256: str,
        verb: str,
        code: Secret | None = None,
    ) -> Answer:
        base = "/v1.0/account/connectors"
        return self._call(
            "PUT",
            f"{base}/{account_connector_id}/signins/{_segment(token_sha256)}/{verb}",
            f"{base}/{{id}}/signins/{{token}}/{verb}",
            account=account,
            document={"Code": code.reveal()} if code else None,
        )

    def _for_account(self, account: AccountRef, call: Callable[[], Answer]) -> Answer:
        """A call that needs the account to exist: when it may not, it is made, and the call repeated once."""
        answer = call()
        if answer.status not in {UNAUTHORIZED, NOT_FOUND}:
            return answer
        # Repeated even if the account is there now: another call may have made it since.
        if not self._exists(account):
            self._create(account)
        return call()

    def _exists(self, account: AccountRef) -> bool:
        answer = self._call("GET", f"/v1.0/accounts/{_segment(account.id)}", "/v1.0/accounts/{account}")
        return answer.status != NOT_FOUND

    def _create(self, account: AccountRef) -> None:
        document = {"Id": account.id, "Name": account.name}
        # Harmless: of two the second finds the id in use, which is as good as making it.
        answer = self._call("POST", "/v1.0/accounts", document=document, harmless=True)
        if answer.status != OK and _message(answer) != "ID already in use":
            raise PartnerUnavailable(f"account {account.id!r} cannot be made: {_message(answer)}")

    def _call(
        self,
        method: str,
        path: str,
        template: str | None = None,
        *,
        account: AccountRef | None = None,
        document: Any = None,
        query: dict[str, str] | None = None,
        harmless: bool = False,
    ) -> Answer:
        headers: dict[str, str | bytes] = {}
        if account is not None:
            # As UTF-8 bytes: header texts are Latin-1 to the libraries, and account ids are any text.
            headers[ACCOUNT_HEADER] = account.id.encode()

        def send(token: Secret) -> Answer:
            headers["Authorization"] = f"Bearer {token.reveal()}"
            with _logged(method, template or path) as note:
                answer = self._http.send(
                    method, path, headers=headers, document=document, query=query, harmless=harmless
                )
                note["status"] = answer.status
            if answer.status == OK:
                self._embedded = EMBEDDED_HEADER in answer.headers
            return answer

        token = self._bearer.token()
        answer = send(token)
        return send(self._bearer.renew(token)) if answer.status == UNAUTHORIZED else answer


@contextlib.contextmanager
def _logged(method: str, template: str) -> Iterator[dict[str, Any]]:
    note: dict[str, Any] = {"status": "none"}
    began = time.monotonic()
    try:
        yield note
    finally:
        spent = round((time.monotonic() - began) * 1000)
        # The path's template, and no header, query or body: nothing of those is fit for a log.
        status = note["status"]
        metrics.upstream(template, status if isinstance(status, int) else None, spent / 1000)
        log.info("partner call", method=method, path=template, ms=spent, **note)


def _segment(text: str) -> str:
    return quote(text, safe="")


def _require_ok(answer: Answer) -> Any:
    if answer.status == OK:
        return answer.document()
    if answer.status == UNAUTHORIZED:
        raise PartnerUnavailable("the partner service refuses our credentials")
    raise PartnerUnavailable(f"the partner service answered {answer.status}: {_message(answer)}")


def _message(answer: Answer) -> str:
    try:
        document = answer.document()
    except PartnerUnavailable:
        return ""
    return partner_json.message_of(document)


def _is_last(answer: Answer, page: int, items: int) -> bool:
    total = answer.headers.get("Total-Pages", "")
    if total.isascii() and total.isdigit():
        return page >= int(total)
    return items < PAGE_SIZE
