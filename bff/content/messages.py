"""Callback messages: checks the team's templates, and renders the text that the partner service posts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from bff.common.text import strings_in
from bff.content.json_faults import json_fault
from bff.content.product import MessageFormat, MessageKind, MessageTemplate
from bff.content.wording import FALLBACK

VARIABLES: Final = ("attempt", "connector", "connector_name", "account", "user", "locale")
"""Variables of a template. Other names in braces are not replaced."""

DEFAULT_MESSAGE: Final = "default"
MOST_REPORTED: Final = 10
"""Unknown variables of one text that are reported."""
MOST_DEPTH: Final = 32
"""Levels of nesting in a JSON message, which is filled in by recursion."""
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_FOREIGN: Final = re.compile(rf"(?:\{{\{{|[$%]\{{)\s*({'|'.join(VARIABLES)})\s*\}}\}}?")
"""A variable as others write it: ``{{name}}``, ``${name}``, ``%{name}``. A part of it would be sent."""
_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_NESTING: Final = re.compile(r"[\[\]{}]")
# With lone surrogates, which JSON can escape, but which cannot be encoded in a URL.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

CONTROL: Final = "there is a control character in it (a line break or a tab, say); write plain text"

SAMPLE: Final = {
    "attempt": "att_3f1c9a5d7e8b2046c1d2e3f4",
    "connector": "hubspot",
    "connector_name": "HubSpot",
    "account": "acme-3f1c9a5d-7e8b-4206",
    "user": "ada-3f1c9a5d-7e8b-4206",
    "locale": FALLBACK,
}
"""Sample values of typical length, for previews and length checks."""

SAMPLE_NONCE: Final = "n" * 43


def faults(template: MessageTemplate) -> list[str]:
    """The faults of a template, each with what to write instead. Empty if it is valid."""
    found = [
        f"{{{name}}} is no variable; use one of {', '.join('{' + known + '}' for known in VARIABLES)}"
        for name in dict.fromkeys(_PLACEHOLDER.findall(template.text))
        if name not in VARIABLES and _looks_like_a_name(name)
    ][:MOST_REPORTED]
    found += [
        f"{name} is written as in another language of templates; write {{{match[1]}}} here"
        for name, match in {match[0]: match for match in _FOREIGN.finditer(template.text)}.items()
    ][:MOST_REPORTED]
    if not template.text:
        found.append("the text is empty; write what your page should hear")
    if template.format is MessageFormat.JSON:
        found += _json_faults(template.text)
    elif has_control(template.text):
        found.append(CONTROL)
    return found


def has_control(text: str) -> bool:
    """Whether the text has a control character or lone surrogate. ``CONTROL`` is the fault's text."""
    return _CONTROL.search(text) is not None


def render(template: MessageTemplate, variables: dict[str, str]) -> str:
    """Fill a template's variables. A JSON message is written without white space.

    JSON is parsed first and its strings are filled afterwards, so that no value can break its syntax.
    """
    if template.format is MessageFormat.JSON:
        filled = _fill(json.loads(template.text), variables)
        return json.dumps(filled, ensure_ascii=False, separators=(",", ":"))
    return _expand(template.text, variables)


def callback_message_of(kind: MessageKind, message: str, *, attempt: str, nonce: str) -> str:
    """The ``callbackMessage`` that the partner service posts to the page.

    A plain message is the text itself. A sealed one is a JSON object with the text and the attempt's secret
    nonce, by which the widget recognises forged messages.
    """
    if kind is MessageKind.PLAIN:
        return message
    sealed = {"type": "hitchpost.callback", "attempt": attempt, "nonce": nonce, "message": message}
    return json.dumps(sealed, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Rendered:
    """A rendered message: the team's text, and the text that is posted."""

    message: str
    callback_message: str


def render_for(
    template: MessageTemplate,
    variables: dict[str, str],
    *,
    attempt: str = SAMPLE["attempt"],
    nonce: str = SAMPLE_NONCE,
) -> Rendered:
    """Render a template without faults."""
    message = render(template, variables)
    return Rendered(message, callback_message_of(template.kind, message, attempt=attempt, nonce=nonce))


def _expand(text: str, variables: dict[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        return variables[match[1]] if match[1] in VARIABLES else match[0]

    return _PLACEHOLDER.sub(one, text)


def _fill(value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _expand(value, variables)
    if isinstance(value, list):
        return [_fill(item, variables) for item in value]
    if isinstance(value, dict):
        return {_expand(key, variables): _fill(item, variables) for key, item in value.items()}
    return value


def _json_faults(text: str) -> list[str]:
    if fault := json_fault(text):
        return [fault]
    document = json.loads(text)
    if not isinstance(document, dict):
        return ['write a JSON object, such as {"type": "connected", "connector": "{connector}"}']
    if _depth(text) > MOST_DEPTH:
        return [f"the JSON is nested more than {MOST_DEPTH} levels deep; make it flatter"]
    if any(map(has_control, strings_in(document))):
        return [CONTROL]
    return []


def _depth(text: str) -> int:
    """Levels of nesting in valid JSON."""
    deepest = depth = 0
    for sign in _NESTING.findall(_JSON_STRING.sub("", text)):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _looks_like_a_name(text: str) -> bool:
    # Braces of JSON in a text message, such as {"a":1}, are no variable.
    return re.fullmatch(r"\s*[^\W\d][\w.\- ]*", text) is not None or not text.strip()
