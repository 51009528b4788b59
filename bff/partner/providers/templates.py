"""Validates and fills catalogue templates: URLs and other texts with ``{name}`` placeholders.

Placeholders are filled with values that a user typed or a third party sent. Such a value must not choose the
host that a request goes to (server-side request forgery). The host of every URL therefore stays within what
its entry allows. This is checked when the catalogue is read, and again when a URL is filled.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlsplit

from bff.partner.providers.patterns import matches
from bff.serving.destinations import ForbiddenUrl, Policy, parts_of

NAME: Final = re.compile(r"\{([A-Za-z0-9_][A-Za-z0-9_.-]*)\}")
ONE_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""Matches a value in a host for a field without a pattern: one DNS label."""
SEVERAL_LABELS: Final = rf"{ONE_LABEL}(?:\.{ONE_LABEL})*"
"""Matches a value in a host that a third party sent, if the entry has ``allowed_hosts``."""
LONGEST_VALUE: Final = 2000
"""Maximum length of a value in a URL, in characters."""
LONGEST_TOKEN: Final = 16_000
"""Maximum length of a value in a header or a body, in characters. JWTs may have thousands."""
_HOST_TEXT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LISTED: Final = re.compile(r"(?:[A-Za-z0-9:/-]|\\[.-]|[|()]|\(\?:)+")
"""Matches a pattern that lists literals, such as ``com|eu|com\\.au``: no repetition or classes."""


class Unfit(Exception):
    """A placeholder has no value, or one that does not fit. ``name`` is the placeholder's name."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


def names_in(template: str) -> list[str]:
    """The placeholder names of a template, in order of occurrence."""
    return NAME.findall(template)


def names_in_origin(template: str) -> list[str]:
    """The placeholder names in the origin of a URL, which determine its host."""
    return names_in(_split(template)[0])


def fill(template: str, values: Mapping[str, str], longest: int = LONGEST_VALUE) -> str:
    """Fill the placeholders. Raises ``Unfit`` if a value is missing or longer than ``longest``."""
    return NAME.sub(lambda found: _value(found[1], values, longest), template)


def fill_all(
    texts: Mapping[str, str],
    values: Mapping[str, str],
    optional: Collection[str] = (),
    longest: int = LONGEST_VALUE,
) -> dict[str, str]:
    """Call ``fill`` for each template of a table, except those that lack only ``optional`` values.

    Raises ``Unfit``.
    """
    return {name: fill(text, values, longest) for name, text in _needed(texts, values, optional).items()}


def fill_headers(
    texts: Mapping[str, str], values: Mapping[str, str], optional: Collection[str] = ()
) -> dict[str, str]:
    """Call ``fill_header`` for each template of a table, except those that lack only ``optional`` values.

    Raises ``Unfit``.
    """
    return {name: fill_header(text, values) for name, text in _needed(texts, values, optional).items()}


def _needed(texts: Mapping[str, str], values: Mapping[str, str], optional: Collection[str]) -> dict[str, str]:
    lacking = {name: {one for one in names_in(text) if not values.get(one)} for name, text in texts.items()}
    return {name: texts[name] for name, lack in lacking.items() if not lack or lack.difference(optional)}


def without(template: str, names: Collection[str]) -> str:
    """The template without the placeholders of these names."""
    return NAME.sub(lambda found: "" if found[1] in names else found[0], template)


def fill_header(template: str, values: Mapping[str, str]) -> str:
    """Fill a header template. Raises ``Unfit`` also for values with control or non-ASCII characters."""
    for name in names_in(template):
        if not all(" " <= character <= "~" for character in _value(name, values, LONGEST_TOKEN)):
            raise Unfit(name, "holds characters that no header can carry")
    return fill(template, values, LONGEST_TOKEN)


def fill_url(
    template: str,
    values: Mapping[str, str],
    patterns: Mapping[str, str],
    allowed_hosts: tuple[str, ...],
    from_third_party: Collection[str] = (),
) -> str:
    """Fill a URL template. The result's host is within ``allowed_hosts``. Raises ``Unfit``.

    ``patterns``: regular expressions by field name. A value in the host must match its field's pattern. If
    there is none, it must be a single DNS label; a value of ``from_third_party`` may be several, if there are
    ``allowed_hosts``. Elsewhere a value is percent-encoded, and must not be ``.`` or ``..``.
    """
    if not names_in(template):
        return template
    origin, rest = _split(template)
    labels = dict.fromkeys(from_third_party if allowed_hosts else (), SEVERAL_LABELS)
    filled = _filled_origin(origin, values, patterns, labels) + NAME.sub(
        lambda found: _percent_encoded(found[1], values), rest
    )
    if names_in(origin) and not is_allowed(filled, allowed_hosts):
        raise Unfit(names_in(origin)[0], "leads to a host that the catalogue does not allow")
    return filled


def is_allowed(url: str, allowed_hosts: tuple[str, ...]) -> bool:
    """Whether the URL's host is in ``allowed_hosts`` (``*.`` matches any subdomain). Empty allows all."""
    try:
        host = parts_of(url).hostname or ""
    except ForbiddenUrl:
        return False
    return not allowed_hosts or any(_matches(host, allowed) for allowed in allowed_hosts)


