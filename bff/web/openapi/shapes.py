"""Models of the BFF's JSON responses. Clients ignore unknown members, as members may be added."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, Field
from pydantic.config import JsonDict

from bff.connect.attempt import Status
from bff.connections.connection import State

URI: Final[JsonDict] = {"format": "uri"}


class PageError(BaseModel):
    """An error for the user of the page, in the language of ``Accept-Language``."""

    code: Literal["invalid_request", "not_signed_in", "connector_unavailable", "partner_unavailable"]
    title: str
    next_step: str


class Problem(BaseModel):
    """A problem document (RFC 9457). ``code`` is stable; ``request_id`` identifies the call in the log."""

    type: Annotated[str, Field(description="Where the code is explained.", json_schema_extra=URI)]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    code: str
    request_id: str
    next_step: str = ""
    error: Annotated[
        PageError | None,
        Field(description="Absent if the same call may succeed in a moment: the widget repeats it."),
    ] = None
    advice: Annotated[str | None, Field(description="What the people who build the page should change.")] = (
        None
    )


class SessionToken(BaseModel):
    """A session token, and when it expires."""

    token: str
    expires_at: AwareDatetime
    expires_in: Annotated[
        int, Field(description="Seconds from the answer on: no clock of the reader's counts.")
    ]


class ProductName(BaseModel):
    """The host's product."""

    key: str
    name: str


class Connection(BaseModel):
    """One connection of an account. Members that the partner service does not provide are null.

    ``last_state`` is set while ``state`` is unknown: the state at ``last_seen_at``. ``authenticated`` is the
    partner service's flag. ``sequence`` increases with every change that events report.
    """

    id: str
    connector: str
    name: str
    state: State
    external_account: str | None
    connected_at: AwareDatetime | None
    connected_by: Annotated[str | None, Field(description="The host's id of the user, where it is known.")]
    connected_by_name: str | None
    scopes: list[str] | None
    missing_scopes: list[str]
    expires_at: AwareDatetime | None
    reason: str | None
    reason_text: str | None
    extra: dict[str, str] | None
    sequence: Annotated[int, Field(ge=0)]
    may_disconnect: bool
    authenticated: bool
    last_state: State | None
    last_seen_at: AwareDatetime | None


class Connections(BaseModel):
    """The connections of an account."""

    connections: list[Connection]


class AttemptError(BaseModel):
    """Why there is no connection, with texts for the user."""

    code: str
    title: str
    next_step: str


class ConnectorState(BaseModel):
    """A connector that this session may connect, and its state for the account.

    ``multiple``: several accounts of it may be connected at the same time.
    """

    key: str
    name: str
    logo: str | None
    multiple: bool
    state: State
    last_state: State | None
    last_seen_at: AwareDatetime | None
    connections: list[Connection]
    error: Annotated[
        AttemptError | None, Field(description="Why it cannot be connected, known before anybody clicks.")
    ]


class Config(BaseModel):
    """What a page needs to draw its buttons. ``words`` and ``style`` are for the language ``lang``."""

    product: ProductName
    connectors: list[ConnectorState]
    words: dict[str, str]
    lang: str
    dir: Literal["ltr", "rtl"]
    style: str
    theme: dict[str, str]
    delivery: Literal["message", "return"]


class PreparedAttempt(BaseModel):
    """An attempt prepared before the click, with its single-use launch token."""

    id: str
    status: Status
    launch_token: Annotated[str | None, Field(description="null for a repeated request, once launched.")]
    partner_origin: str
    callback_message: str
    expires_at: AwareDatetime
    expires_in: Annotated[
        int, Field(description="Seconds from the answer on: no clock of the reader's counts.")
    ]
    support_code: str
    origin_hidden: Annotated[
        str | None,
        Field(
            description="What to change, where the page hides its origin from forms (its Referrer-Policy)."
        ),
    ] = None
    advice: Annotated[str | None, Field(description="What the people who build the page should change.")] = (
        None
    )


class AttemptConnection(BaseModel):
    """The connection that an attempt made."""

    id: str
    connector: str
    external_account: str | None


class LateSuccess(BaseModel):
    """The sign-in succeeded after the attempt had ended."""

    at: AwareDatetime
    external_account: str | None


class Unsent(BaseModel):
    """A plain callback message that the partner service did not post. The widget posts it to the page."""

    data: str
    origin: str


class AttemptResult(BaseModel):
    """What ``Hitchpost.connect`` resolves with."""

    status: Literal["connected"]
    attempt: str
    connector: str
    connection: AttemptConnection | None
    message: str
    attributed: bool
    receipt: str | None
    channel: Annotated[str, Field(description="The hint of this read, or poll; a popup's returned is focus.")]
    supportCode: str  # noqa: N815  # as scripts read it


class TimelineStep(BaseModel):
    """A step of an attempt, which occurred ``count`` times."""

    step: str
    at: AwareDatetime
    last_at: AwareDatetime
    count: Annotated[int, Field(ge=1)]
    detail: Annotated[str | None, Field(description="What the third party answered, for operators.")] = None


class AttemptState(BaseModel):
    """The state of an attempt.

    Only the host's server gets ``timeline``, ``account`` and ``user``; only the page gets ``result``.
    """

    id: str
    status: Status
    connector: str
    message: str
    connection: AttemptConnection | None
    error: AttemptError | None
    support_code: str
    attributed: Annotated[
        bool | None,
        Field(description="Connected: whether this user is known to have done it. Else there is no receipt."),
    ]
    receipt: Annotated[str | None, Field(description="A compact JWS once connected; see docs/receipts.md.")]
    late_success: LateSuccess | None
    unsent: Unsent | None
    created_at: AwareDatetime
    expires_at: AwareDatetime
    account: str | None = None
    user: str | None = None
    settled_at: AwareDatetime | None = None
    timeline: list[TimelineStep] = []
    result: AttemptResult | None = None
    may_accept: Annotated[
        bool | None,
        Field(description="After an account_mismatch: whether this user may accept the other account."),
    ] = None
    step: Annotated[str | None, Field(description="The step that the element shows now, if any.")] = None
    advice: Annotated[str | None, Field(description="What the people who build the page should change.")] = (
        None
    )
