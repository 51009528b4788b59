"""Form fields of the Studio. Each edits one entry, and shows its faults and its last editor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bff.content.drafts import Clash, Touch
from bff.content.wording import ANY, direction
from bff.studio.editing import field_id
from bff.web.studio.page_context import Desk
from bff.web.studio.unsaved import refused


@dataclass(frozen=True)
class Option:
    """One choice of a select."""

    value: str
    text: str


@dataclass(frozen=True)
class Field:
    """The field of one entry. ``was`` is the text in the draft when the page was shown; empty for no entry.

    ``names`` are the placeholders that the text may contain. ``clash`` is set if another editor has changed
    the entry meanwhile; ``value`` is then this editor's text.
    """

    path: str
    label: str
    value: str
    was: str
    about: str = ""
    names: tuple[str, ...] = ()
    kind: str = "line"
    options: tuple[Option, ...] = ()
    default: str = ""
    faults: tuple[str, ...] = ()
    clash: Clash | None = None
    touch: Touch | None = None
    lang: str = ""
    scene: str = ""
    connector: str = ""
    locale: str = ""

    @property
    def id(self) -> str:
        """The id of the field's control."""
        return field_id(self.path)

    @property
    def dir(self) -> str:
        """The direction of the field's text."""
        return direction(self.lang) if self.lang else "auto"

    @property
    def describedby(self) -> str:
        """The ids of the elements that describe the field."""
        parts = [f"{self.id}-about"] if self.about or self.default else []
        return " ".join([*parts, f"{self.id}-faults"])


class Fields:
    """Creates the fields of one page from the draft, and from the clashes of a save."""

    def __init__(self, at: Desk, clashes: Iterable[Clash] = ()) -> None:
        self._at = at
        self._clashes: Mapping[str, Clash] = {clash.path: clash for clash in clashes}

    def __call__(self, path: str, label: str, *, locale: str = ANY, **more: object) -> Field:
        """Create the field of one entry."""
        current, clash = self._at.draft.content.get(path, ""), self._clashes.get(path)
        value, faults = (clash.mine or "") if clash else current, tuple(self._at.faults.get(path, ()))
        if unsaved := refused(path):
            value, faults = unsaved
        return Field(
            path=path,
            label=label,
            value=value,
            was=current,
            faults=faults,
            clash=clash,
            touch=self._at.draft.touched.get(path),
            lang="" if locale == ANY else locale,
            locale="" if locale == ANY else locale,
            **more,  # type: ignore[arg-type]
        )

    def choice(self, path: str, label: str, options: Iterable[Option], default: str, about: str) -> Field:
        """Create a select. If there is no entry, its default has an empty value, so that none is saved."""
        current = self._at.draft.content.get(path)
        choices = tuple(
            Option("" if option.value == default and current is None else option.value, option.text)
            for option in options
        )
        return self(path, label, kind="select", options=choices, about=about)