def fault_of(template: str) -> str | None:
    """The fault in the form of a URL template, or None. ``is_bound`` checks its host."""
    origin, _ = _split(template)
    if set("{}") & set(NAME.sub("", template)):
        return "write {name}, with the name of a field, and no other brace"
    try:
        parts_of(sample(template))
    except ForbiddenUrl as error:
        return str(error)
    if not NAME.fullmatch(origin) and names_in(_after_host(origin)):
        return "a name may stand in the host, the path or the query, not in the port"
    return None


def sample(template: str) -> str:
    """Fill a URL template with made-up values, to check its form."""
    origin, rest = _split(template)
    host = "https://none.invalid" if NAME.fullmatch(origin) else NAME.sub("x", origin)
    return host + NAME.sub("x", rest)


def is_bound(template: str, patterns: Mapping[str, str], allowed_hosts: tuple[str, ...]) -> bool:
    """Whether the URL's host is limited to known domains, whatever the values are.

    True if the host ends in two fixed labels (``{shop}.myshopify.com``), if it ends in a placeholder whose
    pattern lists its values (``accounts.zoho.{region}``), or if there are ``allowed_hosts``.
    """
    origin, _ = _split(template)
    names = names_in(origin)
    if not names or allowed_hosts:
        return True
    tail = origin.rpartition("}")[2].partition(":")[0]
    if tail.startswith(".") and (tail.count(".") > 1 or tail == ".localhost"):
        return True
    return tail == "" and all(_LISTED.fullmatch(patterns.get(name, ".")) for name in names)


def policy_for(
    template: str, patterns: Mapping[str, str], allowed_hosts: tuple[str, ...], policy: Policy
) -> Policy:
    """The policy for a URL template: hosts that users type may have public addresses only.

    The networks that the operator allows are for hosts of the operator's choice. Without a name that is
    bound, any user could look around in them.
    """
    return policy if is_bound(template, patterns, allowed_hosts) else replace(policy, networks=())


def _split(template: str) -> tuple[str, str]:
    """Split a URL template into its origin, which may be a single placeholder, and the rest."""
    scheme, mark, after = template.partition("://")
    if not mark or NAME.search(scheme):
        end = re.search(r"[/?#]", template)
        return (template[: end.start()], template[end.start() :]) if end else (template, "")
    end = re.search(r"[/?#]", after)
    return (f"{scheme}://{after[: end.start()]}", after[end.start() :]) if end else (template, "")


def _after_host(origin: str) -> str:
    return origin.partition("://")[2].partition(":")[2]


def _filled_origin(
    origin: str, values: Mapping[str, str], patterns: Mapping[str, str], labels: Mapping[str, str]
) -> str:
    if placeholder := NAME.fullmatch(origin):
        value = _value(placeholder[1], values)
        if placeholder[1] in patterns and not matches(patterns[placeholder[1]], value):
            raise Unfit(placeholder[1], "is none of the addresses that the catalogue allows")
        value = value.rstrip("/")
        if urlsplit(value)._replace(scheme="", netloc="").geturl():
            raise Unfit(placeholder[1], "is to be an origin such as https://eu.example.com")
        return value
    return NAME.sub(lambda found: _host_value(found[1], values, {**labels, **patterns}), origin)


def _host_value(name: str, values: Mapping[str, str], patterns: Mapping[str, str]) -> str:
    value = _value(name, values)
    # Even if the pattern allows it, a value must not hold a character that ends the host.
    fits = _HOST_TEXT.fullmatch(value) and ".." not in value
    if not fits or not matches(patterns.get(name, ONE_LABEL), value):
        raise Unfit(name, "does not fit into the address of the service")
    return value


def _percent_encoded(name: str, values: Mapping[str, str]) -> str:
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
