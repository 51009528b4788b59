"""Whether a scene of the Studio's preview shows its texts, in its language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bff.content.words import CATALOGUE, DEFAULTS, Words
from bff.studio.scenes import ALL_BUTTONS, Scene

NOT_PICTURED: Final = {"copied", *(key for key in CATALOGUE if key.startswith("reason_"))}
"""What a press brings; and the reasons of a connection, which the BFF tells with it."""
VALUES: Final = {"connector_name": "Sandbox CRM", "product_name": "Demo SaaS"}


def faulty_texts(shown: str, scene: Scene, locale: str, values: Mapping[str, str] = VALUES) -> list[str]:
    """Texts of this scene that are not in what is shown, and English ones that are, in another language."""
    shown = re.sub(r"\s+", " ", shown)
    words = Words(None, [locale])
    found = []
    for key in CATALOGUE:
        if CATALOGUE[key].scene == scene.key or (scene.key == ALL_BUTTONS and key == "button"):
            text = re.sub(r"\s+", " ", words.text(key, **values))
            parts = re.split(r"\{\w+\}", text)
            if key not in NOT_PICTURED and not all(part.strip() in shown for part in parts):
                found.append(f"{key} is missing: {text!r} is not in {shown!r}")
        english = re.sub(r"\s*\{\w+\}\s*", "", DEFAULTS["en"][key])
        if locale != "en" and len(english) > 5 and re.search(rf"\b{re.escape(english)}\b", shown):
            found.append(f"{key} is in English: {english!r}")
    return found
