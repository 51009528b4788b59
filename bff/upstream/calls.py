"""Calls the partner service's API with an access token, and detects accounts that do not exist."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import Any, Final
from urllib.parse import quote

from bff.common.errors import AccountUnknown, PartnerUnavailable
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.outbound.client import Answer, HttpClient
from bff.upstream import json_reader as partner_json
from bff.upstream.bearer import Bearer
from bff.upstream.call_log import logged
from bff.upstream.retry_after import Quiet

ACCOUNT_HEADER: Final = "X-Cyclr-Account"
EMBEDDED_HEADER: Final = "Hitchpost-Embedded"
"""The header by which the embedded service identifies itself in each response. Cyclr has none."""
NO_CONTENT, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 204, 400, 401, 403, 404
DOUBTFUL: Final = frozenset({BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND})
"""Cyclr does not document its response for an account that does not exist: any of these may be it."""
UNKNOWN_SECONDS: Final = 5.0
"""How many seconds an account that did not exist is assumed not to exist."""
MOST_UNKNOWN: Final = 10_000
NO_API: Final = (
    "the partner service's API is not there (404): is HITCHPOST_PARTNER_API_URL right, and does the proxy in"
    " front of it, if there is one, reach it?"
)


def segment(text: str) -> str:
    """``text`` as one segment of a path."""
    return quote(text, safe="")


class PartnerCalls:
    """Sends calls. A 401 means an invalid access token only if other calls are refused as well."""

    def __init__(
        self, http: HttpClient, bearer: Bearer, quiet: Quiet, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        self._bearer = bearer
        self._quiet = quiet
        self._clock = clock
        self._lock = threading.Lock()
        self._unknown: dict[str, float] = {}
        self._made = 0
        self._embedded: bool | None = None

    def call(
        self,
        method: str,
        path: str,
        template: str | None = None,
        *,
        account: AccountRef | None = None,
        named: bool = True,
        means: Collection[int] = (),
        missing: Collection[int] = (),
        waits: bool = False,
        **more: Any,
    ) -> Answer:
        """The answer. Raises ``PartnerUnavailable``, and ``AccountUnknown`` for one of an unknown account.

        ``account``: whose call it is, ``named`` in a header unless the path has it. ``means``: statuses with
        one meaning, returned without a second call; ``missing``: those that mean an unknown account.
        ``waits``: refused here while the partner service's ``Retry-After`` lasts. ``more`` is for
        ``HttpClient.send``; with its ``asks_others`` the embedded service may refuse for a third party's
        sake.
        """
        if waits:
            self._refuse_during_pause()

        def send(token: Secret) -> Answer:
            headers = _headers(token, account if named else None)
            return self._send(method, path, template or path, headers, **more)

        token = self._token(None)
        answer = send(token)
        if answer.status == NOT_FOUND and NOT_FOUND in means and EMBEDDED_HEADER not in answer.headers:
            self._require_api(token)
        if answer.status not in DOUBTFUL or answer.status in means:
            return answer
        if account is None:
            return send(self._token(token)) if answer.status == UNAUTHORIZED else answer
        if answer.status in missing:
            raise unknown(account)
        return self._doubted(account, token, answer, send)

    def _doubted(
        self, account: AccountRef, token: Secret, answer: Answer, send: Callable[[Secret], Answer]
    ) -> Answer:
        """Handle a refusal: renew the access token, report an unknown account, or return the refusal."""
        if (known := self._is_known(account, token)) is None:
            answer = send(token := self._token(token))
            if answer.status not in DOUBTFUL:
                return answer
            known = self._is_known(account, token)
        if known is False:
            raise unknown(account)
        # The account may have been made since the call; a refused call has done nothing.
        return send(token) if known else answer

    def is_embedded(self) -> bool:
        """Whether this is the embedded service: known from any answer; before the first, makes a call.

        Raises ``PartnerUnavailable``.
        """
        if self._embedded is None:
            answer = self.call("GET", "/v1.0/connectors", query={"page": "1", "pageSize": "1"})
            if answer.ok:
                require_done(answer)
        return bool(self._embedded)

    def is_there(self, account: AccountRef) -> bool:
        """Ask whether the account exists."""
        self.has_made(account)
        path, template = f"/v1.0/accounts/{segment(account.id)}", "/v1.0/accounts/{account}"
        try:
            return self.call("GET", path, template, account=account, named=False).ok
        except AccountUnknown:
            return False

    def is_known_to_be_missing(self, account: AccountRef) -> bool:
        """Whether the account did not exist a moment ago."""
        with self._lock:
            return self._unknown.get(account.id, 0.0) > self._clock()

    def has_made(self, account: AccountRef) -> None:
        """Forget that the account did not exist."""
        with self._lock:
            self._made += 1
            self._unknown.pop(account.id, None)

    def _is_known(self, account: AccountRef, token: Secret) -> bool | None:
        """Whether the account exists; None if the access token is refused."""
        if self.is_known_to_be_missing(account):
            return False
        headers, made = _headers(token, None), self._made
        path, template = f"/v1.0/accounts/{segment(account.id)}", "/v1.0/accounts/{account}"
        answer = self._send("GET", path, template, headers)
        if answer.ok:
            return True
        if answer.status == NOT_FOUND:
            if EMBEDDED_HEADER not in answer.headers:
                self._require_api(token)
        else:
            # Is it us who are refused, or is this, too, an answer to an account that is not there?
            status = self._list_accounts(token)
            if status == UNAUTHORIZED:
                return None
            if status == FORBIDDEN:
                raise PartnerUnavailable("the partner service refuses our credentials", lasting=True)
        self._note_missing(account, made)
        return False

    def _require_api(self, token: Secret) -> None:
        """Raise ``PartnerUnavailable`` if every path is answered 404: then a 404 tells nothing that is gone.

        A proxy whose backend is away answers so, and so does a wrong ``HITCHPOST_PARTNER_API_URL``. The
        embedded service marks its own answers, which need no second call.
        """
        if self._list_accounts(token) == NOT_FOUND:
            raise PartnerUnavailable(NO_API)

    def _list_accounts(self, token: Secret) -> int:
        """The status of a call whose path exists, and which is about no account."""
        query = {"page": "1", "pageSize": "1"}
        headers = _headers(token, None)
        return self._send("GET", "/v1.0/accounts", "/v1.0/accounts", headers, query=query).status

    def _note_missing(self, account: AccountRef, made: int) -> None:
        with self._lock:
            if made != self._made:
                # Another thread has made an account since the call, perhaps this one.
                return
            if len(self._unknown) >= MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[account.id] = self._clock() + UNKNOWN_SECONDS

    def _send(
        self,
        method: str,
        path: str,
        template: str,
        headers: dict[str, str | bytes],
        *,
        asks_others: bool = False,
        **more: Any,
    ) -> Answer:
        # Cyclr speaks for itself in all of its answers.
        asks_others = asks_others and bool(self._embedded)
        try:
            with logged(method, template) as note:
                answer = self._http.send(method, path, headers=headers, asks_others=asks_others, **more)
                note["status"] = answer.status
        except PartnerUnavailable as error:
            if not asks_others:
                self._share_pause(error)
            raise
        if answer.status == NOT_FOUND and _is_page(answer):
            raise PartnerUnavailable(NO_API)
        # A refusal may be a proxy's: once an answer has come that is the service's own, only such count.
        if self._embedded is None or answer.ok:
            self._learn(answer)
        return answer

    def _learn(self, answer: Answer) -> None:
        is_embedded = EMBEDDED_HEADER in answer.headers
        # A proxy's page is no answer of the service. Parsed only if it would change what is known.
        if is_embedded != self._embedded and not (answer.ok and _is_page(answer)):
            self._embedded = is_embedded

    def _token(self, stale: Secret | None) -> Secret:
        """An access token other than ``stale``. Raises ``PartnerUnavailable``."""
        try:
            return self._bearer.token() if stale is None else self._bearer.renew(stale)
        except PartnerUnavailable as error:
            self._share_pause(error)
            raise

    def _share_pause(self, error: PartnerUnavailable) -> None:
        if error.named and error.retry_after:
            self._quiet.ask_for(error.retry_after)

    def _refuse_during_pause(self) -> None:
        if (left := self._quiet.left()) > 0:
            raise PartnerUnavailable("the partner service asked for a pause (Retry-After)", retry_after=left)


def unknown(account: AccountRef) -> AccountUnknown:
    """The error for an account that does not exist."""
    return AccountUnknown(f"the partner service has no account {account.id!r}")


def _headers(token: Secret, account: AccountRef | None) -> dict[str, str | bytes]:
    headers: dict[str, str | bytes] = {"Authorization": f"Bearer {token.reveal()}"}
    if account is not None:
        # As UTF-8 bytes: header texts are Latin-1 to the libraries, and account ids are any text.
        headers[ACCOUNT_HEADER] = account.id.encode()
    return headers


def has_content(answer: Answer) -> bool:
    """Whether a response has a body. An empty one with a status of 2xx is a success without details."""
    return answer.status != NO_CONTENT and bool(answer.body.strip())


def _is_page(answer: Answer) -> bool:
    """Whether the body is something else than JSON, as a proxy's page is. APIs send JSON or nothing."""
    try:
        answer.document()
    except PartnerUnavailable:
        return bool(answer.body.strip())
    return False


def require_ok(answer: Answer) -> Any:
    """The JSON of a response. Raises ``PartnerUnavailable`` for any status but 2xx, and without JSON."""
    if not answer.ok:
        require_done(answer)
    return answer.document()


def require_done(answer: Answer) -> None:
    """Raise ``PartnerUnavailable`` for any status but 2xx, and for a proxy's page. The body may be empty."""
    if answer.ok:
        if _is_page(answer):
            raise PartnerUnavailable(
                f"the partner service answered {answer.status} with a page, not JSON: does a proxy answer for"
                " it, and is HITCHPOST_PARTNER_API_URL right?"
            )
        return
    if answer.status == UNAUTHORIZED:
        raise PartnerUnavailable("the partner service refuses our credentials", lasting=True)
    refusal = f"the partner service answered {answer.status}: {message_of(answer)}"
    raise PartnerUnavailable(refusal, refused=400 <= answer.status < 500)


def message_of(answer: Answer) -> str:
    """The ``Message`` of a refusal; empty if it has none."""
    return partner_json.message_of(answer.document_if_any())
