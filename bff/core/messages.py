"""The callback message: what the product team wrote, made into what the partner service posts."""

from __future__ import annotations

import json
import re
from typing import Final

from bff.core.model import MessageKind, MessageTemplate

VARIABLES: Final = ("attempt", "connector", "connector_name", "account", "user", "locale")
"""The names a template may use; nothing else is expanded."""

DEFAULT_MESSAGE: Final = "default"
MAX_TEMPLATE_LENGTH: Final = 500
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def faults(template: MessageTemplate) -> list[str]:
    """What is wrong with a template, each in words that say what to write instead; empty when it is sound."""
    found = [
        f"{{{name}}} is no variable; use one of {', '.join('{' + known + '}' for known in VARIABLES)}"
        for name in _PLACEHOLDER.findall(template.text)
        if name not in VARIABLES and _looks_like_a_name(name)
    ]
    if not template.text:
        found.append("the text is empty; write what your page should hear")
    if len(template.text) > MAX_TEMPLATE_LENGTH:
        found.append(
            f"the text has {len(template.text)} characters; at most {MAX_TEMPLATE_LENGTH} fit the URL"
        )
    if _CONTROL.search(template.text):
        found.append(
            "the text holds a control character (a line break or a tab, say); write it as plain text"
        )
    return found


def render(template: MessageTemplate, variables: dict[str, str]) -> str:
    """The team's own message, with the known variables in it. JSON braces around it stay as they are."""

    def expand(match: re.Match[str]) -> str:
        return variables[match[1]] if match[1] in VARIABLES else match[0]

    return _PLACEHOLDER.sub(expand, template.text)


def wire_text(kind: MessageKind, message: str, *, attempt: str, nonce: str) -> str:
    """What the partner service is asked to post.

    A plain message is the text itself. A sealed one wraps it with a nonce that nobody else can know, so
    that the page can tell it from a forged one.
    """
    if kind is MessageKind.PLAIN:
        return message
    sealed = {"type": "hitchpost.callback", "attempt": attempt, "nonce": nonce, "message": message}
    return json.dumps(sealed, ensure_ascii=False, separators=(",", ":"))


def _looks_like_a_name(text: str) -> bool:
    # A JSON object in a template has braces of its own, such as {"a":1}: those are text, not a variable.
    return re.fullmatch(r"\s*[A-Za-z_][\w.\-]*\s*", text) is not None or not text.strip()
