"""What a form that replaces the sign-in changes of its attempt, before and after its credentials are sent."""

from __future__ import annotations

from datetime import datetime

from bff.connect import outcome
from bff.connect.attempt import Attempt, AttemptChanges, Delivery, Status
from bff.connect.launch_minting import MintedLaunch
from bff.upstream.protocol import AccountConnector


def before_credentials(attempt: Attempt, launch: MintedLaunch) -> AttemptChanges:
    """The fields to store before the credentials of a form are sent to the partner service.

    If an earlier submission may have connected the same account connector, ``minted_at`` and
    ``authenticated_before`` stay as they were before that one. A connection that it made then counts as a new
    one, not as one that was there before.
    """
    minted = launch.changes
    changes: AttemptChanges = {
        "sign_in_token_sha256": minted["sign_in_token_sha256"],
        "account_connector_id": minted["account_connector_id"],
        # The partner service posts no callback message for a form.
        "delivery": Delivery.RETURN,
    }
    if attempt.account_connector_id != minted["account_connector_id"]:
        changes |= {
            "minted_at": minted["minted_at"],
            "authenticated_before": minted["authenticated_before"],
        }
    return changes


def after_credentials(attempt: Attempt, reply: AccountConnector, now: datetime) -> AttemptChanges | None:
    """The fields to store after the partner service accepted them; None if they do not connect.

    Where sign-ins are not recorded, the connection is attributed: this user's credentials made it.
    """
    if reply.sign_ins is not None:
        return outcome.decide(attempt, reply, now)
    if not reply.authenticated:
        return None
    return {"status": Status.CONNECTED, "attributed": True}
