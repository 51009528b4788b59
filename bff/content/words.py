"""Texts for end users: a catalogue of keys, default texts in each language, and a product's own texts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bff.common.legible import visible_name
from bff.content import wording
from bff.content.messages import CONTROL, MOST_REPORTED, has_control
from bff.content.product import Product
from bff.content.wording import FALLBACK, Place

_FOLDER: Final = Path(__file__).parent / "locales"
_KEYS: Final = "catalogue"
_LANGUAGES: Final = {file.stem for file in _FOLDER.glob("*.toml")} - {_KEYS}
LOCALES: Final = (FALLBACK, *sorted(_LANGUAGES - {FALLBACK}))
"""The languages with default texts: one file each."""

ALWAYS: Final = ("connector_name", "product_name")
"""Placeholders that every text of a page or button may use."""
ACCOUNTS: Final = ("account", "other_account")
"""The third-party accounts of a mismatch: the connected one, and the one that signed in."""
_PLACEHOLDER: Final = re.compile(r"\{(\s*+[\w.\-]*+\s*+)\}")
"""A name in braces."""
_STRAY: Final = re.compile(r"\{\s*+(?:\0|[^\W\d_])|\0\s*+\}|[$%]\0")
"""Names in other notations, such as ``{{name}}``, ``${name}`` and ``{name``; NUL stands for a placeholder.

Other braces are text, as in ``{ 7 * 7 }``.
"""
STRAY: Final = (
    "there is a brace too many or too few, or a $ or % before one, which users would read; write a name as"
    " {product_name}, with one brace on each side"
)

MAX_TEXT: Final = 500
"""Characters of one text."""

TOLD_BY_BROWSER: Final = (
    "popup_blocked",
    "not_signed_in",
    "network",
    "invalid_request",
    "partner_unavailable",
)
"""Error codes that the widget itself raises. The texts of other errors come with the attempt."""


@dataclass(frozen=True)
class Key:
    """One text. ``scene`` is the Studio's preview that shows it.

    ``placeholders`` must be in every version of the text. ``optional`` ones may be; their values are not
    always known.
    """

    name: str
    description: str
    scene: str
    placeholders: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """All placeholders that the text may use."""
        # A mail is about no connector.
        known = () if self.name.startswith("mail_") else ALWAYS
        return tuple(dict.fromkeys((*self.placeholders, *known, *self.optional)))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _key(name: str, entry: Mapping[str, Any]) -> Key:
    names = (tuple(entry.get(kind, ())) for kind in ("placeholders", "optional"))
    return Key(name, entry["description"], entry["scene"], *names)


CATALOGUE: Final[Mapping[str, Key]] = {name: _key(name, entry) for name, entry in _read(_KEYS).items()}
"""All texts by key, in the order in which users see them."""

DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {locale: _read(locale) for locale in LOCALES}
"""The texts that come with Hitchpost, by language and key."""

WIDGET: Final = tuple(key for key in CATALOGUE if not key.startswith(("error_", "page_", "mail_", "reason_")))
"""The keys that the widget shows."""

ERROR_CODES: Final = tuple(
    key.removeprefix("error_").removesuffix("_title") for key in CATALOGUE if key.startswith("error_")
    and key.endswith("_title")
)  # fmt: skip
"""The codes that have a title and a next step."""


class Words:
    """The texts for one reader: a product's own ones for a connector, or else the defaults.

    ``wanted`` are language tags, most wanted first. ``lang`` is the best of them that has texts.
    ``languages`` are those of the product's own texts, if the caller has computed them.
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
        if languages is None:
            languages = product.languages.keys() if product else frozenset()
        self.lang = wording.choose(wanted, languages | set(LOCALES))
        self.dir = wording.direction(self.lang)

    def text(self, key: str, **values: str) -> str:
        """The text of ``key`` with its placeholders filled. Values are inserted as plain text.

        A text with a placeholder whose value is missing or empty is skipped for the next best one.
        """
        known = {name: value for name, value in values.items() if value}
        text = next((text for text in self._texts(key) if names_in(text) <= known.keys()), self.template(key))
        return _PLACEHOLDER.sub(lambda match: known.get(match[1], match[0]), text)

    def template(self, key: str, unlike: Place | None = None) -> str:
        """The text of ``key`` with its placeholders not filled. Skips the product's own one at ``unlike``."""
        return next(self._texts(key, unlike), "")

    def error(self, code: str, **values: str) -> tuple[str, str]:
        """Title and next step of an error code. Unknown codes read like ``failed``."""
        code = code if code in ERROR_CODES else "failed"
        step = f"error_{code}_next_step"
        if code == "account_mismatch" and all(map(values.get, ACCOUNTS)) and self._names_accounts():
            step = NAMED_MISMATCH
        return self.text(f"error_{code}_title", **values), self.text(step, **values)

    def reason(self, code: str) -> str:
        """Why a connection needs a new sign-in. Partner services may send codes that have no text here."""
        key = f"reason_{code}"
        return self.text(key if key in CATALOGUE else "reason_unauthenticated")

    def _names_accounts(self) -> bool:
        # A team's own general text takes precedence over our default text that names both accounts.
        own = self._own.get("error_account_mismatch_next_step")
        return not own or NAMED_MISMATCH in self._own

    def _texts(self, key: str, unlike: Place | None = None) -> Iterator[str]:
        """The texts of ``key``, most specific first."""
        own = self._own.get(key, {})
        for language in dict.fromkeys((self.lang, FALLBACK)):
            for place in wording.places(self._connector, language) if own else ():
                if place in own and place != unlike:
                    yield own[place]
            for step in wording.ladder(language):
                if text := DEFAULTS.get(step, {}).get(key):
                    yield text


NAMED_MISMATCH: Final = "error_account_mismatch_named"
"""The next step of ``account_mismatch`` if both accounts are known."""


def widget_words(
    product: Product,
    wanted: Iterable[str],
    names: Mapping[str, str],
    accounts: Mapping[str, str] | None = None,
) -> tuple[Words, dict[str, str]]:
    """The widget's texts in one language, by key, and by ``"{connector} {key}"`` where a connector's differs.

    ``names`` are connector names by key. ``accounts`` are the connected third-party accounts by connector
    key, where known. The texts of connectors have these filled in. What a text must have besides, the widget
    fills in: it knows which of several connections the text is about.
    """
    languages, named = product.languages.keys(), product.name
    shared = Words(product, wanted, languages=languages)
    codes = [f"error_{code}_{part}" for code in TOLD_BY_BROWSER for part in ("title", "next_step")]
    keys = [key for key in (*WIDGET, *codes) if key != "button"]
    found = {key: shared.text(key, product_name=named) for key in keys}
    # A default text without placeholders is the same for every connector.
    differing = [key for key in keys if key in product.words or names_in(DEFAULTS[FALLBACK][key])]
    for connector, name in names.items():
        own = Words(product, [shared.lang], connector, languages)
        values = {"connector_name": name, "product_name": named}
        account = {"account": (accounts or {}).get(connector, "")}
        found[f"{connector} button"] = own.text("button", **values)
        texts = {
            key: own.text(key, **values, **(account if "account" in CATALOGUE[key].optional else {}))
            for key in differing
        }
        found |= {f"{connector} {key}": text for key, text in texts.items() if text != found[key]}
    return shared, found


def names_in(text: str) -> Set[str]:
    """The placeholders of a text."""
    return set(_PLACEHOLDER.findall(text)) if "{" in text else set()


def faults(key: str, text: str) -> list[str]:
    """The faults of a product's own text for ``key``. Each says what to write instead."""
    known = CATALOGUE.get(key)
    if known is None:
        return ["there is no such text; docs/words.md lists them"]
    found = [
        f"the text has lost {{{name}}}; write it where the name should stand"
        for name in known.placeholders
        if "{" + name + "}" not in text
    ]
    if visible_name(text) is None:
        found.append("the text is empty; write what users should read, or remove it for the default")
    found += unfillable(_PLACEHOLDER.findall(text), known.allowed)
    if _STRAY.search(_PLACEHOLDER.sub("\0", text)):
        found.append(STRAY)
    if len(text) > MAX_TEXT:
        found.append(f"the text has {len(text)} characters; at most {MAX_TEXT} fit where it stands")
    if has_control(text):
        found.append(CONTROL)
    return found


def unfillable(names: Iterable[str], allowed: Collection[str]) -> list[str]:
    """A fault for each placeholder that is not ``allowed``: users would read its braces."""
    may = ", ".join(f"{{{name}}}" for name in allowed)
    return [
        f"nothing is known to stand for {{{name}}} here; {f'use {may}, or none' if may else 'leave it out'}"
        for name in list(dict.fromkeys(names))[:MOST_REPORTED]
        if name not in allowed
    ]
