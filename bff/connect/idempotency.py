"""Makes ``POST /v1/attempts`` idempotent by ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key).

Keys are scoped to the principal. A repeated request returns the attempt that the first one began. The BFF
stores only the SHA-256 of its launch token. A repeated request therefore gets a new token, and the old one
becomes invalid. If the attempt was launched, or can no longer be, the repeated request gets no token.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime

from bff.common.errors import InvalidRequest
from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import Attempt, AttemptChanges, Status
from bff.connect.new_attempt import BeginRequest
from bff.connect.outcome import as_of
from bff.connect.ports import AlreadyBegun, AttemptStore
from bff.connect.service import AttemptService
from bff.content.product import Product
from bff.identity.principal import Principal


class IdempotentBegin:
    """Begins one attempt for each key."""

    def __init__(
        self,
        service: AttemptService,
        attempts: AttemptStore,
        clock: Callable[[], datetime],
        random_token: Callable[[], str],
    ) -> None:
        self._service = service
        self._attempts = attempts
        self._clock = clock
        self._random_token = random_token

    def begin(
        self,
        product: Product,
        principal: Principal,
        request: BeginRequest,
        key: str,
        on_new: Callable[[Attempt], None] | None = None,
    ) -> tuple[Attempt, Secret | None]:
        """Begin an attempt as ``AttemptService.begin`` does, or return the one that this key began.

        The launch token is None if that one can no longer be launched. Raises ``InvalidRequest`` when the key
        was used for a different request, and what ``AttemptService.begin`` raises.
        """
        request_sha256 = fingerprint(json.dumps(asdict(request), sort_keys=True))
        keyed = replace(
            request, idempotency_sha256=_key_sha256(principal, key), request_sha256=request_sha256
        )
        try:
            return self._service.begin(product, principal, keyed, on_new)
        except AlreadyBegun as repeat:
            # house-allow: secret-compare: the SHA-256 of a request body is no secret
            if repeat.attempt.request_sha256 != request_sha256:
                raise InvalidRequest(
                    "Idempotency-Key: another request was sent with this key; take a new key for it"
                ) from None
            return self._renew_token(repeat.attempt)

    def was_used(self, principal: Principal, key: str) -> bool:
        """Whether an attempt was begun with this key. A request that repeats it begins none."""
        return self._attempts.find_by_idempotency_key(_key_sha256(principal, key)) is not None

    def _renew_token(self, attempt: Attempt) -> tuple[Attempt, Secret | None]:
        token = Secret(self._random_token())
        if attempt.expires_at > self._clock():
            changes: AttemptChanges = {"launch_token_sha256": fingerprint(token.reveal())}
            renewed = self._attempts.transition(attempt.id, {Status.CREATED}, changes)
            if renewed is not None:
                return renewed, token
        return as_of(self._attempts.get(attempt.id) or attempt, self._clock()), None


def _key_sha256(principal: Principal, key: str) -> str:
    return fingerprint(json.dumps([principal.product, principal.account.id, principal.user.id, key]))
