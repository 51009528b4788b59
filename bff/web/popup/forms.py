"""The sign-in form in the popup, for connectors that need an API key, a password or other values.

Only the browser that has the launch cookie may see or submit it. The page's script submits it and shows the
messages of the response. Submitted values are never returned, logged or stored; a reload shows an empty form.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response, abort, request
from pydantic import BaseModel, Field

from bff.common.errors import (
    AccountOfAnotherProduct,
    AnotherBrowser,
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
from bff.upstream.sign_in_forms import AuthKind, Fault, RejectedValues, SignInForm
from bff.web.kit import audit
from bff.web.kit.form_tokens import FIELD
from bff.web.kit.guards import FETCH_SITE, refuse_faulty_fields, refuse_repeated_fields
from bff.web.kit.launches import require_authorised
from bff.web.kit.limits import BY_ADDRESS, Limit, Purpose
from bff.web.kit.locales import browser_languages
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters
from bff.web.openapi.shapes import URI
from bff.web.popup import form_fields, launch_cookies
from bff.web.popup.endings import ended, trouble
from bff.web.popup.form_fields import Text
from bff.web.popup.page import page_of, texts, words_of

MOST_FORM = 64 * 1024
"""Maximum size of a submitted form in bytes. Some services issue keys of several thousand characters."""

routes = Blueprint("hitchpost_forms", __name__)


@routes.before_request
def _take_forms() -> None:
    request.max_content_length = MOST_FORM


routes.before_request(refuse_repeated_fields)
routes.before_request(refuse_faulty_fields)


class FormEnd(BaseModel):
    """How an attempt ended, as texts for the user."""

    title: str
    next_step: str


class FormAnswer(BaseModel):
    """The result of a submitted form: ``end``, ``go``, or ``faults``, ``whole`` and ``token`` for a retry.

    ``faults`` has messages by the names of the page's fields. ``whole`` is a message about the whole form.
    ``again``: not submitted, as the form was submitted before it (in another tab, or its answer was lost).
    """

    go: Annotated[str | None, Field(json_schema_extra=URI)] = None
    end: FormEnd | None = None
    return_url: str | None = None
    faults: dict[str, str] | None = None
    whole: str | None = None
    token: str | None = None
    again: bool | None = None


class TypedForm(BaseModel):
    """The submitted form: its token, and the values (``v0``, ``v1``, ...) or ``cancel``."""

    form_token: str
    action: Literal["cancel"] | None = None


@routes.get("/connect/form/<attempt_id>")
@describe.page(*(200, 403, 404, 410, 502), limit=BY_ADDRESS, parameters=(parameters.ATTEMPT,))
def show(attempt_id: str) -> Response:
    """The form of a launched attempt, or the page of an ended one. Only for the browser that launched it."""
    attempt = _attempt(attempt_id)
    if attempt.status is not Status.LAUNCHED:
        return ended(attempt)
    try:
        require_authorised(attempt)
        shown = services().attempts.forms.show(attempt)
    except (LaunchRefused, PartnerProblem) as problem:
        return trouble(problem, attempt)
    names = form_fields.names_of(shown.form)
    token = services().sessions.form_tokens.issue(attempt, shown.submitted_before, names)
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
    """Submit the form or cancel. Accepted from the form's own page only, once each time it is shown."""
    site = request.headers.get(FETCH_SITE, "same-origin")
    if request.headers.get("Origin") != services().urls.public_origin or site != "same-origin":
        abort(403, "this is sent by the form's own page only")
    try:
        attempt = _attempt(attempt_id)
    except (NotFound, AnotherBrowser) as error:
        return _end(Words(None, browser_languages()).error(error.code), None, error.status)
    words = words_of(attempt, services().products.get(attempt.product))
    if attempt.status is Status.LAUNCHED and request.form.get("action") == "cancel":
        attempt = services().attempts.forms.decline(attempt)
    if attempt.status is not Status.LAUNCHED:
        return _ended(attempt, words)
    return _submit(attempt, words)


def _form_page(attempt: Attempt, shown: ShownForm, token: str) -> Response:
    """The page of a form."""
    product = services().products.get(attempt.product)
    words = words_of(attempt, product)
    fields = form_fields.shapes(shown, texts(attempt, words))
    has_consent = shown.form.auth is AuthKind.OAUTH
    values: dict[str, Any] = {"fields": fields, "form_token": token, "goes_on": has_consent, "whole": []}
    page = page_of("form.html", product, words, attempt=attempt, **values)
    # Only the script submits it. A native submit could put the values into a URL.
    page.headers["Content-Security-Policy"] += "; form-action 'none'"
    return page


