"""Converts the tables of a product file to content, and finds texts that stand there twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bff.content.cleaning import cleaned
from bff.content.entries import Content, path_of_text, path_of_word
from bff.content.file_tables import ContentTables, Words
from bff.content.wording import ANY, canonical, is_tag


class _Entry(NamedTuple):
    """A text of the file. ``written`` is its key there, with languages as they are spelt there."""

    path: str
    text: str
    written: str


def content_of(tables: ContentTables) -> dict[str, str]:
    """Convert the tables to content, cleaned but not checked."""
    content = {entry.path: entry.text for entry in _entries(tables)}
    return {path: _cleaned(path, text, content) for path, text in content.items()}


def repeated_faults(tables: ContentTables) -> Iterator[str]:
    """A line for each text that another one of the file would replace, with the keys of both."""
    seen: dict[str, str] = {}
    for path, _, written in _entries(tables):
        if path not in seen:
            seen[path] = written
            continue
        match path.split("/"):
            case ["messages", name, "text", connector, locale] if connector == locale == ANY:
                yield (
                    f"{written}: names neither a connector nor a locale, so it would replace"
                    f" messages.{name}.text; name one, or remove it"
                )
            case _:
                yield f"{seen[path]}, {written}: are for the same connector and language; leave one"


def _entries(tables: ContentTables) -> Iterator[_Entry]:
    for name, message in tables.messages.items():
        key = f"messages.{name}"
        yield _Entry(f"messages/{name}/kind", message.kind, f"{key}.kind")
        yield _Entry(f"messages/{name}/format", message.format, f"{key}.format")
        yield _Entry(path_of_text(name), message.text, f"{key}.text")
        for number, variant in enumerate(message.variants, 1):
            path = path_of_text(name, variant.connector or ANY, _tag(variant.locale or ANY))
            yield _Entry(path, variant.text, f"{key}.variants number {number}")
    yield from _words(ANY, "words", tables.words)
    for key, connector in tables.connector.items():
        yield from _words(key, f"connector.{key}.words", connector.words)
    for field, text in tables.look.items():
        yield _Entry(f"look/{field}", text, f"look.{field}")


def _words(connector: str, table: str, words: Words) -> Iterator[_Entry]:
    for key, value in words.items():
        if isinstance(value, str):
            yield _Entry(path_of_word(key, connector), value, f"{table}.{key}")
            continue
        for word, text in value.items():
            yield _Entry(path_of_word(word, connector, _tag(key)), text, f"{table}.{key}.{word}")


def _tag(locale: str) -> str:
    return canonical(locale) if is_tag(locale) else locale


def _cleaned(path: str, text: str, content: Content) -> str:
    # A text of nothing but invisible characters is kept, so that the checks can report it.
    form = content.get(f"messages/{path.split('/')[1]}/format", "text")
    return cleaned(path, text, form) or text
