"""Names that look the same on a screen, and the characters by which they differ."""

import html
import unicodedata
from collections.abc import Mapping

MAX_NAMED = 3  # characters in a sentence
MARKS = str.maketrans("«»„“”‘’‚‹›ʼ′`´−", "\"\"\"\"\"'''''''''-")
SELECTORS = "\ufe0e\ufe0f"  # of an emoji in black or in color
LETTERS = str.maketrans(  # of Cyrillic and Greek
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "ABEKMHOPCTYXIJSaeopcyxijsABEZHIKMNOPTYXo",
)


def look_alike(name: str, second: str) -> bool:
    """Tell whether two names look the same."""
    return not set(visible_forms(name)).isdisjoint(visible_forms(second))


def visible_forms(name: str) -> tuple[str, str]:
    """Return what a reader may see in a name; two names that look the same have a form in common."""
    return _fold(name), _fold(name.translate(LETTERS))


def _fold(name: str) -> str:
    """Return a name without entities, quotes around it, and differences of width, case, dash and white space."""
    plain = unicodedata.normalize("NFKC", html.unescape(name).translate(MARKS)).casefold()
    kinds = [(c, unicodedata.category(c)) for c in plain if not c.isspace() and c not in SELECTORS]
    folded = "".join("-" if kind == "Pd" else c for c, kind in kinds if kind not in ("Cf", "Cc"))
    return folded[1:-1] if len(folded) > 2 and folded[0] == folded[-1] in "'\"" else folded


def tell_apart(names: Mapping[str, str]) -> str:
    """Return which characters beyond ASCII only one of two names has, or nothing; keys say whose they are."""
    (first, name), (second, twin) = names.items()
    parts = [(first, _name_characters(name, twin)), (second, _name_characters(twin, name))]
    words = "; ".join(f"{whose} has {characters}" for whose, characters in parts if characters)
    return f" ({words})" if words else ""


def _name_characters(name: str, twin: str) -> str:
    rare = [c for c in dict.fromkeys(name) if not c.isascii() and c not in twin]
    return ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in rare[:MAX_NAMED])
