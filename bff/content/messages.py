"""The callback message: what the product team wrote, made into what the partner service posts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bff.content.json_faults import json_fault
from bff.content.product import MessageFormat, MessageKind, MessageTemplate
from bff.content.wording import FALLBACK

VARIABLES: Final = ("attempt", "connector", "connector_name", "account", "user", "locale")
"""The names a template may use; nothing else is expanded."""

DEFAULT_MESSAGE: Final = "default"
MOST_SAID: Final = 10
"""Unknown variables of one text that are told."""
MOST_DEPTH: Final = 32
"""Of a JSON message: what fills it in and what looks at it goes down into it level by level."""
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
# Half of a surrogate pair, which JSON can spell, has no form that could travel in a URL.
_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_NESTING: Final = re.compile(r"[\[\]{}]")
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
"""Values of the usual length, for looking at a template before anybody has clicked."""

SAMPLE_NONCE: Final = "n" * 43


def faults(template: MessageTemplate) -> list[str]:
    """What is wrong with a template, each in words that say what to write instead; empty when it is sound."""
    found = [
        f"{{{name}}} is no variable; use one of {', '.join('{' + known + '}' for known in VARIABLES)}"
        for name in dict.fromkeys(_PLACEHOLDER.findall(template.text))
        if name not in VARIABLES and _looks_like_a_name(name)
    ][:MOST_SAID]
    if not template.text:
        found.append("the text is empty; write what your page should hear")
    if template.format is MessageFormat.JSON:
        found += _json_faults(template.text)
    elif has_control(template.text):
        found.append(CONTROL)
    return found


def has_control(text: str) -> bool:
    """Whether there is a character in the text that no URL and no page carries; ``CONTROL`` says so."""
    return _CONTROL.search(text) is not None


def render(template: MessageTemplate, variables: dict[str, str]) -> str:
    """The team's own message, with the known variables in it; a JSON object without white space between.

    In JSON the variables inside strings are filled after parsing: no value can end its string.
    """
    if template.format is MessageFormat.JSON:
        filled = _fill(json.loads(template.text), variables)
        return json.dumps(filled, ensure_ascii=False, separators=(",", ":"))
    return _expand(template.text, variables)


def wire_text(kind: MessageKind, message: str, *, attempt: str, nonce: str) -> str:
    """What the partner service is asked to post.

    A plain message is the text itself. A sealed one wraps it with a nonce that nobody else can know, so
    that the page can tell it from a forged one.
    """
    if kind is MessageKind.PLAIN:
        return message
    sealed = {"type": "hitchpost.callback", "attempt": attempt, "nonce": nonce, "message": message}
    return json.dumps(sealed, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Preview:
    """What a page gets: the team's own message, and the text that is posted."""

    message: str
    wire: str


def preview(
    template: MessageTemplate,
    variables: dict[str, str],
    *,
    attempt: str = SAMPLE["attempt"],
    nonce: str = SAMPLE_NONCE,
) -> Preview:
    """What this (sound) template becomes for these values."""
    message = render(template, variables)
    return Preview(message, wire_text(template.kind, message, attempt=attempt, nonce=nonce))


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
    if any(has_control(string) for string in _strings(document)):
        return [CONTROL]
    return []


def _depth(text: str) -> int:
    """How deep sound JSON is nested."""
    deepest = depth = 0
    for sign in _NESTING.findall(_JSON_STRING.sub("", text)):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            waiting += [*found.keys(), *found.values()]
        elif isinstance(found, list):
            waiting += found


def _looks_like_a_name(text: str) -> bool:
    # A JSON object in a template has braces of its own, such as {"a":1}: those are text, not a variable.
    return re.fullmatch(r"\s*[A-Za-z_][\w.\-]*\s*", text) is not None or not text.strip()
