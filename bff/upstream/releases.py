"""Releases of connectors. An id of Cyclr's is that of a release; all releases of a connector have its name.

Of a connector one release is live ("Approved"), earlier ones are deprecated, and one may be a draft (Cyclr's
documentation, "Connector Settings"). An account keeps the release that it installed until it is upgraded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bff.upstream import json_reader as partner_json
from bff.upstream.form_reader import read_form
from bff.upstream.protocol import Connector, plain_name
from bff.upstream.sign_in_forms import NO_FORM, SignInForm

NEVER_INSTALLED: Final = frozenset({"draft", "planned"})
NOT_FOR_NEW: Final = NEVER_INSTALLED | {"deprecated"}
APPROVED: Final = frozenset({"approved", "live", ""})


@dataclass(frozen=True)
class Release:
    """An entry of the catalogue. ``needs``: properties that an install must have before a sign-in.

    ``form``: how it is connected.
    """

    id: int
    name: str
    version: str
    status: str
    auth: str
    needs: tuple[str, ...]
    form: SignInForm = NO_FORM

    @property
    def rank(self) -> tuple[bool, tuple[int, ...], int]:
        """The release of the greatest rank is for new installs: approved ones first, then the newest."""
        numbers = tuple(int(number) for number in re.findall(r"\d{1,9}", self.version))
        return self.status.lower() in APPROVED, numbers, self.id

    @property
    def is_for_new(self) -> bool:
        """Whether it may be installed in an account that has no release of this connector."""
        return self.status.lower() not in NOT_FOR_NEW


def read_release(document: Any) -> Release:
    """A catalogue entry. Raises ``PartnerUnavailable`` naming the field that is wrong."""
    entry = partner_json.read_connector(document)
    methods = document.get("Authentication")
    documents = [document, *(methods if isinstance(methods, list) else ())]
    auth = [_auth(item) for item in documents if isinstance(item, dict)]
    return Release(
        entry.id,
        entry.name,
        _text(document.get("Version")),
        _text(document.get("Status")),
        ", ".join(dict.fromkeys(filter(None, auth))),
        tuple(_needs(document.get("Parameters"))),
        read_form(document),
    )


def connector_of(releases: Sequence[Release], reference: str) -> Connector | None:
    """The connector of these releases; None if there are none.

    If they have different names, it is the connector named ``reference``, else that of the first. Names are
    compared without case and spaces. If ``reference`` is an id, that release is for new installs, if allowed.
    """
    names = [plain_name(release.name) for release in releases]
    name_or_id = plain_name(reference)
    name = name_or_id if name_or_id in names else names[0] if names else ""
    matching = [release for release in releases if plain_name(release.name) == name]
    offered = [release for release in matching if release.is_for_new]
    named = [release for release in offered if str(release.id) == reference]
    best = max(named or offered or matching, key=lambda release: release.rank, default=None)
    if best is None:
        return None
    others = tuple(sorted(release.id for release in matching if release.id != best.id))
    return Connector(best.id, best.name, others, installable=bool(offered), form=best.form)


def _needs(parameters: Any) -> list[str]:
    found = [one for one in parameters if isinstance(one, dict)] if isinstance(parameters, list) else []
    return [
        _text(one.get("Name"))
        for one in found
        if one.get("IsAccountConnectorProperty") is True and one.get("IsOptional") is False
    ]


def _auth(document: dict[str, Any]) -> str:
    kind, flow = _text(document.get("AuthType")), _text(document.get("OAuth2Type"))
    return f"{kind} {flow}" if kind == "OAuth2" and flow not in {"", "Unknown"} else kind


def _text(value: Any) -> str:
    return "".join(filter(str.isprintable, value))[:200] if isinstance(value, str) else ""
