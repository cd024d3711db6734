"""Languages by their codes (BCP 47), and what of them the checks know: the script that they are written in, a name."""

from prefect_dvc.core.escape import escape

NAMES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
LATIN = (
    "af az bs ca cs cy da de en es et eu fi fil fr ga gl hr hu id is it lt lv ms mt nb nl nn no pl pt ro sk sl so sq "
    "sv sw tr vi"
)
LETTERS = {  # by script: a regex for its letters
    **dict.fromkeys(["Latn", *LATIN.split()], r"\p{Latin}"),
    **dict.fromkeys(["Cyrl", "be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "uk"], r"\p{Cyrillic}"),
    **dict.fromkeys(["Arab", "ar", "fa", "ku", "ps", "ug", "ur"], r"\p{Arabic}"),
    **dict.fromkeys(["Hans", "Hant", "Hani", "zh", "cmn", "yue", "wuu"], r"\p{Han}"),
    **dict.fromkeys(["Deva", "hi", "mr", "ne"], r"\p{Devanagari}"),
    **dict.fromkeys(["Hebr", "he", "yi"], r"\p{Hebrew}"),
    **dict.fromkeys(["Grek", "el"], r"\p{Greek}"),
    **dict.fromkeys(["Beng", "bn", "as"], r"\p{Bengali}"),
    **dict.fromkeys(["Jpan", "ja"], r"[\p{Han}\p{Hiragana}\p{Katakana}]"),
    **dict.fromkeys(["Kore", "ko"], r"[\p{Hangul}\p{Han}]"),
    **dict.fromkeys(["Thai", "th"], r"\p{Thai}"),
    "ta": r"\p{Tamil}", "te": r"\p{Telugu}", "ka": r"\p{Georgian}", "hy": r"\p{Armenian}", "am": r"\p{Ethiopic}",
}  # fmt: skip
CHINESE = ("zh", "cmn", "yue", "wuu")


def base(language: str) -> str:
    """Return the language without script, region and variants; `zh` for its spoken kinds."""
    code = language.partition("-")[0]
    return "zh" if code in CHINESE else code


def home_script(language: str) -> str | None:
    """Return a regex for the letters of a language, by its script or itself; None if that is not known."""
    parts = language.split("-")
    script = next((LETTERS[part] for part in parts[1:] if len(part) == 4 and part in LETTERS), None)
    return script or LETTERS.get(parts[0])


def display_name(language: str) -> str:
    """Return the English name of a language, or its code."""
    name = NAMES.get(base(language))
    if name is None:
        return escape(language, 40)
    return name if language == base(language) else f"{name} ({escape(language, 40)})"


def skipped_checks(language: str) -> dict[str, str]:
    """Return the checks that need to know a language and do not know this one, each with what it lacks."""
    lacks = {}
    if home_script(language) is None:
        lacks["foreign_script"] = "the script of the language is not known"
    if base(language) not in ("en", "zh"):
        lacks["foreign_language"] = "foreign articles are recognized in English and Chinese corpora alone"
    return lacks
