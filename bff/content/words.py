"""What a person reads: one catalogue of keys, defaults in six languages, and a product's own texts on top."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bff.content import wording
from bff.content.messages import CONTROL, has_control
from bff.content.product import Product
from bff.content.wording import FALLBACK

_FOLDER: Final = Path(__file__).parent / "locales"
_KEYS: Final = "catalogue"
_LANGUAGES: Final = {file.stem for file in _FOLDER.glob("*.toml")} - {_KEYS}
LOCALES: Final = (FALLBACK, *sorted(_LANGUAGES - {FALLBACK}))
"""The languages that every text comes in: a file each."""

MAX_TEXT: Final = 500
"""Longer texts (in characters) have no place on any of these pages."""

TOLD_BY_BROWSER: Final = (
    "popup_blocked",
    "not_signed_in",
    "network",
    "invalid_request",
    "partner_unavailable",
)
"""The errors that only the browser can know of; the words of the others come with the attempt."""


@dataclass(frozen=True)
class Key:
    """One text. ``scene`` is the picture that shows it; ``placeholders`` are the names it has to keep."""

    name: str
    description: str
    scene: str
    placeholders: tuple[str, ...] = ()


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _key(name: str, entry: Mapping[str, Any]) -> Key:
    return Key(name, entry["description"], entry["scene"], tuple(entry.get("placeholders", ())))


CATALOGUE: Final[Mapping[str, Key]] = {name: _key(name, entry) for name, entry in _read(_KEYS).items()}
"""Every text by its key, in the order in which users meet them."""

DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {locale: _read(locale) for locale in LOCALES}
"""The texts that come with Hitchpost, by language and key."""

WIDGET: Final = tuple(key for key in CATALOGUE if not key.startswith(("error_", "page_", "mail_")))
"""The keys that the widget shows."""

ERROR_CODES: Final = tuple(
    key.removeprefix("error_").removesuffix("_title") for key in CATALOGUE if key.startswith("error_")
    and key.endswith("_title")
)  # fmt: skip
"""The codes that have a title and a next step."""


class Words:
    """The texts for one person: a product's own where it has some, for this connector, in their language.

    ``wanted`` are language tags, the most wanted first; the best one that there are texts in is ``lang``.
    ``languages`` are those that the product has texts in, for who knows them already.
    """

    def __init__(
        self,
        product: Product | None,
        wanted: Iterable[str] = (),
        connector: str | None = None,
        languages: Set[str] | None = None,
    ) -> None:
        self._own = product.words if product else {}
        self._connector = connector
        written = languages if languages is not None else _written(product)
        self.lang = wording.choose(wanted, written | set(LOCALES))
        self.dir = wording.direction(self.lang)

    def text(self, key: str, **values: str) -> str:
        """The text of ``key``, its placeholders filled. Values are inserted as plain text."""
        text = self._template(key)
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return text

    def error(self, code: str) -> tuple[str, str]:
        """Title and next step of an error code, as an end user should read them."""
        code = code if code in ERROR_CODES else "failed"
        return self.text(f"error_{code}_title"), self.text(f"error_{code}_next_step")

    def _template(self, key: str) -> str:
        own = self._own.get(key, {})
        for language in dict.fromkeys((self.lang, FALLBACK)):
            if found := wording.closest(own, self._connector, language):
                return found[1]
            for step in wording.ladder(language):
                if text := DEFAULTS.get(step, {}).get(key):
                    return text
        return ""


def widget_words(
    product: Product, wanted: Iterable[str], names: Mapping[str, str]
) -> tuple[Words, dict[str, str]]:
    """What the widget may show, in one language: by key, and by ``"{connector} {key}"`` where that differs.

    ``names`` are the connectors' names by key; each has its own button, already filled.
    """
    languages = _written(product)
    shared = Words(product, wanted, languages=languages)
    codes = [f"error_{code}_{part}" for code in TOLD_BY_BROWSER for part in ("title", "next_step")]
    keys = [key for key in (*WIDGET, *codes) if key != "button"]
    found = {key: shared.text(key) for key in keys}
    for connector, name in names.items():
        own = Words(product, [shared.lang], connector, languages)
        found[f"{connector} button"] = own.text("button", connector_name=name)
        found |= {f"{connector} {key}": text for key in keys if (text := own.text(key)) != found[key]}
    return shared, found


def _written(product: Product | None) -> Set[str]:
    own = product.words if product else {}
    return {language for texts in own.values() for _, language in texts if language != wording.ANY}


def faults(key: str, text: str) -> list[str]:
    """What is wrong with a product's own text for ``key``, each in words that say what to write instead."""
    known = CATALOGUE.get(key)
    if known is None:
        return ["there is no such text; docs/words.md lists them"]
    found = [
        f"the text has lost {{{name}}}; write it where the name should stand"
        for name in known.placeholders
        if "{" + name + "}" not in text
    ]
    if len(text) > MAX_TEXT:
        found.append(f"the text has {len(text)} characters; at most {MAX_TEXT} fit where it stands")
    if has_control(text):
        found.append(CONTROL)
    return found
