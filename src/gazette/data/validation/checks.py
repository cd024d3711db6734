"""The corpus contract: each figure of the profile that is checked, its bound, and what a breach means, in words."""

from typing import NamedTuple

from gazette.data.validation.profile import OVERLAPS

CRITICAL, WARNING = "critical", "warning"


class Check(NamedTuple):
    """What is expected of a column; `bound` is its key in section validate of params.yaml, empty if none may occur."""

    name: str
    bound: str
    meaning: str
    cure: str
    severity: str = WARNING
    warns_of_any: bool = False  # besides, of fewer than the bound
    is_optional: bool = False  # the profile has the column only if the files have dates

    @property
    def key(self) -> str:
        """The key of the bound in params.yaml."""
        return f"validate.{self.bound}"


_ONE_LABEL = "Decide on one label for each text; `gazette corpus audit` ranks the likely errors."
_LEAKED = "A model would be evaluated on articles that it was trained on: remove them from one of the splits."
_LANGUAGE = "Is the description's language right? Remove them if so."
_EXPORT = "Export these texts again."
_SOURCE = "Were both exported from the same source and period? Scores on this split say little about train's articles."

CORPUS = {
    "rows": Check(
        "articles", "min_rows", "Too few articles for training and evaluation.",
        "Add articles, or lower the bound for a trial.", CRITICAL,
    ),
    "exact_duplicates_train": Check(
        "duplicates in train", "max_duplicates",
        "Exact duplicates in train; preprocess drops them. If there are many: were files concatenated twice?",
        "Were files concatenated, or named twice in the description?", CRITICAL,
    ),
    "near_duplicates_train": Check(
        "near duplicates in train", "max_duplicates", "Near duplicates in train; all stay.",
        "Remove them if they are copies.",
    ),
    **{
        f"exact_duplicates_{split}": Check(
            f"duplicates in {split}", "",
            "Exact duplicates in a published split count twice. They stay: the split is kept as published.",
            "The published split is evaluated as it is; publish it again without them.",
        )
        for split in ("valid", "test")
    },
    "exact_conflicts": Check(
        "the same text under two labels", "max_conflicts",
        "The same text has two labels; rows in train go to quarantine.", _ONE_LABEL, CRITICAL, warns_of_any=True,
    ),
    "near_conflicts": Check(
        "near duplicates under two labels", "max_conflicts",
        "Near duplicates with two labels: one of them is wrong.", _ONE_LABEL,
    ),
    **{
        f"exact_overlap_{first}_{second}": Check(
            f"articles of {first} that are also in {second}", "max_overlap",
            "A model would be evaluated on rows that it was trained on; train loses them, published splits keep them.",
            _LEAKED, CRITICAL, warns_of_any=True,
        )
        for first, second in OVERLAPS
    },
    **{
        f"near_overlap_{first}_{second}": Check(
            f"near duplicates of {first} that are also in {second}", "max_overlap",
            "A model would be evaluated on near duplicates of training rows, which inflates its scores. They stay.",
            _LEAKED,
        )
        for first, second in OVERLAPS
    },
    "foreign_script": Check(
        "articles in another script", "max_other_language",
        "Articles in a script that the corpus's language does not use.", _LANGUAGE,
    ),
    "foreign_language": Check(
        "articles in another language", "max_other_language", "Articles in a language that is not the corpus's.",
        _LANGUAGE,
    ),
    "minority_variant": Check(
        "articles in the other form of Chinese characters", "max_other_language",
        "Articles in traditional characters in a simplified corpus, or the reverse.", "Convert them to one form.",
    ),
    "mojibake": Check(
        "texts decoded with the wrong encoding", "max_corrupted",
        "Texts decoded with the wrong encoding: export them again, as UTF-8.", _EXPORT,
    ),
    "replacement_character": Check(
        "texts with lost characters", "max_corrupted",
        "Texts with lost characters (U+FFFD): they were damaged before this export.", _EXPORT,
    ),
    "markup": Check(
        "texts with HTML", "max_corrupted", "HTML tags or entities in the text: export plain text.",
        "Export plain text.",
    ),
    "control_characters": Check(
        "texts with control characters", "max_corrupted", "Invisible characters; the normalizer removes them.", _EXPORT,
    ),
    "giveaways": Check(
        "phrases that give the class away", "",
        "Phrases that predict the class: a model learns the agency, not the news.",
        "Remove them from the texts, as a model would learn them.",
    ),
    "personal_data": Check(
        "articles with personal data", "", "E-mail addresses, phone or identity numbers; see `personal_data`.",
        "Set validate.personal_data to mask or quarantine them.",
    ),
    "missing_dates": Check(
        "articles without a date", "max_missing_dates",
        "Where an article without a date belongs in time is not known; with `split: time`, it is a train row.",
        "Add the dates, or raise the bound if the corpus has no more.", CRITICAL, is_optional=True,
    ),
    "characters_50": Check(
        "length of the median article", "min_median_characters",
        "Half of the articles are shorter. Far outside the bounds, the wrong column was read as the text.",
        "Does the description name the column of the text?",
    ),
}  # fmt: skip
CLASSES = {
    "rows": Check(
        "articles of each class", "min_rows_per_class",
        "A class with too few articles in a split can be neither trained nor evaluated.",
        "Add articles, or merge the class with another.", CRITICAL,
    ),
    "share": Check(
        "share of the largest class", "max_class_share",
        "One class dominates: accuracy is high for a model that always predicts it.",
        "Add articles of the other classes.",
    ),
}  # fmt: skip
LABELS = {
    "label": Check(
        "classes in the files", "",
        "Classes in the files and in the description differ; rows of undeclared classes are in quarantine.",
        "Correct the labels, or `labels` in the corpus description.",
    )
}  # fmt: skip
DRIFT = {
    "classes": Check(
        "distance of the class shares from train's", "max_class_distance",
        "The class shares differ from those of train (Jensen–Shannon distance).", _SOURCE,
    ),
    "lengths": Check(
        "distance of the lengths from train's", "max_length_distance",
        "The texts are longer or shorter than in train (Kolmogorov–Smirnov statistic).", _SOURCE,
    ),
    "vocabulary": Check(
        "distance of the words from train's", "max_vocabulary_distance",
        "The words differ from those of train.", _SOURCE,
    ),
}  # fmt: skip
CHECKS = {"corpus": CORPUS, "classes": CLASSES, "labels": LABELS, "drift": DRIFT}

KINDS = {  # of examples that are no check of their own
    "near_duplicates": "near duplicates",
    "near_overlap": "near duplicates in two splits",
    "giveaways": "phrase that gives the class away",
    "email": "e-mail address",
    "phone": "phone number",
    "iban": "bank account (IBAN)",
    "card": "payment card",
    "cn_resident": "Chinese identity number",
    "us_ssn": "US social security number",
    "gb_nino": "UK national insurance number",
    "gb_nhs": "NHS number",
    "ca_sin": "Canadian social insurance number",
    "in_aadhaar": "Aadhaar number",
}


def column_of(finding: dict[str, object]) -> str:
    """Return the column of the profile that a finding is about."""
    return str(finding["expects"]).partition(" ")[0]


def describe_kind(kind: str) -> str:
    """Return in words what an example is an example of."""
    return KINDS.get(kind) or (CORPUS[kind].name if kind in CORPUS else kind.replace("_", " "))
