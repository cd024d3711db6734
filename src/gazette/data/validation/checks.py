"""The checks of the corpus contract in words for people: what each is about, its bound, and what to do."""

from typing import NamedTuple


class Check(NamedTuple):
    """What an expectation is about; `bound` is its key in section validate of params.yaml, empty if none may occur."""

    name: str
    bound: str
    cure: str
    examples: str = ""  # kind of the examples

    @property
    def key(self) -> str:
        """The key of the bound in params.yaml."""
        return f"validate.{self.bound}"


_SPLIT_KEPT = "The published split is evaluated as it is; publish it again without them."
_ONE_LABEL = "Decide on one label for each text; `gazette corpus audit` ranks the likely errors."
_LEAKED = "A model would be evaluated on articles that it was trained on: remove them from one of the splits."
_EXPORT = "Export these texts again."
_DRIFT = "Were both exported from the same source and period? Scores on this split say little about train's articles."

CORPUS = {
    "rows": Check("articles", "min_rows", "Add articles, or lower the bound for a trial."),
    "exact_duplicates_train": Check(
        "duplicates in train", "max_duplicates", "Were files concatenated, or named twice in the description?",
        "exact_duplicates_train",
    ),
    "near_duplicates_train": Check(
        "near duplicates in train", "max_duplicates", "Remove them if they are copies.", "near_duplicates",
    ),
    **{
        f"exact_duplicates_{split}": Check(f"duplicates in {split}", "", _SPLIT_KEPT, f"exact_duplicates_{split}")
        for split in ("valid", "test")
    },
    "exact_conflicts": Check("the same text under two labels", "max_conflicts", _ONE_LABEL, "exact_conflicts"),
    "near_conflicts": Check("near duplicates under two labels", "max_conflicts", _ONE_LABEL, "near_conflicts"),
    **{
        f"{kind}_overlap_{first}_{second}": Check(
            f"{name} of {first} that are also in {second}", "max_overlap", _LEAKED, examples
        )
        for kind, name in (("exact", "articles"), ("near", "near duplicates"))
        for first, second in (("train", "valid"), ("train", "test"), ("valid", "test"))
        for examples in [f"exact_overlap_{first}_{second}" if kind == "exact" else "near_overlap"]
    },
    "foreign_script": Check(
        "articles in another script", "max_other_language", "Is the description's language right? Remove them if so.",
        "foreign_script",
    ),
    "foreign_language": Check(
        "articles in another language", "max_other_language", "Is the description's language right? Remove them if so.",
        "foreign_language",
    ),
    "minority_variant": Check(
        "articles in the other form of Chinese characters", "max_other_language", "Convert them to one form.",
        "minority_variant",
    ),
    "mojibake": Check("texts decoded with the wrong encoding", "max_corrupted", _EXPORT, "mojibake"),
    "replacement_character": Check("texts with lost characters", "max_corrupted", _EXPORT, "replacement_character"),
    "markup": Check("texts with HTML", "max_corrupted", "Export plain text.", "markup"),
    "control_characters": Check("texts with control characters", "max_corrupted", _EXPORT, "control_characters"),
    "giveaways": Check(
        "phrases that give the class away", "", "Remove them from the texts, as a model would learn them.", "giveaways"
    ),
    "personal_data": Check("articles with personal data", "", "Set validate.personal_data to mask or quarantine them."),
    "characters_50": Check(
        "length of the median article", "min_median_characters", "Does the description name the column of the text?",
        "characters_50",
    ),
}  # fmt: skip
CLASSES = {
    "rows": Check("articles of each class", "min_rows_per_class", "Add articles, or merge the class with another."),
    "share": Check("share of the largest class", "max_class_share", "Add articles of the other classes."),
}
LABELS = {"label": Check("classes in the files", "", "Correct the labels, or `labels` in the corpus description.")}
DRIFT = {
    "classes": Check("distance of the class shares from train's", "max_class_distance", _DRIFT),
    "lengths": Check("distance of the lengths from train's", "max_length_distance", _DRIFT),
    "vocabulary": Check("distance of the words from train's", "max_vocabulary_distance", _DRIFT),
}
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
