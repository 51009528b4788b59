"""The fields of a sign-in form: how its page shows them, and their names in the submitted form."""

from __future__ import annotations

import re
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
"""Text keys of the default labels, by field name."""
WORDS: Final[Mapping[Fault, str]] = {
    Fault.MISSING: "page_form_missing",
    Fault.PATTERN: "page_form_pattern",
    Fault.TOO_LONG: "page_form_too_long",
    Fault.REFUSED: "page_form_refused",
    Fault.UNREACHABLE: "page_form_unreachable",
}
"""Text keys of the messages for users, by fault."""

_SCHEME: Final = re.compile(r"^https?://", re.IGNORECASE)
_HOST_END: Final = re.compile(r"[/?#]")
_HOST_BEGINS: Final = re.compile(r"([a-z0-9-]+\.)*", re.ASCII)
"""A prefix, without its scheme, after which a host goes on: empty, or whole labels such as ``www.``."""
_HOST_ENDS: Final = re.compile(r"(?=.)([a-z0-9-]*(\.[a-z0-9-]+)+)?(/.*)?", re.ASCII)
"""A suffix with which the host ends: ``.example.com``, with or without a path, or only ``/``."""


@dataclass(frozen=True)
class Shape:
    """One field on the page.

    ``id`` is its position (``v0``): names such as ``password`` would activate password managers.
    """

    id: str
    label: str
    field: FormField
    value: str = ""
    kept: bool = False
    fault: str = ""

    @property
    def is_ltr(self) -> bool:
        """Whether it is written from left to right in every language, as keys and addresses are."""
        return bool(self.field.sensitive or self.field.prefix or self.field.suffix)


def shapes(shown: ShownForm, text: Text) -> list[Shape]:
    """The fields in order, with their current values. Values of secrets are left out."""
    return [
        Shape(
            key_of(position),
            label_of(field, text),
            field,
            value=_initial_value(field, shown.values.get(field.name, "")),
            kept=field.name in shown.kept,
        )
        for position, field in enumerate(shown.form.fields)
    ]


def _initial_value(field: FormField, value: str) -> str:
    # A value that is no longer among the choices is shown as empty, so that the user selects another.
    return (value or field.default) if field.accepts(value or field.default) else ""


def key_of(place: int) -> str:
    """The name and id of the field at this position."""
    return f"v{place}"


def label_of(field: FormField, text: Text) -> str:
    """The catalogue's label; without one, the default label in the user's language, or the field's name."""
    return field.label or (text(LABELS[field.name]) if field.name in LABELS else field.name)


def typed(form: SignInForm, sent: Mapping[str, str]) -> dict[str, Secret]:
    """The submitted values by field name, trimmed as ``_trim`` does."""
    return {
        field.name: Secret(_trim(field, sent.get(key_of(position), "")))
        for position, field in enumerate(form.fields)
    }


def fault_messages(form: SignInForm, faults: Mapping[str, Fault], text: Text) -> dict[str, str]:
    """The messages for ``faults``, by the fields' names on the page."""
    return {
        key_of(position): _message(field, faults[field.name], text)
        for position, field in enumerate(form.fields)
        if field.name in faults
    }


def names_of(form: SignInForm) -> Sequence[str]:
    """The names of the fields, in order."""
    return [field.name for field in form.fields]


def _message(field: FormField, fault: Fault, text: Text) -> str:
    if field.choices and fault in {Fault.MISSING, Fault.PATTERN}:
        return text("page_form_choice")
    # A single field is unreachable if it is part of an address that does not answer.
    return text("page_form_no_address" if fault is Fault.UNREACHABLE else WORDS[fault])


def _trim(field: FormField, value: str) -> str:
    """Remove surrounding blanks, and the field's prefix and suffix if they were entered with the value.

    Of an address, the rest goes too: its scheme, and, if the host ends with the value or its suffix, what
    follows the host. The case of a host does not matter: it becomes lower case.
    """
    if field.name == "password" or field.choices:
        return value  # A password may start or end with a blank; a choice must match exactly.
    value = value.strip()
    if not (field.prefix or field.suffix):
        return value
    # Users paste the whole address, while the page shows the prefix and suffix beside the field.
    value, prefix, suffix = _SCHEME.sub("", value), _SCHEME.sub("", field.prefix), field.suffix
    host = _host_of(value)
    if _HOST_BEGINS.fullmatch(prefix):
        if _HOST_ENDS.fullmatch(suffix):
            value, suffix = host.lower(), _host_of(suffix)
        elif not suffix:
            value = host.lower() + value[len(host) :]
    return value.rstrip("/").removeprefix(prefix).removesuffix(suffix.rstrip("/"))


def _host_of(address: str) -> str:
    """The beginning of an address without a scheme, up to what follows its host."""
    return _HOST_END.split(address, maxsplit=1)[0]
