"""The languages of corpora: what they are called and which letters they are written in."""

NAMES = {"en": "English", "zh": "Chinese"}
HOME_SCRIPT = {"en": r"\p{Latin}", "zh": r"\p{Han}"}
