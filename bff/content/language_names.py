"""Languages by their English names, for people who edit texts in them."""

from __future__ import annotations

from typing import Final

from bff.content.wording import ANY

_NAMES: Final = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "de-AT": "German (Austria)", "de-CH": "German (Switzerland)", "el": "Greek", "en": "English",
    "en-GB": "English (United Kingdom)", "en-US": "English (United States)", "es": "Spanish",
    "es-MX": "Spanish (Mexico)", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "fr-CA": "French (Canada)", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian",
    "lv": "Latvian", "nb": "Norwegian", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese",
    "pt-BR": "Portuguese (Brazil)", "pt-PT": "Portuguese (Portugal)", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese", "zh-Hans": "Chinese (simplified)",
    "zh-Hant": "Chinese (traditional)",
}  # fmt: skip


def language(tag: str) -> str:
    """What the language is called in English; the tag itself where nobody told."""
    if tag == ANY:
        return "every language"
    return _NAMES.get(tag, tag)
