"""URLs and texts of the catalogue with ``{name}`` in them: which are sound, and what they become.

What a user types, or a third party sends along, takes the place of a name. It must not choose where a request
goes: the catalogue does. So the host of every URL stays inside what its entry allows, which is looked at when
the catalogue is read and again whenever a URL is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from bff.partner.providers import outbound

NAME: Final = re.compile(r"\{([A-Za-z0-9_][A-Za-z0-9_.-]*)\}")
ONE_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""What may stand in a host for a field that has no pattern of its own: one part between two dots."""
SEVERAL_LABELS: Final = rf"{ONE_LABEL}(?:\.{ONE_LABEL})*"
"""What may stand in a host for what a third party told, where the entry lists the hosts."""
LONGEST_VALUE: Final = 2000
"""Characters of a value in a URL."""
LONGEST_TOKEN: Final = 16_000
"""Characters of a value in a header or a body: tokens with claims in them have some thousands."""
_HOST_TEXT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LISTED: Final = re.compile(r"(?:[A-Za-z0-9:/-]|\\[.-]|[|()]|\(\?:)+")
"""A pattern that is a list of texts, such as ``com|eu|com\\.au``: without repetition or classes."""


class Unfit(Exception):
    """A value that cannot stand where it is to stand, or is not there. ``name`` says which."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


def names_in(template: str) -> list[str]:
    """The names that a text of the catalogue mentions, in their order."""
    return NAME.findall(template)


def names_in_origin(template: str) -> list[str]:
    """Those of the names in a URL that decide which host it leads to."""
    return names_in(_split(template)[0])


def fill(template: str, values: Mapping[str, str], longest: int = LONGEST_VALUE) -> str:
    """The text with every name replaced. Raises ``Unfit`` where one has none, or a longer one."""
    return NAME.sub(lambda found: _value(found[1], values, longest), template)


def fill_all(
    texts: Mapping[str, str], values: Mapping[str, str], longest: int = LONGEST_VALUE
) -> dict[str, str]:
    """``fill`` for each text of a table. Raises ``Unfit``."""
    return {name: fill(text, values, longest) for name, text in texts.items()}


def fill_headers(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """``fill_header`` for each text of a table. Raises ``Unfit``."""
    return {name: fill_header(text, values) for name, text in texts.items()}


def fill_header(template: str, values: Mapping[str, str]) -> str:
    """``fill`` for a header: its result has nothing that ends a line. Raises ``Unfit``."""
    for name in names_in(template):
        if not all(" " <= character <= "~" for character in _value(name, values, LONGEST_TOKEN)):
            raise Unfit(name, "holds characters that no header can carry")
    return fill(template, values, LONGEST_TOKEN)


def fill_url(
    template: str, values: Mapping[str, str], patterns: Mapping[str, str], allowed_hosts: tuple[str, ...]
) -> str:
    """The URL with every name replaced, inside what the entry allows. Raises ``Unfit``.

    ``patterns`` has the pattern of each field that has one. A value in the host has to match it, or to be one
    label; elsewhere it is percent-encoded, and is no step (``..``) of a path.
    """
    if not names_in(template):
        return template
    origin, rest = _split(template)
    made = _origin(origin, values, patterns) + NAME.sub(lambda found: _quoted(found[1], values), rest)
    if names_in(origin) and not is_allowed(made, allowed_hosts):
        raise Unfit(names_in(origin)[0], "leads to a host that the catalogue does not allow")
    return made


def is_allowed(url: str, allowed_hosts: tuple[str, ...]) -> bool:
    """Whether the host of a URL is among ``allowed_hosts`` (``*.`` is any sub-domain); all if none."""
    try:
        host = outbound.parts_of(url).hostname or ""
    except outbound.ForbiddenUrl:
        return False
    return not allowed_hosts or any(_matches(host, allowed) for allowed in allowed_hosts)


def fault_of(template: str) -> str | None:
    """What is wrong with a URL of the catalogue; None where nothing is. See ``is_bound`` for its host."""
    origin, _ = _split(template)
    if set("{}") & set(NAME.sub("", template)):
        return "write {name}, with the name of a field, and no other brace"
    try:
        outbound.parts_of(sample(template))
    except outbound.ForbiddenUrl as error:
        return str(error)
    if not NAME.fullmatch(origin) and names_in(_after_host(origin)):
        return "a name may stand in the host, the path or the query, not in the port"
    return None


def sample(template: str) -> str:
    """A URL that the template may become, as far as its form goes."""
    origin, rest = _split(template)
    host = "https://none.invalid" if NAME.fullmatch(origin) else NAME.sub("x", origin)
    return host + NAME.sub("x", rest)


def is_bound(template: str, patterns: Mapping[str, str], allowed_hosts: tuple[str, ...]) -> bool:
    """Whether a URL's host stays within one domain, or a list of them, whatever its values are.

    So it is where it ends in two fixed labels (``{shop}.myshopify.com``), where the pattern of the name that
    it ends in lists its values (``accounts.zoho.{region}``), and where ``allowed_hosts`` says so.
    """
    origin, _ = _split(template)
    names = names_in(origin)
    if not names or allowed_hosts:
        return True
    tail = origin.rpartition("}")[2].partition(":")[0]
    if tail.startswith(".") and (tail.count(".") > 1 or tail == ".localhost"):
        return True
    return tail == "" and all(_LISTED.fullmatch(patterns.get(name, ".")) for name in names)


def _split(template: str) -> tuple[str, str]:
    """The origin of a URL's template, which may be one name, and the rest."""
    scheme, mark, after = template.partition("://")
    if not mark or NAME.search(scheme):
        end = re.search(r"[/?#]", template)
        return (template[: end.start()], template[end.start() :]) if end else (template, "")
    end = re.search(r"[/?#]", after)
    return (f"{scheme}://{after[: end.start()]}", after[end.start() :]) if end else (template, "")


def _after_host(origin: str) -> str:
    return origin.partition("://")[2].partition(":")[2]


def _origin(origin: str, values: Mapping[str, str], patterns: Mapping[str, str]) -> str:
    if whole := NAME.fullmatch(origin):
        value = _value(whole[1], values)
        if whole[1] in patterns and not re.fullmatch(patterns[whole[1]], value):
            raise Unfit(whole[1], "is none of the addresses that the catalogue allows")
        value = value.rstrip("/")
        if urlsplit(value)._replace(scheme="", netloc="").geturl():
            raise Unfit(whole[1], "is to be an origin such as https://eu.example.com")
        return value
    return NAME.sub(lambda found: _in_host(found[1], values, patterns), origin)


def _in_host(name: str, values: Mapping[str, str], patterns: Mapping[str, str]) -> str:
    value = _value(name, values)
    # Whatever a pattern allows: never a character that ends the host.
    fits = _HOST_TEXT.fullmatch(value) and ".." not in value
    if not fits or not re.fullmatch(patterns.get(name, ONE_LABEL), value):
        raise Unfit(name, "does not fit into the address of the service")
    return value


def _quoted(name: str, values: Mapping[str, str]) -> str:
    value = _value(name, values)
    if value.strip(".") == "":
        raise Unfit(name, "does not fit into the address of the service")
    return quote(value, safe="")


def _value(name: str, values: Mapping[str, str], longest: int = LONGEST_VALUE) -> str:
    value = values.get(name)
    if not value:
        raise Unfit(name, "has no value")
    if len(value) > longest:
        raise Unfit(name, f"is longer than {longest} characters")
    return value


def _matches(host: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return host.endswith(allowed[1:]) and len(host) > len(allowed[1:])
    return host == allowed
