"""Writes the pages of the documentation that follow from the code, docs/shipped-providers.md among them.

Run it after changing a setting, an error, a text or a route: ``.venv/bin/python scripts/document.py``. Tests
compare.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from bff.app import api_document
from bff.common import errors
from bff.content import words
from bff.content.language_names import language
from bff.partner.sandbox.settings import Settings as SandboxSettings
from bff.partner.settings import Settings as PartnerSettings
from bff.settings import Settings
from bff.studio.scenes import scene_of
from bff.web.kit.responses import HTTP_CODES

DOCS = Path(__file__).parent.parent / "docs"
PAGE_CODES = DOCS.parent / "static/widget/src/error-codes.ts"

GROUPS: dict[str, tuple[str, type[BaseSettings]]] = {
    "The BFF": ("Read by `hitchpost serve`, `hitchpost check-config` and `Hitchpost(app)`.", Settings),
    "The embedded partner service": (
        (
            "Read by `hitchpost partner`. It shares nothing with the BFF. The switches from"
            " `TELL_SIGN_INS` on choose where Cyclr's documentation leaves its behaviour open."
        ),
        PartnerSettings,
    ),
    "The sandbox third party": ("Read by `python -m bff.partner.sandbox`.", SandboxSettings),
}

DEMO = """\
## The demo

Read by `make demo` and `hitchpost demo`, which need none of the above.

| variable | default | what it is |
|---|---|---|
| `HITCHPOST_DEMO_DIR` | `.demo` | The folder of the demo's files. One demo runs in it at a time. |
| `HITCHPOST_DEMO_PORT` | `8000` | The first of its four ports. |
| `HITCHPOST_DEMO_CATALOGUE` | the demo's own | Another connector catalogue. |
| `HITCHPOST_DEMO_PRODUCTS` | none | A product file that is applied on top of the demo's own. |
"""

BROWSER_CODES = {
    "popup_blocked": "The browser did not open the window.",
    "cancelled": "The user gave up.",
    "declined": "The user did not allow access at the third party.",
    "failed": "The third party or the partner service ended the sign-in with an error.",
    "expired": "Nobody finished in time.",
    "network": "Nothing was reached, though it was tried for a while.",
    "account_mismatch": "The third party answered with another account than the one connected before.",
}

API = """\
What the widget and a host's own server call, in short. The BFF serves the same as an OpenAPI 3.1 document,
`GET /v1/openapi.json`, from which a client can be generated; the embedded partner service has its own,
`GET /v1.0/openapi.json`. Every refusal is a problem document (see [errors](errors.md)). A client ignores
members that it does not know. Also every answer of 429 and 503 says in `Retry-After` when to try again.
"""

*LANGUAGES, LAST_LANGUAGE = map(language, words.LOCALES)
WORDS = f"""\
Every text that users read, below the picture that shows it, by its key. They come in
{", ".join(LANGUAGES)} and {LAST_LANGUAGE}. A team changes any of them in the Studio or in a file: see
[messages](messages.md).

