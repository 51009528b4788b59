"""The timeline of an attempt: what happened when, without secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bff.common.legible import visible_id
from bff.connect.attempt import GIVEN_UP, LIVE, Attempt

FORM_SENT: Final = "form_sent"
FORM_REFUSED: Final = "form_refused"
FORM_UNANSWERED: Final = "form_unanswered"
FORM_NOT_TAKEN: Final = (FORM_REFUSED, FORM_UNANSWERED)
"""The steps of a submitted form that has certainly not connected."""
POLLED: Final = "checked"
"""The step of the polls. Callers of the API know it by this name."""
STEP_TEXTS: Final = {
    "prepared": "the page prepared the attempt",
    "launched": "the popup sent its launch token",
    "postponed": "the partner service was unavailable: the popup will try again",
    "minted": "a sign-in token was minted at the partner service",
    "form_shown": "the popup showed the form for what the connector needs",
    FORM_SENT: "the user sent the form",
    FORM_REFUSED: "what the user typed was refused, and the form shown again",
    FORM_UNANSWERED: "what the user typed could not be tried: third party or partner service did not answer",
    "redeemed": "the browser arrived at the partner service and was sent on to sign in",
    "message_seen": "the page received the callback message",
    "trouble_seen": "the popup reported that it shows an error page",
    "closed_seen": "the popup seemed closed",
    "focus_seen": "the user was back on the page, or sent the form again",
    "returned_seen": "the page went on with the attempt in its own tab, or the BFF saw the browser return",
    "returned": "the browser came back from the partner service",
    "completed": "the browser that launched it came to complete it",
    "completed_elsewhere": "another browser came to complete it, and was refused",
    "cancel_seen": "the user gave up",
    POLLED: "the partner service was polled",
    "connected": "ended: connected",
    "declined": "ended: access was declined",
    "failed": "ended: failed",
    "cancelled": "ended: cancelled",
    "expired": "ended: the time ran out",
    "late_success": "the sign-in succeeded after all, after this end",
}
"""The text of each step, for operators."""


NOTHING_CAME_BACK: Final = (
    "nothing came back from the third party: if its own page refused the redirect URI, register this one at"
    " the third party: the partner service's origin followed by /connector/callback"
)
"""A third party that does not know the redirect URI shows its own error page and redirects nowhere."""


@dataclass(frozen=True)
class Step:
    """Something that happened ``count`` times, first at ``at`` and last at ``last_at`` (UTC)."""

    name: str
    at: datetime
    last_at: datetime
    count: int = 1


def all_steps(attempt: Attempt, noted: list[Step]) -> list[Step]:
    """All steps of an attempt by their first time: those stored with it, and the counted ones."""
    own = {
        "prepared": attempt.created_at,
        "launched": attempt.launched_at,
        "minted": attempt.minted_at,
        "returned": attempt.returned_at,
        "late_success": attempt.late_success_at,
    }
    if attempt.settled_at is not None and attempt.status not in LIVE:
        own[attempt.status.value] = attempt.settled_at
    steps = [Step(name, at, at) for name, at in own.items() if at is not None]
    return sorted(steps + noted, key=lambda step: step.at)


def timeline_json(attempt: Attempt, noted: list[Step]) -> list[dict[str, Any]]:
    """The timeline for the host's server."""
    return [
        {
            "step": step.name,
            "at": step.at.isoformat(),
            "last_at": step.last_at.isoformat(),
            "count": step.count,
            "detail": attempt.third_party_error if step.name in {"failed", "declined"} else None,
        }
        for step in all_steps(attempt, noted)
    ]


def form_may_have_connected(noted: list[Step]) -> bool:
    """Whether a submitted form may have connected: not every submission is known as refused or unanswered."""
    counts = {step.name: step.count for step in noted}
    return counts.get(FORM_SENT, 0) > sum(counts.get(name, 0) for name in FORM_NOT_TAKEN)


def _nothing_came_back(attempt: Attempt, noted: list[Step]) -> bool:
    """Whether the third party seems to have sent the browser of this given-up sign-in nowhere.

    ``returned_seen`` alone shows no return: a page reports it whenever it goes on with an attempt in its own
    tab, also after the user went back from the third party's error page.
    """
    names = {step.name for step in noted}
    came_back = attempt.returned_at or attempt.late_success_at or "message_seen" in names
    return (
        attempt.minted_at is not None
        and attempt.status in GIVEN_UP
        and not came_back
        and "form_shown" not in names
    )


def timeline_text(attempt: Attempt, noted: list[Step]) -> str:
    """The timeline in words, one line for each step, times in UTC."""
    head = (
        f"{attempt.support_code}  {attempt.id}  {attempt.status.value}\n"
        f"product {attempt.product}, account {visible_id(attempt.account.id)},"
        f" user {visible_id(attempt.user.id)},"
        f" connector {attempt.connector.key}, from {attempt.origin}"
    )
    lines = [head]
    for step in all_steps(attempt, noted):
        often = f" ({step.count} times, last {step.last_at:%H:%M:%S})" if step.count > 1 else ""
        lines.append(f"{step.at:%Y-%m-%d %H:%M:%S.%f}  {STEP_TEXTS.get(step.name, step.name)}{often}")
    if attempt.third_party_error:
        lines.append(f"the third party answered: {attempt.third_party_error}")
    elif _nothing_came_back(attempt, noted):
        lines.append(NOTHING_CAME_BACK)
    if attempt.error_code:
        lines.append(f"error code sent to the page: {visible_id(attempt.error_code)}")
    if attempt.late_success_at:
        lines.append("the sign-in succeeded after this attempt had ended: the connection exists")
    return "\n".join(lines)
