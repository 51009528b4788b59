"""The form for what a connector needs: shown in the popup, sent by its own script, answered in words.

A browser that comes without the cookie of the launch is shown no form, and can send none. What was typed is
in no answer: the page keeps it, and a reload brings an empty form. Nothing of it is logged or stored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response, abort, request
from pydantic import BaseModel, Field

from bff.common.errors import (
    AccountOfAnotherProduct,
    CompletedElsewhere,
    HitchpostError,
    LaunchRefused,
    LimitsUnavailable,
    NotFound,
    Outdated,
    PartnerProblem,
    RateLimited,
)
from bff.connect.attempt import Attempt, Status
from bff.connect.forms import NextUrl, ShownForm
from bff.content.words import Words
from bff.openapi.operation import Answer
from bff.upstream.sign_in_forms import Fault, RejectedValues, SignInForm, Way
from bff.web.kit import audit
from bff.web.kit.form_tokens import FIELD
from bff.web.kit.guards import FETCH_SITE, refuse_faulty_fields, refuse_repeated_fields
from bff.web.kit.limits import BY_ADDRESS, Limit, Purpose
from bff.web.kit.locales import browsers
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters
from bff.web.openapi.shapes import URI
from bff.web.popup import form_fields, launch_cookies
from bff.web.popup.endings import ended, trouble
from bff.web.popup.form_fields import Text
from bff.web.popup.page import page_of, texts, words_of

MOST_FORM = 64 * 1024
"""Bytes of a form: some services give keys of several thousand characters."""

routes = Blueprint("hitchpost_forms", __name__)


@routes.before_request
def _take_forms() -> None:
    request.max_content_length = MOST_FORM


routes.before_request(refuse_repeated_fields)
routes.before_request(refuse_faulty_fields)


class FormEnd(BaseModel):
    """How an attempt ended, in words."""

    title: str
    next_step: str


class FormAnswer(BaseModel):
    """What came of a form that was sent: ``end``, ``go``, or the rest, and then it can be sent again.

    ``faults`` says what is wrong by the names of the page's fields, ``whole`` what is about none of them.
    """

    go: Annotated[str | None, Field(json_schema_extra=URI)] = None
    end: FormEnd | None = None
    return_url: str | None = None
    faults: dict[str, str] | None = None
    whole: str | None = None
    token: str | None = None


class TypedForm(BaseModel):
    """What the form's page sends: its token, and what was typed (``v0``, ``v1``, ...), or ``cancel``."""

    form_token: str
    action: Literal["cancel"] | None = None


@routes.get("/connect/form/<attempt_id>")
@describe.page(*(200, 403, 404, 410, 502), limit=BY_ADDRESS, parameters=(parameters.ATTEMPT,))
def show(attempt_id: str) -> Response:
    """The form of a launched attempt, for the browser that launched it; afterwards, how it ended."""
    attempt = _attempt(attempt_id)
    if attempt.status is not Status.LAUNCHED:
        return ended(attempt)
    try:
        shown = services().clicks.forms.show(attempt)
    except PartnerProblem as problem:
        return trouble(problem, attempt)
    token = services().sessions.form_tokens.issue(attempt, shown.turn, form_fields.names_of(shown.form))
    return _form_page(attempt, shown, token)


@routes.post("/connect/form/<attempt_id>")
@describe.page(
    Answer(200, "How it ended, where to go on, or what is wrong.", FormAnswer),
    *(403, 404, 410, 502),
    limit=Limit((Purpose.LAUNCH,), by_address=True, needed=True),
    parameters=(parameters.ATTEMPT, parameters.OWN_ORIGIN),
    form=TypedForm,
)
def send(attempt_id: str) -> Response:
    """What was typed, or that the user cancels. Of the form's own page only, once for each showing."""
    came_from = request.headers.get(FETCH_SITE, "same-origin")
    if request.headers.get("Origin") != services().urls.public_origin or came_from != "same-origin":
        abort(403, "this is sent by the form's own page only")
    try:
        attempt = _attempt(attempt_id)
    except (NotFound, CompletedElsewhere) as error:
        return _over(Words(None, browsers()).error(error.code), None, error.status)
    words = Words(services().products.get(attempt.product), [attempt.locale], attempt.connector.key)
    if attempt.status is Status.LAUNCHED and request.form.get("action") == "cancel":
        attempt = services().clicks.forms.decline(attempt)
    if attempt.status is not Status.LAUNCHED:
        return _ended(attempt, words)
    return _sent(attempt, words)


