"""The editors' fields: each is one entry of the content, with what is wrong and who else wrote there."""

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
    """One entry as it is edited. ``was`` is what its editor sees stand there; empty stands for no entry.

    ``names`` are the placeholders that may stand in it. ``clash``: somebody else wrote there meanwhile;
    ``value`` is then still this editor's text.
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
        """The id of its control."""
        return field_id(self.path)

    @property
    def dir(self) -> str:
        """The direction of its text."""
        return direction(self.lang) if self.lang else "auto"

    @property
    def describedby(self) -> str:
        """The ids of what describes it."""
        parts = [f"{self.id}-about"] if self.about or self.default else []
        return " ".join([*parts, f"{self.id}-faults"])


class Fields:
    """Makes the fields of one page, from the draft and from what a save has just left out."""

    def __init__(self, at: Desk, clashes: Iterable[Clash] = ()) -> None:
        self._at = at
        self._clashes: Mapping[str, Clash] = {clash.path: clash for clash in clashes}

    def __call__(self, path: str, label: str, *, locale: str = ANY, **more: object) -> Field:
        """The field of one entry."""
        there, clash = self._at.draft.content.get(path, ""), self._clashes.get(path)
        value, faults = (clash.mine or "") if clash else there, tuple(self._at.faults.get(path, ()))
        if unsaved := refused(path):
            value, faults = unsaved
        return Field(
            path=path,
            label=label,
            value=value,
            was=there,
            faults=faults,
            clash=clash,
            touch=self._at.draft.touched.get(path),
            lang="" if locale == ANY else locale,
            locale="" if locale == ANY else locale,
            **more,  # type: ignore[arg-type]
        )

    def choice(self, path: str, label: str, options: Iterable[Option], default: str, about: str) -> Field:
        """A select whose default needs no entry: choosing it anew writes none."""
        there = self._at.draft.content.get(path)
        made = tuple(
            Option("" if option.value == default and there is None else option.value, option.text)
            for option in options
        )
        return self(path, label, kind="select", options=made, about=about)