def _attempt(attempt_id: str) -> Attempt:
    return services().attempts.forms.attempt(attempt_id, launch_cookies.of_request(attempt_id))


def _submit(attempt: Attempt, words: Words) -> Response:
    forms, text = services().attempts.forms, texts(attempt, words)
    try:
        require_authorised(attempt)
        form = forms.form(attempt)
        submitted_before = _submitted_before(attempt, form)
        # Counted for the user of the attempt, before the form token is used.
        services().limits.spend(Purpose.LAUNCH, attempt.product, attempt.account.id, attempt.user.id)
        result = forms.submit(attempt, submitted_before, form_fields.typed(form, request.form))
        audit.form_sent(attempt, taken=not isinstance(result, RejectedValues))
    except Outdated:
        return _retry(attempt, words, text("page_form_again"), again=True)
    except LaunchRefused as error:
        current = services().attempts.service.read(attempt.id, attempt.product)
        if current.status is Status.LAUNCHED:
            return _end(words.error(error.code), attempt, 410)
        return _ended(current, words)
    except (PartnerProblem, RateLimited, LimitsUnavailable, AccountOfAnotherProduct) as error:
        return _retry(attempt, words, " ".join(words.error(_code(error))))
    return _answer_result(attempt, form, result, words, text)


def _submitted_before(attempt: Attempt, form: SignInForm) -> int:
    """How often the form was submitted before, as its token says. Raises ``Outdated`` for any other token."""
    names, token = form_fields.names_of(form), request.form.get(FIELD, "")
    submitted_before = services().sessions.form_tokens.submitted_before(attempt, names, token)
    if submitted_before is None:
        raise Outdated("this form is of another page")
    if submitted_before != services().attempts.forms.submissions(attempt):
        raise Outdated("this form was submitted already")
    return submitted_before


def _answer_result(
    attempt: Attempt, form: SignInForm, result: Attempt | NextUrl | RejectedValues, words: Words, text: Text
) -> Response:
    if isinstance(result, Attempt):
        return _ended(result, words)
    if isinstance(result, RejectedValues):
        form_message = text(form_fields.WORDS[result.form_fault]) if result.form_fault else ""
        faults = dict(result.fields)
        if result.form_fault is Fault.REFUSED and form.fields:
            # Shown beside the last field, which is the secret if the form has one.
            faults, form_message = {form.fields[-1].name: Fault.REFUSED}, ""
        return _retry(attempt, words, form_message, form_fields.fault_messages(form, faults, text))
    # JSON for the page's script, not a redirect: a link cannot make a browser follow it.
    response = answer({"go": result.url.reveal()})
    # The same secret again: the cookie has to last as long as the sign-in that begins now.
    launch_cookies.set_on(response, attempt.id, launch_cookies.of_request(attempt.id))
    return response


def _retry(
    attempt: Attempt,
    words: Words,
    form_message: str,
    faults: dict[str, str] | None = None,
    *,
    again: bool = False,
) -> Response:
    """The messages of a rejected form, and the token to submit it again."""
    current = services().attempts.service.read(attempt.id, attempt.product)
    if current.status is not Status.LAUNCHED:
        return _ended(current, words)
    forms = services().attempts.forms
    try:
        names = form_fields.names_of(forms.form(attempt))
    except PartnerProblem as problem:
        return _end(words.error(problem.page_code), attempt, 502)
    token = services().sessions.form_tokens.issue(attempt, forms.submissions(attempt), names)
    return answer({"faults": faults or {}, "whole": form_message, "token": token, "again": again})


def _ended(attempt: Attempt, words: Words) -> Response:
    if attempt.status is Status.CONNECTED:
        return _end((words.text("page_return_done"), ""), attempt)
    return _end(words.error(attempt.error_code or Status.FAILED.value), attempt)


def _end(texts_of_end: tuple[str, str], attempt: Attempt | None, status: int = 200) -> Response:
    title, next_step = texts_of_end
    end: dict[str, Any] = {"title": title, "next_step": next_step}
    return answer({"end": end, "return_url": attempt.return_url if attempt else None}, status)


def _code(error: HitchpostError) -> str:
    if isinstance(error, PartnerProblem):
        return error.page_code
    return "rate_limited" if isinstance(error, RateLimited) else "partner_unavailable"