A text is one line of at most {words.MAX_TEXT} characters. Names in braces are filled in; a text has to keep
those that its last column says.
"""

HTTP_WORDS = {
    "malformed_request": "The body is no JSON object, or not UTF-8, or too deep.",
    "not_found": "There is no such thing, or it is none of the caller's: the two are not told apart.",
    "method_not_allowed": "The route knows other methods; `Allow` names them.",
    "request_timeout": "The body did not come in time.",
    "payload_too_large": "A body has at most 64 KiB.",
    "unsupported_media_type": "Bodies are sent as `application/json`.",
    "rate_limited": "Too many calls; `Retry-After` says when to try again.",
    "internal_error": "Something broke on our side. It is logged, and says nothing of itself.",
}


def settings_page() -> str:
    """docs/settings.md."""
    parts = ["# Settings\n", "Every program reads its settings from the environment, refuses to start with a"]
    parts[-1] += " faulty one, and then names each fault and what to write instead (exit status 2; 1 if its"
    parts[-1] += " port is in use, as a new try may help)."
    parts[-1] += " A blank variable counts as not set, and white space around a value does not count.\n"
    for title, (about, shape) in GROUPS.items():
        rows = [_row(shape, name, field) for name, field in shape.model_fields.items()]
        parts += [f"## {title}\n", about + "\n", "| variable | default | what it is |\n|---|---|---|"]
        parts[-1] += "\n" + "\n".join(rows) + "\n"
    return "\n".join([*parts, DEMO])


def errors_page() -> str:
    """docs/errors.md."""
    by_class = {kind.code: (kind.status, _first_line(kind)) for kind in errors.EVERY[1:]}
    by_status = {code: (status, HTTP_WORDS[code]) for status, code in HTTP_CODES.items()}
    internal = {"internal_error": (500, HTTP_WORDS["internal_error"])}
    over_http = {**by_status, **by_class, **internal}
    about_all = (
        "Every refusal over HTTP is a problem document (RFC 9457, `application/problem+json`) with a"
        " stable `code`, a `detail` that says what was wrong and what to do, and, where a person may see it,"
        " a `title`"
        " and a `next_step`. The widget rejects with a `ConnectError` that has the same `code`, `title` and"
        " `nextStep`. A product may write its own words for each, in the Studio or in a file:"
        " `error_{code}_title` and `error_{code}_next_step` (see [words](words.md)).\n\n"
        "A problem document also has `error`, `{code, title, next_step}`, for the page that waits: what it"
        " means to the user, in the language that `Accept-Language` asks for. Its `code` is"
        " `invalid_request`, `not_signed_in`, `connector_unavailable` or `partner_unavailable`. All else is"
        " English, for whoever builds the page. A 503 `storage_unavailable` or `limits_unavailable` has no"
        " `error`: nothing was done, and the widget repeats the call for 15 seconds, so the user sees nothing"
        " of it.\n"
    )
    lines = ["# Errors\n", about_all]
    for code in sorted({*over_http, *BROWSER_CODES}):
        status, about = over_http.get(code, (None, ""))
        lines.append(f"## {code}\n")
        lines.append(" ".join(filter(None, [BROWSER_CODES.get(code), about])) + "\n")
        if status:
            lines.append(f"HTTP status {status}.\n")
        if code in words.ERROR_CODES:
            title, next_step = words.Words(None).error(code)
            lines.append(f"The user reads: “{title}. {next_step}”\n")
    return "\n".join(lines)


def page_codes() -> str:
    """static/widget/src/error-codes.ts."""
    lines = [
        "// Written by scripts/document.py, from bff/common/errors.py.",
        "",
        "/** Why a connect did not end in a connection. Stable: host pages may switch on it. */",
        "export type ConnectErrorCode =",
        *(f'  | "{code}"' for code in errors.PAGE_CODES),
    ]
    return "\n".join(lines) + ";\n"


def words_page() -> str:
    """docs/words.md."""
    parts = ["# Words\n", WORDS]
    scenes = dict.fromkeys(key.scene for key in words.CATALOGUE.values())
    for scene in scenes:
        keys = [key for key in words.CATALOGUE.values() if key.scene == scene]
        shown = scene_of(keys[0].name)
        parts.append(f"## {shown.title if shown else 'In a mail'}\n")
        if shown:
            parts.append(f"![{shown.title}](pictures/words/{scene}.png)\n")
        rows = [_word(key) for key in keys]
        parts.append("| key | in English | what it is |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _word(key: words.Key) -> str:
    kept = f" Keep {', '.join(f'`{{{name}}}`' for name in key.placeholders)}." if key.placeholders else ""
    return f"| `{key.name}` | {words.DEFAULTS['en'][key.name]} | {key.description}{kept} |"


def _row(shape: type[BaseSettings], name: str, field: Any) -> str:
    prefix = shape.model_config.get("env_prefix", "")
    default = "required" if field.default is PydanticUndefined else _code(field.default)
    return f"| `{prefix}{name.upper()}` | {default} | {field.description} |"


def _code(value: Any) -> str:
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _first_line(kind: type[errors.HitchpostError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def api_page() -> str:
    """docs/api.md."""
    described = api_document("https://bff.example")
    parts = ["# API\n", API]
    for tag in described["tags"]:
        parts.append(f"## {tag['description'].removesuffix('.')}\n")
        for path, methods in described["paths"].items():
            parts += [
                _operation(f"{method.upper()} {path}", told)
                for method, told in methods.items()
                if tag["name"] in told["tags"]
            ]
    parts.append("## Shapes\n")
    parts += [_shape(name, schema) for name, schema in described["components"]["schemas"].items()]
    return "\n".join(parts)


def _operation(name: str, told: dict[str, Any]) -> str:
    ways = " or ".join(" with ".join(f"`{scheme}`" for scheme in way) for way in told.get("security", []))
    lines = [f"### `{name}`\n", " ".join(filter(None, [told["summary"], told.get("description")])) + "\n"]
    lines += [f"- signed in by {ways}"] if ways else []
    for parameter in told.get("parameters", []):
        need = "" if parameter["required"] else ", optional"
        lines.append(f"- `{parameter['name']}` ({parameter['in']}{need}): {parameter['description']}")
    if body := told.get("requestBody"):
        lines.append(f"- takes {_content(body['content'])}")
    refused = []
    for status, answer in told["responses"].items():
        content = answer.get("content", {})
        if "application/problem+json" in content:
            refused.append(f"{status} {answer['description'].removeprefix('Refused: ').removesuffix('.')}")
        else:
            lines.append(" ".join(filter(None, [f"- {status}: {answer['description']}", _content(content)])))
    lines += [f"- refused with {'; '.join(refused)}"] if refused else []
    return "\n".join(lines) + "\n"


def _content(content: dict[str, Any]) -> str:
    return ", ".join(f"`{kind}` {_kind(told['schema'])}".strip() for kind, told in content.items())


def _shape(name: str, schema: dict[str, Any]) -> str:
    lines = [f"### {name}\n", schema.get("description", "") + "\n"]
    members, needed = schema.get("properties", {}), schema.get("required", [])
    if members:
        lines.append("| member | what it is |\n|---|---|")
    for member, told in members.items():
        about = told.get("description", "")
        optional = "" if member in needed else ", optional"
        lines.append(f"| `{member}` | {_kind(told)}{optional}{'. ' + about if about else ''} |")
    if "enum" in schema:
        lines.append(_kind(schema) + "\n")
    return "\n".join(lines) + "\n"


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return " ".join(filter(None, [schema.get("type", ""), schema.get("format", "")]))


if __name__ == "__main__":
    (DOCS / "settings.md").write_text(settings_page())
    (DOCS / "errors.md").write_text(errors_page())
    PAGE_CODES.write_text(page_codes())
    (DOCS / "words.md").write_text(words_page())
    (DOCS / "api.md").write_text(api_page())
    runpy.run_path(str(Path(__file__).with_name("shipped_providers.py")), run_name="__main__")