def _form_page(attempt: Attempt, shown: ShownForm, token: str) -> Response:
    """The form for what a connector needs."""
    product = services().products.get(attempt.product)
    words = words_of(attempt, product)
    fields = form_fields.shapes(shown, texts(attempt, words))
    goes_on = shown.form.way is Way.OAUTH
    values: dict[str, Any] = {"fields": fields, "form_token": token, "goes_on": goes_on, "whole": []}
    page = page_of("form.html", product, words, attempt=attempt, **values)
    # Its script alone sends it: no slip can put what was typed into an address.
    page.headers["Content-Security-Policy"] += "; form-action 'none'"
    return page


def _attempt(attempt_id: str) -> Attempt:
    return services().clicks.forms.attempt(attempt_id, launch_cookies.of_request(attempt_id))


def _sent(attempt: Attempt, words: Words) -> Response:
    forms, text = services().clicks.forms, texts(attempt, words)
    try:
        form = forms.form(attempt)
        turn = _turn(attempt, form)
        # Counted for whom the launch was made, and before the form is used up.
        services().limits.spend(Purpose.LAUNCH, attempt.product, attempt.account.id, attempt.user.id)
        told = forms.send(attempt, turn, form_fields.typed(form, request.form))
        audit.form_sent(attempt, taken=not isinstance(told, RejectedValues))
    except Outdated:
        return _again(attempt, words, text("page_form_again"))
    except LaunchRefused as error:
        now = services().clicks.connect.read(attempt.id, attempt.product)
        if now.status is Status.LAUNCHED:
            return _over(words.error(error.code), attempt, 410)
        return _ended(now, words)
    except (PartnerProblem, RateLimited, LimitsUnavailable, AccountOfAnotherProduct) as error:
        return _again(attempt, words, " ".join(words.error(_code(error))))
    return _told(attempt, form, told, words, text)


def _turn(attempt: Attempt, form: SignInForm) -> int:
    names, sent = form_fields.names_of(form), request.form.get(FIELD, "")
    turn = services().sessions.form_tokens.turn(attempt, names, sent)
    if turn is None:
        raise Outdated("this form is of another page")
    return turn


def _told(
    attempt: Attempt, form: SignInForm, told: Attempt | NextUrl | RejectedValues, words: Words, text: Text
) -> Response:
    if isinstance(told, Attempt):
        return _ended(told, words)
    if isinstance(told, RejectedValues):
        whole = text(form_fields.WORDS[told.whole]) if told.whole else ""
        faults = dict(told.fields)
        if told.whole is Fault.REFUSED and form.fields:
            # Beside the last one: a secret, where there is any.
            faults, whole = {form.fields[-1].name: Fault.REFUSED}, ""
        return _again(attempt, words, whole, form_fields.told_faults(form, faults, text))
    # For this page's own script alone, which goes there: no link to us can make it do so.
    response = answer({"go": told.url.reveal()})
    if told.browser is not None:
        launch_cookies.set_on(response, attempt.id, told.browser)
    return response


def _again(attempt: Attempt, words: Words, whole: str, faults: dict[str, str] | None = None) -> Response:
    """The form goes on: what is wrong, and the token with which it is sent the next time."""
    now = services().clicks.connect.read(attempt.id, attempt.product)
    if now.status is not Status.LAUNCHED:
        return _ended(now, words)
    forms = services().clicks.forms
    try:
        names = form_fields.names_of(forms.form(attempt))
    except PartnerProblem as problem:
        return _over(words.error(problem.told), attempt, 502)
    token = services().sessions.form_tokens.issue(attempt, forms.sent(attempt), names)
    return answer({"faults": faults or {}, "whole": whole, "token": token})


def _ended(attempt: Attempt, words: Words) -> Response:
    if attempt.status is Status.CONNECTED:
        return _over((words.text("page_return_done"), ""), attempt)
    return _over(words.error(attempt.error_code or Status.FAILED.value), attempt)


def _over(said: tuple[str, str], attempt: Attempt | None, status: int = 200) -> Response:
    told: dict[str, Any] = {"title": said[0], "next_step": said[1]}
    return answer({"end": told, "return_url": attempt.return_url if attempt else None}, status)


def _code(error: HitchpostError) -> str:
    if isinstance(error, PartnerProblem):
        return error.told
    return "rate_limited" if isinstance(error, RateLimited) else "partner_unavailable"
