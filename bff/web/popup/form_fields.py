"""The fields of a form as its page shows them, and what they are called when it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bff.common.secret import Secret
from bff.connect.forms import ShownForm
from bff.upstream.sign_in_forms import Fault, FormField, SignInForm

Text = Callable[[str], str]
LABELS: Final = {
    name: f"page_form_{name}" for name in ("api_key", "username", "password", "client_id", "client_secret")
}
"""The standard texts of the values that a way of signing in consists of."""
WORDS: Final[Mapping[Fault, str]] = {
    Fault.MISSING: "page_form_missing",
    Fault.PATTERN: "page_form_pattern",
    Fault.TOO_LONG: "page_form_too_long",
    Fault.REFUSED: "page_form_refused",
    Fault.UNREACHABLE: "page_form_unreachable",
}
"""What a user reads of a fault."""


@dataclass(frozen=True)
class Shape:
    """One field on the page. ``id`` is its place: names such as ``password`` call password managers in."""

    id: str
    label: str
    asked: FormField
    value: str = ""
    kept: bool = False
    fault: str = ""

    @property
    def is_ltr(self) -> bool:
        """Whether it runs from left to right in every language: keys and addresses do."""
        return bool(self.asked.sensitive or self.asked.prefix or self.asked.suffix)


def shapes(shown: ShownForm, text: Text) -> list[Shape]:
    """The fields in their order. What is set already is shown, unless it is a secret."""
    return [
        Shape(
            key_of(place),
            label_of(one, text),
            one,
            value=_shown(one, shown.values.get(one.name, "")),
            kept=one.name in shown.kept,
        )
        for place, one in enumerate(shown.form.fields)
    ]


def _shown(one: FormField, value: str) -> str:
    # What was chosen once, and is a choice no more, is to be chosen anew: nothing takes its place unseen.
    return (value or one.default) if one.offers(value or one.default) else ""


def key_of(place: int) -> str:
    """What the field in this place is called."""
    return f"v{place}"


def label_of(one: FormField, text: Text) -> str:
    """The catalogue's own label; for a value that it leaves out, the standard text in the user's language."""
    return one.label or (text(LABELS[one.name]) if one.name in LABELS else one.name)


def typed(form: SignInForm, sent: Mapping[str, str]) -> dict[str, Secret]:
    """What was typed, by the names of the fields, without what is clearly no part of it."""
    return {
        one.name: Secret(_tidy(one, sent.get(key_of(place), ""))) for place, one in enumerate(form.fields)
    }


def told_faults(form: SignInForm, faults: Mapping[str, Fault], text: Text) -> dict[str, str]:
    """Faults in words, by what the fields are called on the page."""
    return {
        key_of(place): _said(one, faults[one.name], text)
        for place, one in enumerate(form.fields)
        if one.name in faults
    }


def names_of(form: SignInForm) -> Sequence[str]:
    """The names of the fields, in their order."""
    return [one.name for one in form.fields]


def _said(one: FormField, fault: Fault, text: Text) -> str:
    if one.choices and fault in {Fault.MISSING, Fault.PATTERN}:
        return text("page_form_choice")
    # Beside one field it is about the address that the field is part of.
    return text("page_form_no_address" if fault is Fault.UNREACHABLE else WORDS[fault])


def _tidy(one: FormField, value: str) -> str:
    if one.name == "password" or one.choices:
        return value  # A blank at either end may belong to a password; a choice is as it was offered.
    value = value.strip()
    if one.prefix or one.suffix:
        # People copy the whole address: the parts that stand beside the field are no part of the value.
        value = value.removeprefix("https://").removeprefix("http://").rstrip("/")
        value = value.removeprefix(one.prefix.removeprefix("https://")).removesuffix(one.suffix.rstrip("/"))
    return value
