"""Every route of a program, as its own map has it, with something in place of each variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from flask import Flask

NOTHING: Final = {
    "attempt_id": "att_nothing",
    "secret": "s" * 43,
    "token": "t" * 43,
    "number": "1",
    "version": "9.9.9",
}
"""Values that name nothing that there is."""

EVERYBODYS: Final = ("/openapi.json", "/v1/advice")


def routes(app: Flask, method: str, below: str = "/", named: Mapping[str, str] | None = None) -> list[str]:
    """The path of every route that answers ``method`` and stands below ``below``.

    But for what is everybody's: the API's description, and the advice to who builds a page.
    """
    values = NOTHING | dict(named or {})
    found = [
        re.sub(r"<(?:[^:>]*:)?([^>]+)>", lambda name: values.get(name[1], "nothing"), rule.rule)
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ()) and not rule.rule.endswith(EVERYBODYS)
    ]
    return sorted(path for path in found if path.startswith(below))
