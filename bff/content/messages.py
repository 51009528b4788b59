"""Callback messages: checks the team's templates, and renders the text that the partner service posts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from bff.common.legible import visible_name
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
    if template.format is MessageFormat.JSON and (fault := json_fault(template.text)):
        return [fault]
    texts = _texts(template)
    names = dict.fromkeys(name for text in texts for name in _PLACEHOLDER.findall(text))
    found = [
        f"{{{name}}} is no variable; use one of {', '.join('{' + known + '}' for known in VARIABLES)}"
        for name in names
        if name not in VARIABLES and _looks_like_a_name(name)
    ][:MOST_REPORTED]
    foreign = {match[0]: match[1] for text in texts for match in _FOREIGN.finditer(text)}
    found += [
        f"{written} is written as in another language of templates; write {{{name}}} here"
        for written, name in foreign.items()
    ][:MOST_REPORTED]
    if visible_name(template.text) is None:
        found.append("the text is empty; write what your page should hear")
    if template.format is MessageFormat.JSON:
        found += _object_faults(template.text)
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


def _texts(template: MessageTemplate) -> list[str]:
    """Where variables may stand: in names and strings if it is a JSON object, else in the whole text."""
    try:
        document = json.loads(template.text)
    except (ValueError, RecursionError):
        return [template.text]
    # As a text, {} is a variable whose name is missing.
    if template.format is MessageFormat.JSON or (isinstance(document, dict) and document):
        return list(strings_in(document))[::-1]
    return [template.text]


def _object_faults(text: str) -> list[str]:
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
